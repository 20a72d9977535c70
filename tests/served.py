"""A real server of this app in a process of its own, for what only a process can show: kills, stops, streams."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from flask import Flask
from sqlalchemy import Engine

from config import ROOT
from tests.waiting import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """uvicorn over the test's database and instance folder; ended with the block, however it went."""

    def __init__(self, app: Flask, engine: Engine, log: Path, now: str = "2026-11-25T10:30:00+08:00") -> None:
        self.port = free_port()
        self.log = log
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FIELDSERVICE_")},
            "FIELDSERVICE_DATABASE_URL": engine.url.render_as_string(hide_password=False),
            "FIELDSERVICE_INSTANCE_PATH": app.instance_path,
            "FIELDSERVICE_SECRET_KEY": str(app.secret_key),
            "FIELDSERVICE_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "FIELDSERVICE_TRAVEL_HOURS": "none",  # as in the tests' own process
        }
        self._began_at, self._began = datetime.fromisoformat(now), monotonic()
        self.process: subprocess.Popen[bytes] | None = None
        self._open: list[HTTPConnection | HTTPResponse] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        for connection in self._open:
            connection.close()

    def start(self, ready: bool = True) -> None:
        command = [sys.executable, "-m", "uvicorn", "wsgi:asgi", "--port", str(self.port), "--lifespan", "on"]
        # begun anew, its clock goes on: a tablet that measured it meanwhile is not out
        at = self._began_at + timedelta(seconds=monotonic() - self._began)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--timeout-graceful-shutdown", "3"], cwd=ROOT, stdout=log, stderr=log,
                env={**self._environ, "FIELDSERVICE_NOW": at.isoformat()},
            )  # fmt: skip
        if ready:
            wait_until(self.answers, seconds=90, what="the server answers")

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended:\n{self.log.read_text()[-3000:]}")
        with suppress(OSError):
            self.get("/static/none")
            return True
        return False

    def kill(self) -> None:
        """kill -9, as the machine would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)

    def stop(self) -> int:
        """Ask to stop; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def get(self, path: str, headers: dict[str, str] | None = None) -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        self._open.append(connection)
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        self._open.append(response)
        return response
