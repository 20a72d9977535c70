"""Shifts as records, a row a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from fieldservice.foundation import display
from fieldservice.foundation.db import session, touching
from fieldservice.foundation.time import at_local, local
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records.fields import (
    Day,
    Field,
    Flag,
    Reference,
    Warn,
    read_hour,
)
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.stations.models import (
    Shift,
    Technician,
)
from fieldservice.stations.records import OfStation


@dataclass(frozen=True, kw_only=True)
class Hour(Field):
    """A time of day."""

    most: int = 8
    widget = "time"

    def read_text(self, text: str, warn: Warn) -> Any:
        return f"{read_hour(text):%H:%M}"


class Shifts(OfStation):
    """Time on duty, a row a day; found by technician, day and start. An end before the start is on the next day."""

    code, symbol = "shifts", "calendar-clock"
    title, one = _l("Shifts"), _l("Shift")
    model = Shift
    fields = (
        Reference(name="technician", label=_l("Technician"), to="technicians", required=True, example="T-017"),
        Day(name="day", label=_l("Day"), required=True, example="2026-12-01"),
        Hour(name="start", label=_l("Start"), required=True, example="08:00"),
        Hour(name="end", label=_l("End"), required=True, example="17:30"),
        Flag(name="on_call", label=_l("On call"), example="no"),
        Reference(name="station", label=_l("Station"), to="stations", example="WXXW",
                  hint=_l("Where the shift is worked. Empty: the technician's own station.")),
    )  # fmt: skip
    keys = (("technician", "day", "start"),)
    shown = ("technician", "day", "start", "end", "on_call", "station")
    made: ClassVar[str] = "published"  # the state of a new one

    def every(self) -> Select[Any]:
        """A swapped shift is another's by now."""
        return super().every().where(Shift.state != "swapped")

    def name(self, row: Any) -> str:
        return f"{display.date_short(row.starts_at)} {local(row.starts_at):%H:%M}–{local(row.ends_at):%H:%M}"

    def key_text(self, row: Any) -> str:
        return f"{row.technician_id} {local(row.starts_at):%Y-%m-%d %H:%M}"

    def values(self, row: Any) -> dict[str, Any]:
        return {
            "technician": row.technician_id, "day": local(row.starts_at).date().isoformat(),
            "start": f"{local(row.starts_at):%H:%M}", "end": f"{local(row.ends_at):%H:%M}", "on_call": row.on_call,
            "station": row.station_id,
        }  # fmt: skip

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        starts = {(technician, _moment(day, start)): (technician, day, start) for technician, day, start in wanted}
        rows = session.scalars(
            select(Shift).where(Shift.technician_id.in_({one[0] for one in wanted}))
            .where(Shift.starts_at.in_({moment for _technician, moment in starts}))
            .where(Shift.state.in_(("draft", "published")))
        )  # fmt: skip
        found = {(row.technician_id, row.starts_at): row for row in rows}
        return {key_: found[place] for place, key_ in starts.items() if place in found}

    def check(self, drafts: Sequence[Any]) -> None:
        """A technician is in one place at a time; the station defaults to the own one."""
        homes = {row.id: row.station_id for row in session.execute(select(Technician.id, Technician.station_id).where(
            Technician.id.in_({draft.all_values()["technician"] for draft in drafts})))}  # fmt: skip
        spans = [(draft, *span_of(draft.all_values())) for draft in drafts]
        for draft, _start, _end in spans:
            if draft.values.get("station") is None and draft.row is None:
                draft.values["station"] = homes[draft.values["technician"]]
        if not spans:
            return
        first, last = min(start for _draft, start, _end in spans), max(end for _draft, _start, end in spans)
        rows = session.scalars(
            select(Shift).where(Shift.technician_id.in_(homes), *touching(Shift, first, last))
            .where(Shift.state != "swapped")
        ).all()  # fmt: skip
        taken = [(row.technician_id, row.starts_at, row.ends_at, row.id) for row in rows]
        for draft, start, end in spans:
            technician = draft.all_values()["technician"]
            own = draft.row.id if draft.row is not None else None
            clash = [one for one in taken if one[0] == technician and one[1] < end and one[2] > start and one[3] != own]
            if clash:
                draft.refuse("start", _l("The technician is on duty already at that time."))
            taken = [one for one in taken if one[3] != own or own is None]
            taken.append((technician, start, end, own or 0))

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            starts_at, ends_at = span_of(values)
            rows.append(Shift(technician_id=values["technician"], station_id=values["station"], starts_at=starts_at,
                              ends_at=ends_at, on_call=bool(values.get("on_call")), state=self.made))  # fmt: skip
        session.add_all(rows)
        session.flush()
        record_many(f"shift.{self.made}", [(row, {"technician": row.technician_id}) for row in rows], at=at)
        return rows

    def change(self, row: Any, values: Values, at: datetime) -> None:
        merged = {**self.values(row), **values}
        row.technician_id, row.station_id, row.on_call = merged["technician"], merged["station"], merged["on_call"]
        row.starts_at, row.ends_at = span_of(merged)


def _moment(day: str, hour: str) -> datetime:
    clock = time.fromisoformat(hour)
    return at_local(date.fromisoformat(day), clock.hour, clock.minute)


def span_of(values: Values) -> tuple[datetime, datetime]:
    """From when until when a shift lasts that holds these values."""
    start = _moment(values["day"], values["start"])
    end = _moment(values["day"], values["end"])
    return start, end if end > start else end + timedelta(days=1)
