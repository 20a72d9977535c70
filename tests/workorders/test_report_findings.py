"""The service report of what happened at the machine: findings, pictures side by side, corrected times."""

from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms import files
from fieldservice.mechanisms.files import prepare
from fieldservice.workorders import visits
from fieldservice.workorders.onsite import times
from fieldservice.workorders.service_report import report
from fieldservice.workorders.tablet import uploads
from tests.workorders.on_tour import Tour, make_tour


@pytest.fixture
def ended(app: Flask, clock: Clock) -> Tour:
    """A visit with a reading that stays wrong, pictures of before and after, and a corrected way."""
    tour = make_tour(work_type_version=2)
    tour.go("accepted", "en_route")
    clock.advance(minutes=40)
    tour.go("on_site", "in_progress")
    tour.record_all()
    tour.do(visits.answer, "vibration", 4.9, note="联轴器下月更换")
    write(lambda: times.correct(tour.visit, "travel", 25, "途中取件", now()))
    for number, moment in enumerate(("before", "after", "before", None)):
        take(tour, f"shot-{number}", moment, (60 * number, 90, 120))
    tour.do(visits.finish, outcome="completed", restored=True)
    return tour


def take(tour: Tour, name: str, moment: str | None, colour: tuple[int, int, int]) -> None:
    made = BytesIO()
    Image.new("RGB", (400, 300), colour).save(made, "JPEG")
    received = files.receive(BytesIO(made.getvalue()), f"{name}.jpg")

    def work() -> int:
        visit = tour.visit
        expected = uploads.expect(visit, tour.user_id, name, "photo", now(), None, moment)
        expected.row.file_id = files.attach(received, visit, "photo", at=now()).id
        return expected.row.file_id

    file_id = write(work)
    session.rollback()
    outcome = prepare.work(file_id)
    write(outcome.effect)  # type: ignore[union-attr]


def test_the_report_says_what_was_found_and_corrected(ended: Tour) -> None:
    chinese, english = report.gather(ended.order).parts
    assert [(row[1], row[2], row[4]) for row in chinese.findings] == [
        ("4.9 mm/s · ≤ 4.5 mm/s", "联轴器下月更换", "说明后放行")
    ]
    assert english.findings[0][4] == "Accepted with a reason"
    assert ("Travel, corrected", "25 min · recorded 40 min · 途中取件") in english.times


def test_pictures_of_before_and_after_stand_side_by_side(ended: Tour) -> None:
    made = report.gather(ended.order)
    assert [(bool(before), bool(after)) for before, after in made.parts[0].pairs] == [(True, True), (True, False)]
    assert len(made.parts[0].photos) == 1
    assert len({picture.name for picture in made.pictures}) == len(made.pictures) == 4


def test_the_page_can_be_looked_at(ended: Tour, shots: Path) -> None:
    pages = report.compile_report(report.gather(ended.order), "png")
    for number, page in enumerate(pages):
        (shots / f"report-machine-{number}.png").write_bytes(page)
    assert pages
