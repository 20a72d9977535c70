"""What customers are told about their request, in their language: by SMS to a mobile phone, else by e-mail.

And what the station's own people are told in their chat, where a robot is set up.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fieldservice.foundation import formats
from fieldservice.foundation.db import session
from fieldservice.intake.models import ServiceRequest
from fieldservice.mechanisms import clocks, messages
from fieldservice.mechanisms.events import Event
from fieldservice.mechanisms.messages import robots
from fieldservice.mechanisms.messages.models import Channel
from fieldservice.stations.models import Station

NEARLY = 90  # per cent of the limit: one more word before it breaks
STALE = timedelta(hours=2)
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


# The station's own people, by the robots of their chats -------------------------------------------------


def tell_team_of_urgent(request: ServiceRequest, given: Sequence[clocks.Clock], at: datetime) -> None:
    """A P1 has arrived."""
    due = {clock.kind: clock.due_at.isoformat() for clock in given}
    if request.priority == "P1" and "arrival" in due:
        told = {**_for_team(request), "due_at": due["arrival"]}
        robots.announce("urgent", request, request.station_id, told, key=f"urgent:{request.id}", at=at)


def tell_team_of_promise(event: Event) -> None:
    """A promise is nearly used up, or broken. What broke long ago (an import of last year's work) is no news."""
    facts = event.facts
    due = datetime.fromisoformat(facts["due_at"])
    broken = event.kind == "clock.breached"
    nearly = facts.get("share") == NEARLY
    if event.subject_type != ServiceRequest.subject_type or not (broken or nearly) or event.at - due > STALE:
        return
    request = session.get_one(ServiceRequest, event.subject_id)
    told = {**_for_team(request), "kind": facts["kind"], "due_at": facts["due_at"]}
    news = "broken" if broken else "at_risk"
    robots.announce(news, request, request.station_id, told, key=f"{news}:{facts['clock']}", at=event.at)


def _for_team(request: ServiceRequest) -> dict[str, Any]:
    """What may be said in a chat: no name and no telephone number of anybody outside."""
    station = session.get_one(Station, request.station_id)
    return {"number": request.number, "priority": request.priority, "severity": request.severity,
            "station": " ".join(dict.fromkeys(station.names.values()))}  # fmt: skip
