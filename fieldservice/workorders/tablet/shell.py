"""The app around the tablet's page, the same for everybody: what a service worker keeps, and what makes it installable.

The page itself holds nothing of a person (decision 0025), so one kept copy serves whoever signed in.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from fieldservice.foundation.web import CATALOGUES, DIST, ROOT, asset
from fieldservice.foundation.words import language

WORKER = "tablet/worker.js"
ASSETS = (
    "foundation/favicon.svg",
    "foundation/icons.svg",
    "foundation/live.js",
    "foundation/site.css",
    "foundation/site.js",
    "tablet/icons/icon-192.png",
    "tablet/pad.js",
    "tablet/scanner.js",
    "tablet/tablet.css",
    "tablet/tablet.js",
    "tablet/zxing_reader.wasm",
)
TEMPLATES = ("layouts/base.html", "layouts/touch.html", "macros/ui.html", "tablet/tablet.html")


def worker_script() -> str:
    """The service worker, told what to keep; browsers take it for a new one as soon as any of that changed."""
    built = DIST / Path(asset(WORKER)).relative_to("/static/dist")
    kept = {"version": version(), "assets": [asset(name) for name in ASSETS]}
    return f"self.SHELL = {json.dumps(kept)};\n{built.read_text('utf-8')}"


def version() -> str:
    """Of the page and its files: a page may only be kept beside the files it was made for."""
    return _version(_stamp())


def manifest() -> dict[str, Any]:
    """What makes the page an app on the home screen, in the reader's language."""
    icons = [("icon-192", "192x192", "any"), ("icon-512", "512x512", "any"), ("icon-maskable", "512x512", "maskable")]
    return {
        "id": "/tablet",
        "name": _("FieldService 360 tablet"),
        "short_name": "FieldService",
        "lang": "zh-CN" if language() == "zh" else "en",
        "start_url": "/tablet",
        "scope": "/tablet",
        "display": "standalone",
        "background_color": "#f4f6f6",
        "theme_color": "#0b5e59",
        "icons": [
            {"src": asset(f"tablet/icons/{name}.png"), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in icons
        ],
    }


def _stamp() -> float:
    """Changes whenever the build, a text or a template does (while developing; else never)."""
    return max(path.stat().st_mtime for path in _sources())


@cache
def _version(_stamp: float) -> str:
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> list[Path]:
    texts = CATALOGUES / "zh" / "LC_MESSAGES" / "scripts.json"
    return [DIST / "manifest.json", texts, *(ROOT / "templates" / name for name in TEMPLATES)]
