"""A process that does a work of the store and dies by its own kill -9: `python -m tests.parts.dying`.

Arguments: name of the work, id of its row, number of statements, moment. After so many statements it dies, before the
commit however large the number is; with 0 statements just after the commit, before anybody is told.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event, select

from config import load_settings
from fieldservice import create_app
from fieldservice.foundation.db import db, session, write
from fieldservice.parts.catalogue.models import Supplier
from fieldservice.parts.consignment import refills
from fieldservice.parts.consignment.models import RefillOrder
from fieldservice.parts.consignment.refills import Proof
from fieldservice.parts.receipts import services as receipts
from fieldservice.parts.receipts.models import GoodsReceipt
from fieldservice.parts.returns import claims
from fieldservice.parts.returns import services as old_parts
from fieldservice.parts.returns.claims import Answer
from fieldservice.parts.returns.models import OldPart, SupplierClaim

Work = Callable[[int, datetime], Any]


def _supplier() -> Supplier:
    return session.scalars(select(Supplier).order_by(Supplier.id).limit(1)).one()


def _old(number: int) -> OldPart:
    return session.get_one(OldPart, number)


def _claim(number: int) -> SupplierClaim:
    return session.get_one(SupplierClaim, number)


def _refill(number: int) -> RefillOrder:
    return session.get_one(RefillOrder, number)


def _answer(number: int, at: datetime) -> None:
    claim = _claim(number)
    claims.answer(claim, {line.id: Answer("replacement") for line in claim.lines}, at=at)


def _replacement(number: int, at: datetime) -> None:
    claim = _claim(number)
    claims.replacement_came(claim, claim.lines[0].id, at=at, serial="P-NEW")


WORKS: Mapping[str, Work] = {
    "receipt": lambda number, at: receipts.post_receipt(session.get_one(GoodsReceipt, number), at=at),
    "drop off": lambda number, at: old_parts.drop_off(_old(number), at=at, serial="P-OLD"),
    "inspect": lambda number, at: old_parts.inspect(_old(number), "claim", at=at, words="裂", supplier=_supplier()),
    "scrap": lambda number, at: old_parts.scrap(_old(number), at=at),
    "restock": lambda number, at: old_parts.restock(_old(number), at=at),
    "claim": lambda number, at: claims.open_claim(_supplier(), _old(number).station_id, [number], at=at),
    "send": lambda number, at: claims.send(_claim(number), at=at, answer_due_at=at + timedelta(days=14)),
    "answer": _answer,
    "replacement": _replacement,
    "settle": lambda number, at: claims.settle(_claim(number), at=at),
    "confirm": lambda number, at: refills.confirm(_refill(number), at=at),
    "ship": lambda number, at: refills.ship(_refill(number), at=at),
    "deliver": lambda number, at: refills.deliver(_refill(number), None, Proof("赵倩", by_account=True), at=at),
    "cancel": lambda number, at: refills.cancel(_refill(number), "不要了", at=at),
}


def main(work: str, number: int, statements: int, at: datetime) -> None:
    app = create_app(load_settings())
    with app.app_context():
        do_and_die(work, number, statements, at)


def do_and_die(work: str, number: int, statements: int, at: datetime) -> None:
    """In this process, on its own connections."""
    done = 0

    def count(*_told: Any) -> None:
        nonlocal done
        done += 1
        if done == statements:
            die()

    if statements:
        event.listen(db.engine, "after_cursor_execute", count)
        event.listen(db.engine, "commit", lambda _connection: die())
    write(lambda: WORKS[work](number, at))
    die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), datetime.fromisoformat(sys.argv[4]))
