"""The pages of master data: who may see and edit what, forms that keep what was typed, imports step by step."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from fieldservice.accounts import freshness
from fieldservice.accounts.models import User
from fieldservice.admin import import_jobs
from fieldservice.customers.models import Contact, Customer, Site
from fieldservice.foundation import deferred
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from fieldservice.mechanisms.records import ImportRun, RecordChange, kinds
from fieldservice.stations.models import Shift, Technician
from tests import factories as make
from tests.conftest import PASSWORD

SignIn = Callable[..., Any]
CUSTOMER = {
    "code": "K-1",
    "names_zh": "盛源特钢",
    "tier": "key",
    "industry": "general",
    "language": "zh",
    "station": "WXXW",
}


@pytest.fixture
def places(app: Flask) -> dict[str, int]:
    """Two stations, each with a customer and a technician."""

    def build() -> dict[str, int]:
        one = make.station(territory=("320214",))
        two = make.station("SZYQ", "苏州园区站", "Suzhou", division_code="320505", territory=("320505",))
        return {
            "one": one.id, "two": two.id, "customer": make.customer(station=one).id,
            "foreign": make.customer("外站", "Foreign", station=two).id,
            "technician": make.technician(one).id,
        }  # fmt: skip

    return write(build)


def run_jobs() -> None:
    """What the background would do now."""
    while claims := write(lambda: deferred.claim(5)):
        for claim in claims:
            deferred.run(claim)


def token_of(page: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found.group(1)


def post(client: Any, where: str, page: str, **fields: Any) -> Any:
    return client.post(where, data={"csrf_token": token_of(client.get(page)), **fields})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_every_kind_opens(
    sqlite_app: Flask, places_sqlite: Any, sign_in_sqlite: SignIn, language: str
) -> None:
    client = sign_in_sqlite("admin")
    for kind in kinds():
        pages = [f"/admin/{kind.code}/import"]
        if kind.listed:
            pages += [f"/admin/{kind.code}", f"/admin/{kind.code}/new", f"/admin/{kind.code}?q=x"]
            rows = kind.page_of(None, "", 0, 1)
            pages += [f"/admin/{kind.code}/{row.id}" for row in rows]
        pages += [f"/admin/{kind.code}/template.{form}" for form in ("csv", "xlsx")]
        pages += [f"/admin/{kind.code}/export.{form}" for form in ("csv", "xlsx")]
        for page in pages:
            answer = client.get(f"{page}{'&' if '?' in page else '?'}lang={language}")
            assert answer.status_code == 200, page
    for page in (
        "/admin",
        "/admin/imports",
        "/admin/roster",
        "/admin/customers/duplicates",
        "/admin/assets/labels.pdf",
    ):
        assert client.get(page, query_string={"lang": language}).status_code in (200, 404), page


@pytest.fixture
def places_sqlite(sqlite_app: Flask) -> dict[str, int]:
    def build() -> dict[str, int]:
        one = make.station(territory=("320214",))
        site = make.site(make.customer(station=one))
        return {"one": one.id, "asset": make.asset(site).id, "technician": make.technician(one).id}

    return write(build)


@pytest.fixture
def sign_in_sqlite(sqlite_app: Flask) -> SignIn:
    from tests.conftest import make_user

    def signed(role: str, station_id: int | None = None) -> Any:
        client = sqlite_app.test_client()
        mark = make_user(role, station_id).fs_uniquifier
        session.rollback()
        with client.session_transaction() as browser:
            browser["_user_id"], browser["fresh_at"] = mark, int(now().timestamp())
        return client

    return signed


def test_I_06_an_edit_shows_old_and_new_and_who(app: Flask, places: dict[str, int], sign_in: SignIn) -> None:
    client = sign_in("agent", name="王芳")
    page = f"/admin/customers/{places['customer']}"
    seen = re.search(r'name="seen" value="([^"]+)"', client.get(page).text)
    assert seen
    answer = post(client, page, page, **{**CUSTOMER, "seen": seen.group(1)})
    assert answer.status_code == 303, answer.text
    shown = client.get(page, query_string={"lang": "en"}).text
    assert "王芳" in shown
    assert "<ins>盛源特钢</ins>" in shown
    change = session.scalars(select(RecordChange.id)).one()
    assert post(client, f"/admin/changes/{change}/undo", page).status_code == 303
    assert session.get_one(Customer, places["customer"]).code is None


def test_two_people_at_once_do_not_overwrite_each_other(app: Flask, places: dict[str, int], sign_in: SignIn) -> None:
    first, second = sign_in("admin"), sign_in("admin")
    page = f"/admin/customers/{places['customer']}"
    seen = re.search(r'name="seen" value="([^"]+)"', first.get(page).text)
    assert seen
    assert post(first, page, page, **{**CUSTOMER, "seen": seen.group(1)}).status_code == 303
    late = post(second, page, page, **{**CUSTOMER, "names_zh": "别的名字", "seen": seen.group(1)})
    assert late.status_code == 409
    assert "别的名字" in late.text  # what was typed is not lost
    assert session.get_one(Customer, places["customer"]).names["zh"] == "盛源特钢"


def test_another_stations_records_are_not_there(app: Flask, places: dict[str, int], sign_in: SignIn) -> None:
    manager = sign_in("station_manager", places["one"])
    assert manager.get(f"/admin/customers/{places['customer']}").status_code == 200
    foreign = f"/admin/customers/{places['foreign']}"
    assert manager.get(foreign).status_code == 404
    own = f"/admin/customers/{places['customer']}"
    assert post(manager, foreign, own, **CUSTOMER).status_code == 404
    assert "外站" not in manager.get("/admin/customers").text
    assert "外站" not in manager.get("/admin/customers/export.csv").text
    assert "外站" not in manager.get("/admin/customers/suggest").text
    refused = post(manager, "/admin/customers", "/admin/customers/new", **{**CUSTOMER, "station": "SZYQ"})
    assert refused.status_code == 422
    assert session.scalar(select(Customer.id).where(Customer.code == "K-1")) is None


@pytest.mark.parametrize(
    ("role", "page", "status"),
    [
        ("technician", "/admin", 403), ("customer", "/admin", 403), ("dispatcher", "/admin/people", 403),
        ("storekeeper", "/admin/customers", 403), ("director", "/admin/stations", 200),
        ("director", "/admin/stations/new", 403), ("director", "/admin/stations/import", 403),
        ("storekeeper", "/admin/parts/new", 200), ("engineer", "/admin/work-types", 200),
        ("admin", "/admin/nothing", 404), ("admin", "/admin/people/999999", 404), ("admin", "/admin/imports/7", 404),
        ("admin", "/admin/people/99999999999999999999", 404), ("admin", "/admin/stations/export.pdf", 404),
    ],
)  # fmt: skip
def test_who_may_see_what(sqlite_app: Flask, sign_in_sqlite: SignIn, role: str, page: str, status: int) -> None:
    assert sign_in_sqlite(role).get(page).status_code == status


def test_a_refused_form_keeps_what_was_typed(app: Flask, places: dict[str, int], sign_in: SignIn) -> None:
    client = sign_in("admin")
    answer = post(client, "/admin/people", "/admin/people/new", email="nonsense", name="赵敏",
                  **{"roles.0.role": "dispatcher", "roles.0.station": "WXXW"})  # fmt: skip
    assert answer.status_code == 422
    assert 'value="nonsense"' in answer.text
    assert "赵敏" in answer.text
    assert '<option value="dispatcher" selected>' in answer.text


def test_script_in_any_text_is_shown_as_text(app: Flask, places: dict[str, int], sign_in: SignIn) -> None:
    client, evil = sign_in("admin"), "<script>alert(1)</script>"
    saved = post(client, "/admin/customers", "/admin/customers/new", **{**CUSTOMER, "names_zh": evil, "names_en": evil})
    for page in ("/admin/customers", saved.headers["Location"]):
        assert evil not in client.get(page).text


def upload(client: Any, kind: str, content: bytes, name: str = "t.csv") -> Any:
    page = f"/admin/{kind}/import"
    return client.post(page, data={"csrf_token": token_of(client.get(page)), "file": (io.BytesIO(content), name)})


def test_an_import_is_seen_first_then_written_then_taken_back(
    app: Flask, places: dict[str, int], sign_in: SignIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "GOOD_FOR", 10**9)  # proof is another test's matter
    client = sign_in("admin")
    content = "code,names_zh,tier\nK-7,甲,vip\nK-8,乙,gold\n".encode()
    where = upload(client, "customers", content).headers["Location"]
    run_jobs()
    shown = client.get(where, query_string={"lang": "en"}).text
    assert "Import 1 rows" in shown
    assert "gold" in shown
    assert session.scalar(select(Customer.id).where(Customer.code == "K-7")) is None
    assert post(client, f"{where}/start", where).status_code == 303
    assert post(client, f"{where}/start", where).status_code == 409  # a second press
    run_jobs()
    assert session.scalar(select(Customer.tier).where(Customer.code == "K-7")) == "vip"
    run = session.scalars(select(ImportRun)).one()
    assert (run.state, run.counts["create"], run.counts["refused"]) == ("imported", 1, 1)
    notes = client.get(f"{where}/notes.csv").text
    assert "K-8" in notes
    clock.advance(hours=23)
    assert post(client, f"{where}/undo", where).status_code == 303
    run_jobs()
    assert session.scalar(select(Customer.id).where(Customer.code == "K-7")) is None
    assert session.scalars(select(ImportRun.state)).one() == "undone"


def test_after_a_day_an_import_stays(
    app: Flask, places: dict[str, int], sign_in: SignIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "GOOD_FOR", 10**9)  # proof is another test's matter
    client = sign_in("admin")
    where = upload(client, "customers", "code,names_zh\nK-7,甲\n".encode()).headers["Location"]
    run_jobs()
    post(client, f"{where}/start", where)
    run_jobs()
    clock.advance(hours=25)
    assert post(client, f"{where}/undo", where).status_code == 409


def test_a_running_import_stops_when_it_is_asked(
    app: Flask, places: dict[str, int], sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fieldservice.mechanisms.records import importing

    monkeypatch.setattr(importing, "BATCH", 2)
    monkeypatch.setattr(import_jobs, "TOLD_EVERY", 0.0)
    client = sign_in("admin")
    rows = "".join(f"K-{n},甲{n}\n" for n in range(20))
    where = upload(client, "customers", f"code,names_zh\n{rows}".encode()).headers["Location"]
    run_jobs()
    post(client, f"{where}/start", where)
    post(client, f"{where}/stop", where)
    run_jobs()
    run = session.scalars(select(ImportRun)).one()
    assert run.state == "cancelled"
    assert 0 < run.counts["create"] < 20
    assert session.query(Customer).filter(Customer.code.like("K-%")).count() == run.counts["create"]


def test_a_killed_import_goes_on_where_it_was(
    app: Flask, places: dict[str, int], sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fieldservice.mechanisms.records import importing

    monkeypatch.setattr(importing, "BATCH", 2)
    client = sign_in("admin")
    rows = "".join(f"K-{n},甲{n}\n" for n in range(6))
    where = upload(client, "customers", f"code,names_zh\n{rows}".encode()).headers["Location"]
    run_jobs()
    post(client, f"{where}/start", where)
    (claim,) = write(lambda: deferred.claim(1))
    real = import_jobs.import_table

    def die_half_way(*args: Any, **facts: Any) -> Any:
        return real(*args, **{**facts, "progress": lambda done, _share: (_ for _ in ()).throw(KeyboardInterrupt)})

    monkeypatch.setattr(import_jobs, "import_table", die_half_way)
    with pytest.raises(KeyboardInterrupt):
        deferred.run(claim)
    session.rollback()
    monkeypatch.setattr(import_jobs, "import_table", real)
    write(deferred.recover)
    run_jobs()
    run = session.scalars(select(ImportRun)).one()
    assert (run.state, run.counts["create"], run.counts["refused"]) == ("imported", 6, 0)


@pytest.mark.parametrize(
    ("name", "content"), [("", b""), ("x.csv", b""), ("x.xls", b"\xd0\xcf\x11\xe0"), ("x.csv", b"a,b\n1,2")]
)
def test_what_cannot_be_read_is_said_on_the_page(
    app: Flask, places: dict[str, int], sign_in: SignIn, name: str, content: bytes
) -> None:
    client = sign_in("admin")
    answer = upload(client, "customers", content, name)
    if answer.status_code == 303:
        run_jobs()
        assert session.scalars(select(ImportRun)).one().error
        assert client.get(answer.headers["Location"]).status_code == 200
    else:
        assert answer.status_code == 422
        assert "MB" in answer.text


def test_a_manager_imports_into_the_own_station_only(app: Flask, places: dict[str, int], sign_in: SignIn) -> None:
    manager = sign_in("station_manager", places["one"])
    content = "code,names_zh,station\nT-1,甲,WXXW\nT-2,乙,SZYQ\n".encode()
    where = upload(manager, "technicians", content).headers["Location"]
    run_jobs()
    post(manager, f"{where}/start", where)
    run_jobs()
    codes = session.scalars(select(Technician.code).where(Technician.code.is_not(None))).all()
    assert codes == ["T-1"]
    assert sign_in("station_manager", places["two"]).get(where).status_code == 404


def test_a_roster_is_filled_by_pattern_or_not_at_all(app: Flask, places: dict[str, int], sign_in: SignIn) -> None:
    manager = sign_in("station_manager", places["one"])
    facts = {"station": "WXXW", "week": "2026-12-07", "technician": str(places["technician"]), "weekday": ["0", "1"],
             "weeks": "2", "start": "08:00", "end": "17:30"}  # fmt: skip
    before = len(session.scalars(select(Shift.id)).all())
    assert post(manager, "/admin/roster", "/admin/roster", **facts).status_code == 303
    assert len(session.scalars(select(Shift.id)).all()) == before + 4
    again = post(manager, "/admin/roster", "/admin/roster", **{**facts, "weekday": ["1", "2"], "start": "09:00"})
    assert again.status_code == 422
    assert len(session.scalars(select(Shift.id)).all()) == before + 4
    foreign = post(manager, "/admin/roster", "/admin/roster", **{**facts, "station": "SZYQ"})
    assert foreign.status_code == 404


def test_I_05_duplicates_are_proposed_merged_and_taken_apart_again(
    app: Flask, places: dict[str, int], sign_in: SignIn
) -> None:
    def twice() -> tuple[int, int]:
        home = session.get_one(make.Station, places["one"])
        one = make.customer("宏达机械有限公司", "Hongda", station=home, phone="13912340601")
        two = make.customer("宏达机械（集团）股份有限公司", "Hongda Group", station=home, phone="13912340602")
        make.site(two)
        return one.id, two.id

    one, two = write(twice)
    client = sign_in("admin")
    page = "/admin/customers/duplicates"
    assert "宏达机械" in client.get(page).text
    merged = post(client, "/admin/customers/merge", page, id=[str(one), str(two)], winner=str(one), act="merge")
    assert merged.status_code == 303
    assert session.scalars(select(Site.customer_id)).all() == [one]
    assert client.get(f"/admin/customers/{two}").status_code == 404
    assert post(client, f"/admin/customers/{two}/unmerge", page).status_code == 303
    assert session.scalars(select(Site.customer_id)).all() == [two]
    post(client, "/admin/customers/merge", page, id=[str(one), str(two)], winner=str(one), act="apart")
    assert "宏达机械（集团）" not in client.get(page).text


def test_an_invitation_is_good_for_one_password(
    app: Flask, places: dict[str, int], sign_in: SignIn, clock: Clock
) -> None:
    admin = sign_in("admin")
    saved = post(admin, "/admin/people", "/admin/people/new", email="zhao@example.com", name="赵敏", active="1",
                 **{"roles.0.role": "dispatcher", "roles.0.station": "WXXW"})  # fmt: skip
    user = session.scalars(select(User).where(User.email == "zhao@example.com")).one()
    shown = post(admin, f"/admin/people/{user.id}/invite", saved.headers["Location"]).text
    found = re.search(r"/invite/[\w.\-]+", shown)
    assert found
    link, guest = found.group(0), app.test_client()
    assert guest.get(link).status_code == 200
    assert guest.post(link, data={"password": "short", "again": "short"}).status_code == 422
    assert guest.post(link, data={"password": PASSWORD, "again": PASSWORD + "x"}).status_code == 422
    assert guest.post(link, data={"password": PASSWORD, "again": PASSWORD}).status_code == 303
    assert guest.post(link, data={"password": PASSWORD, "again": PASSWORD}).status_code == 404
    page = guest.get("/login")
    signed = guest.post(
        "/login", data={"csrf_token": token_of(page), "email": "zhao@example.com", "password": PASSWORD}
    )
    assert signed.status_code == 302
    again = post(admin, f"/admin/people/{user.id}/invite", saved.headers["Location"]).text
    old = re.search(r"/invite/[\w.\-]+", again)
    assert old
    clock.advance(hours=24 * 8)
    assert guest.get(old.group(0)).status_code == 404


def test_a_manager_invites_own_technicians_and_nobody_above(
    app: Flask, places: dict[str, int], sign_in: SignIn
) -> None:
    from tests.conftest import make_user

    manager = sign_in("station_manager", places["one"])
    above = make_user("admin").id
    technician = make_user("technician", places["one"], technician_id=places["technician"]).id
    page = "/admin"
    page = f"/admin/technicians/{places['technician']}"
    assert post(manager, f"/admin/people/{above}/invite", page).status_code == 404
    assert post(manager, f"/admin/people/{technician}/invite", page).status_code == 200


def test_a_contact_that_left_is_no_longer_found_by_name(app: Flask, places: dict[str, int], sign_in: SignIn) -> None:
    client = sign_in("agent")
    facts = {"customer": "盛源", "name": "周敏", "role": "buyer", "phone": "13912340608"}
    session.rollback()
    customer = write(lambda: setattr(session.get_one(Customer, places["customer"]), "code", "盛源"))
    assert customer is None
    saved = post(client, "/admin/contacts", "/admin/contacts/new", **facts)
    assert saved.status_code == 303, saved.text
    page = saved.headers["Location"]
    assert post(client, f"{page}/move", page, to="left").status_code == 303
    assert post(client, "/admin/contacts", "/admin/contacts/new", **facts).status_code == 303
    assert session.scalars(select(Contact.state).order_by(Contact.id)).all()[-2:] == ["left", "active"]


@pytest.mark.parametrize("kind", ["contacts", "sites", "assets", "stations", "territories", "people", "parts"])
def test_a_script_in_any_field_is_shown_as_text(app: Flask, places: dict[str, int], sign_in: SignIn, kind: str) -> None:
    admin = sign_in("admin")
    page = admin.get(f"/admin/{kind}/new").text
    script = "<script>window.pwned=1</script>\"'><img src=x onerror=pwned()>"
    names = [name for name in re.findall(r'<(?:input|textarea)[^>]*name="([^"]+)"', page) if name != "csrf_token"]
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = admin.post(f"/admin/{kind}", data={**dict.fromkeys(names, script), "csrf_token": token})
    assert answer.status_code == 422
    assert "<script>window" not in answer.text
    assert "<img src=x" not in answer.text
