"""A page with nothing but the map, served with our own headers."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

from tests.dispatch.timeline_page import DIST, serve

HTML = """<!doctype html>
<html lang="{lang}" data-density="compact"><head><meta charset="utf-8"><title>Map</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/dist/{site}"><link rel="stylesheet" href="/dist/{look}">
<link rel="stylesheet" href="/page.css"><script type="module" src="/dist/{element}"></script>
<script type="module" src="/map_page.js"></script></head><body><main class="page-grid"><h1 class="sr">Map</h1>
<div class="page-queue"><button class="btn" type="button" id="before">1</button></div>
<dispatch-map sprite="/dist/{sprite}"></dispatch-map></main></body></html>"""


def serve_map() -> AbstractContextManager[str]:
    """The address of the page."""
    return serve(Path(__file__).with_suffix(".js"), html=_html)


def _html(query: str) -> str:
    built = json.loads((DIST / "manifest.json").read_text())
    return HTML.format(
        lang="zh-CN" if "lang=zh" in query else "en", site=built["foundation/site.css"],
        look=built["dispatch/map.css"], element=built["dispatch/map.js"], sprite=built["foundation/icons.svg"],
    )  # fmt: skip
