"""What the roster has to show at the first station: next week's nights are still drafts, one of them is missing, and a
swap waits for the manager. Small companies only: what is copied to a whole country has no twin here."""

from datetime import timedelta

from sqlalchemy import select

from fieldservice.demo.still import AHEAD, Placed
from fieldservice.demo.world import TechnicianPlan, World
from fieldservice.dispatch.cover.models import ShiftSwap
from fieldservice.dispatch.cover.reading import monday_of
from fieldservice.foundation.db import session
from fieldservice.foundation.time import at_local, day_span, local
from fieldservice.mechanisms import tasks
from fieldservice.mechanisms.events import record
from fieldservice.mechanisms.lifecycle import move
from fieldservice.stations.models import Shift
from fieldservice.stations.queries import station_by_code

WORDS = "女儿家长会 My daughter's school asks for me"
MISSING = 5  # Saturday night
FIRST = 9  # days from today: by then nobody has visits yet


def show(world: World, placed: Placed) -> None:
    """Called when everything else is told."""
    _leave_nights_open(world)
    _ask_for_a_swap(world, placed)


def _leave_nights_open(world: World) -> None:
    monday = monday_of(world.today) + timedelta(days=7)
    start, end = day_span(monday, 7)
    station = station_by_code(world.stations[0].code)
    nights = select(Shift).where(Shift.station_id == station.id, Shift.on_call)
    for night in session.scalars(
        nights.where(Shift.starts_at >= start, Shift.starts_at < end).order_by(Shift.id)
    ).all():
        draft = Shift(
            technician_id=night.technician_id, station_id=night.station_id, starts_at=night.starts_at,
            ends_at=night.ends_at, on_call=True,
        )  # fmt: skip
        if local(night.starts_at).date() != monday + timedelta(days=MISSING):
            session.add(draft)
        session.delete(night)
    session.flush()


def _ask_for_a_swap(world: World, placed: Placed) -> None:
    """The first technician's shift goes to the first colleague who is free then; the colleague has accepted."""
    hero = world.hero
    for days in range(FIRST, AHEAD):
        day = world.today + timedelta(days=days)
        duty = next((one for one in hero.duties(day) if not one.on_call), None)
        free = [one for one in world.team[hero.station][1:] if duty and _is_free(one, world, days)]
        if duty is None or not free:
            continue
        giver, receiver = placed.technicians[hero.key], placed.technicians[free[0].key]
        own = select(Shift).filter_by(technician_id=giver.id, starts_at=duty.starts_at)
        shift = session.scalars(own).one()
        asked = world.now - timedelta(hours=3)
        swap = ShiftSwap(
            station_id=shift.station_id, shift_id=shift.id, giver_id=giver.id, receiver_id=receiver.id,
            offered_shift_id=shift.id, words=WORDS, asked_at=asked,
        )  # fmt: skip
        session.add(swap)
        session.flush()
        facts = {"shift": shift.id, "giver": giver.id, "receiver": receiver.id, "back": None}
        record("shift_swap.asked", swap, facts, at=asked)
        move(swap, "accepted", at=world.now - timedelta(hours=1))
        when = f"{local(duty.starts_at):%Y-%m-%d %H:%M}–{local(duty.ends_at):%H:%M}"
        tasks.open_task(
            "swap_accepted", swap, at=world.now - timedelta(hours=1), due_at=world.now + timedelta(hours=30),
            facts={"shift": when}, owner_role="station_manager", key=f"swap_accepted:{swap.id}",
        )  # fmt: skip
        return


def _is_free(one: TechnicianPlan, world: World, days: int) -> bool:
    """Neither on duty that day, nor on call before or after."""
    around = [world.today + timedelta(days=days + number) for number in (-1, 0)]
    begins, ends = at_local(around[1], 6), at_local(around[1], 20)
    return not any(duty.starts_at < ends and duty.ends_at > begins for day in around for duty in one.duties(day))
