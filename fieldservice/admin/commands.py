"""`import KIND FILE` and `export KIND FILE`."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from time import monotonic

import click
from flask_babel import force_locale
from flask_babel import gettext as _

from config import LANGUAGES
from fieldservice.admin import exporting
from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.errors import NotFound
from fieldservice.mechanisms.records import Kind, kind_of, kinds
from fieldservice.mechanisms.records.importing import Outcome, import_table

CLEAR = "\r\x1b[K"  # back to the start of the line, and wipe it


def _kind(_context: click.Context, _parameter: click.Parameter, code: str) -> Kind:
    try:
        return kind_of(code)
    except NotFound:
        known = ", ".join(kind.code for kind in kinds())
        raise click.BadParameter(f"{code} is not known. Known: {known}.") from None


@click.command("import")
@click.argument("kind", callback=_kind)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Try every row and keep nothing.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the sentences; the installation's otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@show_errors
def import_command(kind: Kind, file: Path, dry_run: bool, lang: str | None, as_json: bool) -> None:
    """Take in a table: CSV or XLSX with the columns that `export` writes.

    Rows that are there already are changed, or left when nothing differs, so the command can be repeated. Ends with
    status 1 when rows were refused.
    """
    with force_locale(lang) if lang else nullcontext():
        started = monotonic()
        done = import_table(kind, file, dry_run=dry_run, progress=_progress())
        outcome = {**done.counts(), "notes": done.notes, "dry_run": dry_run, "seconds": round(monotonic() - started, 2)}
        if as_json:
            click.echo(json.dumps(outcome, ensure_ascii=False))
        else:
            _tell(file, done, dry_run)
    if done.refused:
        raise click.exceptions.Exit(1)


@click.command("export")
@click.argument("kind", callback=_kind)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@show_errors
def export_command(kind: Kind, file: Path) -> None:
    """Write every record of a kind to FILE, as CSV or XLSX by its ending."""
    if file.suffix.lower() == ".xlsx":
        with file.open("wb") as target:
            exporting.write_xlsx_to(target, kind, None)
    else:
        with file.open("w", encoding="utf-8", newline="") as text:
            text.writelines(exporting.csv_of(kind, None))
    click.echo(_("Written to %(file)s.", file=file))


def _tell(file: Path, done: Outcome, dry_run: bool) -> None:
    for line, key, tone, text in done.notes:
        mark = _("warning: ") if tone == "warning" else ""
        click.echo(f"{file.name}:{line} {key} – {mark}{text}")
    if done.refused + done.warned > len(done.notes):
        click.echo(_("… and %(num)s more", num=done.refused + done.warned - len(done.notes)))
    click.echo(summary(done))
    if dry_run:
        click.echo(_("This was a dry run: nothing was kept."))


def summary(done: Outcome) -> str:
    """The counts in words."""
    return str(
        _(
            "%(rows)s rows: %(create)s new, %(change)s changed, %(same)s known already, %(refused)s refused",
            **done.counts(),
        )
    )


def _progress() -> Callable[[Outcome, float], bool]:
    """One line that is written over on a terminal; in a log a line whenever another tenth is done."""
    terminal, told = sys.stderr.isatty(), 0

    def tell(done: Outcome, share: float) -> bool:
        nonlocal told
        if terminal or int(share * 10) > told:
            told = int(share * 10)
            click.echo(f"{CLEAR if terminal else ''}{share:.0%} · {summary(done)}", nl=not terminal, err=True)
            if terminal and share == 1:
                click.echo(err=True)
        return False

    return tell
