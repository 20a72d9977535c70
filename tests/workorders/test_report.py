"""The service report: bilingual, plain, honest about promises; hostile words and missing glyphs fail nothing."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import Clock, at_local, now
from fieldservice.mechanisms import clocks, files
from fieldservice.mechanisms.files import prepare
from fieldservice.workorders import visits
from fieldservice.workorders.models import Visit
from fieldservice.workorders.service_report import report
from tests.workorders.cast import DAY
from tests.workorders.on_tour import SEAL, Tour, make_tour


@pytest.fixture
def done(app: Flask, clock: Clock) -> Tour:
    return finished(clock)


@pytest.fixture
def lite(sqlite_app: Flask, clock: Clock) -> Tour:
    return finished(clock)


def finished(clock: Clock, **facts: Any) -> Tour:
    """A visit that went well: one reading out of tolerance, a pause, parts, a signature."""
    tour = make_tour(**facts)
    clock.fix(at_local(DAY, 10, 40))
    tour.go("accepted", "en_route")
    clock.fix(at_local(DAY, 10, 58))
    tour.go("on_site", "in_progress")
    tour.record_all()
    tour.do(visits.answer, "vibration", 4.9, note="联轴器待复测")
    tour.do(visits.pause, "等客户放行")
    clock.advance(minutes=20)
    tour.do(visits.resume)
    tour.do(visits.use_part, tour.part(), Decimal(1))
    tour.do(visits.sign, name="何建平")
    clock.fix(at_local(DAY, 13, 5))
    tour.do(visits.finish, outcome="completed", restored=True)
    return tour


def attach(tour: Tour, kind: str, colour: tuple[int, int, int]) -> None:
    """A picture that is ready to be shown."""
    out = BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, "PNG")
    received = files.receive(BytesIO(out.getvalue()), "photo.png")
    file_id = write(lambda: files.attach(received, session.get_one(Visit, tour.visit_id), kind)).id
    session.rollback()
    outcome = prepare.work(file_id)
    write(outcome.effect)  # type: ignore[union-attr]


def text(part: report.ReportPart) -> str:
    return str(part)


def test_S_13_a_report_without_plain_summary_is_422(done: Tour) -> None:
    write(lambda: setattr(done.order, "summary", " "))
    with pytest.raises(Invalid) as refused:
        report.report_pdf(done.order)
    assert (refused.value.status, list(refused.value.errors)) == (422, ["summary"])


def test_before_anybody_was_on_site_there_is_no_report(app: Flask) -> None:
    tour = make_tour()
    write(lambda: setattr(tour.order, "summary", "好了"))
    with pytest.raises(Conflict):
        report.gather(tour.order)


def test_both_languages_the_customers_first(done: Tour) -> None:
    made = report.gather(done.order)
    assert [part.lang for part in made.parts] == ["zh", "en"]
    assert [part.lang for part in report.gather(done.order, "en").parts] == ["en", "zh"]
    assert [part.lang for part in report.gather(done.order, "fr").parts] == ["zh", "en"]
    chinese, english = made.parts
    assert (chinese.heading, english.heading) == ("服务报告", "Service report")
    assert (chinese.technician, english.technician) == ("陆建国", "Lu Jianguo")
    assert chinese.words == english.words == "减速机漏油"  # the customer's words are nobody's to translate
    assert "油封" in chinese.summary
    assert "seal" in english.summary.lower()


def test_words_somebody_wrote_stay_as_written(lite: Tour) -> None:
    lite.do(visits.set_summary, "我们换了油封。")
    assert {part.summary for part in report.gather(lite.order).parts} == {"我们换了油封。"}


def test_what_it_says(done: Tour) -> None:
    chinese = report.gather(done.order).parts[0]
    facts = {label: (fact, more) for label, fact, more in chinese.facts}
    assert facts["客户"] == ("盛源特钢", "王工 · 139 1234 0608")
    assert facts["设备"] == ("2# 轧机主减速机", "SEW MC3RLHF08 · MC3-18-20457")
    times = dict(chinese.times)
    assert times["到场"] == "11月25日 10:58"
    assert times["作业"] == "11月25日 10:58 – 13:05"
    assert times["工时"] == "1 小时 47 分 · 暂停 20 分钟"
    assert times["恢复运行"] == "11月25日 13:05"
    checks = {label: (value, tolerance, tone, note) for label, value, tolerance, tone, note, _verdict in chinese.checks}
    assert checks["振动速度 RMS"] == ("4.9 mm/s", "≤ 4.5 mm/s", "bad", "联轴器待复测")
    assert checks["漏油部位"][0] == "输出轴油封"
    assert checks["轴颈磨损"][1:3] == ("0 – 0.1 mm", "ok")
    assert chinese.signed == "何建平 · 11月25日 10:58" or "何建平" in chinese.signed


def test_parts_with_who_pays(done: Tour, clock: Clock) -> None:
    chinese = report.gather(done.order).parts[0]
    [row, labour, _travel] = chinese.parts
    until = "质保期内（至 2027-03-25）"
    assert row == ("骨架油封", SEAL, "1 件", "ok", "质保", "¥0.00", until)
    assert labour == ("工时费 · 陆建国", "", "1 小时 47 分", "ok", "质保", "¥0.00", until)
    assert chinese.total == "¥0.00"
    assert chinese.covered != "¥0.00"


def test_billable_parts_with_their_price(app: Flask, clock: Clock) -> None:
    tour = finished(clock, coverage="billable")
    part = report.gather(tour.order).parts[1]
    assert part.parts[0][3:] == ("info", "Paid by the customer", "CN¥268.00", "Charged, as agreed with you")
    assert [row[5] for row in part.parts] == ["CN¥268.00", "CN¥499.33", "CN¥48.00"]  # 1 h 47 min and 18 min
    assert part.total == "CN¥815.33"


def test_promises_kept_and_broken(done: Tour) -> None:
    rows = report.gather(done.order).parts[0].promises
    assert [(row[0], row[3], row[4]) for row in rows] == [("到场", "ok", "已兑现"), ("恢复运行", "ok", "已兑现")]


def test_a_broken_promise_is_said(app: Flask, clock: Clock) -> None:
    tour = make_tour()
    clock.fix(at_local(DAY, 16))
    write(lambda: clocks.tick(now(), 100))
    tour.at_work().record_all()
    rows = report.gather(tour.order).parts[1].promises
    assert ("Arrival", "bad", "Broken") in [(row[0], row[3], row[4]) for row in rows]


def test_what_is_left_is_said(app: Flask, clock: Clock) -> None:
    tour = make_tour()
    tour.at_work().record_all()
    tour.do(visits.finish, outcome="partially_completed", restored=True, open_items=["装耐磨轴套"])
    assert report.gather(tour.order).parts[0].open_items == ["装耐磨轴套"]


def test_a_pdf_comes_out_with_pictures_and_signature(done: Tour) -> None:
    attach(done, "photo", (90, 110, 120))
    attach(done, "signature", (255, 255, 255))
    made = report.gather(done.order)
    assert len(made.pictures) == 2
    assert made.parts[0].photos
    assert made.parts[0].signature
    pdf = report.report_pdf(done.order)
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page[^s]", pdf)) >= 2


HOSTILE = [
    '#import "x": y',
    "$ x^2 $ *bold* _it_ `raw` = head",
    "\\u{0}#panic()",
    "</script>{{7*7}}",
    "🛠️🔥 \U0001f9d1\u200d\U0001f527",
    "ก็็็็็็็",
    "\u202eabc",
    "x" * 2000,
    "漏" * 2000,
    "a\n\n\n- b\n+ c",
    "𠮷𡈽 \ue000 \ufffd",
    "%s %(x)s {x}",
    "",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_and_missing_glyphs_fail_nothing(lite: Tour, words: str) -> None:
    made = report.gather(lite.order)
    parts = tuple(
        replace(part, words=words, summary=words or "x", open_items=[words], signed=words, station=words)
        for part in made.parts
    )
    assert report.render(replace(made, parts=parts)).startswith(b"%PDF-")


def test_nothing_optional_is_needed(lite: Tour) -> None:
    made = report.gather(lite.order)
    bare = tuple(
        replace(
            part, facts=[], words="", open_items=[], times=[], promises=[], checks=[], parts=[], photos=[], signature=""
        )
        for part in made.parts
    )
    assert report.render(replace(made, parts=bare)).startswith(b"%PDF-")


def test_without_our_fonts_it_is_made_all_the_same(lite: Tour, monkeypatch: pytest.MonkeyPatch) -> None:
    made = report.gather(lite.order)
    monkeypatch.setattr(report, "FONTS", report.FONTS / "nowhere")
    report._fonts.cache_clear()
    assert report.render(made).startswith(b"%PDF-")
    report._fonts.cache_clear()


def test_it_is_never_made_inside_a_write(lite: Tour) -> None:
    with pytest.raises(RuntimeError, match="write lock"):
        write(lambda: report.report_pdf(lite.order))


# The page -----------------------------------------------------------------------------------------------


def test_the_report_by_its_address(done: Tour, sign_in: Callable[..., Any]) -> None:
    number, station = done.order.number, done.station_id
    answer = sign_in("dispatcher", station).get(f"/work-orders/{number}/report.pdf?lang=en")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert number in answer.headers["Content-Disposition"]
    technician = sign_in("technician", station, technician_id=done.technician_id)
    assert technician.get(f"/work-orders/{number}/report.pdf").status_code == 200


def test_the_report_of_another_station_or_technician_is_not_found(lite: Tour, sqlite_app: Flask) -> None:
    from tests.conftest import make_user

    number = lite.order.number
    for role, station in (("dispatcher", 987), ("technician", lite.station_id)):
        user = make_user(role, station)
        client = sqlite_app.test_client()
        with client.session_transaction() as browser:
            browser["_user_id"], browser["_fresh"] = user.fs_uniquifier, True
        assert client.get(f"/work-orders/{number}/report.pdf").status_code == 404
        for wrong in ("WO-1", "x" * 300, "../x", "%00"):
            assert client.get(f"/work-orders/{wrong}/report.pdf").status_code == 404


def test_it_takes_no_longer_with_a_long_story(lite: Tour, clock: Clock) -> None:
    made = report.gather(lite.order)
    many = [row for row in made.parts[0].checks for _ in range(30)]
    long = tuple(replace(part, checks=many, summary="漏油。" * 600, times=list(part.times) * 20) for part in made.parts)
    pages = report.compile_report(replace(made, parts=long), "png")
    assert len(pages) > 4
    assert made.made_at - now() < timedelta(seconds=1)
