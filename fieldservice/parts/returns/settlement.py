"""What suppliers owe and gave, by station and supplier, of the claims sent in a period."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from fieldservice.foundation.access import Person, in_scope
from fieldservice.foundation.db import session
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.returns.models import OldPart, SupplierClaim
from fieldservice.stations.models import Station

MOST_ROWS = 500


@dataclass(frozen=True)
class Sums:
    """Amounts in minor units. What was claimed is credited, replaced, refused, waived or open; nothing is lost."""

    pieces: int
    claimed: int
    credited: int
    replaced: int
    refused: int
    open: int
    days: float | None  # from sending to settling, of settled claims

    @property
    def waived(self) -> int:
        """Claimed, but credited with less."""
        return self.claimed - self.credited - self.replaced - self.refused - self.open


@dataclass(frozen=True)
class Figures(Sums):
    """Of one station and supplier."""

    station: Station
    supplier: Supplier


def figures(person: Person, start: datetime, end: datetime, *, readers: Sequence[str]) -> list[Figures]:
    """Of the claims sent in [start, end), the largest first; four queries."""
    sent = (SupplierClaim.sent_at >= start, SupplierClaim.sent_at < end, in_scope(SupplierClaim, person, *readers))

    def worth(*conditions: Any) -> Any:
        return func.coalesce(func.sum(case((conditions[0], OldPart.claimed), else_=0)), 0)

    settled = OldPart.state == "settled"
    rows: Sequence[Any] = session.execute(
        select(
            SupplierClaim.station_id, SupplierClaim.supplier_id, func.count(OldPart.id), func.sum(OldPart.claimed),
            func.coalesce(func.sum(case((settled, OldPart.credited), else_=0)), 0),
            worth(settled & (OldPart.result == "replacement")), worth(OldPart.result == "refused"), worth(~settled),
        )
        .join(OldPart, OldPart.claim_id == SupplierClaim.id)
        .where(*sent)
        .group_by(SupplierClaim.station_id, SupplierClaim.supplier_id)
        .order_by(func.sum(OldPart.claimed).desc(), SupplierClaim.station_id, SupplierClaim.supplier_id)
        .limit(MOST_ROWS)
    ).all()  # fmt: skip
    days = _days(sent)
    stations = _known(Station, {row[0] for row in rows})
    suppliers = _known(Supplier, {row[1] for row in rows})
    return [
        Figures(
            int(pieces), int(claimed), int(credited), int(replaced), int(refused), int(still_open),
            days.get((station, supplier)), stations[station], suppliers[supplier],
        )
        for station, supplier, pieces, claimed, credited, replaced, refused, still_open in rows
    ]  # fmt: skip


def total(rows: Iterable[Sums]) -> Sums:
    """All of them together; days have no sum."""
    rows = list(rows)
    return Sums(
        sum(row.pieces for row in rows), sum(row.claimed for row in rows), sum(row.credited for row in rows),
        sum(row.replaced for row in rows), sum(row.refused for row in rows), sum(row.open for row in rows), None,
    )  # fmt: skip


def _days(sent: tuple[Any, ...]) -> dict[tuple[int, int], float]:
    """(station, supplier) → days from sending to settling, on average."""
    found: dict[tuple[int, int], list[float]] = {}
    rows: Iterable[Any] = session.execute(
        select(
            SupplierClaim.station_id, SupplierClaim.supplier_id, SupplierClaim.sent_at, SupplierClaim.settled_at
        ).where(*sent, SupplierClaim.settled_at.is_not(None))
    )
    for station, supplier, start, end in rows:
        found.setdefault((station, supplier), []).append((end - start).total_seconds() / 86_400)
    return {key: sum(several) / len(several) for key, several in found.items()}


def _known(model: Any, ids: set[int]) -> dict[int, Any]:
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(ids)))} if ids else {}
