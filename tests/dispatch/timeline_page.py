"""A page with nothing but the timeline, served with our own headers: for its tests and its benchmark."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from config import ROOT
from fieldservice.foundation.web import HEADERS

DIST = ROOT / "static" / "dist"
HTML = """<!doctype html>
<html lang="{lang}" data-density="compact"><head><meta charset="utf-8"><title>Timeline</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/dist/{site}"><link rel="stylesheet" href="/dist/{look}">
<link rel="stylesheet" href="/page.css"><script type="module" src="/dist/{element}"></script>
<script type="module" src="/{script}"></script></head>
<body data-sprite="/dist/{sprite}"><main class="page-grid"><h1 class="sr">Timeline</h1>
<div class="page-queue"><button class="btn" type="button" id="card">004127</button></div>
<resource-timeline id="timeline" sprite="/dist/{sprite}"></resource-timeline></main></body></html>"""
CSS = """.page-grid { display: grid; grid-template-columns: 304px minmax(0, 1fr); block-size: 100dvh; }
.page-grid > * { min-block-size: 0; } .page-queue { padding: 12px; border-inline-end: 1px solid var(--line-2); }"""


class Pages(SimpleHTTPRequestHandler):
    """The page at `/?lang=…`, built files below `/dist/`, scripts of the folders given."""

    def __init__(self, *args: Any, scripts: list[Path], html: Callable[[str], str], **kwargs: Any) -> None:
        self.scripts = scripts
        self.html = html
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/":
            self._send("text/html", self.html(query).encode())
        elif path == "/page.css":
            self._send("text/css", CSS.encode())
        elif path.startswith("/dist/"):
            name = path.removeprefix("/dist/")
            kind = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}[Path(name).suffix]
            self._send(kind, (DIST / name).read_bytes())
        else:
            found = next((one for one in self.scripts if f"/{one.name}" == path), None)
            if found:
                self._send("text/javascript", found.read_bytes())
            else:
                self.send_error(404)

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _html(query: str) -> str:
    wishes = dict(part.split("=", 1) for part in query.split("&") if "=" in part)
    built = json.loads((DIST / "manifest.json").read_text())
    return HTML.format(
        lang={"zh": "zh-CN"}.get(wishes.get("lang", "en"), "en"), script=wishes.get("script", "timeline_page.js"),
        site=built["foundation/site.css"], look=built["dispatch/timeline.css"], element=built["dispatch/timeline.js"],
        sprite=built["foundation/icons.svg"],
    )  # fmt: skip


@contextmanager
def serve(*scripts: Path, html: Callable[[str], str] = _html) -> Iterator[str]:
    """The address of the pages; the scripts are found by their file names."""
    ours = [Path(__file__).with_suffix(".js"), *scripts]
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, scripts=ours, html=html)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
