"""The service report: what the customer gets in hand, in both languages, the customer's own first.

`gather` reads an order into plain values, one part for each language; `render` makes a PDF of them and knows
neither database nor request. A glyph no font has is shown as an empty box and fails nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import typst
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from config import LANGUAGES, ROOT
from fieldservice.foundation.company import company
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import phone_text
from fieldservice.foundation.jobs import compute
from fieldservice.foundation.time import now
from fieldservice.mechanisms import files
from fieldservice.mechanisms.files.folder import kept_path
from fieldservice.mechanisms.files.models import StoredFile
from fieldservice.workorders.models import TabletUpload, WorkOrder
from fieldservice.workorders.onsite.callers import caller_of
from fieldservice.workorders.service_report.parts import ReportPart, part_in

TEMPLATE = Path(__file__).parent / "report.typ"
FONTS = ROOT / "node_modules" / "@expo-google-fonts" / "noto-sans-sc"
FAMILIES = ("Noto Sans SC", "DejaVu Sans Mono")
MOST_PHOTOS, MOST_PAIRS = 8, 4
PRODUCT = "FieldService 360"  # where nobody said whose installation it is


@dataclass(frozen=True)
class Picture:
    """A picture of the report: its file name there, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class ServiceReport:
    """Everything a report says, as plain values that another process can render."""

    number: str
    title: str
    made_at: datetime
    parts: tuple[ReportPart, ...]
    pictures: tuple[Picture, ...]
    company: str = PRODUCT


def reportable(order: WorkOrder) -> bool:
    """Whether a report can be made: somebody was on site and wrote the plain summary."""
    return bool(order.summary.strip()) and any(visit.on_site_at is not None for visit in order.visits)


def report_pdf(order: WorkOrder, lang: str | None = None) -> bytes:
    """The report as PDF, `lang` (else the customer's language) first. Call it outside `write`.

    Raises Conflict before anybody was on site, and Invalid while the plain summary is missing (S-13).
    """
    return compute(render, gather(order, lang), timeout=30)


def gather(order: WorkOrder, lang: str | None = None) -> ServiceReport:
    """Read an order and its visits into a report."""
    if not any(visit.on_site_at is not None for visit in order.visits):
        raise Conflict(_l("There is no report yet: nobody has been on site."), code="not_begun")
    if not order.summary.strip():
        raise Invalid({"summary": [_l("Write for the customer, in plain words, what was found and done.")]})
    caller = caller_of(order)
    first = lang if lang in LANGUAGES else caller.language if caller is not None else LANGUAGES[0]
    photos, pairs, signature = _pictures(order)
    names = [picture.name for picture in photos]
    side_by_side = [(_name(before), _name(after)) for before, after in pairs]
    signed = signature.name if signature else ""
    parts = tuple(
        part_in(language, order, photos=names, signature=signed, pairs=side_by_side)
        for language in (first, *(other for other in LANGUAGES if other != first))
    )
    paired = [picture for pair in pairs for picture in pair if picture is not None]
    pictures = (*photos, *paired, *([signature] if signature else []))
    made_at = now().replace(microsecond=0)  # PDF knows whole seconds
    return ServiceReport(order.number, f"{parts[0].heading} {order.number}", made_at, parts, pictures, _company(first))


def _company(language: str) -> str:
    """Whose report it is: both names, the customer's language first, and where to call."""
    ours = company()
    names = dict.fromkeys(ours.name(spoken) for spoken in (language, *LANGUAGES))
    told = [text for text in (*names, phone_text(ours.hotline)) if text]
    return " · ".join(told) or PRODUCT


Pair = tuple["Picture | None", "Picture | None"]


def _pictures(order: WorkOrder) -> tuple[list[Picture], list[Pair], Picture | None]:
    """Thumbnails of the visits' photos, those of before and after the work in pairs, and the last signature.

    What is still being processed is left out.
    """
    found = [file for some in files.files_of(order.visits).values() for file in some if file.state == "ready"]
    moments = _moments(order)
    before: list[Picture] = []
    after: list[Picture] = []
    others: list[Picture] = []
    for file in found:
        if file.kind == "photo" and (picture := _picture(file)) is not None:
            {"before": before, "after": after}.get(moments.get(file.id) or "", others).append(picture)
    pairs = list(zip_longest(before, after))[:MOST_PAIRS]
    drawn = [_picture(file) for file in found if file.kind == "signature"][-1:]
    return others[-MOST_PHOTOS:], pairs, next(iter(drawn), None)


def _moments(order: WorkOrder) -> dict[int, str | None]:
    """file → before or after the work"""
    rows = select(TabletUpload.file_id, TabletUpload.moment).where(
        TabletUpload.visit_id.in_([visit.id for visit in order.visits]), TabletUpload.moment.is_not(None)
    )
    return {file_id: moment for file_id, moment in session.execute(rows) if file_id is not None}


def _name(picture: Picture | None) -> str:
    return picture.name if picture is not None else ""


def _picture(file: StoredFile) -> Picture | None:
    path = kept_path(file.key, file.content_type, small=True)
    return Picture(f"{file.key}{path.suffix}", path.read_bytes()) if path.exists() else None


# Pure: runs in a worker -----------------------------------------------------------------------------


def render(report: ServiceReport) -> bytes:
    """The PDF of a report."""
    return compile_report(report, "pdf")[0]


def compile_report(report: ServiceReport, to: Literal["pdf", "png"]) -> Sequence[bytes]:
    """The pages in a format of typst: one PDF, or a PNG for each page (to look at in tests)."""
    data = {
        "title": report.title,
        "number": report.number,
        "company": report.company,
        "fonts": list(FAMILIES),
        "parts": [asdict(part) for part in report.parts],
    }
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        (folder / "report.typ").write_bytes(TEMPLATE.read_bytes())
        for picture in report.pictures:
            (folder / picture.name).write_bytes(picture.content)
        made: bytes | list[bytes] = typst.compile(
            folder / "report.typ", root=folder, font_paths=_fonts(), ignore_system_fonts=True, format=to,
            timestamp=report.made_at, ppi=110,
        )  # fmt: skip
    return made if isinstance(made, list) else [made]


@cache
def _fonts() -> typst.Fonts:
    """Read once in each process; without the files typst's own fonts are used."""
    folders = [str(folder) for folder in (FONTS / "400Regular", FONTS / "700Bold") if folder.is_dir()]
    return typst.Fonts(include_system_fonts=False, font_paths=folders)
