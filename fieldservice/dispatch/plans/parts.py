"""Parts in a plan: how much of them a station can have, and on which duties they are there. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fieldservice.dispatch.plans.reading import Material, Work
from fieldservice.workorders.collecting import ready_at
from fieldservice.workorders.placement import Span, TechnicianDay


def lying(material: Material) -> dict[tuple[int, str], float]:
    """What lies at the stations or can be brought there, of parts that somebody needs; by when is for `there_in_time`.
    Every order names the stock of its own station."""
    return {
        (work.job.station_id, str(need.part_id)): float(need.by(material.end))
        for work in material.works
        for need in work.job.needs
    }


def there_in_time(works: Sequence[Work], team: Sequence[TechnicianDay], spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Jobs × pieces of duty: whether what the van lacks is in the store when that duty begins, as parts of a day are
    collected in the morning. A visit that stands may stay where it is: its parts were promised for then."""
    table = np.ones((len(works), len(spans)), dtype=np.bool_)
    for row, work in enumerate(works):
        if not any(need.later for need in work.job.needs):
            continue
        for column, (person, span) in enumerate(zip(team, spans, strict=True)):
            visit = work.visit
            stands = work.stands and visit is not None and visit.technician_id == person.member.id
            if stands and visit is not None and span.touches(*visit.span):
                continue
            ready = ready_at(work.job, person)
            table[row, column] = ready is None or ready <= span.starts_at
    return table
