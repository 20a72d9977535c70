"""`levels backtest`: what our levels would have needed, on anybody's figures, beside the usual min/max rules."""

import json
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from flask_babel import gettext as _

from config import LANGUAGES
from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.words import word
from fieldservice.parts import demand_files
from fieldservice.parts.demand_files import DemandFile
from fieldservice.parts.levels import backtest as backtests
from fieldservice.parts.levels.backtest import Best, Comparison, Needed

MOST_LEAD = 12

levels = AppGroup("levels", help="How many pieces of every part belong on the shelf.")


@levels.command("backtest")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lead", type=click.IntRange(0, MOST_LEAD), required=True, help="Months from an order to the shelf.")
@click.option("--score", type=click.IntRange(1), default=backtests.SCORED, show_default=True,
              help="Months at the end that are scored; levels of each are set from the months before it.")  # fmt: skip
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the sentences; the installation's otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def backtest(file: Path, lead: int, score: int, lang: str | None, as_json: bool) -> None:
    """Compare our levels with eight usual min/max rules on a FILE of part × month (CSV or XLSX).

    The first column names the part, each other one is a month, the oldest first; parts with an empty cell are left out.
    What is compared and how stands in fieldservice/parts/levels/backtest.py.
    """
    with force_locale(lang) if lang else nullcontext():
        _backtest(file, lead, score, as_json)


@show_errors
def _backtest(file: Path, lead: int, score: int, as_json: bool) -> None:
    given = demand_files.read(file)
    found, left_out = _compared(given, lead, score), len(given.parts) - len(given.complete)
    if as_json:
        click.echo(json.dumps(_told(found) | {"left_out": left_out}))
        return
    for line in _lines(found, left_out):
        click.echo(line)


def _compared(given: DemandFile, lead: int, score: int) -> Comparison:
    months = len(given.months)
    if not len(given.complete):
        raise Invalid({"file": [_("No part has an amount in every month.")]})
    if months - score < backtests.FEWEST:
        few = _("%(months)s months are too few: %(learn)s to learn from and %(score)s to score are needed.",
                months=months, learn=backtests.FEWEST, score=score)  # fmt: skip
        raise Invalid({"file": [few]})
    return backtests.compare(given.complete, lead, months - score)


def _told(found: Comparison) -> dict[str, Any]:
    """The comparison with its ratios; null where a share is not reached at any setting."""
    told = asdict(found)
    for row, needed in zip(told["needed"], found.needed, strict=True):
        for best in row["best"]:
            best["ratio"] = needed.ratio(best["pieces"])
        row["ratio"] = needed.ratio(0)
    return told


def _lines(found: Comparison, left_out: int) -> list[str]:
    lines = [
        _(
            "%(parts)s parts (%(left_out)s left out for empty cells), lead time %(lead)s months: %(learned)s months "
            "learned from, %(scored)s scored with %(lines)s lines",
            parts=found.parts, left_out=left_out, lead=found.lead, learned=found.learned, scored=found.scored,
            lines=found.lines,
        )
    ]  # fmt: skip
    for needed in found.needed:
        ours = _("not reached") if needed.ours is None else f"{needed.ours:.0f}"
        lines.append(
            _("%(share)s of lines: our levels need %(ours)s on the shelf", share=_share(needed.share), ours=ours)
        )
        lines += [f"  {_line(needed, best)}" for best in needed.best]
    lines += [
        _("asked for %(asked)s: %(achieved)s came of it with %(stock)s on the shelf",
          asked=_share(one.asked), achieved=_share(one.achieved), stock=f"{one.stock:.0f}")
        for one in found.calibrated
    ]  # fmt: skip
    return lines


def _line(needed: Needed, best: Best) -> str:
    head = (
        _("at least %(pieces)s of every part", pieces=best.pieces) if best.pieces else _("rules as they are published")
    )
    if best.rule is None or best.stock is None:
        line: str = _(
            "%(head)s: no rule reaches it; the nearest, %(rule)s, %(reached)s with %(stock)s",
            head=head, rule=word("stock_rule", best.nearest), reached=_share(best.reached.share),
            stock=f"{best.reached.stock:.0f}",
        )  # fmt: skip
        return line
    ratio = needed.ratio(best.pieces)
    line = _(
        "%(head)s: the best, %(rule)s, needs %(stock)s; ours ÷ its: %(ratio)s",
        head=head, rule=word("stock_rule", best.rule), stock=f"{best.stock:.0f}",
        ratio="–" if ratio is None else f"{ratio:.3f}",
    )  # fmt: skip
    return line


def _share(share: float) -> str:
    return f"{100 * share:.4g} %"
