"""What can be done with lendings: ask, agree, refuse, withdraw, end. Rows are locked technician first, then lending."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select

from fieldservice.dispatch import scope
from fieldservice.dispatch.lending.prospects import InTheWay, able, prospects_at
from fieldservice.dispatch.lending.rates import terms_of
from fieldservice.dispatch.lending.worked import worked_for
from fieldservice.foundation import display
from fieldservice.foundation.access import Person
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Forbidden, Invalid
from fieldservice.foundation.time import local, now
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.forms import plain_text
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.tasks import Task
from fieldservice.stations.lendings import HOLDS, Lending
from fieldservice.stations.models import Station, Technician
from fieldservice.stations.queries import SERVES
from fieldservice.workorders import held_time
from fieldservice.workorders.booking import OPEN_STATES
from fieldservice.workorders.models import Visit, WorkOrder
from fieldservice.workorders.placement import Span
from fieldservice.workorders.skills import skill_codes, skill_word

TITLE = "lending_asked"
MOST_WORDS = 300
MOST_SKILLS = 8
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=31)
FURTHEST = timedelta(days=90)  # ahead
LATE_ENTRY = timedelta(minutes=15)
ANSWER_WITHIN = timedelta(hours=4)  # or until it begins [D]
MOST_NAMED = 5  # work orders in a sentence
LEVELS = (1, 2, 3)
tasks.register_titles(Path(__file__).parent / "data" / "tasks.yaml")


def ask(
    somebody: Person,
    to: Station,
    home: Station,
    span: Span,
    *,
    technician: Technician | None = None,
    skills: Mapping[str, int] | None = None,
    words: str = "",
    at: datetime | None = None,
) -> Lending:
    """Ask another station for a technician, or for somebody with these skills. Who asks twice has asked once.

    Raises Forbidden for a station whose work the person does not plan, Invalid, and Conflict `overlap` when the
    technician is lent already then.
    """
    at = at or now()
    if not scope.may_plan(somebody, to.id):
        raise Forbidden()
    wanted = dict(skills or {})
    _require(to, home, span, technician, wanted, at)
    wish = {
        "station_id": home.id, "to_station_id": to.id, "starts_at": span.starts_at, "ends_at": span.ends_at,
        "technician_id": technician.id if technician is not None else None,
    }  # fmt: skip
    for known in session.scalars(select(Lending).filter_by(**wish, asked_by=somebody.user_id, state="asked")):
        if known.skills == wanted:
            return known
    if technician is not None:
        _require_free(technician.id, span)
    lending = Lending(
        **wish,
        skills=wanted,
        words=plain_text(words, MOST_WORDS, field="words"),
        asked_by=somebody.user_id,
        asked_at=at,
    )
    session.add(lending)
    session.flush()
    facts = {"to_station": to.id, "technician": wish["technician_id"], **_span_told(span)}
    event = record("lending.asked", lending, facts, at=at)
    _tell_borrower(lending, "asked", at)
    tasks.open_task(
        TITLE, lending, due_at=max(min(span.starts_at, at + ANSWER_WITHIN), at + timedelta(minutes=30)), at=at,
        owner_role="station_manager", supervisor_role="director", origin_event_id=event.id, key=_key(lending),
        facts={
            "number": lending.id, "station": to.code, "from": _numeric(span.starts_at), "to": _numeric(span.ends_at)
        },
    )  # fmt: skip
    return lending


def agree(
    lending: Lending,
    somebody: Person,
    *,
    technician_id: int | None = None,
    keep: bool = False,
    lodges: bool | None = None,
    at: datetime | None = None,
) -> None:
    """Lend the technician asked for, or the one chosen; from now on where it should have begun already.

    Raises Forbidden for all but the lending station's manager, Conflict `visits` (naming them) while visits for other
    stations stand in that time unless he is to `keep` them, `overlap` when he is lent already, `skill`, `over`.
    """
    at = at or now()
    if not may_answer(somebody, lending):
        raise Forbidden()
    chosen = lending.technician_id or technician_id
    if chosen is None:
        raise Invalid({"technician": [_l("Choose whom to lend.")]})
    held_time.lock(chosen)
    _require_asked(lending)
    span = Span(max(lending.starts_at, at.replace(second=0, microsecond=0)), lending.ends_at)
    if span.ends_at <= at:
        raise Conflict(_l("That time is over. Refuse, or let them ask for another one."), code="over")
    _require_free(chosen, span)
    found = prospects_at(lending.station, lending.to_station, span, technician_id=chosen, lodges=lodges)
    if not found:
        raise Invalid({"technician": [_l("This technician is not of your station.")]})
    (prospect,) = found
    if not able(prospect.member, lending.skills):
        raise Conflict(_l("This technician does not have the skills that were asked for."), code="skill")
    if prospect.visits and not keep:
        raise _in_the_way(prospect.visits)
    terms = terms_of([lending.station_id])[lending.station_id]
    lending.technician_id, lending.starts_at, lending.lodges = chosen, span.starts_at, prospect.lodges
    lending.hour_rate, lending.km_rate, lending.night_rate = terms.hour, terms.km, terms.night
    lending.planned_cost, lending.agreed_by, lending.agreed_at = prospect.cost.total, somebody.user_id, at
    kept = [one.visit_id for one in prospect.visits]
    session.expire(lending, ["technician"])
    move(lending, "agreed", at=at, technician=chosen, to_station=lending.to_station_id, kept=kept, **_span_told(span))
    _answered(lending, at, "agreed")


def refuse(lending: Lending, somebody: Person, reason: str, at: datetime | None = None) -> None:
    """The lending station cannot. Raises Forbidden, Invalid without a reason, Conflict when it was answered already."""
    at = at or now()
    if not may_answer(somebody, lending):
        raise Forbidden()
    move(lending, "refused", reason=plain_text(reason, MOST_WORDS, field="reason"), at=at)
    _answered(lending, at, "refused")


def withdraw(lending: Lending, somebody: Person, at: datetime | None = None) -> None:
    """Nobody is needed any more; also after it was agreed to, until it begins.

    Raises Forbidden, and Conflict `visits` when the borrowing station has booked him already.
    """
    at = at or now()
    if not scope.may_plan(somebody, lending.to_station_id):
        raise Forbidden()
    if lending.technician_id is not None:
        held_time.lock(lending.technician_id)
    session.refresh(lending, ["state"])
    if lending.state == "agreed":
        if lending.starts_at <= at:
            raise Conflict(_l("This lending has begun. End it instead."), code="move_forbidden", state="agreed")
        _require_none_booked(lending, lending.starts_at)
    move(lending, "withdrawn", at=at)
    _answered(lending, at, "withdrawn")


def end(lending: Lending, somebody: Person, at: datetime | None = None) -> None:
    """He is back at home at once. Raises Forbidden, and Conflict `visits` while visits for the borrower lie ahead."""
    at = at or now()
    if not may_end(somebody, lending):
        raise Forbidden()
    if lending.technician_id is not None:
        held_time.lock(lending.technician_id)
    session.refresh(lending, ["state", "ends_at"])
    if lending.state == "agreed":
        if lending.starts_at >= at:
            raise Conflict(_l("This lending has not begun. Withdraw it instead."), code="move_forbidden")
        _require_none_booked(lending, at)
    before, minute = lending.ends_at, at.replace(second=0, microsecond=0)
    move(lending, "ended", at=at, planned_end=before.isoformat())
    lending.ends_at = min(before, max(minute, lending.starts_at + timedelta(minutes=1)))
    lending.actual_cost = worked_for(lending, at).cost.total
    session.flush()
    _tell_borrower(lending, "ended", at)


def end_over(at: datetime, limit: int = 200) -> int:
    """What is over ends, once the last visit is done; what nobody answered expires. Returns how many."""
    going_on = exists().where(
        Visit.technician_id == Lending.technician_id, Visit.station_id == Lending.to_station_id,
        Visit.state.in_(OPEN_STATES), Visit.starts_at < Lending.ends_at, Visit.ends_at > Lending.starts_at,
    )  # fmt: skip
    rows = select(Lending).where(Lending.ends_at <= at, Lending.state.in_(("asked", "agreed")))
    rows = rows.where((Lending.state == "asked") | ~going_on).order_by(Lending.id).limit(limit)
    over = session.scalars(rows.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    for lending in over:
        if lending.state == "asked":
            move(lending, "expired", at=at)
            _answered(lending, at, "expired")
            continue
        move(lending, "ended", at=at)
        lending.actual_cost = worked_for(lending, at).cost.total
        _tell_borrower(lending, "ended", at)
    session.flush()
    return len(over)


# Who may ------------------------------------------------------------------------------------------


def may_answer(somebody: Person, lending: Lending) -> bool:
    """The manager of the station that lends."""
    return somebody.has("station_manager") and somebody.covers(lending.station_id, "station_manager")


def may_end(somebody: Person, lending: Lending) -> bool:
    """The lending manager calls back, whoever plans at the borrowing station gives back."""
    return may_answer(somebody, lending) or scope.may_plan(somebody, lending.to_station_id)


def who_text(lending: Lending) -> str:
    """The technician, or the skills asked for: 'Gearboxes L2, Servo drives L1'."""
    if lending.technician_id is not None:
        technician = session.get(Technician, lending.technician_id)
        return pick(technician.names) if technician is not None else ""
    return skills_text(lending.skills)


def skills_text(skills: Mapping[str, int]) -> str:
    """'Gearboxes L2, Servo drives L1'"""
    return str(_(", ")).join(f"{skill_word(skill)} L{level}" for skill, level in sorted(skills.items()))


# Inside -------------------------------------------------------------------------------------------


def _require(
    to: Station, home: Station, span: Span, technician: Technician | None, skills: Mapping[str, int], at: datetime
) -> None:
    errors: dict[str, list[Any]] = {}
    if home.id == to.id or home.state not in SERVES:
        errors["from_station"] = [_l("Choose another station that is open.")]
    if technician is not None and technician.station_id != home.id:
        errors["technician"] = [_l("This technician is not of that station.")]
    if technician is None and not skills:
        errors["skills"] = [_l("Say whom you need: a technician, or skills.")]
    known = set(skill_codes())
    if len(skills) > MOST_SKILLS or not all(one in known and level in LEVELS for one, level in skills.items()):
        errors["skills"] = [_l("Choose up to 8 skills of the list, with a level from 1 to 3.")]
    if span.starts_at < at - LATE_ENTRY or span.starts_at > at + FURTHEST:
        errors["starts_at"] = [_l("Choose a start from now on, within 90 days.")]
    if not SHORTEST <= span.ends_at - span.starts_at <= LONGEST:
        errors["ends_at"] = [_l("A lending takes an hour at least and 31 days at most.")]
    if errors:
        raise Invalid(errors)


def _require_asked(lending: Lending) -> None:
    session.refresh(lending, ["state"])
    if lending.state != "asked":
        raise Conflict(code="move_forbidden", state=lending.state, allowed=["asked"])


def _require_free(technician_id: int, span: Span) -> None:
    rows = select(Lending).where(Lending.technician_id == technician_id, Lending.state.in_(HOLDS))
    known = session.scalar(rows.where(Lending.starts_at < span.ends_at, Lending.ends_at > span.starts_at).limit(1))
    if known is not None:
        text = _l(
            "Already lent to %(station)s until %(time)s. Choose another time or another technician.",
            station=LazyString(pick, known.to_station.names), time=LazyString(display.datetime_short, known.ends_at),
        )  # fmt: skip
        raise Conflict(text, code="overlap", **_span_told(Span(known.starts_at, known.ends_at)))


def _require_none_booked(lending: Lending, after: datetime) -> None:
    rows = (
        select(WorkOrder.number)
        .join(Visit, Visit.work_order_id == WorkOrder.id)
        .where(Visit.technician_id == lending.technician_id, Visit.station_id == lending.to_station_id)
        .where(Visit.state.in_(OPEN_STATES), Visit.ends_at > after, Visit.starts_at < lending.ends_at)
    )
    if numbers := session.scalars(rows.order_by(Visit.starts_at)).all():
        text = _l(
            "Booked for the borrowing station after that: %(orders)s. Move these visits to somebody else first.",
            orders=_some(numbers),
        )
        raise Conflict(text, code="visits", work_orders=list(numbers))


def _in_the_way(visits: Sequence[InTheWay]) -> Conflict:
    numbers = [one.number for one in visits]
    text = _l(
        "Visits stand in that time: %(orders)s. Move them to somebody else first, or let the technician keep them.",
        orders=_some(numbers),
    )
    return Conflict(text, code="visits", work_orders=numbers)


def _some(numbers: Sequence[str]) -> str:
    more = len(numbers) - MOST_NAMED
    return ", ".join(numbers[:MOST_NAMED]) + (f" (+{more})" if more > 0 else "")


def _answered(lending: Lending, at: datetime, state: str) -> None:
    session.flush()
    task = session.scalar(select(Task).where(Task.key == _key(lending), Task.state == "open"))
    if task is not None and state in ("agreed", "refused"):
        tasks.finish(task, at=at, result=state)
    elif task is not None:
        tasks.cancel(task, at=at)
    _tell_borrower(lending, state, at)


def _tell_borrower(lending: Lending, state: str, at: datetime) -> None:
    """Events of a lending are the lending station's; the feed of the other one hears of it by this."""
    record("lending.told", lending, {"state": state}, station_id=lending.to_station_id, at=at)


def _numeric(moment: datetime) -> str:
    """11-25 08:00, for readers of either language."""
    return f"{local(moment):%m-%d %H:%M}"


def _key(lending: Lending) -> str:
    return f"lending:{lending.id}"


def _span_told(span: Span) -> dict[str, str]:
    return {"starts_at": span.starts_at.isoformat(), "ends_at": span.ends_at.isoformat()}
