"""`backup` and `restore`."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import click
from flask_babel import lazy_gettext as _l

from fieldservice.foundation.commands import show_errors
from fieldservice.foundation.db import db, write
from fieldservice.foundation.errors import Conflict, DomainError
from fieldservice.foundation.single import AlreadyRunning, OnlyOne
from fieldservice.foundation.time import now
from fieldservice.foundation.web import settings
from fieldservice.operations import dump, load, services, shelf
from fieldservice.operations.archive import fingerprint

BACKUP_LOCK = 360_000_004
EVERY = 0.5  # seconds between lines of progress
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("backup")
@click.argument("file", required=False, type=FILE)
@click.option("--with-key", is_flag=True, help="Put the secret key in as well; keep such a file as safe as the key.")
@click.option("--lines", is_flag=True, hidden=True, help="Tell progress as lines of JSON, to the job that asked.")
@show_errors
def backup(file: Path | None, with_key: bool, lines: bool) -> None:
    """Write database and pictures into FILE (default: a dated name in the backup folder) while the system runs."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # tidies up on the way
    with _told(lines):
        started, target = now(), (file or shelf.new_file()).resolve()
        if target.exists():
            raise Conflict(_l("%(path)s exists already. Choose another name.", path=str(target)), code="file_exists")
        with _alone():
            made = dump.back_up(db.engine, settings(), target, with_key=with_key, progress=_progress(lines))
        size = target.stat().st_size
        if lines:
            click.echo(json.dumps({"result": {"rows": made.rows, "bytes": size}}))
            return
        ours = Path(target.name) if target.parent == settings().backup_folder.resolve() else target
        digest = fingerprint(target)
        write(lambda: services.note_command(
            file=ours, size=size, sha256=digest, rows=made.rows, started=started, at=now()
        ))  # fmt: skip
        click.echo(f"{target}: {made.rows} rows, {len(made.members)} members, {size} bytes, SHA-256 {digest}")


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Replace what the database holds now.")
@click.option("--lines", is_flag=True, hidden=True, help="Tell progress as lines of JSON, to the job that asked.")
@show_errors
def restore(file: Path, yes: bool, lines: bool) -> None:
    """Put FILE in the place of database and pictures: all of it or nothing. Stop the server first."""
    with _told(lines):
        try:
            made = load.restore(db.engine, settings(), file, replace=yes, progress=_progress(lines))
        except AlreadyRunning as running:
            raise Conflict(str(running), code="server_running") from running
        if lines:
            click.echo(json.dumps({"result": {"rows": made.rows}}))
            return
        click.echo(f"{made.rows} rows of {made.made_at} are back. `flask --app wsgi verify` checks them.")


@contextmanager
def _alone() -> Iterator[None]:
    """No two backups at once, whoever asked."""
    refusal = "Another backup is under way. Wait for it to end."
    lock = OnlyOne(settings().instance_path, "backup", BACKUP_LOCK, refusal)
    try:
        lock.take(db.engine)
    except AlreadyRunning as running:
        lock.give_back()
        raise Conflict(_l("Another backup is under way. Wait for it to end."), code="backup_running") from running
    try:
        yield
    finally:
        lock.give_back()


@contextmanager
def _told(lines: bool) -> Iterator[None]:
    """To the job that asked, an error is its code."""
    try:
        yield
    except (DomainError, OSError) as error:
        if lines:
            code = error.code if isinstance(error, DomainError) else f"os_{error.errno}"
            click.echo(json.dumps({"error": code}))
            sys.exit(1)
        if isinstance(error, OSError):
            raise click.ClickException(f"{error.strerror}: {error.filename or ''}") from error
        raise


def _progress(lines: bool) -> Callable[[int, int], None]:
    said = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal said
        if monotonic() - said < EVERY:
            return
        said = monotonic()
        if lines:
            click.echo(json.dumps({"done": done, "total": total}))
            sys.stdout.flush()
        elif sys.stderr.isatty():
            click.echo(f"\r{done} / {total}", nl=False, err=True)

    return tell
