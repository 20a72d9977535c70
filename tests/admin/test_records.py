"""Master data by table: made, found again, changed, refused with a reason, and taken back."""

import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select

from fieldservice.accounts.models import User
from fieldservice.admin import exporting
from fieldservice.assets.models import Asset
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.foundation.db import is_sqlite, session, write
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.time import now
from fieldservice.mechanisms.records import RecordChange, changes_of, kind_of, undo_change
from fieldservice.mechanisms.records.importing import undo_import
from fieldservice.mechanisms.records.models import ImportRun
from fieldservice.stations.models import Shift, Station, Technician, Territory
from fieldservice.workorders import catalogue
from tests import factories as make
from tests.admin.conftest import Table, counted, take

CUSTOMER = {
    "code": "K-1",
    "names_zh": "盛源特钢有限公司",
    "names_en": "Shengyuan Steel",
    "tier": "重点",
    "station": "WXXW",
}
SITE = {
    "customer": "K-1",
    "names_zh": "热轧车间",
    "names_en": "Hot mill",
    "address": "无锡市新吴区长江路 88 号",
    "altitude_m": "12",
}
ASSET = {
    "serial": "GK320-0187",
    "customer": "K-1",
    "model": "GK-320",
    "names_zh": "3# 减速机",
    "warranty_until": "2027/5/1",
}
CONTACT = {
    "customer": "盛源特钢有限公司", "name": "周敏", "role": "采购", "phone": "139 1234 0608", "department": "设备部",
}  # fmt: skip
TECHNICIAN = {
    "code": "T-1", "names_zh": "陆建国", "station": "无锡新吴站", "email": "lu@example.com",
    "skills": "齿轮箱 2; hydraulics 3", "certificates": "lv_electrician 2027-05-01 T3202",
}  # fmt: skip


def everything(table: Table) -> None:
    """One record of most kinds."""
    for kind, row in (
        ("customers", CUSTOMER), ("sites", SITE), ("assets", ASSET), ("technicians", TECHNICIAN),
        ("contacts", CONTACT),
        ("parts", {"number": "OS-TC-180", "names_zh": "油封", "unit": "件", "price": "268", "criticality": "A"}),
        ("shifts", {"technician": "T-1", "day": "2026-12-01", "start": "8:00", "end": "17:30"}),
        ("absences", {"technician": "T-1", "cause": "leave", "from_day": "2026-12-24", "to_day": "2026-12-26"}),
        ("named-engineers", {"customer": "K-1", "technician": "T-1", "wish": "preferred", "reason": "熟悉 2 号线"}),
        ("territories", {"code": "WXXW-2", "station": "WXXW", "divisions": "320205; 江阴市"}),
        ("people", {"email": "zhao@example.com", "name": "赵敏", "roles": "调度员@WXXW; director"}),
    ):  # fmt: skip
        done = take(kind, table(row))
        assert counted(done) == (1, 0, 0, 0), (kind, done.notes)


def test_every_kind_comes_in_goes_out_and_comes_in_again_unchanged(
    app: Flask, station: int, table: Table, tmp_path: Path
) -> None:
    everything(table)
    for kind in ("stations", "territories", "people", "technicians", "shifts", "absences", "customers", "contacts",
                 "named-engineers", "sites", "assets", "parts", "work-types", "fault-patterns"):  # fmt: skip
        for ending in ("csv", "xlsx"):
            path = tmp_path / f"{kind}.{ending}"
            if ending == "csv":
                path.write_text("".join(exporting.csv_of(kind_of(kind), None)), encoding="utf-8")
            else:
                with path.open("wb") as target:
                    exporting.write_xlsx_to(target, kind_of(kind), None)
            session.rollback()
            done = take(kind, path)
            assert done.rows > 0, kind
            assert (done.create, done.change, done.refused) == (0, 0, 0), (kind, ending, done.notes[:3], done)


