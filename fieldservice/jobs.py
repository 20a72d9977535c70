"""Wiring: every piece of scheduled work, one line each. Deferred jobs are declared beside what they do, by @task."""

from datetime import time, timedelta

from fieldservice.admin import import_jobs
from fieldservice.dispatch.cover import watching
from fieldservice.dispatch.day import late
from fieldservice.dispatch.lending import services as lending
from fieldservice.feedback import services as feedback
from fieldservice.foundation import limits
from fieldservice.foundation.api import forget_old_answers
from fieldservice.foundation.db import write
from fieldservice.foundation.jobs import every, forget_done
from fieldservice.foundation.time import now, today
from fieldservice.intake import services as intake
from fieldservice.mechanisms import clocks, files, messages
from fieldservice.mechanisms.relay import relay
from fieldservice.operations.services import ask_nightly
from fieldservice.parts.availability import services as availability
from fieldservice.parts.consignment import watching as consignment
from fieldservice.parts.returns import reminding
from fieldservice.parts.stocking import services as stocking
from fieldservice.parts.transfers import neighbours
from fieldservice.workorders import held_time, hint_learning, late_parts, unused_parts
from fieldservice.workorders.onsite import arriving
from fieldservice.workorders.tablet import uploads


def list_schedules() -> None:
    """Called by the app factory; the leader then runs them."""
    every(timedelta(milliseconds=80), relay)
    every(timedelta(seconds=2), messages.deliver_queued)
    every(timedelta(seconds=10), watch_clocks)
    every(timedelta(minutes=2), watch_days)
    every(timedelta(seconds=30), release_offers)
    every(timedelta(minutes=1), expire_reservations)
    every(timedelta(minutes=1), expire_asked)
    every(timedelta(minutes=5), end_lendings)
    every(timedelta(minutes=1), send_surveys)
    every(timedelta(minutes=15), close_silent)
    every(time(15, 30), warn_of_load)
    every(time(3, 10), learn_hints)
    every(time(2, 10), ask_nightly)
    every(time(2, 40), relevel)
    every(time(3, 0), refill_customers)
    every(timedelta(hours=1), remind_of_old_parts)
    every(timedelta(hours=1), remind_of_unused_parts)
    every(timedelta(minutes=5), watch_parts_on_their_way)
    every(time(3, 20), forget_answers)
    every(time(3, 30), forget_done)
    every(time(3, 50), forget_positions)
    every(time(3, 35), uploads.keep_waiting)
    every(time(3, 40), files.sweep)
    every(time(3, 45), import_jobs.sweep)
    every(timedelta(minutes=10), limits.sweep)


def watch_clocks() -> None:
    """Tell warnings and breaches, in batches, until none is due."""
    while write(lambda: clocks.tick(now(), 200)) == 200:
        pass


def expire_reservations() -> None:
    """Parts held for somebody who did not come back are free again, in batches."""
    while availability.due(now()) and write(lambda: availability.expire(now())):
        pass


def expire_asked() -> None:
    """Transfers that another station was asked for and did not answer are over, in batches."""
    while neighbours.due(now()) and write(lambda: neighbours.expire(now())):
        pass


def relevel() -> None:
    """Ask for all levels of parts to be reckoned."""
    write(lambda: stocking.ask(at=now()))


def refill_customers() -> None:
    """Customers' stock for today: refills before it runs out, readings where none came; in small writes."""
    after = 0
    while found := consignment.due_after(after):
        after = found[-1]
        write(lambda found=found: consignment.look_after(found, now()))  # type: ignore[misc]


def remind_of_old_parts() -> None:
    """Ask for old parts that are due, in batches; nothing is written where none is."""
    while reminding.is_due(now()) and write(lambda: reminding.remind(now())):
        pass


def watch_parts_on_their_way() -> None:
    """Tell dispatchers what comes too late for a visit; nothing is written where nothing is new."""
    if late_parts.is_due(now()):
        write(lambda: late_parts.tell(now()))


def remind_of_unused_parts() -> None:
    """Ask for unused parts that were not brought back in time; nothing is written where there are none."""
    if unused_parts.is_due(now()):
        write(lambda: unused_parts.remind(now()))


def watch_days() -> None:
    """Notice whose day runs late by the clock alone; only for those is anything written."""
    at, after = now(), 0
    while found := late.overdue(at, after):
        after = found[-1]
        if wanted := [one for one in found if late.is_due(one, at)]:
            write(lambda wanted=wanted: late.ask_for(wanted, at))  # type: ignore[misc]


def release_offers() -> None:
    """Give back time that was offered to customers and that nobody chose."""
    while write(lambda: held_time.release_lapsed(now(), 200)) == 200:
        pass


def warn_of_load() -> None:
    """Ask managers to act while tomorrow can still be changed; only for stations that are overloaded is anything
    written."""
    for station_ids in watching.batches():
        if heavy := watching.overloaded_tomorrow(station_ids, today()):
            write(lambda heavy=heavy: watching.ask_managers(heavy, now()))  # type: ignore[misc]


def end_lendings() -> None:
    """Lendings whose time is over, in batches, until none is left."""
    while write(lambda: lending.end_over(now(), 200)) == 200:
        pass


def send_surveys() -> None:
    """Invite those whose work is finished; end invitations nobody answered."""
    write(lambda: feedback.send_due(now()))
    write(lambda: feedback.expire_old(now()))


def learn_hints() -> None:
    """Learn from what was closed since yesterday."""
    lesson = hint_learning.learn_closed()
    write(lambda: hint_learning.keep(lesson, now()))


def close_silent() -> None:
    """Close what customers left without a word for three business days, in batches, until none is left."""
    while write(lambda: intake.close_silent(now(), 200)) == 200:
        pass


def forget_answers() -> None:
    """Idempotent answers are kept for a day, receipts of forms for a week."""
    write(forget_old_answers)
    write(lambda: intake.forget_receipts(now()))


def forget_positions() -> None:
    """Where technicians arrived is kept for a month."""
    write(lambda: arriving.forget_positions(now()))
