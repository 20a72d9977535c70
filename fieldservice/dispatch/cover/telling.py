"""Cover in words and as JSON."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _

from fieldservice.dispatch.cover.reading import Hole
from fieldservice.foundation import display
from fieldservice.foundation.time import local
from fieldservice.workorders.placement import Span

MOST_TOLD = 6


def span_text(span: Span) -> str:
    """Tue 8 Dec 17:30–19:00; over several days: Tue 8 Dec 22:00 – Wed 9 Dec 06:00"""
    starts, ends = local(span.starts_at), local(span.ends_at)
    begins = f"{display.date_weekday(span.starts_at)} {starts:%H:%M}"
    if ends.date() == starts.date():
        return f"{begins}–{ends:%H:%M}"
    if ends == local(span.starts_at).replace(hour=0, minute=0) + timedelta(days=1):
        return f"{begins}–24:00"
    return f"{begins} – {display.date_weekday(span.ends_at)} {ends:%H:%M}"


def spans_text(spans: Iterable[Span]) -> str:
    """Several of them in one sentence; of very many the first."""
    texts = [span_text(one) for one in spans]
    more = len(texts) - MOST_TOLD
    joined = str(_("; ")).join(texts[:MOST_TOLD])
    return str(_("%(times)s and %(count)s more", times=joined, count=more)) if more > 0 else joined


def hole_told(hole: Hole) -> dict[str, Any]:
    """For JSON and refusals: local day, and from when until when."""
    return {
        "day": local(hole.starts_at).date().isoformat(), "starts_at": hole.starts_at.isoformat(),
        "ends_at": hole.ends_at.isoformat(), "draft_of_week_before": hole.before,
    }  # fmt: skip
