"""The board as shapes: what stands where on each lane, in per cent of its width. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from fieldservice.dispatch.axis import Axis
from fieldservice.dispatch.board import Bar, Board, Group, Lane
from fieldservice.foundation.time import at_local
from fieldservice.stations.roster import Member
from fieldservice.workorders.eligibility import Stop
from fieldservice.workorders.slots import LUNCH
from fieldservice.workorders.suggestions import Refused, Suggestion

NARROW, TINY = 5.0, 2.0  # a bar of less shows the last digits of its order; nothing but its colour


@dataclass(frozen=True)
class Shape:
    """A stretch of a lane."""

    start: float
    length: float


@dataclass(frozen=True)
class Shade(Shape):
    kind: str  # shift, on-call, break


@dataclass(frozen=True)
class DrawnBar(Shape):
    bar: Bar

    @property
    def narrow(self) -> bool:
        return self.length < NARROW

    @property
    def tiny(self) -> bool:
        return self.length < TINY


@dataclass(frozen=True)
class Taken(Shape):
    stop: Stop


@dataclass(frozen=True)
class DrawnLane:
    """A lane's shapes, back to front; `answer` says whether the selected order fits here."""

    member: Member
    shades: tuple[Shade, ...]
    travels: tuple[Shape, ...]
    taken: tuple[Taken, ...]
    bars: tuple[DrawnBar, ...]
    answer: Suggestion | Refused | None = None
    ghost: Shape | None = None

    @property
    def suggestion(self) -> Suggestion | None:
        return self.answer if isinstance(self.answer, Suggestion) else None

    @property
    def refused(self) -> Refused | None:
        return self.answer if isinstance(self.answer, Refused) else None


@dataclass(frozen=True)
class DrawnGroup:
    group: Group
    lanes: tuple[DrawnLane, ...]


def draw(board: Board, answers: dict[int, Suggestion | Refused]) -> list[DrawnGroup]:
    """Every lane of the board; `answers` by technician for the selected order."""
    return [
        DrawnGroup(group, tuple(draw_lane(board.axis, lane, answers.get(lane.member.id)) for lane in group.lanes))
        for group in board.groups
    ]


def draw_lane(axis: Axis, lane: Lane, answer: Suggestion | Refused | None = None) -> DrawnLane:
    """One technician's shapes."""
    slot = answer.slot if isinstance(answer, Suggestion) else None
    return DrawnLane(
        member=lane.member,
        shades=tuple(_shades(axis, lane.member)),
        travels=tuple(_travels(axis, lane)),
        taken=tuple(Taken(*box, one) for one in lane.taken if (box := axis.box(one.starts_at, one.ends_at))),
        bars=tuple(DrawnBar(*box, bar) for bar in lane.bars if (box := axis.box(bar.starts_at, bar.ends_at))),
        answer=answer,
        ghost=Shape(*box) if slot and (box := axis.box(slot.starts_at, slot.ends_at)) else None,
    )


def _shades(axis: Axis, member: Member) -> Iterator[Shade]:
    for duty in member.duties:
        if box := axis.box(duty.starts_at, duty.ends_at):
            yield Shade(*box, "on-call" if duty.on_call else "shift")
    start, end = LUNCH
    for day in axis.dates:
        begins, ends = at_local(day, start.hour, start.minute), at_local(day, end.hour, end.minute)
        ordinary = (one for one in member.duties if not one.on_call and one.starts_at < begins and one.ends_at > ends)
        if any(ordinary) and (box := axis.box(begins, ends)):
            yield Shade(*box, "break")


def _travels(axis: Axis, lane: Lane) -> Iterator[Shape]:
    for bar in lane.bars:
        if (
            bar.travel_min
            and not bar.done
            and (box := axis.box(bar.starts_at - timedelta(minutes=bar.travel_min), bar.starts_at))
        ):
            yield Shape(*box)
