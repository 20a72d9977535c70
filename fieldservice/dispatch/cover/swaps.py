"""What can be done with shifts that are handed over: ask, accept, agree, decline, withdraw.

The manager agrees to every swap; there is no automatic one, since only the manager knows why the roster is as it is.
Whoever decides holds both technicians' rows first, so that no visit is booked and no second swap agreed meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from fieldservice.dispatch.cover import notices
from fieldservice.dispatch.cover.models import OPEN, ShiftSwap
from fieldservice.dispatch.cover.publishing import torn_by_shifts
from fieldservice.dispatch.cover.reading import Turn, away_between, states_of, turns_between
from fieldservice.dispatch.cover.swapping import REST, Objection, ShortRest, Trade, objections, short_rests
from fieldservice.dispatch.cover.telling import span_text, spans_text
from fieldservice.foundation.db import among, session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import local
from fieldservice.foundation.words import pick
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.tasks import Task
from fieldservice.stations.models import Shift, Technician
from fieldservice.workorders import held_time
from fieldservice.workorders.models import Booking, Visit, WorkOrder

ANSWER_WITHIN = timedelta(days=2)  # or until the shift begins
MOST_WORDS = 300
tasks.register_titles(Path(__file__).parent / "data" / "tasks.yaml")


def ask(
    shift: Shift, receiver: Technician, *, back: Shift | None = None, words: str = "", by_manager: bool = False,
    at: datetime,
) -> ShiftSwap:  # fmt: skip
    """Offer a published shift to a colleague, or to exchange it for one of theirs. A manager's asking is the deed.

    Raises Invalid for somebody who is no colleague, Conflict with the rule that speaks against it: `begun`, `shift`
    (changed meanwhile), `offered` (to somebody else already), `duty`, `absence`, and for managers `visits` and `gap`.
    """
    held_time.lock(shift.technician_id, receiver.id)
    giver = session.get_one(Technician, shift.technician_id)
    if receiver.id == giver.id or receiver.station_id not in (giver.station_id, shift.station_id):
        raise Invalid({"to": [_l("Choose a colleague of the station.")]})
    if not by_manager and receiver.account is None:
        raise Invalid({"to": [_l("This colleague cannot sign in to accept. Ask your station manager to swap.")]})
    trade = _trade(shift, receiver.id, back, at)
    if session.scalar(select(ShiftSwap.id).where(ShiftSwap.offered_shift_id == shift.id)) is not None:
        raise Conflict(_l("This shift is offered already. Withdraw that first."), code="offered")
    _require_possible(trade)
    swap = ShiftSwap(
        station_id=shift.station_id, shift_id=shift.id, return_shift_id=back.id if back is not None else None,
        giver_id=giver.id, receiver_id=receiver.id, offered_shift_id=shift.id, by_manager=by_manager,
        words=words.strip()[:MOST_WORDS], asked_at=at,
    )  # fmt: skip
    session.add(swap)
    session.flush()
    facts = {"shift": shift.id, "giver": giver.id, "receiver": receiver.id, "back": swap.return_shift_id}
    record("shift_swap.asked", swap, facts, at=at)
    if by_manager:
        agree(swap, at)
    else:
        account = receiver.account
        assert account is not None
        _ask_for(swap, "swap_asked", at, owner_user_id=account.id)
        notices.tell(receiver, "swap_asked", swap)
    return swap


def accept(swap: ShiftSwap, at: datetime) -> None:
    """The colleague takes it; now the manager decides. Raises Conflict as `ask`."""
    held_time.lock(swap.giver_id, swap.receiver_id)
    _require_possible(_trade_of(swap, at))
    move(swap, "accepted", at=at)
    _settle(swap, "swap_asked", at, "accepted")
    _ask_for(swap, "swap_accepted", at, owner_role="station_manager")


def agree(swap: ShiftSwap, at: datetime) -> None:
    """The shifts change hands: the old ones stay on record as swapped, new published ones stand for them.

    Raises Conflict as `ask`, and `visits` naming orders that have to be moved first, `gap` where nobody would be there.
    """
    if swap.state == "asked" and not swap.by_manager:
        raise Conflict(_l("The colleague has not accepted yet."), code="not_accepted")
    held_time.lock(swap.giver_id, swap.receiver_id)
    move(swap, "agreed", at=at)
    trade = _trade_of(swap, at)
    _require_possible(trade)
    _require_no_visits(trade)
    if torn := torn_by_shifts(trade.moves, at):
        times = [span for spans in torn.values() for span in spans]
        text = LazyString(lambda: _("Nobody would be there: %(times)s.", times=spans_text(times)))
        raise Conflict(text, code="gap")
    for old, new in trade.moves:
        shift = session.get_one(Shift, old.id)
        move(shift, "swapped", at=at, swap=swap.id)
        taken = Shift(
            technician_id=new.technician_id, station_id=new.station_id, starts_at=new.starts_at, ends_at=new.ends_at,
            on_call=new.on_call, state="published",
        )  # fmt: skip
        session.add(taken)
        session.flush()
        record("shift.published", taken, {"technician": new.technician_id, "swap": swap.id}, at=at)
    _end(swap, at, "agreed")
    for technician in (swap.giver, swap.receiver):
        notices.tell(technician, "swap_agreed", swap)
    _withdraw_others(swap, at)


def decline(swap: ShiftSwap, at: datetime, reason: str = "") -> None:
    """The colleague, or the manager, does not want it: the shift stays where it is."""
    move(swap, "declined", at=at, reason=reason.strip()[:MOST_WORDS] or None)
    _end(swap, at, "declined")
    notices.tell(swap.giver, "swap_refused", swap)


def withdraw(swap: ShiftSwap, at: datetime) -> None:
    """Whoever asked needs it no more."""
    move(swap, "withdrawn", at=at)
    _end(swap, at, "withdrawn")


def rest_warnings(trade: Trade) -> list[str]:
    """Where less than REST would be left, in sentences: told to whoever decides, not refused."""
    people = session.scalars(select(Technician).where(Technician.id.in_([trade.giver, trade.receiver])))
    names = {one.id: pick(one.names) for one in people}
    return [rest_text(rest, names[rest.technician_id]) for rest in short_rests(trade, _turns_around(trade))]


def warnings_of(about: Sequence[ShiftSwap]) -> list[list[str]]:
    """The same for each of many swaps (whose shifts and people are loaded); one statement."""
    trades = [trade_of(one) for one in about]
    spans = [_around(trade) for trade in trades]
    if not spans:
        return []
    people = {person for trade in trades for person in (trade.giver, trade.receiver)}
    turns = turns_between(min(a for a, _b in spans), max(b for _a, b in spans), technicians=people)
    names = {person.id: pick(person.names) for one in about for person in (one.giver, one.receiver)}
    return [
        [rest_text(rest, names[rest.technician_id]) for rest in short_rests(trade, _of(trade, turns))]
        for trade in trades
    ]


def _of(trade: Trade, turns: Sequence[Turn]) -> list[Turn]:
    return [one for one in turns if one.technician_id in (trade.giver, trade.receiver)]


def trade_of(swap: ShiftSwap) -> Trade:
    """The swap as plain values."""
    return Trade(turn_of(swap.shift), swap.receiver_id, turn_of(swap.return_shift) if swap.return_shift else None)


def turn_of(shift: Shift) -> Turn:
    return Turn(
        shift.id, shift.technician_id, shift.station_id, shift.starts_at, shift.ends_at, shift.on_call, shift.state
    )


# What speaks against it -----------------------------------------------------------------------------


def _trade_of(swap: ShiftSwap, at: datetime) -> Trade:
    """The swap on the shifts as they are now. Raises Conflict `shift` when they changed hands, or were changed."""
    trade = _trade(swap.shift, swap.receiver_id, swap.return_shift, at)
    if trade.giver != swap.giver_id:
        raise _changed()
    return trade


def _trade(shift: Shift, receiver_id: int, back: Shift | None, at: datetime) -> Trade:
    for one in filter(None, (shift, back)):
        session.refresh(one, with_for_update=True)
        if one.state != "published":
            raise _changed()
        if one.starts_at <= at:
            raise Conflict(_l("This shift has begun. Only shifts to come can be swapped."), code="begun")
    if back is not None and back.technician_id != receiver_id:
        raise _changed()
    return Trade(turn_of(shift), receiver_id, turn_of(back) if back is not None else None)


def _changed() -> Conflict:
    return Conflict(_l("This shift was changed or swapped meanwhile. Look at the roster and ask anew."), code="shift")


def _require_possible(trade: Trade) -> None:
    start, end = _around(trade)
    turns = _turns_around(trade)
    away = away_between(states_of([trade.giver, trade.receiver]), start, end)
    objection = next(objections(trade, turns, away), None)
    if objection is not None:
        name = session.get_one(Technician, objection.technician_id).names
        raise Conflict(LazyString(lambda: objection_text(objection, pick(name))), code=objection.rule)


def objection_text(objection: Objection, name: str) -> str:
    """Why somebody cannot take a shift, in a sentence."""
    if objection.rule == "absence":
        return str(_("%(name)s is away at that time (%(time)s).", name=name, time=span_text(objection.turn.span)))
    time = span_text(objection.other.span if objection.other is not None else objection.turn.span)
    return str(_("%(name)s is on duty then already (%(time)s).", name=name, time=time))


def rest_text(rest: ShortRest, name: str) -> str:
    """A warning in a sentence."""
    return str(
        _(
            "%(name)s would rest %(hours)s h only before %(time)s; %(least)s h are meant to be.",
            name=name, hours=f"{rest.hours:g}", time=span_text(rest.then.span), least=f"{REST / timedelta(hours=1):g}",
        )
    )  # fmt: skip


def _require_no_visits(trade: Trade) -> None:
    """What was promised to customers goes with nobody: it is moved first, by whoever dispatches."""
    numbers: list[str] = []
    for old, _new in trade.moves:
        rows = (
            select(WorkOrder.number)
            .join(Visit, Visit.work_order_id == WorkOrder.id)
            .join(Booking, Booking.visit_id == Visit.id)
            .where(Booking.technician_id == old.technician_id, Booking.state == "held", Booking.cause == "visit")
            .where(Booking.touching(old.starts_at, old.ends_at))
        )
        numbers += session.scalars(rows.order_by(Booking.starts_at))
    if numbers:
        text = _l("Visits lie in this shift: %(orders)s. Move them first.", orders=", ".join(numbers))
        raise Conflict(text, code="visits", work_orders=numbers)


def _around(trade: Trade) -> tuple[datetime, datetime]:
    spans = [new.span for _old, new in trade.moves]
    return min(one.starts_at for one in spans) - REST, max(one.ends_at for one in spans) + REST


def _turns_around(trade: Trade) -> list[Turn]:
    people = (trade.giver, trade.receiver)
    own = [turns_between(new.starts_at - REST, new.ends_at + REST, technicians=people) for _old, new in trade.moves]
    return list({one.id: one for turns in own for one in turns}.values())


# What follows ---------------------------------------------------------------------------------------


def _ask_for(swap: ShiftSwap, title: str, at: datetime, **owner: Any) -> None:
    starts, ends = local(swap.shift.starts_at), local(swap.shift.ends_at)
    facts = {"shift": f"{starts:%Y-%m-%d %H:%M}–{ends:%H:%M}"}
    due = max(at, min(at + ANSWER_WITHIN, swap.shift.starts_at))
    tasks.open_task(title, swap, due_at=due, at=at, facts=facts, key=_key(swap, title), **owner)


def _key(swap: ShiftSwap, title: str) -> str:
    return f"{title}:{swap.id}"


def _settle(swap: ShiftSwap, title: str, at: datetime, result: str) -> None:
    open_still = session.scalar(select(Task).where(Task.key == _key(swap, title), Task.state == "open"))
    if open_still is not None:
        tasks.finish(open_still, at=at, result=result)


def _end(swap: ShiftSwap, at: datetime, result: str) -> None:
    swap.ended_at, swap.offered_shift_id = at, None
    for title in ("swap_asked", "swap_accepted"):
        _settle(swap, title, at, result)


def _withdraw_others(swap: ShiftSwap, at: datetime) -> None:
    """Other offers about shifts that have just changed hands mean nothing any more."""
    gone: Sequence[int] = [one for one in (swap.shift_id, swap.return_shift_id) if one is not None]
    about = or_(among(ShiftSwap.shift_id, gone), among(ShiftSwap.return_shift_id, gone))
    for other in session.scalars(select(ShiftSwap).where(about, ShiftSwap.state.in_(OPEN), ShiftSwap.id != swap.id)):
        withdraw(other, at)
        notices.tell(other.giver, "swap_refused", other)
