"""`import service-requests FILE`."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import AppGroup

from fieldservice.foundation.commands import show_errors
from fieldservice.intake.importing import Imported, import_requests

importing = AppGroup("import", help="Take in tables.")


@importing.command("service-requests")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Try every row and keep nothing.")
@click.option("--json", "as_json", is_flag=True)
@show_errors
def service_requests(file: Path, dry_run: bool, as_json: bool) -> None:
    """Take in service requests from a CSV file; repeating it makes no duplicates. No messages are sent."""

    def tell(done: Imported) -> None:
        click.echo(f"\r{done.rows} rows: {done.created} new, {done.known} known, {done.refused} refused", nl=False, err=True)

    done = import_requests(file, dry_run=dry_run, progress=tell)
    click.echo(err=True)
    if as_json:
        click.echo(json.dumps(asdict(done), ensure_ascii=False))
        return
    for error in done.errors:
        click.echo(f"{file.name}:{error.line} {error.external_id}: {'; '.join(error.texts)}")
    click.echo(f"{done.created} new, {done.known} known, {done.refused} refused{' (dry run: nothing kept)' if dry_run else ''}")
