"""Real browsers with a profile that survives a kill -9: Chromium, and WebKitGTK, the engine nearest to an iPad.

Neither is held by a driver, so that it can die like a browser dies: a script that the line puts into the page asks the
trial what to do next.
"""

import itertools
import json
import os
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from tests.waiting import wait_until
from tests.workorders.tablet_faults.proxy import Proxy

PATIENCE_S = 600.0
HELD_S = 0.5  # so long a page's question stays open
Answer = tuple[int, dict[str, str] | list[tuple[str, str]], bytes]
SCRIPT = Path(__file__).with_name("page.js")
TAG = b'<script type="module" src="/trial/page.js"></script></body>'
CHROMIUM = (
    "/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-popup-blocking",
    "--window-size=820,1180",
)  # fmt: skip
WEBKIT = (
    f"/usr/lib/{os.uname().machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    "--javascript-can-open-windows-automatically=true",
)


ENGINES = {"chromium": CHROMIUM, "webkit": WEBKIT}


class Screen:
    """A screen that nobody sees (Xvfb)."""

    def __enter__(self) -> Self:
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1180x1180x24", "-nolisten", "tcp"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        self.name = f":{self._process.stdout.readline().decode().strip()}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


class Tablet:
    """A browser over a line, with the tablet's page of whoever the cookies name."""

    def __init__(
        self, command: Sequence[str], profile: Path, line: Proxy, cookies: dict[str, str], screen: str = ""
    ) -> None:
        self._command, self._profile, self._line, self._cookies = command, profile, line, cookies
        self._screen = screen
        self._numbers = itertools.count(1)
        self._asked: deque[dict[str, Any]] = deque()
        self._hands = Lock()  # over what is asked and who the newest page is
        self._told: dict[int, dict[str, Any]] = {}
        self._given: dict[str, dict[str, Any]] = {}  # page → what it was asked and has not told of
        self._pages: list[str] = []  # the newest is spoken to
        line.page_tag = TAG
        line.beside = self._answer

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Open the browser on its profile, with the page."""
        own = [f"--user-data-dir={self._profile}"] if "chromium" in self._command[0] else []
        folders = {f"XDG_{name}_HOME": str(self._profile / name.lower()) for name in ("DATA", "CACHE", "CONFIG")}
        before = len(self._pages)
        self._process = subprocess.Popen(
            [*self._command, *own, f"http://127.0.0.1:{self._line.port}/trial/enter"],
            env={**os.environ, **folders, "HOME": str(self._profile), "DISPLAY": self._screen, "NO_AT_BRIDGE": "1"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._wait_for_page(before)

    def call(self, name: str, *facts: Any) -> Any:
        """What the deed returns in the page. Raises AssertionError for what it throws."""
        number = self.begin(name, *facts)
        what = f"{name} is done by the newest of {len(self._pages)} pages"
        told = wait_until(lambda: self._told.pop(number, None), seconds=PATIENCE_S, what=what)
        assert "error" not in told, told["error"]
        return told.get("value")

    def begin(self, name: str, *facts: Any) -> int:
        """Start a deed and do not wait for it."""
        number = next(self._numbers)
        with self._hands:
            self._asked.append({"id": number, "name": name, "facts": facts})
        return number

    def wait_until_taken(self) -> None:
        """Until the page has heard what was begun."""
        wait_until(lambda: not self._asked, seconds=PATIENCE_S, what="the page listens")

    def reload(self) -> None:
        """The page anew."""
        before = len(self._pages)
        self.begin("reload")
        self._wait_for_page(before)

    def second_tab(self) -> None:
        """Another tab, which is spoken to from now on."""
        before = len(self._pages)
        assert self.call("tab"), "the browser opens no second tab"
        self._wait_for_page(before)

    def kill(self) -> None:
        """kill -9 of every process of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)
        for pid in _processes(str(self._profile)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not _processes(str(self._profile)), what="the browser is gone")
        with self._hands:
            self._asked.clear()

    def _wait_for_page(self, before: int) -> None:
        wait_until(lambda: len(self._pages) > before, seconds=PATIENCE_S, what="the page is there")

    def _answer(self, path: str, body: bytes) -> Answer:
        """What the page's script and the browser ask beside the server. In a thread of the line's."""
        if path == "/trial/enter":
            cookies = [("Set-Cookie", f"{name}={value}; Path=/") for name, value in self._cookies.items()]
            return 302, [*cookies, ("Location", "/tablet")], b""
        if path == "/trial/page.js":
            return 200, {"Content-Type": "text/javascript", "Cache-Control": "no-store"}, SCRIPT.read_bytes()
        if path == "/trial/told":
            told = json.loads(body)
            with self._hands:
                self._given = {page: one for page, one in self._given.items() if one["id"] != told["id"]}
            self._told[told["id"]] = told
            return 204, {}, b""
        page = parse_qs(path.partition("?")[2]).get("page", [""])[0]
        return self._next_for(page)

    def _next_for(self, page: str) -> Answer:
        """The next deed for the newest page; a page that is being left must not take one with it."""
        until = monotonic() + HELD_S
        while monotonic() < until:
            with self._hands:
                if page not in self._pages:
                    self._pages.append(page)
                if page != self._pages[-1]:
                    return 410, {}, b""
                # a page asks again only after it has told: else the answer never reached it
                deed = self._given.get(page) or (self._asked.popleft() if self._asked else None)
                if deed is not None:
                    self._given[page] = deed
                    return 200, {"Content-Type": "application/json"}, json.dumps(deed).encode()
            sleep(0.01)
        return 204, {}, b""


def _processes(mark: str) -> list[int]:
    """Running processes whose command line or home holds the mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            if mark.encode() in line and state != "Z" and int(path.name) != os.getpid():
                found.append(int(path.name))
    return found
