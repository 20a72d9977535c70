"""Browsers by their long names, as people call them."""

import re

from flask_babel import gettext as _

BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("MicroMessenger", "WeChat"),
            ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
SYSTEMS = (("Windows", "Windows"), ("iPad", "iPad"), ("iPhone", "iPhone"), ("Android", "Android"), ("Mac OS", "Mac"),
           ("Linux", "Linux"))  # fmt: skip


def agent_words(text: str) -> str:
    """'Chrome, Windows' of a browser's long name."""
    found = [next((name for mark, name in table if mark in text), "") for table in (BROWSERS, SYSTEMS)]
    return str(_(", ")).join(filter(None, found)) or re.sub(r"[^\w ./-]", "", text)[:40] or "–"
