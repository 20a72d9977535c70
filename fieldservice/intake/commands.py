"""`import service-requests FILE`."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from time import monotonic

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from flask_babel import gettext as _

from config import LANGUAGES
from fieldservice.foundation.commands import show_errors
from fieldservice.intake.importing import Imported, import_requests

CLEAR = "\r\x1b[K"  # back to the start of the line, and wipe it
importing = AppGroup("import", help="Take in tables.")


@importing.command("service-requests")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Try every row and keep nothing.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the sentences; the installation's otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@show_errors
def service_requests(file: Path, dry_run: bool, lang: str | None, as_json: bool) -> None:
    """Take in service requests from a CSV file. No messages are sent.

    Columns: external_id, received_at, channel, contact_name, contact_phone, contact_email, site_address or
    division_code or latitude and longitude, asset_serial, description, severity, language. A row whose
    external_id is known changes nothing, so the command can be repeated. Ends with status 1 when rows were refused.
    """
    with force_locale(lang) if lang else nullcontext():
        _import(file, dry_run, as_json)


def _import(file: Path, dry_run: bool, as_json: bool) -> None:
    started = monotonic()
    done = import_requests(file, dry_run=dry_run, progress=_progress())
    outcome = {**asdict(done), "dry_run": dry_run, "seconds": round(monotonic() - started, 2)}
    if as_json:
        click.echo(json.dumps(outcome, ensure_ascii=False))
    else:
        _tell(file, done, dry_run)
    if done.refused:
        raise click.exceptions.Exit(1)


def _tell(file: Path, done: Imported, dry_run: bool) -> None:
    for error in done.errors:
        click.echo(f"{file.name}:{error.line} {error.external_id} – {'; '.join(error.texts)}")
    if done.refused > len(done.errors):
        click.echo(_("… and %(num)s more", num=done.refused - len(done.errors)))
    click.echo(_summary(done))
    if dry_run:
        click.echo(_("This was a dry run: nothing was kept."))


def _summary(done: Imported) -> str:
    return str(
        _(
            "%(rows)s rows: %(created)s new, %(known)s known already, %(refused)s refused",
            rows=done.rows, created=done.created, known=done.known, refused=done.refused,
        )
    )  # fmt: skip


def _progress() -> Callable[[Imported, float], None]:
    """One line that is written over on a terminal; in a log a line whenever another tenth is done."""
    terminal, told = sys.stderr.isatty(), 0

    def tell(done: Imported, share: float) -> None:
        nonlocal told
        if terminal or int(share * 10) > told:
            told = int(share * 10)
            click.echo(f"{CLEAR if terminal else ''}{share:.0%} · {_summary(done)}", nl=not terminal, err=True)
            if terminal and share == 1:
                click.echo(err=True)

    return tell
