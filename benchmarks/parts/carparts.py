"""Stock needed for a share of lines, beside the best of eight min/max rules; and what comes of an asked share.

How it is compared stands in `fieldservice/parts/levels/backtest.py`; `flask levels backtest FILE --lead L` runs the
same on any file. Targets count against the rules as they are published. Where none of them reaches the share at any
setting, ours for all of it stands beside what the nearest rule needs for less; the name of the baseline says for how
much. Rules with pieces of every part are shown as well.
"""

from benchmarks.results import Measure
from fieldservice.parts.levels.backtest import Needed, compare
from fieldservice.parts.levels.demand import Floats

TARGETS = {(1, 0.95): 0.92, (1, 0.98): 0.75, (3, 0.95): 0.72, (3, 0.98): 0.35}  # of the best rule's stock
OFF = 1.0  # percentage points that calibration may be off


def figures(demand: Floats, lead: int) -> list[Measure]:
    """One lead time in months."""
    found = compare(demand, lead)
    measures = [one for needed in found.needed for one in _needed(lead, needed)]
    for calibrated in found.calibrated:
        title = f"car parts, lead {lead}: asked {calibrated.asked:.0%} of lines"
        achieved, asked = 100 * calibrated.achieved, 100 * calibrated.asked
        measures.append(Measure(f"{title}, achieved", achieved, "%", "higher", asked, "asked"))
        target = OFF if calibrated.asked == 0.95 else None
        measures.append(Measure(f"{title}, off by", abs(achieved - asked), "points", "lower", target=target))
    return measures


def _needed(lead: int, needed: Needed) -> list[Measure]:
    title = f"car parts, lead {lead}: stock for {needed.share:.0%} of lines"
    if needed.ours is None:
        raise AssertionError(f"{title} was not reached by our levels at any price of money")
    measures = []
    for best in needed.best:
        rules = f"rules with ≥ {best.pieces} of every part" if best.pieces else "rules as published"
        if best.stock is None:
            stock, name = best.reached.stock, f"{best.nearest} for {best.reached.share:.2%}, the most that any reaches"
        else:
            stock, name = best.stock, str(best.rule)
        most = None if best.pieces else round(TARGETS[lead, needed.share] * stock, 1)
        measures.append(Measure(f"{title} ÷ {rules}", needed.ours, "pieces", "lower", stock, name, most))
    return measures
