"""Shifts and absences as records that say when a change leaves nobody there. Nothing is refused for it: whoever falls
ill is ill; the roster shows the hole."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.dispatch.cover.publishing import torn_by_absence, torn_by_shifts, torn_text
from fieldservice.dispatch.cover.reading import Turn
from fieldservice.foundation.time import now
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.stations.roster import COUNTS
from fieldservice.stations.shift_records import Shifts, span_of
from fieldservice.workorders.placement import Span
from fieldservice.workorders.records import Absences, span_of_absence


class CoveredShifts(Shifts):
    """Shifts; a change that tears a hole into what was published is told."""

    def check(self, drafts: Sequence[Any]) -> None:
        super().check(drafts)
        changed = [draft for draft in drafts if draft.row is not None and not draft.errors]
        changes = [(_turn(draft.row), _moved(draft.row, draft.all_values())) for draft in changed]
        changes = [(old, new) for old, new in changes if old.state in COUNTS and old != new]
        told = torn_text(torn_by_shifts(changes, now()))
        if told:  # of a whole table once: the rows together leave the hole
            for sentence in told:
                next(draft for draft in changed if draft.row.id == changes[0][0].id).warn("start", sentence)

    def left_by_undo(self, row: Any, before: Values | None) -> list[Any]:
        old = _turn(row)
        if old.state not in COUNTS:
            return []
        new = None if before is None else _moved(row, {**self.values(row), **before})
        return list(torn_text(torn_by_shifts([(old, new)], now())))


class DraftShifts(CoveredShifts):
    """What a pattern makes: shifts that are published with their week."""

    made = "draft"

    def check(self, drafts: Sequence[Any]) -> None:
        """A pattern never changes what was published."""
        super().check(drafts)
        for draft in drafts:
            row = draft.row
            if row is not None and row.state != self.made and _turn(row) != _moved(row, draft.all_values()):
                draft.refuse("start", _l("The technician is on duty already at that time."))


class CoveredAbsences(Absences):
    """Absences; one that leaves nobody there is told."""

    def check(self, drafts: Sequence[Any]) -> None:
        super().check(drafts)
        at = now()
        for draft in drafts:
            if draft.row is None and not draft.errors:
                values = draft.all_values()
                span = Span(*span_of_absence(values))
                for sentence in torn_text(_torn(values["technician"], span, at)):
                    draft.warn("from_day", sentence)


def _torn(technician_id: int, span: Span, at: datetime) -> dict[int, list[Span]]:
    return torn_by_absence(technician_id, Span(max(span.starts_at, at), span.ends_at), at) if span.ends_at > at else {}


def _turn(row: Any) -> Turn:
    return Turn(row.id, row.technician_id, row.station_id, row.starts_at, row.ends_at, row.on_call, row.state)


def _moved(row: Any, values: Values) -> Turn:
    starts_at, ends_at = span_of(values)
    return replace(
        _turn(row), technician_id=values["technician"], station_id=values["station"] or row.station_id,
        starts_at=starts_at, ends_at=ends_at, on_call=bool(values.get("on_call")),
    )  # fmt: skip
