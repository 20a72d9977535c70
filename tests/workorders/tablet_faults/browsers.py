"""Real browsers: Chromium with a profile that survives a kill, and WebKitGTK, the engine nearest to an iPad."""

import json
import os
import signal
import subprocess
import warnings
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from playwright.sync_api import BrowserContext, BrowserType, Page
from playwright.sync_api import Error as PlaywrightError

from tests.waiting import wait_until

PATIENCE_MS = 60_000
CHROMIUM = "/usr/bin/chromium"
MINI_BROWSER = "/usr/lib/{}/webkit2gtk-4.1/MiniBrowser"
DRIVER = "/usr/bin/WebKitWebDriver"


class Tablet(Protocol):
    """A browser with the tablet's page in one tab."""

    def open(self, url: str) -> None:
        """Load the page anew."""

    def call(self, script: str, *facts: Any) -> Any:
        """What an async function `script`, given the facts, returns in the page."""

    def begin(self, script: str, *facts: Any) -> None:
        """Start it and do not wait."""

    def second_tab(self, url: str) -> None:
        """Another tab; the first one stays open."""

    def kill(self) -> None:
        """kill -9."""

    def start(self) -> None:
        """After a kill: the same profile again."""

    def close(self) -> None:
        """The end."""


class Chromium:
    """Chromium over a profile folder."""

    def __init__(self, kind: BrowserType, profile: Path, cookies: dict[str, str]) -> None:
        self._kind, self._profile, self._cookies = kind, profile, cookies
        self.context: BrowserContext
        self.page: Page
        self.start()

    def start(self) -> None:
        self.context = self._kind.launch_persistent_context(
            str(self._profile), executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic"],
            viewport={"width": 820, "height": 1180}, bypass_csp=True,
        )  # fmt: skip
        self.context.set_default_timeout(PATIENCE_MS)
        place = {"domain": "127.0.0.1", "path": "/"}
        for name, value in self._cookies.items():
            self.context.add_cookies([{"name": name, "value": value, **place}])  # type: ignore[typeddict-item]  # a dict of its shape
        self.page = self.context.pages[0] if self.context.pages else self.context.new_page()

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_function("document.getElementById('tablet')?.app?.shown")

    def call(self, script: str, *facts: Any) -> Any:
        return self.page.evaluate(f"facts => ({script})(...facts)", list(facts))

    def begin(self, script: str, *facts: Any) -> None:
        self.page.evaluate(f"facts => {{ ({script})(...facts); }}", list(facts))

    def second_tab(self, url: str) -> None:
        self.page = self.context.new_page()
        self.open(url)

    def kill(self) -> None:
        for pid in _processes(str(self._profile)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(PlaywrightError):
            self.context.close()
        wait_until(lambda: not _processes(str(self._profile)), what="the browser is gone")

    def close(self) -> None:
        with suppress(PlaywrightError):
            self.context.close()


class WebKit:
    """WebKitGTK by its own driver on a screen of its own. Its profile lives as long as the browser, so a kill takes
    the process of the page, as iPadOS does to a page that needs too much memory; the tab is loaded anew."""

    def __init__(self, screen: "Screen", cookies: dict[str, str]) -> None:
        self._screen, self._cookies = screen, cookies
        self.start()

    def start(self) -> None:
        from selenium import webdriver  # these are needed by nobody else
        from selenium.webdriver.webkitgtk.options import Options
        from selenium.webdriver.webkitgtk.service import Service

        options = Options()
        options.binary_location = _mini_browser()
        options.add_argument("--automation")
        service = Service(DRIVER, env={**os.environ, "DISPLAY": self._screen.name})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of selenium about selenium
            self.driver = webdriver.WebKitGTK(options=options, service=service)
        self.driver.set_script_timeout(PATIENCE_MS / 1000)

    def open(self, url: str) -> None:
        base = url.split("/tablet")[0]
        if not self.driver.current_url.startswith(base):
            self.driver.get(f"{base}/static/none")
            for name, value in self._cookies.items():
                self.driver.add_cookie({"name": name, "value": value, "path": "/"})
        self.driver.get(url)
        wait_until(
            lambda: self.driver.execute_script("return Boolean(document.getElementById('tablet')?.app?.shown)"),
            seconds=60, what="the tablet shows its day",
        )  # fmt: skip

    def call(self, script: str, *facts: Any) -> Any:
        answer = self.driver.execute_async_script(
            f"const told = arguments[arguments.length - 1]; Promise.resolve(({script})(...JSON.parse(arguments[0])))"
            ".then(value => told({value}), error => told({error: String(error)}))",
            json.dumps(facts),
        )
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer.get("value")

    def begin(self, script: str, *facts: Any) -> None:
        self.driver.execute_script(f"({script})(...JSON.parse(arguments[0]))", json.dumps(facts))

    def second_tab(self, url: str) -> None:
        self.driver.switch_to.new_window("tab")
        self.open(url)

    def kill(self) -> None:
        raise NotImplementedError("its profile would be gone; see crash_page")

    def close(self) -> None:
        self.driver.quit()


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


def _mini_browser() -> str:
    machine = os.uname().machine
    return MINI_BROWSER.format(f"{machine}-linux-gnu")


def _processes(mark: str) -> list[int]:
    """Running processes whose command line holds the mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            if mark in line and state != "Z" and int(path.name) != os.getpid():
                found.append(int(path.name))
    return found
