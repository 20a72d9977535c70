"""All 10,800 real maintenance texts through the import: every row arrives, or is listed with its reason.

Reads `../shared/data`, which is never copied into the repository; where it is absent the test says so. Time and
memory are printed with `-s`; memory is judged, time is not.
"""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select

from config import ROOT
from fieldservice.foundation.db import session, write
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.records import ServiceRequests
from fieldservice.mechanisms.records import kind_of
from fieldservice.mechanisms.records.importing import Outcome, import_table
from tests import factories

DATA = ROOT.parent / "shared" / "data"
FILES = {"short_texts_train.csv": 9600, "short_texts_val.csv": 1200}
ALL = sum(FILES.values())
FLAT = 60 * 1024 * 1024  # bytes more at the end than after the first tenth
BATCH = 200


def texts() -> Iterator[str]:
    """Every text as it was typed, doubles and single letters included."""
    for name in FILES:
        with (DATA / "work_order_texts" / name).open(encoding="utf-8") as file:
            yield from (row["raw"] for row in csv.DictReader(file))


@pytest.fixture
def every_text(tmp_path: Path) -> Path:
    if not (DATA / "work_order_texts").exists():
        pytest.skip(
            f"NOT RUN: the real texts are absent ({DATA / 'work_order_texts'}); put ../shared/data beside the checkout"
        )
    with (DATA / "cn_divisions" / "divisions.csv").open(encoding="utf-8") as file:
        counties = [row["adcode"] for row in csv.DictReader(file) if row["level"] == "3"]
    path = tmp_path / "every.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ServiceRequests().columns)
        writer.writeheader()
        for number, text in enumerate(texts()):
            writer.writerow({
                "external_id": f"ALL-{number:05d}", "channel": "phone", "contact_name": f"Operator {number % 97}",
                "contact_phone": f"139{number:08d}", "division_code": counties[number % len(counties)],
                "description": text, "severity": ("line_stop", "degraded", "minor")[number % 3], "language": "en",
            })  # fmt: skip
    return path


@pytest.mark.slow
def test_every_real_text_arrives_or_is_listed_with_its_reason(app: Flask, every_text: Path) -> None:
    write(factories.station)
    process, used = psutil.Process(os.getpid()), []

    def note(_done: Outcome, _share: float) -> bool:
        used.append(process.memory_info().rss)
        return False

    began = perf_counter()
    done = import_table(kind_of("service-requests"), every_text, progress=note)
    took = perf_counter() - began
    kind = "SQLite" if "sqlite" in app.config["SQLALCHEMY_DATABASE_URI"] else "PostgreSQL"
    grown = (max(used[len(used) // 10 :]) - used[len(used) // 10]) / 2**20
    print(
        f"{kind}: {done.rows} rows in {took:.1f} s ({done.rows / took:.0f}/s), memory grew by {grown:.0f} MB after 10 %"
    )
    assert done.rows == ALL
    assert done.create + done.refused == ALL
    assert len(done.notes) == done.refused
    print(f"{done.create} arrived; refused: {done.notes[:5]}")
    rows = session.execute(select(ServiceRequest.external_id, ServiceRequest.description))
    stored = {row.external_id: row.description for row in rows}
    refused = {key for _line, key, _tone, _text in done.notes}
    for number, text in enumerate(texts()):
        name = f"ALL-{number:05d}"
        assert (name in stored) != (name in refused), name
        if name in stored:
            assert stored[name] == text.strip(), name
    assert session.scalar(select(func.count(ServiceRequest.id))) == done.create
    assert grown * 2**20 < FLAT
