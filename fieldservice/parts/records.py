"""The parts catalogue and the places where parts lie, as records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.words import all_words
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import Amount, Bilingual, Choice, Field, Flag, Reference, Whole, Words
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.parts import services
from fieldservice.parts.catalogue.fields import OwnerOfSite
from fieldservice.parts.consignment.models import ConsignmentLine
from fieldservice.parts.models import Part, StockBalance, StockLocation
from fieldservice.stations.records import STATION

CRITICALITY = {
    "A": {"zh": "A 关键", "en": "A critical"},
    "B": {"zh": "B 重要", "en": "B important"},
    "C": {"zh": "C 一般", "en": "C ordinary"},
    "safety": {"zh": "安全件", "en": "Safety part"},
}
EDITORS = ("admin", "storekeeper")
READERS = (
    "admin",
    "storekeeper",
    "station_manager",
    "director",
    "dispatcher",
    "engineer",
    "sales",
    "finance",
    "quality",
)
MOST_STEPS = 20  # of a chain of successors


def hazards() -> Words:
    """Classes of hazard, with the word for none first."""
    return {"": {"zh": "无", "en": "none"}, **all_words()["hazard_class"]}


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
        Whole(name="pack_size", label=_l("Units in a pack"), low=1, high=100_000, default=1, example="10"),
        Flag(name="serial_tracked", label=_l("Each piece has a serial number"), example="no"),
        Flag(name="batch_tracked", label=_l("Delivered in batches with a number"), example="no"),
        Flag(name="certificate_needed", label=_l("Needs a certificate with each delivery"), example="no",
             hint=_l("Goods that come without one go to quarantine.")),
        Whole(name="shelf_life_days", label=_l("Shelf life (days)"), low=1, high=36_500, example="1095"),
        Choice(name="hazard", label=_l("Hazard"), words=hazards, default="", example="flammable"),
        Whole(name="lead_days", label=_l("Usual days until delivery"), low=0, high=1_000, example="14"),
        Reference(name="superseded_by", label=_l("Replaced by"), to="parts", example="OS-TC-180B",
                  hint=_l("The part that comes after this one.")),
        Field(name="gtin", label=_l("GTIN on the maker's label"), most=14, example="06912345000017"),
        Flag(name="wears", label=_l("Wear part, not covered by a warranty"), example="no"),
        Bilingual(name="notes", label=_l("Notes"), most=500, example="装配前涂润滑脂",
                  example_en="Grease before fitting"),
    )  # fmt: skip
    keys = (("number",),)
    unique = ("number",)
    shown = ("number", "names", "unit", "price", "criticality", "industry")
    searched = ("names", "number", "gtin")
    editors, readers = EDITORS, READERS
    moves = ("superseded", "obsolete")

    def in_stations(self, stations: Any) -> None:
        """The catalogue is everybody's."""
        return

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            after = draft.values.get("superseded_by")
            if draft.row is not None and after is not None and self._leads_to(after, draft.row.id):
                draft.refuse("superseded_by", _l("This would make a circle: that part is replaced by this one."))
            dropped = [name for name in ("serial_tracked", "batch_tracked") if draft.values.get(name) is False]
            if draft.row is not None and any(draft.before.get(name) for name in dropped) and self._lies(draft.row.id):
                column = next(name for name in dropped if draft.before.get(name))
                draft.refuse(column, _l("Pieces of this part lie in stock. Use them up first."))
            numbered = draft.values.get("serial_tracked") is True and not draft.before.get("serial_tracked")
            if draft.row is not None and numbered and self._agreed(draft.row.id):
                draft.refuse(
                    "serial_tracked",
                    _l("This part lies at customers and is read as a quantity. End those agreements first."),
                )

    def _leads_to(self, part_id: int, wanted: int) -> bool:
        """Whether the chain of successors of a part comes to another, at most twenty steps on."""
        following: int | None = part_id
        for _step in range(MOST_STEPS):
            if following is None or following == wanted:
                return following == wanted
            following = session.scalar(select(Part.superseded_by_id).where(Part.id == following))
        return True

    def _agreed(self, part_id: int) -> bool:
        """Whether it lies at a customer's by an agreement: readings there tell no numbers (decision 0037)."""
        mine = select(ConsignmentLine.id).where(ConsignmentLine.part_id == part_id, ConsignmentLine.state == "active")
        return session.scalar(mine.limit(1)) is not None

    def _lies(self, part_id: int) -> bool:
        lying = select(StockBalance.id).where(StockBalance.part_id == part_id, StockBalance.on_hand > 0)
        return session.scalar(lying.limit(1)) is not None

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            given = {name: value for name, value in values.items() if value is not None and name != "superseded_by"}
            rows.append(Part(**given, superseded_by_id=values.get("superseded_by"), state="active"))
        session.add_all(rows)
        session.flush()
        record_many("part.active", [(row, {"from": "draft"}) for row in rows], at=at)
        return rows


class Places(Kind):
    """Places where parts lie, each found by the code on its label."""

    code, symbol = "places", "warehouse"
    title, one = _l("Places of parts"), _l("Place of parts")
    model = StockLocation
    fields = (
        Field(name="code", label=_l("Code"), most=40, default=None, example="W12",
              hint=_l("On its label. Left empty, it gets one.")),
        Choice(name="kind", label=_l("Kind"), words="place_kind", required=True, example="warehouse", fixed=True),
        Bilingual(name="names", label=_l("Name"), required=True, most=80, example="无锡新吴站仓库",
                  example_en="Wuxi Xinwu warehouse"),
        STATION,
        Reference(name="technician", label=_l("Technician (of a van)"), to="technicians", example=""),
        OwnerOfSite(name="customer", label=_l("Customer (of consignment stock)"), to="customers", example=""),
        Reference(name="site", label=_l("Site of the customer"), to="sites", within="customer", example=""),
    )  # fmt: skip
    keys = (("code",),)
    unique = ("code",)
    shown = ("code", "names", "kind", "station")
    searched = ("names", "code")
    editors = ("admin", "station_manager", "storekeeper")
    readers = (*EDITORS, "station_manager", "director", "dispatcher", "quality")
    moves = ("active", "closed")

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            values = draft.all_values()
            if values.get("kind") == "van" and not values.get("technician"):
                draft.refuse("technician", _l("Say whose van it is."))
            if values.get("kind") == "customer" and not values.get("site"):
                draft.refuse("site", _l("Say at which site of the customer it lies."))
            if values.get("technician") and self._other_van(values["technician"], draft.row):
                draft.refuse("technician", _l("This technician has a van already."))

    def _other_van(self, technician_id: int, row: Any) -> bool:
        holder = session.scalar(select(StockLocation.id).where(StockLocation.technician_id == technician_id))
        return holder is not None and (row is None or holder != row.id)

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = [
            services.open_location(
                kind=values["kind"], station_id=values["station"], names=values["names"],
                technician_id=values.get("technician"), site_id=values.get("site"), code=values.get("code") or None,
            )
            for values in wanted
        ]  # fmt: skip
        record_many("stock_location.active", [(row, {"kind": row.kind}) for row in rows], at=at)
        return rows

    def move(self, row: Any, to: str, reason: str, at: datetime) -> None:
        """Only an empty place is closed."""
        lying = select(StockBalance.id).where(StockBalance.location_id == row.id, StockBalance.on_hand > 0).limit(1)
        if to == "closed" and session.scalar(lying) is not None:
            raise Conflict(_l("Parts lie in this place. Move them to another one first."), code="place_not_empty")
        super().move(row, to, reason, at)
