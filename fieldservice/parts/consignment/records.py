"""Agreements on stock at customers as master data: listed, imported and exported as tables."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, tuple_

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import Amount, Choice, Day, Reference, Whole
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.parts.consignment import lines
from fieldservice.parts.consignment.lines import Terms
from fieldservice.parts.consignment.models import ConsignmentLine
from fieldservice.parts.models import Part, StockLocation


class ConsignmentLines(Kind):
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

    def has_station(self) -> bool:
        return True

    def station_of(self, values: Values) -> int | None:
        """The station of its place."""
        place = session.get(StockLocation, values["location"]) if values.get("location") else None
        return place.station_id if place is not None else None

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


def _terms(values: Values) -> Terms:
    def day(name: str) -> date | None:
        given = values.get(name)
        return date.fromisoformat(given) if isinstance(given, str) else given

    safety = values.get("safety_days")
    return Terms(
        values.get("baseline_days") or 0, values.get("target_days") or 0, 1 if safety is None else safety,
        values.get("price"), values.get("billing") or "use", day("active_from"), day("active_to"),
    )  # fmt: skip
