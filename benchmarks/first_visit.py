"""What a first visit loads, in a real browser with an empty cache; bytes as they are after gzip."""

import gzip
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.demo import small_demo
from benchmarks.results import Measure

BROWSER = "/usr/bin/chromium"
PAGES = {"/report": "", "/dispatch": "dispatcher@demo.test", "/tablet": "technician@demo.test"}


def first_visits(most_kb: float) -> list[Measure]:
    """One page each of customer, dispatcher and technician."""
    with small_demo() as (base, _number, secret), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        try:
            found = [
                _measure(path, _visit(browser, base, path, email, secret), most_kb) for path, email in PAGES.items()
            ]
        finally:
            browser.close()
    return found


def _measure(path: str, size: int, most_kb: float) -> Measure:
    return Measure(f"first visit to {path}, gzipped", size / 1024, "KB", "lower", target=most_kb)


def _visit(browser: Any, address: str, path: str, email: str, secret: str) -> int:
    """Bytes of everything that the page loads, each gzipped unless it is packed already."""
    signed_in = browser.new_context()
    if email:
        page = signed_in.new_page()
        page.goto(f"{address}/login")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", secret)
        page.click("main button[type=submit]")
        page.wait_for_url(lambda found: "/login" not in found)
    fresh = browser.new_context(storage_state=signed_in.storage_state())
    sizes: list[int] = []
    first: Page = fresh.new_page()
    first.on("response", lambda response: sizes.append(_size(response)))
    first.goto(f"{address}{path}")
    first.wait_for_load_state("load")
    first.wait_for_timeout(1500)  # what the page fetches once it stands
    fresh.close()
    signed_in.close()
    return sum(sizes)


def _size(response: Any) -> int:
    if "text/event-stream" in response.headers.get("content-type", "") or response.status >= 300:
        return 0
    content: bytes = response.body()
    packed = Path(response.url.partition("?")[0]).suffix in (".woff2", ".png", ".jpg", ".webp", ".wasm")
    return len(content) if packed else len(gzip.compress(content))
