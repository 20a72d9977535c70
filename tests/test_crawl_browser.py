"""Every page of the demo company that a link leads to: phone, tablet and desktop, both languages, light and dark.

Of pages that differ by their object only (one order and the next) one is looked at. A finding names page and setting.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from config import ROOT
from fieldservice.assets.models import Asset
from fieldservice.demo import load
from fieldservice.demo.accounts import password
from fieldservice.foundation import catalogues
from fieldservice.foundation.db import db, session
from fieldservice.foundation.tokens import link_token
from fieldservice.intake.models import ServiceRequest
from tests.served import Served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.audit]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
LOOKS = {  # hues do not depend on the language, widths do
    "zh": [("desktop", "light"), ("desktop", "dark"), ("tablet", "light"), ("phone", "light"), ("phone", "dark")],
    "en": [("desktop", "light"), ("tablet", "dark"), ("phone", "light")],
}
ROLES = (
    "", "admin", "dispatcher", "technician", "manager", "director", "agent", "quality", "customer", "storekeeper",
    "sales", "finance", "engineer",
)  # fmt: skip
STARTS = ("/", "/report", "/login", "/wait", "/promises", "/dispatch", "/requests", "/work-orders", "/tasks", "/board",
          "/admin", "/account", "/tablet")  # fmt: skip
NO_PAGES = ("/static/", "/api/", "/events", "/healthz", "/readyz", "/metrics", "/logout", "/tablets/ca")
FILES = (".csv", ".xlsx", ".pdf", ".svg", ".crt", "/labels.pdf")
LINKS = "() => [...document.querySelectorAll('a[href]')].map(a => a.href)"
SPOKEN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, text = node.textContent.trim().replace(/\\s+/g, ' ');
    const own = node.parentElement.closest('script, style, [lang], option');
    if (text && !own && node.parentElement.checkVisibility()) found.push(text);
  }
  return found;
}"""


@pytest.fixture
def demo(sqlite_app: Flask, tmp_path: Path) -> Iterator[Served]:
    """The demo company behind a real server."""
    load.load("small", seed=360, tell=lambda _text: None)
    with Served(sqlite_app, db.engine, tmp_path / "server.log") as running:
        yield running


def test_every_page_in_every_setting(sqlite_app: Flask, demo: Served, browser: Browser) -> None:
    crawl = Crawl(sqlite_app, browser, f"http://127.0.0.1:{demo.port}")
    for role in ROLES:
        crawl.as_role(role)
    print(f"{len(crawl.seen)} pages, {crawl.looks} looks: {', '.join(sorted(crawl.seen))}")
    assert len(crawl.seen) > 40, sorted(crawl.seen)
    assert not crawl.findings, "\n".join(crawl.findings)


class Crawl:
    """Follows links, and looks at one page of each kind."""

    def __init__(self, app: Flask, browser: Browser, base: str) -> None:
        self.routes, self.browser, self.base = app.url_map.bind("127.0.0.1"), browser, base
        self.secret = password()
        number = session.scalars(select(ServiceRequest.number).order_by(ServiceRequest.id.desc()).limit(1)).one()
        machine = session.scalars(select(Asset.id).order_by(Asset.id).limit(1)).one()
        self.starts = [*STARTS, f"/t/{link_token('track', number)}", f"/a/{link_token('asset', str(machine))}"]
        self.seen: set[str] = set()
        self.findings: list[str] = []
        self.looks = 0
        self.chinese = {
            str(message.id): str(message.string)
            for path in sorted(catalogues.FOLDER.glob("*.po"))
            for message in catalogues.read(path)
            if message.id and isinstance(message.id, str) and isinstance(message.string, str)
        }

        self.ours_in_chinese = {text for english, text in self.chinese.items() if text != english}

    def as_role(self, role: str) -> None:
        # a colour that is still fading from light to dark is no finding
        context = self.browser.new_context(bypass_csp=True, reduced_motion="reduce")
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        if role:
            page.goto(f"{self.base}/login")
            page.fill("input[name=email]", f"{role}@demo.test")
            page.fill("input[name=password]", self.secret)
            page.click("main button[type=submit]")
            page.wait_for_load_state()
        waiting = [self.base + start for start in self.starts]
        queued = {self.kind(address, role) for address in waiting}
        while waiting:
            address = waiting.pop(0)
            kind = self.kind(address, role)
            if kind is None or kind in self.seen:
                continue
            answer = page.goto(address)
            if answer is None or answer.status in (403, 404) or "/login" in page.url != ("/login" in address):
                complaints.clear()
                continue  # not for this role
            self.seen.add(kind)
            if answer.status >= 400:
                self.findings.append(f"{role or 'nobody'} {address}: {answer.status}")
            for link in page.evaluate(LINKS):
                other = self.kind(link, role) if link.startswith(self.base) else None
                if other is not None and other not in queued:
                    queued.add(other)
                    waiting.append(link.partition("#")[0])
            self.look(page, kind, address)
            self.findings += [f"{role or 'nobody'} {kind}: console: {text}" for text in complaints]
            complaints.clear()
        context.close()

    def kind(self, address: str, role: str) -> str | None:
        """What a page is: its route, with the words in its address but not the numbers; None for what is no page."""
        path = address.removeprefix(self.base).partition("#")[0].partition("?")[0]
        if path.startswith(NO_PAGES) or path.endswith(FILES):
            return None
        try:
            endpoint, values = self.routes.match(path, method="GET")
        except HTTPException:
            return None
        words = [value for name, value in sorted(values.items()) if name in ("kind_code", "name")]
        same_for_all = role if path in ("/", "/account") and role in ("", "dispatcher") else ""
        return " ".join([str(endpoint), *map(str, words), same_for_all]).strip()

    def look(self, page: Page, kind: str, address: str) -> None:
        for language in ("zh", "en"):
            sign = "&" if "?" in address else "?"
            page.set_viewport_size({"width": 1440, "height": 900})
            page.goto(f"{address}{sign}lang={language}")
            page.wait_for_load_state()
            if page.evaluate("document.contentType") != "text/html":
                return
            page.evaluate(AXE.read_text(encoding="utf-8"))
            self.listen(page, kind, language)
            for size, theme in LOOKS[language]:
                width, height = SIZES[size]
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # light or dark
                self.looks += 1
                where = f"{kind} {language} {size} {theme}"
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    self.findings.append(f"{where}: wider than the window")
                found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
                self.findings += [f"{where}: {one['id']} {one['nodes'][0]['target']}" for one in found]

    def listen(self, page: Page, kind: str, language: str) -> None:
        """No text of ours in the other language."""
        for text in page.evaluate(SPOKEN):
            if language == "zh" and self.chinese.get(text, text) != text:
                self.findings.append(f"{kind} zh: {text!r} is not translated")
            if language == "en" and text in self.ours_in_chinese:
                self.findings.append(f"{kind} en: {text!r} is Chinese")
