"""Agreements on stock at customers, and what was read there, as tables that come in and go out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, tuple_

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import decimal_text
from fieldservice.foundation.time import now
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import Amount, Choice, Day, Flag, Reference, Warn, Whole
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.parts.catalogue.fields import Measure
from fieldservice.parts.consignment import daily, lines
from fieldservice.parts.consignment.lines import Terms
from fieldservice.parts.consignment.models import ConsignmentLine, ConsignmentReading
from fieldservice.parts.models import Part, StockLocation


class AtCustomers(Kind):
    """Rows that belong to the station of their place."""

    def has_station(self) -> bool:
        return True

    def station_of(self, values: Values) -> int | None:
        """The station of its place."""
        place = session.get(StockLocation, values["location"]) if values.get("location") else None
        return place.station_id if place is not None else None


class ConsignmentLines(AtCustomers):
    """What is agreed about a part at a customer's place, found by both."""

    code, symbol = "consignment-lines", "factory"
    title, one = _l("Consignment agreements"), _l("Consignment agreement")
    model = ConsignmentLine
    fields = (
        Reference(name="location", label=_l("Place at the customer"), to="places", required=True, example="K12",
                  fixed=True),
        Reference(name="part", label=_l("Part"), to="parts", required=True, example="HO-46-200", fixed=True),
        Whole(name="baseline_days", label=_l("Lasted before us (days)"), required=True, low=0, high=lines.MOST_DAYS,
              example="30"),
        Whole(name="target_days", label=_l("Shall last (days)"), required=True, low=1, high=lines.MOST_DAYS,
              example="7"),
        Whole(name="safety_days", label=_l("Days of safety"), low=0, high=lines.MOST_DAYS, default=1, example="1"),
        Amount(name="price", label=_l("Agreed price (CNY)"), example="40.00"),
        Choice(name="billing", label=_l("Billing"), words="stock_billing", default="use", example="use"),
        Day(name="active_from", label=_l("Valid from"), required=True, example="2026-01-01"),
        Day(name="active_to", label=_l("Valid until"), example="2026-12-31"),
    )  # fmt: skip
    keys = (("location", "part"),)
    shown = ("location", "part", "baseline_days", "target_days", "active_from")
    editors = ("admin", "station_manager", "storekeeper")
    readers = (*editors, "director", "sales")

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        pair = (ConsignmentLine.location_id, ConsignmentLine.part_id)
        rows = session.scalars(select(ConsignmentLine).where(tuple_(*pair).in_(set(wanted)))).all()
        return {(row.location_id, row.part_id): row for row in rows}

    def key_text(self, row: Any) -> str:
        return f"{row.location_id} / {row.part_id}"

    def name(self, row: Any) -> str:
        place, part = session.get_one(StockLocation, row.location_id), session.get_one(Part, row.part_id)
        return f"{place.code} / {part.number}"

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            values = draft.all_values()
            place = session.get(StockLocation, values["location"]) if values.get("location") else None
            part = session.get(Part, values["part"]) if values.get("part") else None
            if place is not None and (place.kind != "customer" or place.site_id is None):
                draft.refuse("location", _l("Choose a place of consignment stock at a customer's site."))
            if draft.errors or place is None or part is None:
                continue
            try:
                if draft.row is None:
                    lines.check_part(part)
                terms = _terms(values)
                lines.check_terms(terms, terms.active_from or date.min)
            except Invalid as error:
                for name, texts in error.errors.items():
                    draft.refuse(name, texts[0])

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        return [
            lines.agree(
                session.get_one(StockLocation, values["location"]), session.get_one(Part, values["part"]),
                _terms(values), at=at,
            )
            for values in wanted
        ]  # fmt: skip

    def change(self, row: Any, values: Values, at: datetime) -> None:
        lines.change(row, _terms({**self.values(row), **values}), at=at)


@dataclass(frozen=True, kw_only=True)
class Counted(Measure):
    """What lies there: zero or more."""

    default: Any = None

    def read_text(self, text: str, warn: Warn) -> Any:
        return "0" if re.fullmatch(r"0+(\.0*)?", text.strip()) else super().read_text(text, warn)