def test_what_was_made_is_what_was_written(app: Flask, station: int, table: Table) -> None:
    everything(table)
    customer = session.scalars(select(Customer)).one()
    assert (customer.code, customer.tier, customer.station_id, customer.state) == ("K-1", "key", station, "active")
    site = session.scalars(select(Site)).one()
    assert (site.division_code, site.precision, site.environment) == ("320214", "county", {"altitude_m": 12})
    asset = session.scalars(select(Asset)).one()
    assert (asset.site_id, asset.state, str(asset.warranty_until)) == (site.id, "in_service", "2027-05-01")
    contact = session.scalars(select(Contact)).one()
    assert (contact.role, contact.phone, contact.customer_id) == ("buyer", "13912340608", customer.id)
    technician = session.scalars(select(Technician)).one()
    assert {held.skill: held.level for held in technician.skills} == {"gearbox": 2, "hydraulics": 3}
    assert [(held.kind, held.number) for held in technician.certificates] == [("lv_electrician", "T3202")]
    home = session.get_one(Station, station)
    assert (technician.latitude, technician.longitude) == (home.latitude, home.longitude)
    account = session.scalars(select(User).where(User.email == "lu@example.com")).one()
    assert account.technician_id == technician.id
    assert [(grant.role, grant.station_id) for grant in account.grants] == [("technician", station)]
    shift = session.scalars(select(Shift)).one()
    assert (shift.state, shift.station_id) == ("published", station)


def test_a_changed_row_changes_its_fields_alone_and_history_tells(app: Flask, station: int, table: Table) -> None:
    take("customers", table(CUSTOMER))
    done = take("customers", table({"code": "K-1", "tier": "vip"}))
    assert counted(done) == (0, 1, 0, 0), done.notes
    customer = session.scalars(select(Customer)).one()
    assert (customer.tier, customer.names["zh"]) == ("vip", "盛源特钢有限公司")
    latest, first = changes_of(kind_of("customers"), customer.id)
    assert (latest.before, latest.after) == ({"tier": "key"}, {"tier": "vip"})
    assert first.before is None
    write(lambda: undo_change(kind_of("customers"), session.get_one(RecordChange, latest.id), at=now()))
    assert session.scalars(select(Customer.tier)).one() == "key"
    with pytest.raises(Conflict):
        write(lambda: undo_change(kind_of("customers"), session.get_one(RecordChange, latest.id), at=now()))


def test_an_edit_that_was_changed_since_is_not_taken_back(app: Flask, station: int, table: Table) -> None:
    for tier in ("key", "vip", "basic"):
        take("customers", table({**CUSTOMER, "tier": tier}))
    customer = session.scalars(select(Customer.id)).one()
    middle = changes_of(kind_of("customers"), customer)[1]
    with pytest.raises(Conflict) as refused:
        write(lambda: undo_change(kind_of("customers"), session.get_one(RecordChange, middle.id), at=now()))
    assert refused.value.code == "changed_since"


