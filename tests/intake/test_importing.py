"""Import of service requests: repeatable, in batches, every refused row with its reasons in words, nobody is told."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, select

from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.numbers import NumberSeries
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.records import ServiceRequests
from fieldservice.mechanisms import clocks
from fieldservice.mechanisms.messages import Message
from fieldservice.mechanisms.records import importing, kind_of
from fieldservice.mechanisms.records.importing import Outcome, import_table
from tests import factories as make
from tests.intake.conftest import SERIAL, Wuxi

COLUMNS = ServiceRequests().columns
GOOD = {
    "external_id": "A-1", "received_at": "2026-11-25T08:00:00+08:00", "channel": "phone", "contact_name": "王工",
    "contact_phone": "139 1234 5678", "division_code": "320214", "description": "空压机油乳化", "severity": "degraded",
    "language": "zh",
}  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """A file of these rows; `encoding` and `delimiter` as spreadsheets write them."""

    def write_table(
        *rows: dict[str, str], encoding: str = "utf-8", delimiter: str = ",", columns: Any = COLUMNS
    ) -> Path:
        text = StringIO()
        writer = csv.DictWriter(text, columns, delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path = tmp_path / "requests.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        return path

    return write_table


def count() -> int:
    return session.scalar(select(func.count(ServiceRequest.id))) or 0


def import_requests(path: Path, **facts: Any) -> Outcome:
    return import_table(kind_of("service-requests"), path, **facts)


def counts(done: Outcome) -> tuple[int, int, int, int]:
    return done.rows, done.create, done.same, done.refused


def test_rows_become_requests_with_promises_and_nobody_is_told(
    app: Flask, wuxi: Wuxi, table: Callable[..., Path]
) -> None:
    done = import_requests(table(GOOD, {**GOOD, "external_id": "A-2", "asset_serial": SERIAL, "division_code": ""}))
    assert counts(done) == (2, 2, 0, 0)
    first, second = session.scalars(select(ServiceRequest).order_by(ServiceRequest.id))
    assert (first.external_id, first.channel, first.contact_phone, first.priority) == (
        "A-1",
        "phone",
        "13912345678",
        "P2",
    )
    assert first.received_at.isoformat() == "2026-11-25T00:00:00+00:00"
    assert {clock.kind for clock in clocks.of(first)} == {"first_answer", "arrival", "restore"}
    assert all(clock.started_at == first.received_at and clock.told for clock in clocks.of(first))
    assert (second.asset_id, second.customer_id) == (wuxi.machine, wuxi.customer)
    assert session.scalar(select(func.count(Message.id))) == 0


def test_repeated_it_changes_nothing(app: Flask, wuxi: Wuxi, table: Callable[..., Path]) -> None:
    rows = [{**GOOD, "external_id": f"A-{n}"} for n in range(5)]
    assert counts(import_requests(table(*rows))) == (5, 5, 0, 0)
    assert counts(import_requests(table(*rows, {**GOOD, "external_id": "A-9"}))) == (6, 1, 5, 0)
    assert counts(import_requests(table(GOOD, GOOD, {**GOOD, "external_id": "A-9", "description": "改写"}))) == (
        3,
        0,
        3,
        0,
    )
    assert count() == 6


def test_a_dry_run_tells_the_same_and_keeps_nothing(app: Flask, wuxi: Wuxi, table: Callable[..., Path]) -> None:
    path = table(GOOD, {**GOOD, "external_id": "A-2", "severity": "awful"}, GOOD)
    tried = import_requests(path, dry_run=True)
    assert (count(), session.scalar(select(func.count()).select_from(NumberSeries))) == (0, 0)
    assert tried == import_requests(path)
    assert counts(tried) == (3, 1, 1, 1)


def test_a_dry_run_knows_what_earlier_batches_would_have_made(
    sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    rows = [{**GOOD, "external_id": f"A-{n % 3}"} for n in range(6)]
    assert counts(import_requests(table(*rows), dry_run=True)) == (6, 3, 3, 0)


@pytest.mark.parametrize(
    ("change", "column", "zh", "en"),
    [
        ({"external_id": ""}, "external_id", "编号", "identifier"),
        ({"external_id": "x" * 81}, "external_id", "80", "80"),
        ({"contact_name": ""}, "contact_name", "姓名", "name"),
        ({"contact_phone": "1391234567"}, "contact_phone", "少一位", "digit is missing"),
        ({"contact_phone": ""}, "contact_phone", "电话", "phone"),
        ({"contact_email": "x"}, "contact_email", "邮箱", "e-mail"),
        ({"severity": ""}, "severity", "严重程度", "severity"),
        ({"severity": "awful"}, "severity", "line_stop", "line_stop"),
        ({"channel": "pigeon"}, "channel", "asset_qr", "asset_qr"),
        ({"language": "fr"}, "language", "zh, en", "zh, en"),
        ({"description": ""}, "description", "发生了什么", "what happened"),
        ({"description": "长" * 4001}, "description", "4000", "4000"),
        ({"received_at": "yesterday"}, "received_at", "2026-11-25T10:30", "2026-11-25T10:30"),
        ({"received_at": "2026-11-26T10:30:00+08:00"}, "received_at", "未来", "future"),
        ({"received_at": "0001-01-01T00:00:00+00:00"}, "received_at", "2000", "2000"),
        ({"division_code": "999999"}, "division_code", "", ""),
        ({"division_code": ""}, "site_address", "在哪里", "Where"),
        (
            {"division_code": "", "site_address": "西湖区文三路"},
            "division_code",
            "330106 浙江省杭州市西湖区",
            "330106 Xihu",
        ),
        ({"division_code": "", "site_address": "厂区后门"}, "division_code", "没有找到", "could not find"),
        ({"division_code": "", "latitude": "91", "longitude": "1"}, "latitude", "定位", "position"),
        ({"asset_serial": "9" * 41}, "asset_serial", "40", "40"),
    ],
)
def test_errors_of_a_row_are_said_in_words(
    sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path], change: dict[str, str], column: str, zh: str, en: str
) -> None:
    path = table({**GOOD, **change}, {**GOOD, "external_id": "A-2"})
    for language, words in (("zh", zh), ("en", en)):
        with force_locale(language):
            done = import_requests(path, dry_run=True)
        assert counts(done) == (2, 1, 0, 1)
        ((line, _key, tone, text),) = done.notes
        assert (line, tone) == (2, "error")
        assert text.startswith(f"{column}: ")
        assert words.lower() in text.lower(), text


def test_all_errors_of_a_row_are_told_together(sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path]) -> None:
    done = import_requests(
        table({**GOOD, "contact_name": "", "severity": "x", "received_at": "x", "division_code": ""})
    )
    assert {text.split(":")[0] for _line, _key, _tone, text in done.notes} == {
        "contact_name",
        "severity",
        "received_at",
        "site_address",
    }


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"severity": "停线"}, "severity", "line_stop"),
        ({"severity": "Safety hazard"}, "severity", "safety"),
        ({"channel": "电话"}, "channel", "phone"),
        ({"channel": ""}, "channel", "phone"),
        ({"language": ""}, "language", "zh"),
        ({"received_at": "2026-11-25 08:00"}, "received_at", "2026-11-25T00:00:00+00:00"),
        ({"received_at": "2026/11/25 08:00:00"}, "received_at", "2026-11-25T00:00:00+00:00"),
        ({"received_at": "2026-11-25T00:00:00Z"}, "received_at", "2026-11-25T00:00:00+00:00"),
        ({"received_at": ""}, "received_at", "2026-11-25T02:30:00+00:00"),
        (
            {"received_at": "2026-11-25T10:33:00+08:00"},
            "received_at",
            "2026-11-25T02:30:00+00:00",
        ),  # its clock runs ahead
        ({"division_code": "", "latitude": "31.49", "longitude": "120.37"}, "precision", "point"),
        ({"division_code": "", "site_address": "无锡市新吴区长江路 18 号"}, "precision", "county"),
        ({"division_code": "320200"}, "precision", "prefecture"),
        ({"contact_phone": "", "contact_email": "a@example.com"}, "contact_email", "a@example.com"),
    ],
)
def test_what_spreadsheets_hold_is_understood(
    sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path], change: dict[str, str], field: str, value: str
) -> None:
    assert counts(import_requests(table({**GOOD, **change}))) == (1, 1, 0, 0)
    found = getattr(session.scalars(select(ServiceRequest)).one(), field)
    assert (found.isoformat() if field == "received_at" else found) == value


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("utf-8", ";"), ("gbk", "\t")]
)
def test_files_as_spreadsheets_write_them(
    sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path], encoding: str, delimiter: str
) -> None:
    row = {**GOOD, "description": 'X 轴报警, "414"; 已停线\n复位后又报'}
    assert counts(import_requests(table(row, encoding=encoding, delimiter=delimiter))) == (1, 1, 0, 0)
    assert session.scalars(select(ServiceRequest.description)).one() == row["description"]


def test_columns_may_stand_in_any_order_and_be_left_out(
    sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path]
) -> None:
    columns = ("severity", "description", "contact_phone", "contact_name", "division_code", "external_id")
    row = {name: GOOD[name] for name in columns}
    assert counts(import_requests(table(row, columns=columns))) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "external_id"),
        (b"\x00\x01\x02", "external_id"),
        (b"external_id,contact_name\nA,B\n", "description, severity"),
        (b"external_id,contact_name,description,severity,colour\n", "colour"),
        (b"external_id,contact_name,description,severity,severity\n", "severity"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_as_a_whole(
    sqlite_app: Flask, wuxi: Wuxi, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        import_requests(path)
    assert words in str(refused.value.errors["file"][0])


def test_broken_rows_are_refused_and_the_others_taken(sqlite_app: Flask, wuxi: Wuxi, tmp_path: Path) -> None:
    good = "A-{},王工,13912345678,320214,漏油,minor\n"
    content = (
        "external_id,contact_name,contact_phone,division_code,description,severity\n"
        + good.format(1) + "A-2,too few\n" + good.format(3) + "A-4,a,b,c,d,e,too many\n" + good.format(5)
        + "A-6,王工,13912345678,320214," + "x" * 30_000 + ",minor\n" + good.format(7)
        + "A-8,王\x00工,13912345678,320214,漏油,minor\n" + good.format(9)
        + "'; DROP TABLE x; --,王工,13912345678,320214,漏油,minor\n"
    )  # fmt: skip
    path = tmp_path / "x.csv"
    path.write_text(content, encoding="utf-8")
    done = import_requests(path)
    assert [line for line, *_rest in done.notes] == [3, 5, 7, 9]
    assert counts(done) == (10, 6, 0, 4)
    ids = session.scalars(select(ServiceRequest.external_id).order_by(ServiceRequest.id)).all()
    assert ids == ["A-1", "A-3", "A-5", "A-7", "A-9", "'; DROP TABLE x; --"]


def test_each_batch_commits_by_itself(
    app: Flask, wuxi: Wuxi, table: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 3)
    path = table(*({**GOOD, "external_id": f"A-{n}"} for n in range(8)))
    shares: list[float] = []

    def break_off(done: Outcome, share: float) -> bool:
        shares.append(share)
        if done.rows == 6:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        import_requests(path, progress=break_off)
    session.rollback()
    assert count() == 6
    assert counts(import_requests(path)) == (8, 2, 6, 0)
    assert shares == sorted(shares)


def test_no_station_open_is_told_for_every_row(sqlite_app: Flask, table: Callable[..., Path]) -> None:
    done = import_requests(table(GOOD))
    assert counts(done) == (1, 0, 0, 1)
    assert "热线" in done.notes[0][3]


def test_errors_are_told_up_to_a_thousand_and_counted_all(
    sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MOST_NOTES", 3)
    done = import_requests(table(*({**GOOD, "external_id": f"A-{n}", "severity": "x"} for n in range(5))))
    assert (done.refused, len(done.notes)) == (5, 3)


# The command ------------------------------------------------------------------------------------------


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["import", "service-requests", *arguments])


def test_the_command_tells_in_words(sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path]) -> None:
    path = str(table(GOOD, {**GOOD, "external_id": "A-2", "severity": "x"}))
    tried = run(sqlite_app, path, "--dry-run")
    assert tried.exit_code == 1
    assert "requests.csv:3 A-2 – severity: 没有“x”" in tried.output
    assert "2 行：新建 1，更改 0，已有 0，拒收 1" in tried.output
    assert "试运行" in tried.output
    assert count() == 0
    english = run(sqlite_app, path, "--lang", "en")
    assert "2 rows: 1 new, 0 changed, 0 known already, 1 refused" in english.output
    assert count() == 1


def test_the_command_tells_in_json(sqlite_app: Flask, wuxi: Wuxi, table: Callable[..., Path]) -> None:
    done = run(sqlite_app, str(table(GOOD)), "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert {name: told[name] for name in ("rows", "create", "same", "refused", "notes", "dry_run")} == {
        "rows": 1, "create": 1, "same": 0, "refused": 0, "notes": [], "dry_run": False,
    }  # fmt: skip


def test_the_command_refuses_what_is_no_table(sqlite_app: Flask, tmp_path: Path) -> None:
    assert run(sqlite_app, str(tmp_path / "none.csv")).exit_code == 2
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    done = run(sqlite_app, str(path))
    assert done.exit_code == 1
    assert "external_id" in done.output


def test_an_imported_request_goes_the_usual_way(app: Flask, wuxi: Wuxi, table: Callable[..., Path]) -> None:
    import_requests(table(GOOD))

    def triage() -> str:
        found = session.scalars(select(ServiceRequest)).one()
        make.order(found)
        return found.state

    assert write(triage) == "converted"
