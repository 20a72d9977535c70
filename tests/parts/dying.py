"""A process that posts a delivery and dies by its own kill -9 after so many statements: `python -m tests.parts.dying`.

Arguments: id of the receipt, number of statements. Dies before the commit however large the number is.
"""

import os
import signal
import sys
from typing import Any

from sqlalchemy import event

from config import load_settings
from fieldservice import create_app
from fieldservice.foundation.db import db, session, write
from fieldservice.foundation.time import now
from fieldservice.parts.receipts import services
from fieldservice.parts.receipts.models import GoodsReceipt


def main(receipt_id: int, statements: int) -> None:
    app = create_app(load_settings())
    with app.app_context():
        done = 0

        def count(*_told: Any) -> None:
            nonlocal done
            done += 1
            if done == statements:
                die()

        event.listen(db.engine, "after_cursor_execute", count)
        event.listen(db.engine, "commit", lambda _connection: die())
        write(lambda: services.post_receipt(session.get_one(GoodsReceipt, receipt_id), at=now()))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