CASES: list[tuple[str, dict[str, str], str, str]] = [
    ("customers", {**CUSTOMER, "names_zh": "", "names_en": ""}, "names_zh", "需要"),
    ("customers", {**CUSTOMER, "tier": "gold"}, "tier", "gold"),
    ("customers", {**CUSTOMER, "station": "NOPE"}, "station", "NOPE"),
    ("customers", {**CUSTOMER, "credit_code": "9" * 30}, "credit_code", "18"),
    ("contacts", {"customer": "nobody", "name": "A"}, "customer", "nobody"),
    ("contacts", {"customer": "K-1", "name": "A", "phone": "1391234567"}, "phone", "少一位"),
    ("contacts", {"customer": "K-1", "name": "A", "email": "x"}, "email", "@"),
    ("sites", {**SITE, "names_zh": "新", "latitude": "95", "longitude": "1"}, "latitude", "31.4906"),
    ("sites", {**SITE, "temperature_low": "20", "temperature_high": "5"}, "temperature_high", "低于"),
    ("sites", {**SITE, "division_code": "999999"}, "division_code", "999999"),
    ("assets", {**ASSET, "serial": "X-1", "parent": "nothing"}, "parent", "nothing"),
    ("assets", {**ASSET, "serial": "X-1", "site": "冷轧"}, "site", "冷轧"),
    ("assets", {**ASSET, "serial": "X-1", "warranty_until": "soon"}, "warranty_until", "2026-11-25"),
    ("assets", {**ASSET, "serial": "X-1", "loss_per_hour": "-1"}, "loss_per_hour", "8600"),
    ("parts", {"number": "P", "names_zh": "油封", "unit": "ton", "price": "1"}, "unit", "ton"),
    ("technicians", {**TECHNICIAN, "code": "T-2", "skills": "magic 3", "email": ""}, "skills", "magic"),
    ("technicians", {**TECHNICIAN, "code": "T-2", "skills": "gearbox 9", "email": ""}, "skills", "3"),
    ("technicians", {**TECHNICIAN, "code": "T-2"}, "email", "别人"),
    ("technicians", {**TECHNICIAN, "code": "T-2", "email": "", "certificates": "hoisting"}, "certificates", "hoisting"),
    ("people", {"email": "a@example.com", "name": "A", "roles": "boss"}, "roles", "boss"),
    ("people", {"email": "a@example.com", "name": "A", "roles": "admin@NOPE"}, "roles", "NOPE"),
    ("shifts", {"technician": "T-1", "day": "2026-12-01", "start": "9:00", "end": "12:00"}, "start", "已有"),
    ("shifts", {"technician": "T-1", "day": "2026-12-32", "start": "9:00", "end": "12:00"}, "day", "2026-11-25"),
    (
        "absences",
        {"technician": "T-1", "cause": "leave", "from_day": "2026-12-25", "to_day": "2026-12-25"},
        "from_day",
        "",
    ),
    ("named-engineers", {"customer": "K-1", "technician": "T-1", "wish": "never"}, "wish", "preferred"),
    ("stations", {"code": "wx yz", "names_zh": "站", "division_code": "320205"}, "code", "大写"),
    ("stations", {"code": "NEW", "names_zh": "站", "division_code": "320205", "hours": "always"}, "hours", "mon-fri"),
    ("territories", {"code": "T", "station": "WXXW", "divisions": "320205"}, "divisions", "WXXW"),
    ("territories", {"code": "T", "station": "WXXW"}, "divisions", "画"),
    ("territories", {"code": "T", "station": "WXXW", "area": "31 120; 32 121; 31 121; 32 120"}, "area", "交叉"),
    ("work-types", {"code": "oil_change", "checklist": "x | tick | 甲 | A"}, "checklist", "tick"),
    ("work-types", {"code": "oil_change", "parts": "NOPE 1"}, "parts", "NOPE"),
    ("work-types", {"code": "oil_change", "duration_min": "soon"}, "duration_min", "整数"),
    ("fault-patterns", {"code": "compressor_high_temp", "mode": "XXX"}, "mode", "XXX"),
]


@pytest.mark.parametrize(("kind", "row", "column", "words"), CASES, ids=lambda value: str(value)[:20])
def test_a_wrong_row_is_refused_with_its_reason(
    sqlite_app: Flask, table: Table, kind: str, row: dict[str, str], column: str, words: str
) -> None:
    write(lambda: make.station(territory=("320214",)).id)
    everything(table)
    with sqlite_app.test_request_context(headers={"Accept-Language": "zh"}):
        done = take(kind, table(row))
        assert done.refused == 1, done
        texts = [text for _line, _key, tone, text in done.notes if tone == "error"]
    assert any(text.startswith(column) and words in text for text in texts), texts


def test_N_16_a_doubtful_credit_code_warns_and_is_kept(app: Flask, station: int, table: Table) -> None:
    done = take("customers", table({**CUSTOMER, "credit_code": "91350100M000100Y4Z"}))
    assert counted(done) == (1, 0, 0, 0)
    assert [tone for _line, _key, tone, _text in done.notes] == ["warning"]
    fine = take("customers", table({**CUSTOMER, "credit_code": "91350100M000100Y43"}))
    assert (counted(fine), fine.notes) == ((0, 1, 0, 0), [])


def test_a_dry_run_judges_alike_and_writes_nothing(app: Flask, station: int, table: Table) -> None:
    path = table(CUSTOMER, {**CUSTOMER, "code": "K-2", "tier": "gold"}, {**CUSTOMER, "code": "K-3", "names_zh": "乙"})
    tried = take("customers", path, dry_run=True)
    assert counted(tried) == (2, 0, 0, 1)
    assert session.scalar(select(func.count(Customer.id))) == 0
    done = take("customers", path)
    assert (counted(done), done.notes) == (counted(tried), tried.notes)


