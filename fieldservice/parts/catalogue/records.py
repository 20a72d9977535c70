"""Substitutes, kits, suppliers and their offers as records."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, tuple_

from fieldservice.foundation.db import session
from fieldservice.foundation.words import pick
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import (
    Amount,
    Bilingual,
    Day,
    Email,
    Field,
    Flag,
    Phone,
    Reference,
    Whole,
)
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.parts.catalogue.fields import Measure, Several
from fieldservice.parts.catalogue.models import Kit, KitLine, Substitute, Supplier, SupplierOffer
from fieldservice.parts.models import Part
from fieldservice.parts.records import EDITORS, READERS

PART = Reference(name="part", label=_l("Part"), to="parts", required=True, example="OS-TC-180", fixed=True)


class OfCatalogue(Kind):
    """What belongs to everybody's catalogue. `named_by` are the columns of its key, in the key's order."""

    named_by: ClassVar[tuple[Any, ...]] = ()
    editors, readers = EDITORS, READERS

    def in_stations(self, stations: Any) -> None:
        """The catalogue is everybody's."""
        return

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        if not self.named_by:
            return super().rows_by(key, wanted)
        kept = [_kept(one) for one in wanted]
        rows = session.scalars(select(self.model).where(tuple_(*self.named_by).in_(set(kept)))).all()
        found = {tuple(getattr(row, column.key) for column in self.named_by): row for row in rows}
        return {one: found[of] for one, of in zip(wanted, kept, strict=True) if of in found}

    def key_text(self, row: Any) -> str:
        return " / ".join(str(getattr(row, column.key)) for column in self.named_by) or super().key_text(row)

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = []
        for values in wanted:
            row = self.model()
            for name, value in values.items():
                if value is not None:
                    self.field(name).set(row, value)
            rows.append(row)
        session.add_all(rows)
        session.flush()
        record_many(f"{self.model.subject_type}.added", [(row, {}) for row in rows], at=at)
        return rows


