"""The server under measurement, in processes of its own: how soon it answers, and how much memory it holds."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from benchmarks import company
from config import ROOT

QUIET_SECONDS, BUSY_SHARE = 3, 0.15  # so many seconds in which less than this share of a core is used
PATIENCE = 60.0  # seconds to the first answer before it counts as broken


class Server:
    """uvicorn over a database; ended with the block, however it went."""

    def __init__(self, database_url: str, instance: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._log = instance / "server.log"
        instance.mkdir(parents=True, exist_ok=True)
        ours = {name: value for name, value in os.environ.items() if not name.startswith("FIELDSERVICE_")}
        self._environ = {**ours, **company.environment(database_url, instance)}
        self.started_in = 0.0  # seconds from the command to the first answered page

    def __enter__(self) -> Self:
        began = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.serve", str(self.port)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._environ, stdout=log, stderr=log)
        while not self._answers():
            if self.process.poll() is not None or time.perf_counter() - began > PATIENCE:
                self.process.kill()
                raise RuntimeError(f"the server did not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.02)
        self.started_in = time.perf_counter() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        self.process.kill()
        self.process.wait(15)

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        with suppress(OSError):
            connection.request("GET", "/login")
            return connection.getresponse().status == 200
        connection.close()
        return False

    def settle(self, seconds: float = 180.0) -> None:
        """Wait until what a first start has to do (pictures to shrink, events to relay) is done."""
        until = time.perf_counter() + seconds
        quiet = 0
        while quiet < QUIET_SECONDS:
            if time.perf_counter() > until:
                raise RuntimeError("the server never came to rest")
            whole = psutil.Process(self.process.pid)
            before = sum(sum(one.cpu_times()[:2]) for one in (whole, *whole.children(recursive=True)))
            time.sleep(1)
            after = sum(sum(one.cpu_times()[:2]) for one in (whole, *whole.children(recursive=True)))
            quiet = quiet + 1 if after - before < BUSY_SHARE else 0

    def memory(self) -> int:
        """Bytes held by the server and the processes it started: each one's share of what they share (PSS)."""
        whole = psutil.Process(self.process.pid)
        return sum(int(one.memory_full_info().pss) for one in (whole, *whole.children(recursive=True)))
