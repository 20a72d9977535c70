"""A piece without breaks: their usual time is left out of the clock, for solvers that know none or are slowed by them.

What a solver finds on this clock need not be drivable with real breaks; the checker has the last word.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from fieldservice.dispatch.planning.model import Break, Window, joined
from fieldservice.dispatch.planning.piece import Piece, Step


class _Clock:
    """Time without the usual breaks."""

    def __init__(self, breaks: Sequence[Break]) -> None:
        self._cuts = sorted((one.nominal, one.seconds) for one in breaks)

    def __call__(self, moment: int) -> int:
        return moment - sum(min(max(0, moment - begin), length) for begin, length in self._cuts)


def without_breaks(piece: Piece) -> Piece:
    """The same piece on the clock of its usual breaks; a day with other breaks is shortened by them."""
    kinds = Counter(shift.breaks for shift in piece.shifts if shift.breaks)
    if not kinds:
        return piece
    by_date: dict[int, tuple[Break, ...]] = {}
    for breaks, _many in sorted(kinds.items(), key=lambda one: (-one[1], one[0])):
        by_date.setdefault(breaks[0].earliest // 86_400, breaks)
    usual = {one for breaks in by_date.values() for one in breaks}
    clock = _Clock(sorted(usual))
    shifts = tuple(
        shift._replace(
            start=clock(shift.start),
            end=clock(shift.end),
            latest=max(
                clock(shift.start), clock(shift.latest) - sum(one.seconds for one in shift.breaks if one not in usual)
            ),
            breaks=(),
        )
        for shift in piece.shifts
    )
    steps = tuple(
        tuple(
            Step(joined(Window(clock(window.start), clock(window.end)) for window in step.windows), step.cost)
            for step in job
        )
        for job in piece.steps
    )
    return replace(piece, shifts=shifts, steps=steps)


def standing(piece: Piece) -> list[list[int]]:
    """What stands at present as far as it can be driven on the piece's own clock; what cannot is left out."""
    return [_drivable(piece, column, route) for column, route in enumerate(piece.routes)]


def _drivable(piece: Piece, column: int, route: Sequence[int]) -> list[int]:
    shift = piece.shifts[column]
    kept: list[int] = []
    time, place = shift.start, shift.start_place
    for job in route:
        arrives = time + _leg(piece, column, place, piece.job_places[job]) + int(piece.extra[job, column])
        begin = _begin(piece, job, arrives)
        if begin is None or not piece.eligible[job, column] or not _in_reach(piece, column, job):
            continue
        ends = begin + piece.job_seconds[job]
        home = 0
        if shift.end_place >= 0 and not shift.home_after:
            home = _leg(piece, column, piece.job_places[job], shift.end_place)
        if ends + home <= shift.latest:
            kept.append(job)
            time, place = ends, piece.job_places[job]
    return kept


def _begin(piece: Piece, job: int, arrives: int) -> int | None:
    return next((max(arrives, one.start) for one in piece.windows(job) if arrives <= one.end), None)


def _in_reach(piece: Piece, column: int, job: int) -> bool:
    """Whether the job can be reached from the start without a detour. On roads it can, if it can be reached at all;
    travel tables are not always that exact, and VROOM takes them at their word."""
    shift = piece.shifts[column]
    begin = _begin(piece, job, shift.start + _leg(piece, column, shift.start_place, piece.job_places[job]))
    if begin is None:
        return False
    home = 0
    if shift.end_place >= 0 and not shift.home_after:
        home = _leg(piece, column, piece.job_places[job], shift.end_place)
    return begin + piece.job_seconds[job] + home <= shift.latest


def _leg(piece: Piece, column: int, origin: int, destination: int) -> int:
    leg, pace = int(piece.legs[origin, destination]), piece.shifts[column].pace
    return leg if pace == 1.0 else -int(-leg * pace // 1)
