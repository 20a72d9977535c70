"""When nobody is there: plain spans in, plain spans out. [start, end): duties that touch leave no hole between them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from fieldservice.foundation.time import at_local, local
from fieldservice.workorders.placement import Span

DAY = timedelta(days=1)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as possible, by start."""
    found: list[Span] = []
    for one in sorted(spans):
        if one.ends_at <= one.starts_at:
            continue
        if found and one.starts_at <= found[-1].ends_at:
            found[-1] = Span(found[-1].starts_at, max(found[-1].ends_at, one.ends_at))
        else:
            found.append(one)
    return found


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of `spans` when `taken` is taken away."""
    away, found = merged(taken), list[Span]()
    for one in merged(spans):
        begins = one.starts_at
        for other in away:
            if other.ends_at <= begins:
                continue
            if other.starts_at >= one.ends_at:
                break
            if other.starts_at > begins:
                found.append(Span(begins, other.starts_at))
            begins = other.ends_at
        if begins < one.ends_at:
            found.append(Span(begins, one.ends_at))
    return found


def within(spans: Iterable[Span], start: datetime, end: datetime) -> list[Span]:
    """What of `spans` lies in [start, end)."""
    return merged(Span(max(one.starts_at, start), min(one.ends_at, end)) for one in spans)


def there(duties: Iterable[tuple[int, Span]], away: Mapping[int, Sequence[Span]]) -> list[Span]:
    """When at least one of these people is there: their duties (on call too) without the time they are away."""
    by_person: dict[int, list[Span]] = {}
    for person, span in duties:
        by_person.setdefault(person, []).append(span)
    return merged(span for person, spans in by_person.items() for span in without(spans, away.get(person, ())))


def holes(
    required: Iterable[Span], duties: Iterable[tuple[int, Span]], away: Mapping[int, Sequence[Span]]
) -> list[Span]:
    """When somebody is required and nobody is there, by start (T-03). A hole over midnight is one hole."""
    return without(required, there(duties, away))


def in_pieces(hole: Span) -> list[Span]:
    """A hole as shifts can fill it: one that is longer than a day goes day by day, of local days."""
    if hole.ends_at - hole.starts_at <= DAY:
        return [hole]
    pieces, begins = list[Span](), hole.starts_at
    while begins < hole.ends_at:
        ends = min(at_local(local(begins).date() + DAY), hole.ends_at)
        pieces.append(Span(begins, ends))
        begins = ends
    return pieces