def test_machines_of_one_table_stand_on_each_other(app: Flask, station: int, table: Table) -> None:
    take("customers", table(CUSTOMER))
    take("sites", table(SITE))
    rows = [ASSET, {**ASSET, "serial": "S-2", "parent": "gk320 0187"}, {**ASSET, "serial": "S-3", "parent": "S-2"}]
    assert counted(take("assets", table(*rows), dry_run=True))[3] <= 1  # spelt differently, a dry run may doubt it
    assert counted(take("assets", table(*rows))) == (3, 0, 0, 0)
    ring = take("assets", table({**ASSET, "parent": "S-3"}))
    assert counted(ring) == (0, 0, 0, 1)


def test_an_import_is_taken_back_but_not_what_was_built_on_it(app: Flask, station: int, table: Table) -> None:
    def begin() -> int:
        run = ImportRun(
            kind="customers", file_name="x", language="zh", created_at=now(), counts={}, notes=[], share=0.0
        )
        session.add(run)
        session.flush()
        return run.id

    take("customers", table({**CUSTOMER, "code": "K-0", "names_zh": "老客户"}))
    run_id = write(begin)
    rows = [{**CUSTOMER, "code": f"K-{n}", "names_zh": f"客户{n}", "tier": "vip"} for n in range(3)]
    assert counted(take("customers", table(*rows), run_id=run_id)) == (2, 1, 0, 0)
    take("sites", table({**SITE, "customer": "K-2"}))
    done = undo_import(kind_of("customers"), run_id)
    assert (done.undone, done.kept) == (2, 1)
    left = session.execute(select(Customer.code, Customer.tier).order_by(Customer.code)).all()
    assert [tuple(row) for row in left] == [("K-0", "key"), ("K-2", "vip")]


def test_work_types_are_edited_as_new_versions(app: Flask, station: int, table: Table) -> None:
    everything(table)
    before = catalogue.work_type("oil_change")
    lines = (
        "lockout | check! | 挂牌 | Tag out\n"
        "temperature | number | 油温 | Oil temperature | °C 20..80 =55 | 运行中/While running"
    )
    done = take("work-types", table({"code": "oil_change", "checklist": lines, "parts": "OS-TC-180 2"}))
    assert counted(done) == (0, 1, 0, 0), done.notes
    after = catalogue.work_type("oil_change")
    assert (after.version, [field.code for field in after.form.fields]) == (
        before.version + 1,
        ["lockout", "temperature"],
    )
    assert after.form.fields[1].high == 80
    assert [field.code for field in catalogue.work_type("oil_change", before.version).form.fields] == [
        field.code for field in before.form.fields
    ]
    kind = kind_of("work-types")
    row = kind.match([{"code": "oil_change"}])[0]
    change = changes_of(kind, row.id)[0].id
    write(lambda: undo_change(kind, session.get_one(RecordChange, change), at=now()))
    again = catalogue.work_type("oil_change")
    assert [field.code for field in again.form.fields] == [field.code for field in before.form.fields]


def test_territories_in_force_never_overlap(app: Flask, station: int, table: Table) -> None:
    write(lambda: make.station("SZYQ", "苏州园区站", "Suzhou", division_code="320505", territory=("320500",)).id)
    square = "31.40 120.30; 31.40 120.40; 31.50 120.40; 31.50 120.30"
    assert counted(take("territories", table({"code": "A", "station": "WXXW", "area": square}))) == (1, 0, 0, 0)
    inside = "31.45 120.35; 31.45 120.45; 31.55 120.45"
    refused = take("territories", table({"code": "B", "station": "SZYQ", "area": inside}))
    assert counted(refused) == (0, 0, 0, 1)
    draft = take("territories", table({"code": "B", "station": "SZYQ", "area": inside, "active": "否"}))
    assert counted(draft) == (1, 0, 0, 0), draft.notes
    assert session.scalars(select(Territory.state).where(Territory.code == "B")).one() == "draft"
    assert counted(take("territories", table({"code": "B", "active": "是"}))) == (0, 0, 0, 1)
    assert counted(take("territories", table({"code": "A", "active": "否"}))) == (0, 1, 0, 0)
    assert counted(take("territories", table({"code": "B", "active": "是"}))) == (0, 1, 0, 0)


