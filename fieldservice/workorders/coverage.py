"""Who pays for a line of work, and why: a table of rules over plain values (I-19). Pure.

The tablet decides by the same table (static/src/tablet/lines.js), offline; change both. What the customer reads for a
reason is in wording.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

COVERAGES = ("warranty", "contract", "goodwill", "billable")  # words.yaml coverage
INSIDE = ("warranty", "contract")  # where paid work needs the customer's approval first


@dataclass(frozen=True)
class Cover:
    """What is known of the whole order."""

    coverage: str  # of the order
    until: date | None = None  # the machine's warranty
    machine_known: bool = True
    other_maker: bool = False


@dataclass(frozen=True)
class Line:
    """What is known of one line."""

    kind: str  # part, labour, travel, extra
    day: date  # of the visit
    wears: bool = False
    approved: bool = False  # by the customer, with its price
    chosen: str | None = None  # by the technician


@dataclass(frozen=True)
class Decision:
    """Who pays, the reason's code, and whether the customer has still to approve that he does."""

    coverage: str
    reason: str
    pending: bool = False

    @property
    def by_goodwill(self) -> bool:
        """Given by the technician, beyond what the rules say."""
        return self.reason == "chosen" and self.coverage == "goodwill"


def _inside(cover: Cover, line: Line) -> bool:
    return cover.coverage == "warranty" and cover.until is not None and line.day <= cover.until


# The first rule that holds decides: reason, who pays, when.
RULES: tuple[tuple[str, str, Callable[[Cover, Line], bool]], ...] = (
    ("approved", "billable", lambda _cover, line: line.approved),
    ("goodwill", "goodwill", lambda cover, _line: cover.coverage == "goodwill"),
    ("contract", "contract", lambda cover, _line: cover.coverage == "contract"),
    ("wears", "billable", lambda cover, line: cover.coverage == "warranty" and line.wears),
    ("in_warranty", "warranty", _inside),
    ("reported_in_warranty", "warranty", lambda cover, _line: cover.coverage == "warranty" and cover.until is not None),
    ("warranty", "warranty", lambda cover, _line: cover.coverage == "warranty"),
    ("other_maker", "billable", lambda cover, _line: cover.other_maker),
    ("machine_unknown", "billable", lambda cover, _line: not cover.machine_known),
    ("warranty_over", "billable", lambda cover, line: cover.until is not None and line.day > cover.until),
    ("agreed", "billable", lambda cover, _line: cover.until is not None),
    ("no_warranty", "billable", lambda _cover, _line: True),
)


def decide(cover: Cover, line: Line) -> Decision:
    """Who pays for this line. What somebody chose goes before every rule but the customer's approval."""
    if line.chosen is not None and not line.approved:
        return Decision(line.chosen, "chosen", needs_approval(cover, line.chosen))
    reason, coverage = next((reason, who) for reason, who, holds in RULES if holds(cover, line))
    return Decision(coverage, reason, needs_approval(cover, coverage) and not line.approved)


def needs_approval(cover: Cover, coverage: str) -> bool:
    """Whether the customer has to approve before such a line counts: paid work inside warranty or contract."""
    return coverage == "billable" and cover.coverage in INSIDE


def beyond_goodwill(decided: Iterable[tuple[Decision, int]], limit: int) -> list[bool]:
    """Of each line, in their order, whether with it the technician's goodwill is above the limit (P-09).

    `decided`: what was decided and what the line is worth; amounts in minor units.
    """
    given, found = 0, []
    for decision, worth in decided:
        given += worth if decision.by_goodwill else 0
        found.append(decision.by_goodwill and given > limit)
    return found


def cost_of(minutes: int, rate: int) -> int:
    """Minor units for so many minutes at a rate for an hour, rounded half up as the tablet does."""
    return (minutes * rate * 2 + 60) // 120
