"""What technicians are told about swaps: by SMS to a mobile phone, else by e-mail to their account."""

from pathlib import Path

from fieldservice.dispatch.cover.models import ShiftSwap
from fieldservice.foundation import formats
from fieldservice.foundation.company import default_language
from fieldservice.mechanisms import messages
from fieldservice.mechanisms.messages.models import Channel
from fieldservice.stations.models import Technician

messages.register_templates(Path(__file__).parent / "data" / "messages.yaml")


def tell(technician: Technician, template: str, swap: ShiftSwap) -> None:
    """Queue a message, once for each swap and person; without mobile phone and account nobody is told."""
    account = technician.account
    channel: Channel = "sms" if formats.is_mobile(technician.phone) else "email"
    to = technician.phone if channel == "sms" else account.email if account is not None else ""
    if not to:
        return
    language = account.language if account is not None and account.language else default_language()
    messages.queue(
        template, to=to, channel=channel, language=language, facts={"starts_at": swap.shift.starts_at}, subject=swap,
        key=f"{template}:{swap.id}:{technician.id}",
    )  # fmt: skip
