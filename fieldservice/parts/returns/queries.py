"""What can be asked about old parts by whoever looks at a part."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from fieldservice.foundation.access import Person, in_scope
from fieldservice.foundation.db import session
from fieldservice.parts.models import Part
from fieldservice.parts.returns.models import OldPart

READERS = ("storekeeper", "station_manager", "quality", "finance", "director", "admin")
MOST_OWED = 100


def owed_by(technician_id: int) -> Sequence[OldPart]:
    """Old parts a technician has to drop off yet, what is due first leading; one query."""
    wanted = select(OldPart).where(OldPart.technician_id == technician_id, OldPart.state == "expected")
    ordered = wanted.options(joinedload(OldPart.part)).order_by(OldPart.due_at, OldPart.id)
    return session.scalars(ordered.limit(MOST_OWED)).all()


def loop_of(part: Part, serial: str, person: Person) -> Sequence[OldPart]:
    """What a numbered piece went through as an old part, or as the one fitted instead of it; the newest first."""
    known = or_(OldPart.removed_serial == serial, OldPart.fitted_serial == serial)
    wanted = select(OldPart).where(OldPart.part_id == part.id, known, in_scope(OldPart, person, *READERS))
    return session.scalars(wanted.order_by(OldPart.id.desc()).limit(20)).all()
