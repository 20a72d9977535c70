"""What speaks against a swap, and what should be thought of: plain values in, plain values out."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from fieldservice.dispatch.cover.reading import Away, Turn

REST = timedelta(hours=11)  # between two ordinary duties; less is told, not refused [D]. Time on call is rest.


@dataclass(frozen=True)
class Trade:
    """A shift that goes to `receiver`, and the one that goes back for it."""

    shift: Turn
    receiver: int
    back: Turn | None = None

    @property
    def giver(self) -> int:
        return self.shift.technician_id

    @property
    def moves(self) -> list[tuple[Turn, Turn]]:
        """(as it is, as it will be)"""
        gives = [(self.shift, replace(self.shift, technician_id=self.receiver))]
        if self.back is not None:
            gives.append((self.back, replace(self.back, technician_id=self.giver)))
        return gives


@dataclass(frozen=True)
class Objection:
    """Why it cannot be: `duty` (on duty then already) or `absence`, of whom and at which shift."""

    rule: str
    technician_id: int
    turn: Turn  # the shift the person would take
    other: Turn | None = None  # what is in the way


@dataclass(frozen=True)
class ShortRest:
    """Less than REST between two ordinary duties."""

    technician_id: int
    first: Turn
    then: Turn

    @property
    def hours(self) -> float:
        return (self.then.starts_at - self.first.ends_at) / timedelta(hours=1)


def objections(trade: Trade, turns: Collection[Turn], away: Away) -> Iterator[Objection]:
    """Of all `turns` of both people around the shifts; drafts count, since they are about to be published."""
    leaving = {old.id for old, _new in trade.moves}
    for _old, new in trade.moves:
        person = new.technician_id
        for other in turns:
            same = other.technician_id == person and other.id not in leaving
            if same and new.span.touches(other.starts_at, other.ends_at):
                yield Objection("duty", person, new, other)
        if any(new.span.touches(*span) for span in away.get(person, ())):
            yield Objection("absence", person, new)


def short_rests(trade: Trade, turns: Collection[Turn]) -> list[ShortRest]:
    """Where the swap leaves somebody too little rest before or after a shift taken."""
    taken = {new.id for _old, new in trade.moves}
    after = [one for one in turns if one.id not in taken] + [new for _old, new in trade.moves]
    return [
        ShortRest(person, first, then)
        for person, mine in _by_person(after).items()
        for first, then in pairwise(sorted(mine, key=lambda one: one.starts_at))
        if {first.id, then.id} & taken and first.ends_at < then.starts_at < first.ends_at + REST
    ]


def _by_person(turns: Iterable[Turn]) -> Mapping[int, Sequence[Turn]]:
    found: dict[int, list[Turn]] = {}
    for one in turns:
        if not one.on_call:
            found.setdefault(one.technician_id, []).append(one)
    return found
