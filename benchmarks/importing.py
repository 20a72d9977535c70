"""How fast requests are imported, and whether memory stays flat: a file, and one of ten times its size."""

import csv
import random
import time
from pathlib import Path

import psutil

from benchmarks import company
from benchmarks.results import Measure
from fieldservice import create_app
from fieldservice.foundation.db import db, session
from fieldservice.foundation.places import divisions
from fieldservice.intake.records import ServiceRequests
from fieldservice.mechanisms.records import kind_of
from fieldservice.mechanisms.records.importing import import_table

ROWS = (2_000, 20_000)
MOST_S = 120  # seconds for 100,000 rows
COMPANY = 10_000  # orders of the company that is imported into


def imports() -> list[Measure]:
    """Seconds for 100,000 rows at either size, the smaller one being the larger one's baseline, and memory."""
    url, folder = company.copy(COMPANY), company.FOLDER / f"copy_{COMPANY}"
    app = create_app(company.settings(url, folder))
    found: list[Measure] = []
    with app.app_context():
        held = psutil.Process().memory_info().rss
        for rows in ROWS:
            took = _import(_file(folder, rows), rows) * 100_000 / rows
            base = found[0].value if found else None
            found.append(
                Measure(f"import of {rows} requests, as for 100,000", took, "s", "lower", base,
                        f"{min(ROWS)} rows" if found else "", MOST_S if found else None)
            )  # fmt: skip
        grown = (psutil.Process().memory_info().rss - held) / 2**20
        session.remove()
        db.engine.dispose()
    company.drop(COMPANY)
    return [*found, Measure(f"memory grown while {sum(ROWS)} requests were imported", grown, "MB", "lower")]


def _file(folder: Path, rows: int) -> Path:
    """Reports from every county, told in the words of the demo's customers."""
    chance, path = random.Random(rows), folder / f"import_{rows}.csv"
    counties = [one.code for one in divisions.table().values() if one.level == "county"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ServiceRequests().columns, restval="")
        writer.writeheader()
        for number in range(rows):
            writer.writerow({
                "external_id": f"B{rows}-{number}", "channel": "phone", "language": "zh", "contact_name": "周班长",
                "contact_phone": f"139{chance.randrange(10**8):08d}", "division_code": chance.choice(counties),
                "description": f"{chance.randrange(1, 40)}# 主轴异响，加工表面有振纹，已停机。",
                "severity": chance.choice(("safety", "line_stop", "degraded", "minor")),
            })  # fmt: skip
    return path


def _import(path: Path, rows: int) -> float:
    began = time.perf_counter()
    done = import_table(kind_of("service-requests"), path)
    if done.create != rows:
        raise RuntimeError(f"{done.create} of {rows} rows arrived: {done.notes[:3]}")
    took = time.perf_counter() - began
    print(f"  {rows} requests imported in {took:.1f} s", flush=True)
    return took
