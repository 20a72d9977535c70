"""Who could fill a hole, the best first: plain values in, plain values out."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from fieldservice.dispatch.cover.reading import Away, Turn
from fieldservice.foundation.time import local
from fieldservice.workorders.placement import Span

BY_DAY = (7, 19)  # hours between which a hole is filled by ordinary duty, else by time on call [D]


def by_day(hole: Span) -> bool:
    """Whether ordinary duty is what is missing."""
    starts, ends = local(hole.starts_at), local(hole.ends_at)
    ends_hour = 24 if ends.date() > starts.date() else ends.hour + ends.minute / 60
    return BY_DAY[0] <= starts.hour and ends_hour <= BY_DAY[1]


def who_could(hole: Span, people: Sequence[int], turns: Collection[Turn], away: Away) -> list[int]:
    """Those who are free all the time, whoever has least to do around it first; `turns` are those of the week."""
    free = [
        one
        for one in people
        if not any(turn.technician_id == one and turn.span.touches(*hole) for turn in turns)
        and not any(hole.touches(*span) for span in away.get(one, ()))
    ]
    hours = {one: timedelta(0) for one in free}
    for turn in turns:
        if turn.technician_id in hours:
            hours[turn.technician_id] += turn.ends_at - turn.starts_at
    return sorted(free, key=lambda one: hours[one])
