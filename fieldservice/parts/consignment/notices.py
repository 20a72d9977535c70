"""What a customer is told of his stock, in the language of whoever buys there: by SMS, else by e-mail."""

from pathlib import Path

from sqlalchemy import case, select

from fieldservice.customers.models import Contact, Site
from fieldservice.foundation import formats
from fieldservice.foundation.company import default_language
from fieldservice.foundation.db import session
from fieldservice.mechanisms import messages
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.messages.models import Channel
from fieldservice.parts.consignment.models import RefillOrder

messages.register_templates(Path(__file__).parent / "data" / "messages.yaml")
TEMPLATE = "refill_confirmed"


def tell_confirmed(event: Event) -> None:
    """What comes and by when (T-06), once for each refill; without mobile phone and e-mail nobody is told."""
    refill = session.get_one(RefillOrder, event.subject_id)
    buyer = _buyer(refill)
    if buyer is None or refill.due_at is None:
        return
    channel: Channel = "sms" if formats.is_mobile(buyer.phone) else "email"
    language = buyer.language or default_language()
    line = refill.line
    told = {
        "number": refill.number, "quantity": formats.decimal_text(refill.quantity), "unit": line.part.unit,
        "part": _in(language, line.part.names), "place": _in(language, line.location.names), "due_at": refill.due_at,
    }  # fmt: skip
    messages.queue(
        TEMPLATE, to=buyer.phone if channel == "sms" else buyer.email, channel=channel, language=language, facts=told,
        subject=refill, key=f"{TEMPLATE}:{refill.id}", at=event.at,
    )  # fmt: skip


def _buyer(refill: RefillOrder) -> Contact | None:
    """Of those at the customer whom we can reach, whoever buys, else the one we have known longest."""
    people = (
        select(Contact)
        .join(Site, Site.customer_id == Contact.customer_id)
        .where(Site.id == refill.line.location.site_id, Contact.state == "active")
        .order_by(case((Contact.role == "buyer", 0), else_=1), Contact.id)
        .limit(50)
    )
    return next((one for one in session.scalars(people) if formats.is_mobile(one.phone) or one.email), None)


def _in(language: str, names: dict[str, str]) -> str:
    return names.get(language) or next(iter(names.values()), "")
