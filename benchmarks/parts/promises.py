"""Promising parts: many people for the same few pieces on each database, and a dated promise over many places.

Contested: in rounds, the few kinds are restocked, four threads reserve one piece each and give most back, then reserve
until nothing is left, and what is promised is handed out. In no round may a piece be promised twice, or be left over;
in the end as many pieces were handed out as ever came. The baseline is a conditional update of one balance
row, alone, which is what a promise without dates would cost. The four come again at once, in one process as the
server is one: what is told is what each of them waited, his place in the queue included, and refusals count as well.

Dated: 10,000 parts in 50 places, half a million balance rows, a reservation for every tenth and a transfer for every
hundredth. Asked is how much of one part is free by date in each place, and from when one piece is; the baseline is the
plain sum of what lies there.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from time import perf_counter

from flask import Flask
from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.orm import load_only

from benchmarks.at_length import by_pytest
from benchmarks.results import Measure
from benchmarks.tablet.stage import fresh_app
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import now
from fieldservice.mechanisms.subjects import Ref
from fieldservice.parts import services as ledger
from fieldservice.parts.availability import phased, services
from fieldservice.parts.availability.models import HOLDING, Reservation
from fieldservice.parts.availability.reading import shelves
from fieldservice.parts.models import Part, StockBalance, StockLocation
from fieldservice.stations.models import Station

ASKED_TRIES = 1_000_000
ROUND, THREADS, KINDS, PIECES = 4_000, 4, 5, 40
PARTS, PLACES, ASKED = 10_000, 50, 400
MOST_MS = 5.0


@dataclass(frozen=True)
class Wishes:
    """How long to measure."""

    tries: int = ASKED_TRIES
    minutes: int = 10
    histories: int = 10_000


def figures(wishes: Wishes) -> list[Measure]:
    """Of both."""
    return [*(one for kind in ("sqlite", "postgresql") for one in _contested(kind, wishes)), *_dated()]


def histories(wishes: Wishes) -> list[Measure]:
    """What can be promised by date, against a replay of the history and a matching of units, of random shelves."""
    return by_pytest(
        f"parts, {wishes.histories:,} random histories against a replay, and as many against a matching",
        "tests/parts/test_phased.py", HISTORIES=wishes.histories,
    )  # fmt: skip


# Many for the same few -----------------------------------------------------------------------------------


def _contested(kind: str, wishes: Wishes) -> list[Measure]:
    with fresh_app(kind) as (app, _folder):
        parts, store = write(_few)
        write(lambda: _restock(parts, store))
        session.remove()
        plain = _plain_updates(parts, store)
        took: list[float] = []
        over = left = came = gone = Decimal(0)
        until = perf_counter() + 60 * wishes.minutes
        while len(took) < wishes.tries and perf_counter() < until:
            if took:
                write(lambda: _restock(parts, store))
            came += KINDS * PIECES
            took += _fight(app, parts, store, min(ROUND, wishes.tries - len(took)))
            took += _fight(app, parts, store, 0)
            promised = _promised(parts)
            over += sum(max(Decimal(0), promised[part] - PIECES) for part in parts)
            left += sum(max(Decimal(0), PIECES - promised[part]) for part in parts)
            gone += write(lambda: _hand_out(parts, store))
        lies = session.scalar(select(func.sum(StockBalance.on_hand))) or Decimal(0)
        session.remove()
        print(f"  {kind}: {len(took):,} tries, {came} pieces came, {gone} handed out, {lies} left", flush=True)
    pieces = f"contested reservations, {kind}"
    return [
        Measure(f"{pieces}, tries", len(took), "tries", "higher", target=ASKED_TRIES),
        Measure(f"{pieces}, oversold", float(over), "pieces", "lower", target=0),
        Measure(f"{pieces}, left over in a round", float(left), "pieces", "lower", target=0),
        Measure(f"{pieces}, came and not handed out", float(abs(came - gone) + lies), "pieces", "lower", target=0),
        Measure(f"{pieces}, p95", _p95(took), "ms", "lower", _p95(plain), "a conditional update", MOST_MS),
    ]


def _restock(parts: Sequence[int], store: int) -> None:
    for part in parts:
        ledger.receive(session.get_one(Part, part), session.get_one(StockLocation, store), Decimal(PIECES), at=now())


def _promised(parts: Sequence[int]) -> dict[int, Decimal]:
    rows = session.execute(
        select(Reservation.part_id, func.sum(Reservation.quantity))
        .where(Reservation.state.in_(HOLDING))
        .group_by(Reservation.part_id)
    ).all()
    session.rollback()
    known: dict[int, Decimal] = {part: quantity for part, quantity in rows}  # noqa: C416 - to mypy no pairs
    return {part: known.get(part, Decimal(0)) for part in parts}


def _hand_out(parts: Sequence[int], store: int) -> Decimal:
    """Everything that is promised leaves, to whom it was promised; how much."""
    place, gone = session.get_one(StockLocation, store), Decimal(0)
    for part in (session.get_one(Part, number) for number in parts):
        for number in range(THREADS):
            whom = Ref("benchmark", number + 1)
            held = [one for one in services.open_for(whom, part_id=part.id) if one.state in HOLDING]
            quantity = sum((one.quantity for one in held), Decimal(0))
            if quantity:
                services.consume(part, place, quantity, about=whom, at=now())
                ledger.post_move(part=part, quantity=quantity, cause="use", at=now(), source=place, about=whom)
                gone += quantity
    return gone


def _few() -> tuple[list[int], int]:
    station = _station()
    store = ledger.open_location(kind="warehouse", station_id=station.id, names={"zh": "库", "en": "Store"})
    made = []
    for number in range(KINDS):
        part = ledger.list_part(number=f"P-{number}", names={"zh": "件", "en": "Part"}, unit="pcs", price=100)
        made.append(part.id)
    return made, store.id


def _station() -> Station:
    station = Station(
        code="S1", names={"zh": "站", "en": "Station"}, division_code="320214", latitude=31.5, longitude=120.3,
        functions=["spare_part"], state="open",
    )  # fmt: skip
    session.add(station)
    session.flush()
    return station


def _plain_updates(parts: Sequence[int], store: int) -> list[float]:
    """What a conditional update and its commit take, ms."""

    def change() -> None:
        rows = update(StockBalance).where(StockBalance.part_id == parts[0], StockBalance.location_id == store)
        session.execute(rows.where(StockBalance.on_hand >= 1).values(set_aside=StockBalance.set_aside))

    return [_ms(lambda: write(change)) for _ in range(500)]


def _fight(app: Flask, parts: Sequence[int], store: int, tries: int) -> list[float]:
    """Threads reserve and give back so many times; with none to make, they reserve until nothing is left. How long each
    reservation took, ms."""
    took: list[list[float]] = [[] for _ in range(THREADS)]

    def fight(number: int) -> None:
        chance, mine = random.Random(number), list[int]()
        with app.app_context():
            for round_ in range(tries // THREADS or KINDS * (PIECES + 1)):
                part = chance.choice(parts) if tries else parts[round_ % KINDS]
                began = perf_counter()
                made = _try(part, store, number)
                took[number].append((perf_counter() - began) * 1000)
                if made is not None:
                    mine.append(made)
                if tries and mine and (len(mine) > 3 or chance.random() < 0.4):
                    given = mine.pop(0)
                    write(lambda given=given: services.release(session.get_one(Reservation, given), at=now()))  # type: ignore[misc]
            session.remove()

    threads = [threading.Thread(target=fight, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for each in took for one in each]


_NAMED = (  # both at once, and of them what a promise looks at: as a desk would that knows their ids
    select(Part, StockLocation)
    .join(StockLocation, StockLocation.id == bindparam("place"))
    .where(Part.id == bindparam("part"))
    .options(
        load_only(Part.number, Part.unit), load_only(StockLocation.kind, StockLocation.state, StockLocation.station_id)
    )
)  # fmt: skip


def _try(part: int, store: int, number: int) -> int | None:
    def work() -> int:
        wanted, place = session.execute(_NAMED, {"part": part, "place": store}).one()
        return services.reserve(
            wanted, place, Decimal(1), need_at=now() + timedelta(hours=1), about=Ref("benchmark", number + 1), at=now(),
        ).id  # fmt: skip

    try:
        return write(work)
    except Conflict:
        return None


# A dated promise over many places ----------------------------------------------------------------------------


def _dated() -> list[Measure]:
    with fresh_app("postgresql"):
        places = write(_many)
        session.remove()
        db.session.connection().execute(text("ANALYZE"))
        session.rollback()
        chance = random.Random(1)
        ids = list(session.scalars(select(Part.id).order_by(Part.id)))
        asked = [chance.choice(ids) for _ in range(ASKED)]
        plain = [_ms(lambda part=part: _sum(part, places)) for part in asked]  # type: ignore[misc]
        took = [_ms(lambda part=part: _ask(part, places)) for part in asked]  # type: ignore[misc]
        session.rollback()
    name = f"dated promise over {PLACES} places, {PARTS * PLACES:,} balance rows"
    return [Measure(f"{name}, p95", _p95(took), "ms", "lower", _p95(plain), "the sum of what lies there", MOST_MS)]


def _many() -> list[int]:
    station = _station()
    places = [
        ledger.open_location(kind="warehouse", station_id=station.id, names={"zh": "库", "en": "Store"}).id
        for _ in range(PLACES)
    ]
    rows = [
        {"number": f"P-{number}", "names": {"zh": "件", "en": "Part"}, "unit": "pcs", "price": 100, "state": "active"}
        for number in range(PARTS)
    ]
    session.execute(insert(Part), rows)
    for statement in (
        "INSERT INTO stock_balance (part_id, location_id, condition, on_hand, set_aside) "
        "SELECT part.id, place.id, 'good', 1 + (part.id + place.id) % 5, 0 FROM part, stock_location AS place",
        "INSERT INTO reservation (part_id, location_id, quantity, need_at, for_type, for_id, priority, station_id, "
        "asked_by, asked_at, lots, state) SELECT part_id, location_id, 1, :at + id % 240 * interval '1 hour', "
        "'benchmark', 1, 'P3', :station, 'user:1', :at, '[]', 'reserved' FROM stock_balance WHERE id % 10 = 0",
        "INSERT INTO transfer (number, from_id, to_id, station_id, to_station_id, carrier, tracking, expected_at, "
        "asked_by, asked_at, state) SELECT 'TR-' || part.id, :first, :second, :station, :station, '', '', "
        ":at + part.id % 96 * interval '1 hour', 'user:1', :at, 'approved' FROM part WHERE part.id % 2 = 0",
        "INSERT INTO transfer_line (transfer_id, part_id, quantity, received) SELECT transfer.id, part.id, 2, 0 "
        "FROM transfer JOIN part ON transfer.number = 'TR-' || part.id",
    ):
        given = {"at": now(), "station": station.id, "first": places[0], "second": places[1]}
        session.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})
    return places


def _sum(part: int, places: Sequence[int]) -> None:
    session.execute(
        select(StockBalance.location_id, func.sum(StockBalance.on_hand))
        .where(StockBalance.part_id == part, StockBalance.location_id.in_(places))
        .group_by(StockBalance.location_id)
    ).all()


def _ask(part: int, places: Sequence[int]) -> None:
    at = now()
    for shelf in shelves([part], places, at).values():
        pool = shelf.pool
        phased.free_at(pool, at + timedelta(days=1))
        phased.earliest(pool, Decimal(1), at)


def _ms(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1000


def _p95(waits: Sequence[float]) -> float:
    return sorted(waits)[int(0.95 * (len(waits) - 1))]
