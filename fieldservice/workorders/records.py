"""Absences of technicians as records, never changed, only called off; and engineers whom customers name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from fieldservice.customers.records import CUSTOMER, OfCustomer
from fieldservice.foundation import display
from fieldservice.foundation.db import among, session
from fieldservice.foundation.time import at_local, local
from fieldservice.foundation.words import word
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records.fields import Choice, Day, Field, Reference, words_of
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.stations.models import Technician
from fieldservice.stations.records import OfStation
from fieldservice.stations.shift_records import Hour
from fieldservice.workorders import held_time
from fieldservice.workorders.models import AWAY, Booking
from fieldservice.workorders.wishes import WISHES, TechnicianWish


class Absences(OfStation):
    """Time a technician is away; found by technician, day and start."""

    code, symbol = "absences", "calendar-x"
    title, one = _l("Absences"), _l("Absence")
    model = Booking
    fields = (
        Reference(name="technician", label=_l("Technician"), to="technicians", required=True, example="T-017",
                  fixed=True),
        Choice(name="cause", label=_l("Cause"), words=words_of("booking_cause", *AWAY),
               required=True, example="leave", fixed=True),
        Day(name="from_day", label=_l("First day"), required=True, example="2026-12-24", fixed=True),
        Hour(name="from_hour", label=_l("From (time)"), default="00:00", example="00:00", fixed=True),
        Day(name="to_day", label=_l("Last day"), required=True, example="2026-12-26", fixed=True),
        Hour(name="to_hour", label=_l("Until (time)"), default="23:59", example="23:59", fixed=True),
    )  # fmt: skip
    keys = (("technician", "from_day", "from_hour"),)
    shown = ("technician", "cause", "from_day", "to_day")
    moves = ("released",)

    def every(self) -> Select[Any]:
        return super().every().where(Booking.away(), Booking.state == "held")

    def name(self, row: Any) -> str:
        return f"{word('booking_cause', row.cause)} {display.date_short(row.starts_at)}"

    def key_text(self, row: Any) -> str:
        return f"{row.technician_id} {local(row.starts_at):%Y-%m-%d %H:%M}"

    def values(self, row: Any) -> dict[str, Any]:
        starts, ends = local(row.starts_at), local(row.ends_at)
        return {
            "technician": row.technician_id, "cause": row.cause, "from_day": starts.date().isoformat(),
            "from_hour": f"{starts:%H:%M}", "to_day": ends.date().isoformat(), "to_hour": f"{ends:%H:%M}",
        }  # fmt: skip

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        starts = {(technician, _moment(day, hour)): (technician, day, hour) for technician, day, hour in wanted}
        rows = session.scalars(
            select(Booking).where(Booking.technician_id.in_({one[0] for one in wanted}), Booking.away())
            .where(Booking.starts_at.in_({moment for _technician, moment in starts}), Booking.state == "held")
        )  # fmt: skip
        found = {(row.technician_id, row.starts_at): row for row in rows}
        return {named: found[place] for place, named in starts.items() if place in found}

    def station_of(self, values: Values) -> int | None:
        technician = session.get(Technician, values["technician"]) if values.get("technician") else None
        return technician.station_id if technician is not None else None

    def has_station(self) -> bool:
        return True

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            values = draft.all_values()
            starts_at, ends_at = span_of_absence(values)
            if ends_at <= starts_at:
                draft.refuse("to_day", _l("The end must lie after the start."))
            elif draft.row is None and (clash := held_time.in_the_way(values["technician"], starts_at, ends_at)):
                draft.refuse("from_day", clash.message)

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            starts_at, ends_at = span_of_absence(values)
            technician = session.get_one(Technician, values["technician"])
            rows.append(held_time.book_absence(technician, values["cause"], starts_at, ends_at, at=at))
        return rows

    def remove(self, row: Any) -> None:
        held_time.end_absence(row)


class NamedEngineers(OfCustomer):
    """Wishes as records; a row is found by customer and technician, and called off rather than deleted."""

    code, symbol = "named-engineers", "user-check"
    title, one = _l("Named engineers"), _l("Named engineer")
    model = TechnicianWish
    fields = (
        CUSTOMER,
        Reference(name="technician", label=_l("Technician"), to="technicians", required=True, example="T-017"),
        Choice(name="wish", label=_l("Wish"), words=words_of("technician_wish", *WISHES), required=True,
               example="preferred"),
        Field(name="reason", label=_l("Reason"), most=200, example="熟悉 2 号线"),
    )  # fmt: skip
    keys = (("customer", "technician"),)
    shown = ("customer", "technician", "wish", "reason")
    searched = ("reason",)
    moves = ("retired",)

    def every(self) -> Select[Any]:
        return super().every().where(TechnicianWish.state == "active")

    def name(self, row: Any) -> str:
        return word("technician_wish", row.wish)

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        rows = session.scalars(
            select(TechnicianWish)
            .where(among(TechnicianWish.customer_id, {one[0] for one in wanted}), TechnicianWish.state == "active")
        )  # fmt: skip
        return {(row.customer_id, row.technician_id): row for row in rows}

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = [
            TechnicianWish(
                customer_id=values["customer"], technician_id=values["technician"], wish=values["wish"],
                reason=values.get("reason") or "",
            )
            for values in wanted
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        told = [(row, {"customer": row.customer_id, "wish": row.wish}) for row in rows]
        record_many("technician_wish.made", told, at=at)
        return rows


def _moment(day: str, hour: str) -> datetime:
    clock = datetime.fromisoformat(f"{day}T{hour}")
    return at_local(clock.date(), clock.hour, clock.minute)


def span_of_absence(values: Values) -> tuple[datetime, datetime]:
    """From when until when somebody is away who holds these values."""
    return (
        _moment(values["from_day"], values.get("from_hour") or "00:00"),
        _moment(values["to_day"], values.get("to_hour") or "23:59"),
    )