def _kept(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """A key as the columns hold it: days are dates there."""
    return tuple(date.fromisoformat(one) if isinstance(one, str) and one[4:5] == "-" else one for one in key)


class Substitutes(OfCatalogue):
    """Parts that may be taken instead of another, found by both."""

    code, symbol = "part-substitutes", "repeat"
    title, one = _l("Substitutes"), _l("Substitute")
    model = Substitute
    named_by = (Substitute.part_id, Substitute.other_id)
    fields = (
        PART,
        Reference(name="other", label=_l("May be replaced by"), to="parts", required=True, example="OS-SP-180",
                  fixed=True),
        Measure(name="ratio", label=_l("Units of it for one"), example="1"),
        Flag(name="both_ways", label=_l("Also the other way round"), example="no"),
        Bilingual(name="conditions", label=_l("Condition"), most=300, example="仅限转速 1500 r/min 以下",
                  example_en="Below 1,500 rpm only"),
        Several(name="models", label=_l("Only for models"), example="GK-320; GK-400",
                hint=_l("Split by semicolons. Empty: all models.")),
    )  # fmt: skip
    keys = (("part", "other"),)
    shown = ("part", "other", "ratio", "both_ways", "conditions")

    def name(self, row: Any) -> str:
        return f"{session.get_one(Part, row.part_id).number} → {session.get_one(Part, row.other_id).number}"

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            values = draft.all_values()
            if values.get("part") == values.get("other"):
                draft.refuse("other", _l("A part cannot replace itself."))


class Kits(OfCatalogue):
    """Kits, each found by its code; their parts are records of their own."""

    code, symbol = "part-kits", "list-checks"
    title, one = _l("Kits"), _l("Kit")
    model = Kit
    fields = (
        Field(name="code", label=_l("Code"), required=True, most=40, example="KIT-SEAL-320"),
        Bilingual(name="names", label=_l("Name"), required=True, most=120, example="油封更换套件",
                  example_en="Seal change kit"),
        Field(name="work_type", label=_l("For work type"), most=40, example="gearbox_seal_change",
              hint=_l("The code of the work type. Empty: any work.")),
        Several(name="models", label=_l("Only for models"), example="GK-320; GK-400",
                hint=_l("Split by semicolons. Empty: all models.")),
    )  # fmt: skip
    keys = (("code",),)
    unique = ("code",)
    shown = ("code", "names", "work_type", "models")
    searched = ("names", "code", "work_type")
    moves = ("active", "retired")


class KitLines(OfCatalogue):
    """So much of a part in a kit, found by both."""

    code, symbol = "part-kit-lines", "package"
    title, one = _l("Parts of kits"), _l("Part of a kit")
    model = KitLine
    named_by = (KitLine.kit_id, KitLine.part_id)
    fields = (
        Reference(name="kit", label=_l("Kit"), to="part-kits", required=True, example="KIT-SEAL-320", fixed=True),
        PART,
        Measure(name="quantity", label=_l("Quantity"), required=True, example="2"),
    )
    keys = (("kit", "part"),)
    shown = ("kit", "part", "quantity")

    def name(self, row: Any) -> str:
        return f"{session.get_one(Kit, row.kit_id).code} / {session.get_one(Part, row.part_id).number}"


class Suppliers(OfCatalogue):
    """Who delivers, each found by its code."""

    code, symbol = "suppliers", "truck"
    title, one = _l("Suppliers"), _l("Supplier")
    model = Supplier
    fields = (
        Field(name="code", label=_l("Code"), required=True, most=40, example="S-010"),
        Bilingual(name="names", label=_l("Name"), required=True, most=120, example="华东密封件有限公司",
                  example_en="East China Seals Co., Ltd."),
        Phone(name="phone", label=_l("Phone"), example="0510-85880000"),
        Email(name="email", label=_l("E-mail"), most=120, example="orders@supplier.example"),
    )  # fmt: skip
    keys = (("code",),)
    unique = ("code",)
    shown = ("code", "names", "phone")
    searched = ("names", "code")
    moves = ("active", "retired")


class SupplierOffers(OfCatalogue):
    """What a supplier asks for a part from a day on, found by all three."""

    code, symbol = "supplier-offers", "file-text"
    title, one = _l("Suppliers' offers"), _l("Supplier's offer")
    model = SupplierOffer
    named_by = (SupplierOffer.supplier_id, SupplierOffer.part_id, SupplierOffer.valid_from)
    fields = (
        Reference(name="supplier", label=_l("Supplier"), to="suppliers", required=True, example="S-010", fixed=True),
        PART,
        Day(name="valid_from", label=_l("Valid from"), required=True, example="2026-01-01", fixed=True),
        Day(name="valid_until", label=_l("Valid until"), example="2026-12-31"),
        Field(name="their_number", label=_l("Supplier's number"), most=60, example="180-210-15-TC"),
        Whole(name="lead_days", label=_l("Days until delivery"), required=True, low=0, high=1_000, example="14"),
        Whole(name="on_time_percent", label=_l("On time (%)"), low=0, high=100, example="94"),
        Amount(name="price", label=_l("Price (CNY)"), required=True, example="182.00"),
        Measure(name="minimum", label=_l("Least quantity"), example="10"),
        Measure(name="pack", label=_l("In packs of"), example="10"),
    )  # fmt: skip
    keys = (("supplier", "part", "valid_from"),)
    shown = ("supplier", "part", "price", "lead_days", "on_time_percent", "valid_from")

    def name(self, row: Any) -> str:
        supplier = session.get_one(Supplier, row.supplier_id)
        return f"{pick(supplier.names)} / {session.get_one(Part, row.part_id).number}"

    def check(self, drafts: Sequence[Any]) -> None:
        for draft in drafts:
            values = draft.all_values()
            start, end = values.get("valid_from"), values.get("valid_until")
            if start and end and end < start:
                draft.refuse("valid_until", _l("The offer ends before it begins."))
            if Decimal(values.get("minimum") or 1) % Decimal(values.get("pack") or 1):
                draft.warn("minimum", _l("The least quantity is no whole number of packs."))