class ConsignmentReadings(AtCustomers):
    """What was read at customers, each found by place, part and day; a day that comes again is replaced."""

    code, symbol = "consignment-readings", "list-checks"
    title, one = _l("Readings of stock at customers"), _l("Reading of stock at a customer")
    model = ConsignmentReading
    listed = False
    fields = (
        Reference(name="location", label=_l("Place at the customer"), to="places", required=True, example="K12",
                  fixed=True),
        Reference(name="part", label=_l("Part"), to="parts", required=True, example="HO-46-200", fixed=True),
        Day(name="on_day", label=_l("Read on"), required=True, example="2026-11-25", fixed=True),
        Counted(name="counted", label=_l("Lies there"), required=True, example="42.5"),
        Flag(name="sure", label=_l("Read again, it is right"), example="no",
             hint=_l("Where more was read than should lie there.")),
    )  # fmt: skip
    keys = (("location", "part", "on_day"),)
    shown = ("location", "part", "on_day", "counted")
    editors = ("admin", "station_manager", "storekeeper")
    readers = (*editors, "director")

    def values(self, row: Any) -> dict[str, Any]:
        line = session.get_one(ConsignmentLine, row.line_id)
        return {
            "location": line.location_id, "part": line.part_id, "on_day": row.on_day.isoformat(),
            "counted": decimal_text(row.counted), "sure": False,
        }  # fmt: skip

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        days = {date.fromisoformat(str(day)) for _place, _part, day in wanted}
        rows = session.execute(
            select(ConsignmentReading, ConsignmentLine.location_id, ConsignmentLine.part_id)
            .join(ConsignmentLine, ConsignmentLine.id == ConsignmentReading.line_id)
            .where(ConsignmentReading.on_day.in_(days))
            .where(ConsignmentLine.location_id.in_({place for place, _part, _day in wanted}))
        )
        return {(place, part, row.on_day.isoformat()): row for row, place, part in rows}

    def key_text(self, row: Any) -> str:
        return f"{row.line_id} / {row.on_day}"

    def name(self, row: Any) -> str:
        return f"{row.line.part.number} {row.on_day}"

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            values = draft.all_values()
            if draft.errors or not all(values.get(name) for name in ("location", "part", "on_day", "counted")):
                continue
            line = _line(values)
            if line is None:
                draft.refuse("part", _l("Nothing is agreed on for this part at this place."))
                continue
            refused = daily.why_not(
                line, Decimal(values["counted"]), at=now(), on=date.fromisoformat(values["on_day"]),
                sure=bool(values.get("sure")),
            )  # fmt: skip
            if isinstance(refused, Invalid):
                for name, texts in refused.errors.items():
                    draft.refuse("on_day" if name == "on" else name, texts[0])
            elif refused is not None:
                draft.refuse("counted", refused.message)

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        """In the order of their days, given back as they came."""
        read: dict[int, Any] = {}
        for index in sorted(range(len(wanted)), key=lambda one: str(wanted[one]["on_day"])):
            read[index] = _read(wanted[index], at)
        return [read[index] for index in range(len(wanted))]

    def change(self, row: Any, values: Values, at: datetime) -> None:
        _read({**self.values(row), **values}, at)

    def remove(self, row: Any) -> None:
        """What was read is posted; only another reading changes it."""
        raise Conflict(_l("A reading is posted and stays. Read the stock again instead."), code="record_used")


def _line(values: Values) -> ConsignmentLine | None:
    place, part = values["location"], values["part"]
    return session.scalar(
        select(ConsignmentLine).where(ConsignmentLine.location_id == place, ConsignmentLine.part_id == part)
    )


def _read(values: Values, at: datetime) -> ConsignmentReading:
    line = _line(values)
    if line is None:
        raise Invalid({"part": [_l("Nothing is agreed on for this part at this place.")]}, code="unknown_line")
    return daily.read(
        line, Decimal(values["counted"]), at=at, on=date.fromisoformat(values["on_day"]), source="import",
        sure=bool(values.get("sure")),
    )  # fmt: skip


def _terms(values: Values) -> Terms:
    def day(name: str) -> date | None:
        given = values.get(name)
        return date.fromisoformat(given) if isinstance(given, str) else given

    safety = values.get("safety_days")
    return Terms(
        values.get("baseline_days") or 0, values.get("target_days") or 0, 1 if safety is None else safety,
        values.get("price"), values.get("billing") or "use", day("active_from"), day("active_to"),
    )  # fmt: skip
