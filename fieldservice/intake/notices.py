"""What customers are told about their request, in their language: by SMS to a mobile phone, else by e-mail."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldservice.foundation import formats
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks, messages
from fieldservice.mechanisms.messages.models import Channel

messages.register_templates(Path(__file__).parent / "data" / "messages.yaml")


def acknowledge(request: ServiceRequest, given: Sequence[clocks.Clock], at: datetime) -> None:
    """Number, promised times and private link; an e-mail address that was given gets them too."""
    told = {f"{clock.kind}_by": clock.quoted_at or clock.due_at for clock in given}
    template = "report_received" if len(told) > 1 else "report_received_planned"
    tell(request, template, template, at, told, both=True)


def tell(
    request: ServiceRequest,
    template: str,
    key: str,
    at: datetime,
    facts: dict[str, Any] | None = None,
    *,
    both: bool = False,
) -> None:
    """Queue a message; nobody is told twice under one key. Without mobile phone and e-mail nobody is told."""
    ways: list[tuple[Channel, str]] = []
    if formats.is_mobile(request.contact_phone):
        ways.append(("sms", request.contact_phone))
    if request.contact_email:
        ways.append(("email", request.contact_email))
    told = {"number": request.number, **(facts or {})}
    for channel, to in ways if both else ways[:1]:
        messages.queue(
            template, to=to, channel=channel, language=request.language, facts=told, subject=request,
            key=f"{key}:{request.id}:{channel}", at=at,
        )  # fmt: skip
