"""The eligibility table: who may do which job on which day, by the rules that booking and suggestions ask."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fieldservice.dispatch.planning.model import Table
from fieldservice.foundation.places import travel_minutes
from fieldservice.workorders.eligibility import RULES, Case, Refusal
from fieldservice.workorders.placement import ON_CALL_FOR, Job, Span, TechnicianDay

ASKED = ("station", "skill", "certificate", "customer", "absence", "shift")  # parts: pricing knows, by day


def table(jobs: Sequence[Job], days: Sequence[TechnicianDay], shifts: Sequence[Span]) -> Table:
    """A row for each job, a column for each technician-day (`shifts` says which time of the technician it is).

    Jobs that ask the same are asked about once, so the cost grows with the kinds of jobs, not with the jobs.
    """
    found = np.zeros((len(jobs), len(days)), dtype=bool)
    known: dict[object, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    for row, job in enumerate(jobs):
        wants = (
            job.station_id, tuple(sorted(job.skills.items())), job.certificates, job.priority in ON_CALL_FOR,
            job.requires, job.excludes,
        )  # fmt: skip
        if wants not in known:
            columns = zip(days, shifts, strict=True)
            known[wants] = np.array([not refused(job, day, shift) for day, shift in columns], dtype=bool)
        found[row] = known[wants]
    return found


def refused(job: Job, day: TechnicianDay, shift: Span) -> list[Refusal]:
    """Every rule of the person that says no for this shift, with its number; empty when nothing does."""
    case = Case(job, replace(day, stops=()), shift, travel_minutes)  # what else is on the day is the plan's matter
    return [refusal for rule in ASKED for refusal in RULES[rule](case)]
