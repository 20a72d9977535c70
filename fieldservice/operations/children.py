"""Our own commands as child processes: a backup packs for minutes, which must not slow those who are served.

A child ends with its parent: writing its next line of progress into a closed pipe ends it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from config import ROOT, Settings

ENDS_WITHIN = 10  # seconds a child gets to tidy up


class ChildFailed(RuntimeError):
    """A command ended with an error; `code` says which."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Cancelled(RuntimeError):
    """Somebody asked to stop."""


@contextmanager
def _running(arguments: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments], cwd=ROOT, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=_politely,
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _politely() -> None:
    os.nice(5)


def environment_of(settings: Settings, url: URL | str, instance: Path) -> dict[str, str]:
    """This installation's settings, over that database and folder."""
    address = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    return {
        **os.environ,
        "FIELDSERVICE_DATABASE_URL": address,
        "FIELDSERVICE_INSTANCE_PATH": str(instance),
        "FIELDSERVICE_SECRET_KEY": settings.secret_key,
        "FIELDSERVICE_BACKUP_FOLDER": str(settings.backup_folder),
        "FIELDSERVICE_BACKGROUND": "0",
    }


def call(arguments: list[str], environment: dict[str, str], tell: Callable[[int, int], object]) -> dict[str, Any]:
    """Run a command with `--lines`; gives its result. Raises ChildFailed, and whatever `tell` raises."""
    result: dict[str, Any] | None = None
    code = "ended_early"
    with _running([*arguments, "--lines"], environment) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if not line.startswith("{"):
                continue
            said = json.loads(line)
            if "done" in said:
                tell(said["done"], said["total"])
            code = said.get("error", code)
            result = said.get("result", result)
        if child.wait() != 0 or result is None:
            raise ChildFailed(code)
    return result


def ask(arguments: list[str], environment: dict[str, str]) -> str:
    """Run a command and give what it prints, however it ends."""
    with _running(arguments, environment) as child:
        return child.communicate()[0]
