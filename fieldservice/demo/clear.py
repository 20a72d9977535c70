"""Empties a demo database. Data that is not demo is never touched."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import CursorResult, delete, update

from fieldservice.demo import accounts
from fieldservice.demo.load import LOADED, first_event
from fieldservice.foundation.db import Base, session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.intake.models import ServiceRequest


def clear() -> int:
    """Delete every row of the demo and give their number; pictures follow in the daily sweep.

    Raises Conflict for data that is no demo.
    """
    known = first_event()
    if known is None:
        return 0
    if known.kind != LOADED:
        raise Conflict(_l("This database holds data that is no demo. Nothing was deleted."), code="not_demo")
    gone = write(_delete_all)
    accounts.forget_password()
    return gone


def _delete_all() -> int:
    session.execute(update(ServiceRequest).values(duplicate_of_id=None))
    gone = 0
    for table in reversed(Base.metadata.sorted_tables):
        done = session.execute(delete(table))
        assert isinstance(done, CursorResult)
        gone += done.rowcount
    return gone
