"""Which source comes first: in time before reliable before cheap (S-16)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fieldservice.parts.availability.ranking import Source, rank, ready_at

NEEDED = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
HERE = Source("station", "SEAL", 1, Decimal(1), NEEDED - timedelta(hours=4), timedelta(0), 11_000, 1.0)


def source(hours: float, price: int, share: float | None = 1.0, quantity: int = 1, **more: object) -> Source:
    """Ready so many hours after it is needed."""
    made = replace(
        HERE, ready_at=NEEDED + timedelta(hours=hours), price=price, on_time=share, quantity=Decimal(quantity)
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields of Source


def order(*sources: Source, quantity: int = 1) -> list[int]:
    """Prices name the sources, in the order of their rank."""
    return [one.source.price for one in rank(sources, Decimal(quantity), NEEDED)]


@pytest.mark.parametrize(
    ("sources", "first"),
    [
        ([source(-4, 11_000), source(72, 9_000, kind="supplier")], 11_000),  # in stock at 110, in three days at 90
        ([source(-4, 11_000), source(-1, 9_000)], 9_000),  # both in time and as reliable: cheaper
        ([source(-4, 11_000, 0.99), source(-1, 9_000, 0.80)], 11_000),  # both in time: more reliable
        ([source(-4, 11_000, 0.97), source(-1, 9_000, 0.96)], 9_000),  # as reliable as estimates tell
        ([source(-4, 11_000, None), source(-1, 9_000, 0.99)], 9_000),
        ([source(2, 11_000), source(30, 9_000)], 11_000),  # both late: sooner
        ([source(-4, 11_000), source(-4, 9_000, substitute=True)], 11_000),  # the part itself
        ([source(5, 11_000), source(-4, 9_000, substitute=True)], 9_000),  # but a substitute rather than late
        ([source(-4, 11_000), source(-1, 9_000, way=timedelta(hours=3))], 11_000),  # the nearer
    ],
)
def test_S_16_order_of_sources(sources: list[Source], first: int) -> None:
    assert order(*sources)[0] == first
    assert order(*reversed(sources))[0] == first


def test_several_sources_make_up_what_is_wanted() -> None:
    van, store, supplier = source(-4, 1, quantity=1), source(-2, 2, quantity=2), source(72, 3, quantity=9)
    ranked = rank([supplier, store, van], Decimal(4), NEEDED)
    assert [one.taken for one in ranked] == [1, 2, 1]
    assert ready_at(ranked, Decimal(4)) == supplier.ready_at
    assert ready_at(rank([van, store], Decimal(3), NEEDED), Decimal(3)) == store.ready_at
    assert ready_at(rank([van, store], Decimal(4), NEEDED), Decimal(4)) is None


def test_every_source_says_why() -> None:
    one = source(
        2, 9_000, 0.93, substitute=True, condition={"zh": "需批准", "en": "Ask first"}, way=timedelta(minutes=50)
    )
    told = rank([one], Decimal(2), NEEDED)[0].reasons
    assert [(reason.code, dict(reason.facts)) for reason in told] == [
        ("late", {"minutes": 120}),
        ("not_all", {"quantity": Decimal(1), "of": Decimal(2)}),
        ("substitute", {"part": "SEAL", "condition": {"zh": "需批准", "en": "Ask first"}}),
        ("on_time", {"percent": 93}),
        ("way", {"minutes": 50}),
        ("price", {"price": 9_000}),
    ]
