"""Machines and brands as records."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.assets.models import Asset, Brand
from fieldservice.assets.queries import serial_key
from fieldservice.customers.models import Site
from fieldservice.customers.records import CUSTOMER, OfCustomer
from fieldservice.foundation.db import session
from fieldservice.mechanisms.events import record_many
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import Amount, Bilingual, Choice, Day, Field, Flag, Reference
from fieldservice.mechanisms.records.kinds import Values


class Assets(OfCustomer):
    """Installed machines, each found by its serial number however it is typed."""

    code, symbol = "assets", "factory"
    title, one = _l("Machines"), _l("Machine")
    model = Asset
    fields = (
        Field(name="serial", label=_l("Serial number"), required=True, most=40, example="GK320-2023-0187"),
        CUSTOMER,
        Reference(name="site", label=_l("Site"), to="sites", within="customer", example="热轧车间",
                  hint=_l("May stay empty where the customer has one site.")),
        Bilingual(name="names", label=_l("Machine name"), most=120, example="3# 减速机", example_en="No. 3 gearbox"),
        Field(name="model", label=_l("Model"), required=True, most=80, example="GK-320"),
        Field(name="brand", label=_l("Brand"), most=80, example="FieldService"),
        Choice(name="industry", label=_l("Industry"), words="industry", default="general", example="lubricants"),
        Reference(name="parent", label=_l("Part of machine"), to="assets", example="",
                  hint=_l("Serial number of the machine it is built into.")),
        Day(name="installed_on", label=_l("Installed on"), example="2023-06-01"),
        Day(name="warranty_until", label=_l("Warranty until"), example="2025-05-31"),
        Amount(name="loss_per_hour", label=_l("Loss per hour of standstill (CNY)"), example="8600.00"),
    )  # fmt: skip
    keys = (("serial",),)
    shown = ("serial", "names", "model", "customer", "warranty_until")
    searched = ("names", "serial", "model")
    moves = ("in_service", "down", "retired")
    page = "admin/kinds/asset.html"

    def plain_key(self, text: str) -> str:
        return serial_key(text)

    def rows_by(self, key: tuple[str, ...], wanted: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        keys = {serial_key(serial) for (serial,) in wanted}
        rows = {row.serial_key: row for row in session.scalars(select(Asset).where(Asset.serial_key.in_(keys)))}
        return {one: rows[serial_key(one[0])] for one in wanted if serial_key(one[0]) in rows}

    def named(self, texts: Collection[tuple[int | None, str]]) -> dict[tuple[int | None, str], Sequence[int]]:
        keys = {serial_key(text) for _within, text in texts} - {""}
        rows = session.execute(select(Asset.serial_key, Asset.id).where(Asset.serial_key.in_(keys))).all()
        known = {key: asset_id for key, asset_id in rows}  # noqa: C416 - rows are no pairs to the type checker
        return {one: [known[serial_key(one[1])]] if serial_key(one[1]) in known else [] for one in texts}

    def check(self, drafts: Sequence[Any]) -> None:
        self._check_sites(drafts)
        for draft in drafts:
            if not serial_key(draft.values.get("serial", "x")):
                draft.refuse("serial", _l("A serial number has letters or digits."))
            values = draft.all_values()
            start, end = values.get("installed_on"), values.get("warranty_until")
            if start and end and end < start:
                draft.refuse("warranty_until", _l("The warranty ends before the machine was installed."))
            if (
                draft.row is not None
                and draft.values.get("parent")
                and self._is_above(draft.row.id, draft.values["parent"])
            ):
                draft.refuse("parent", _l("A machine cannot be part of itself."))

    def _check_sites(self, drafts: Sequence[Any]) -> None:
        """The one site of a customer need not be named; a site must be the customer's."""
        owners = {draft.all_values().get("customer") for draft in drafts} - {None}
        rows = session.execute(
            select(Site.customer_id, Site.id).where(Site.customer_id.in_(owners), Site.state != "closed")
        ).all()
        sites: dict[int, list[int]] = {}
        for customer_id, site_id in rows:
            sites.setdefault(customer_id, []).append(site_id)
        for draft in drafts:
            values = draft.all_values()
            mine = sites.get(values.get("customer"), [])
            if values.get("site") in mine:
                continue
            if len(mine) == 1:
                draft.values["site"] = mine[0]
            elif not mine:
                draft.refuse("site", _l("This customer has no site yet. Add one first."))
            else:
                draft.refuse("site", _l("The customer has several sites. Name the one where the machine stands."))

    def _is_above(self, asset_id: int, parent_id: int) -> bool:
        """Whether the machine stands above its new parent, at most twenty steps up."""
        for _step in range(20):
            if parent_id == asset_id:
                return True
            above = session.scalar(select(Asset.parent_id).where(Asset.id == parent_id))
            if above is None:
                return False
            parent_id = above
        return True

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = [_asset(values) for values in wanted]
        session.add_all(rows)
        session.flush()
        record_many("asset.in_service", [(row, {"from": "installed"}) for row in rows], at=at)
        return rows

    def change(self, row: Any, values: Values, at: datetime) -> None:
        super().change(row, values, at)
        if "serial" in values:
            row.serial_key = serial_key(row.serial)


def _asset(values: Values) -> Asset:
    def day(name: str) -> date | None:
        return date.fromisoformat(values[name]) if values.get(name) else None

    names = values.get("names") or {"zh": values["model"], "en": values["model"]}
    return Asset(
        serial=values["serial"], serial_key=serial_key(values["serial"]), names=names, model=values["model"],
        brand=values.get("brand") or "", industry=values.get("industry") or "general", customer_id=values["customer"],
        site_id=values["site"], parent_id=values.get("parent"), installed_on=day("installed_on"),
        warranty_until=day("warranty_until"), loss_per_hour=values.get("loss_per_hour"), state="in_service",
    )  # fmt: skip


class Brands(Kind):
    """Brands of machines. Ours tell a repair from a rescue of another maker's machine (X-01)."""

    code, symbol = "brands", "tag"
    title, one = _l("Brands"), _l("Brand")
    model = Brand
    fields = (
        Field(name="name", label=_l("Brand"), required=True, most=80, example="臻护"),
        Field(name="also", label=_l("Other spellings"), example="Zhenhu; ZH"),
        Flag(name="own", label=_l("Our own brand"), example="yes",
             hint=_l("A machine of any other brand is offered as a rescue at triage; the manager approves it.")),
    )  # fmt: skip
    keys = (("name",),)
    unique = ("name",)
    shown = ("name", "also", "own")
    searched = ("name", "also")
    editors = ("admin", "engineer")
    readers = ("admin", "engineer", "station_manager", "director", "sales")

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        rows = [
            Brand(name=one["name"], also=one.get("also") or "", own=bool(one.get("own"))) for one in wanted
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        record_many("brand.added", [(row, {"own": row.own}) for row in rows], at=at)
        return rows
