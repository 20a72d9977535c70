"""Labels with a QR code to stick on machines: A4 sheets of 3 × 8, as PDF."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import segno
import typst

from config import ROOT
from fieldservice.assets.models import Asset
from fieldservice.foundation.jobs import compute
from fieldservice.foundation.time import now
from fieldservice.foundation.tokens import link_token
from fieldservice.foundation.web import settings
from fieldservice.foundation.words import pick

TEMPLATE = Path(__file__).parent / "labels.typ"
FONTS = ROOT / "node_modules" / "@expo-google-fonts" / "noto-sans-sc"
MOST = 480  # twenty sheets at once


@dataclass(frozen=True)
class Label:
    """What one label says; `link` leads to the report form of the machine."""

    name: str
    model: str
    serial: str
    link: str


def label_of(asset: Asset) -> Label:
    """The label of a machine."""
    link = f"{settings().public_url}/a/{link_token('asset', str(asset.id))}"
    return Label(pick(asset.names), asset.model, asset.serial, link)


def labels_pdf(labels: Sequence[Label], hint: str) -> bytes:
    """Sheets of labels. `hint` tells people what the code is for. Call it outside `write`."""
    return compute(render, list(labels)[:MOST], hint, now().replace(microsecond=0), timeout=60)


def render(labels: Sequence[Label], hint: str, made_at: datetime) -> bytes:
    """Pure; runs in a worker."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        rows = []
        for number, label in enumerate(labels):
            segno.make(label.link, error="m", micro=False).save(str(folder / f"{number}.svg"), border=1)
            rows.append({**asdict(label), "code": f"{number}.svg"})
        (folder / "data.json").write_text(
            json.dumps({"labels": rows, "hint": hint}, ensure_ascii=False), encoding="utf-8"
        )
        (folder / "labels.typ").write_bytes(TEMPLATE.read_bytes())
        folders = [str(one) for one in (FONTS / "400Regular", FONTS / "700Bold") if one.is_dir()]
        made = typst.compile(
            folder / "labels.typ", root=folder, font_paths=typst.Fonts(include_system_fonts=False, font_paths=folders),
            ignore_system_fonts=True, format="pdf", timestamp=made_at,
        )  # fmt: skip
    return made if isinstance(made, bytes) else made[0]