@pytest.mark.parametrize("text", ["=1+1", "+CMD|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "＝1+1"])
def test_formulas_are_neutralised_on_the_way_out_and_come_back_as_they_were(
    sqlite_app: Flask, table: Table, tmp_path: Path, text: str
) -> None:
    write(lambda: make.station().id)
    customer = {**CUSTOMER, "names_zh": text.strip()}
    take("customers", table(customer))
    written = "".join(exporting.csv_of(kind_of("customers"), None))
    cells = [cell.strip('"') for cell in written.splitlines()[1].split(",")]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "＝")) for cell in cells)
    path = tmp_path / "out.xlsx"
    with path.open("wb") as target:
        exporting.write_xlsx_to(target, kind_of("customers"), None)
    sheet = load_workbook(path).worksheets[0]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    session.rollback()
    assert counted(take("customers", path)) == (0, 0, 1, 0)


def test_a_negative_longitude_stays_a_number(sqlite_app: Flask) -> None:
    from fieldservice.mechanisms.records.tables import escape, unescape

    assert (escape("-122.41"), escape("-12"), escape("+4915112345678")) == ("-122.41", "-12", "+4915112345678")
    assert unescape(escape("=1")) == "=1"


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 no zip", b"\xd0\xcf\x11\xe0 old excel", b"a,b\n1,2\n", b"\xff\xfe\x00\x01", b"code,code\nA,B\n"],
)
def test_what_is_no_such_table_is_refused_as_a_whole(sqlite_app: Flask, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        take("stations", path)
    assert refused.value.errors["file"]


def test_a_packed_bomb_is_refused(sqlite_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    from fieldservice.mechanisms.records import tables

    monkeypatch.setattr(tables, "MOST_UNPACKED", 1000)
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000)
    with pytest.raises(Invalid):
        take("stations", path)


def test_headers_may_be_labels_of_either_language(sqlite_app: Flask, tmp_path: Path, table: Table) -> None:
    write(lambda: make.station().id)
    zh = {"客户编号": "K-1", "公司名称 (中文)": "盛源"}
    en = {"Customer number": "K-1", "Company name (中文)": "盛源", "Tier": "VIP"}
    assert counted(take("customers", table(zh))) == (1, 0, 0, 0)
    assert counted(take("customers", table(en))) == (0, 1, 0, 0)


def statements(work: Any) -> int:
    from sqlalchemy import event

    seen: list[str] = []

    def note(_c: Any, _cur: Any, text: str, *_rest: Any) -> None:
        seen.append(text)

    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_a_table_costs_a_few_statements_a_batch(app: Flask, station: int, table: Table) -> None:
    def rows(count: int, start: int) -> Path:
        return table(*({**CUSTOMER, "code": f"C-{start + n}", "names_zh": f"客户{start + n}"} for n in range(count)))

    few = rows(10, 0)
    small = statements(lambda: take("customers", few))
    many = rows(200, 1000)
    large = statements(lambda: take("customers", many))
    one_by_one = (
        2 * 190 if is_sqlite() else 0
    )  # SQLite gives back ids of one row at a time; no journey is needed for it
    assert large <= small + 4 + one_by_one


def test_an_old_table_of_the_spreadsheet_is_streamed(sqlite_app: Flask, tmp_path: Path) -> None:
    """The template's example row can be imported as it is, once its references exist."""
    write(lambda: make.station().id)
    kind = kind_of("customers")
    buffer = io.BytesIO()
    from fieldservice.mechanisms.records.tables import write_xlsx

    write_xlsx(buffer, kind.columns, exporting.template_rows(kind), exporting.column_notes(kind))
    path = tmp_path / "t.xlsx"
    path.write_bytes(buffer.getvalue())
    done = take("customers", path)
    assert counted(done) == (1, 0, 0, 0), done.notes
