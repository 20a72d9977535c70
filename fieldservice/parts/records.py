"""The parts catalogue, and stock that is counted, as records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.db import session
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import Amount, Bilingual, Choice, Field, Flag
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.parts.models import Part

CRITICALITY = {
    "A": {"zh": "A 关键", "en": "A critical"},
    "B": {"zh": "B 重要", "en": "B important"},
    "C": {"zh": "C 一般", "en": "C ordinary"},
    "safety": {"zh": "安全件", "en": "Safety part"},
}


class Parts(Kind):
    """Spare parts and consumables, each found by its number."""

    code, symbol = "parts", "package"
    title, one = _l("Parts"), _l("Part")
    model = Part
    fields = (
        Field(name="number", label=_l("Part number"), required=True, most=40, example="OS-TC-180"),
        Bilingual(name="names", label=_l("Part name"), required=True, most=120, example="骨架油封 TC 180×210×15",
                  example_en="Oil seal TC 180×210×15"),
        Choice(name="unit", label=_l("Unit"), words="part_unit", required=True, example="pcs"),
        Amount(name="price", label=_l("Price (CNY)"), required=True, example="268.00"),
        Choice(name="criticality", label=_l("Criticality"), words=lambda: CRITICALITY, default="C", example="A"),
        Choice(name="industry", label=_l("Industry"), words="industry", default="general", example="lubricants"),
        Flag(name="serial_tracked", label=_l("Each piece has a serial number"), example="no"),
        Flag(name="batch_tracked", label=_l("Delivered in batches with a number"), example="no"),
        Field(name="gtin", label=_l("GTIN on the maker's label"), most=14, example="06912345000017"),
        Flag(name="wears", label=_l("Wear part, not covered by a warranty"), example="no"),
    )  # fmt: skip
    keys = (("number",),)
    unique = ("number",)
    shown = ("number", "names", "unit", "price", "criticality", "industry")
    searched = ("names", "number")
    editors = ("admin", "storekeeper")
    readers = ("admin", "storekeeper", "station_manager", "director", "dispatcher", "engineer", "sales", "finance")
    moves = ("superseded", "obsolete")

    def in_stations(self, stations: Any) -> None:
        """The catalogue is everybody's."""
        return

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = [
            Part(**{name: value for name, value in values.items() if value is not None}, state="active")
            for values in wanted
        ]
        session.add_all(rows)
        session.flush()
        record_many("part.active", [(row, {"from": "draft"}) for row in rows], at=at)
        return rows
