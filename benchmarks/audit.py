"""`make audit`: Lighthouse over the main pages of customer, technician and dispatcher, beside the numbers to meet.

A table on the screen and benchmarks/results/audit.json; the exit code says whether everything was met. Axe over every
page is tests/test_crawl_browser.py, which `make audit` runs too.
"""

import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from benchmarks.demo import small_demo
from config import ROOT
from fieldservice.foundation.tokens import link_token

RESULTS = Path(__file__).parent / "results" / "audit.json"
NODE = ROOT / ".venv" / "bin" / "node"
LIGHTHOUSE = Path(__file__).parent / "lighthouse" / "audit.mjs"
CHROMIUM = "/usr/bin/chromium"
LCP, TBT, CLS = 1200, 100, 0.02  # ms, ms, –


@dataclass(frozen=True)
class Wish:
    """A page, who opens it, and what it has to reach."""

    name: str
    path: str
    email: str
    desktop: bool
    performance: int
    script_kb: float


def wishes(number: str) -> list[Wish]:
    """The main pages of the three groups (UI.md §6)."""
    tracking = f"/t/{link_token('track', number)}"
    return [
        Wish("customer: report", "/report", "", False, 98, 20),
        Wish("customer: tracking", tracking, "", False, 98, 20),
        Wish("customer: home", "/", "", False, 98, 20),
        Wish("technician: tablet", "/tablet", "technician@demo.test", False, 98, 45),
        Wish("dispatcher: day plan", "/dispatch", "dispatcher@demo.test", True, 95, 95),
        Wish("dispatcher: inbox", "/requests", "dispatcher@demo.test", True, 95, 95),
        Wish("dispatcher: orders", "/work-orders", "dispatcher@demo.test", True, 95, 95),
        Wish("director: board", "/board", "director@demo.test", True, 95, 95),
        Wish("administrator: master data", "/admin", "admin@demo.test", True, 95, 95),
    ]


def main() -> None:
    """Audit and tell; exits with 1 when something is missed."""
    with small_demo() as (base, number, secret):
        asked = wishes(number)
        cookies = {wish.email: _sign_in(base, wish.email, secret) if wish.email else "" for wish in asked}
        pages = [
            {"name": one.name, "url": base + one.path, "cookie": cookies[one.email], "desktop": one.desktop}
            for one in asked
        ]
        environ = {**os.environ, "CHROME_PATH": CHROMIUM}
        done = subprocess.run(
            [NODE, LIGHTHOUSE, json.dumps(pages)], env=environ, check=True, capture_output=True, text=True
        )
        found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        rows = [_row(wish, one) for wish, one in zip(asked, found, strict=True)]
    for row in rows:  # a page that never paints tells no LCP
        verdict = "met" if not row["missed"] else f"MISSED {', '.join(row['missed'])}"
        sys.stdout.write(
            f"{row['name']:<28} {row['performance']:>3} / {row['accessibility']:>3} / {row['practice']:>3}   "
            f"LCP {row['lcp'] or -1:>5.0f} ms  TBT {row['tbt'] or 0:>4.0f} ms  CLS {row['cls'] or 0:.3f}  "
            f"script {row['script_kb']:>5.1f} KB   {verdict}\n"
        )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if any(row["missed"] for row in rows) else 0)


def _row(wish: Wish, found: dict[str, Any]) -> dict[str, Any]:
    script = sum(len(gzip.compress(requests.get(url, timeout=20).content)) for url in found["scripts"]) / 1024
    missed = [
        name
        for name, met in (
            ("performance", found["performance"] >= wish.performance),
            ("accessibility", found["accessibility"] == 100),
            ("best practice", found["practice"] == 100),
            ("LCP", found["lcp"] is not None and found["lcp"] <= LCP),
            ("TBT", found["tbt"] is not None and found["tbt"] <= TBT),
            ("CLS", found["cls"] is not None and found["cls"] <= CLS),
            ("script", script <= wish.script_kb),
            ("page", urlsplit(found["final"]).path.endswith(wish.path)),
        )
        if not met
    ]
    return {**found, "script_kb": round(script, 1), "missed": missed}


def _sign_in(base: str, email: str, secret: str) -> str:
    """The cookie of a signed-in browser."""
    browser = requests.Session()
    page = browser.get(f"{base}/login", timeout=20).text
    token = re.search(r'name="csrf_token" value="([^"]+)', page)
    assert token is not None
    form = {"csrf_token": token.group(1), "email": email, "password": secret}
    browser.post(f"{base}/login", data=form, headers={"Origin": base}, timeout=20).raise_for_status()
    return "; ".join(f"{one.name}={one.value}" for one in browser.cookies)


if __name__ == "__main__":
    main()
