"""Whom customers want to be sent, must be sent, or do not want to see again: engineers by name (G-02)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ForeignKey, Index, String, select, text
from sqlalchemy.orm import Mapped, mapped_column

from fieldservice.foundation.db import Base, Id, among, session
from fieldservice.mechanisms.lifecycle import Lifecycle, Stateful, table

PREFERRED, REQUIRED, EXCLUDED = WISHES = ("preferred", "required", "excluded")
ACTIVE = text("state = 'active'")


class TechnicianWish(Stateful, Base):
    """A customer's wish about a technician. The latest word counts: one active wish for each pair."""

    __tablename__ = "technician_wish"
    subject_type = "technician_wish"
    lifecycle = Lifecycle("technician_wish", "active", table("active → retired"))
    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    technician_id: Mapped[int] = mapped_column(ForeignKey("technician.id"))
    wish: Mapped[str] = mapped_column(String(12))  # preferred, required, excluded
    reason: Mapped[str] = mapped_column(String(200), default="")
    __table_args__ = (
        Index("uq_technician_wish_active", "customer_id", "technician_id", unique=True, postgresql_where=ACTIVE,
              sqlite_where=ACTIVE),
    )  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """Technicians by what a customer wishes; where some are required nobody else may come."""

    preferred: frozenset[int] = frozenset()
    required: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()


NONE = Wishes()


def wishes_of(customer_ids: Collection[int | None]) -> Mapping[int, Wishes]:
    """What these customers wish, those without a wish left out; one query."""
    wanted = {one for one in customer_ids if one is not None}
    said: dict[int, dict[str, set[int]]] = {}
    if wanted:
        rows = select(TechnicianWish.customer_id, TechnicianWish.technician_id, TechnicianWish.wish)
        mine = rows.where(among(TechnicianWish.customer_id, wanted), TechnicianWish.state == "active")
        for customer_id, technician_id, wish in session.execute(mine):
            said.setdefault(customer_id, {}).setdefault(wish, set()).add(technician_id)
    return {
        customer: Wishes(**{wish: frozenset(people) for wish, people in by_wish.items()})
        for customer, by_wish in said.items()
    }
