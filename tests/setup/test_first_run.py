"""The first run in the browser and on the command line, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from fieldservice.accounts.models import RoleGrant, User
from fieldservice.foundation.company import Installation, company
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import clock as the_clock
from fieldservice.mechanisms.messages.channels import Refused, Unreachable
from fieldservice.setup import services, trials
from fieldservice.setup.first_run import MOST_TRIES, STEPS, make_code, state
from fieldservice.stations.models import Station, TerritoryDivision
from tests.conftest import make_user

ADMIN = {"name": "王敏", "email": "wang.min@factory.cn", "password": "four words that rhyme not"}


def post(client: FlaskClient, step: str, **typed: Any) -> Any:
    """Type into the form as a browser has it, with its token."""
    page = client.get(f"/setup/{step}").get_data(as_text=True)
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    return client.post(f"/setup/{step}", data={"csrf_token": token, **typed})


def made_admin(client: FlaskClient) -> str:
    code = write(make_code)
    answer = post(client, "account", code=code.lower(), **ADMIN)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return code


def test_an_empty_installation_shows_nothing_but_its_set_up(empty: Flask, client: FlaskClient) -> None:
    for path in ("/", "/report", "/requests", "/board"):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (302, "/setup"), path
    assert client.get("/setup").location == "/setup/account"
    assert client.get("/setup/company").location.startswith("/login")
    refused = client.get("/api/v1/work-orders")
    assert (refused.status_code, refused.json["code"]) == (503, "set_up_needed")
    assert client.post("/track", data={}).status_code == 503


def test_the_set_up_from_code_to_work(empty: Flask, client: FlaskClient, tmp_path: Path) -> None:
    made_admin(client)
    assert session.scalars(select(RoleGrant.role)).all() == ["admin"]
    post(client, "company", name_zh="无锡臻护", name_en="Wuxi Zhenhu Ltd.", short_en="Zhenhu", hotline="400 555 0360")
    assert client.get("/setup").location == "/setup/language"  # left in the middle, goes on there
    post(client, "language", language="en", timezone="Asia/Urumqi")
    assert the_clock.zone.key == "Asia/Urumqi"
    assert post(client, "messages", **{"try": ""}).location == "/setup/backup"
    assert post(client, "backup").location == "/setup/station"
    found = post(client, "station", find="1", place="新吴").get_data(as_text=True)
    assert 'value="320214"' in found
    answer = post(
        client, "station", code="wxxw", name_zh="无锡新吴站", division_code="320214", latitude="31.5", longitude="120.4"
    )
    assert answer.location == "/setup/finish", answer.get_data(as_text=True)
    station = session.scalars(select(Station)).one()
    assert (station.code, station.state, station.latitude) == ("WXXW", "open", 31.5)
    assert session.scalars(select(TerritoryDivision.active_code)).all() == ["320214"]
    assert post(client, "finish").status_code == 302
    session.rollback()
    for path in ("/setup", *(f"/setup/{step}" for step in STEPS)):
        assert client.get(path).status_code == 404, path
    home = empty.test_client().get("/").get_data(as_text=True)
    assert "Zhenhu" in home
    assert "400-555-0360" in home
    assert "A machine is down?" in home  # English, as was chosen
    assert company().name("zh") == "无锡臻护"


def test_the_code_is_used_once_and_guessed_ten_times_at_most(empty: Flask, client: FlaskClient) -> None:
    code = write(make_code)
    for _ in range(MOST_TRIES):
        assert (
            write(lambda: services.open_first_account(code="AAAAA-BBBBB-CCCCC-DDDDD", language="zh", **ADMIN)) is None
        )
    assert write(lambda: services.open_first_account(code=code, language="zh", **ADMIN)) is None  # void by now
    assert "setup code" in client.get("/setup/account").get_data(as_text=True)
    made_admin(client)
    with pytest.raises(Conflict):
        write(make_code)
    stored = session.scalars(select(Installation)).one()
    assert stored.code_hash is None
    assert empty.test_client().get("/setup/account").status_code == 404


def test_a_wrong_entry_does_not_spend_the_code(empty: Flask, client: FlaskClient) -> None:
    code = write(make_code)
    answer = post(client, "account", code=code, **{**ADMIN, "password": "short"})
    assert answer.status_code == 422
    assert session.scalar(select(func.count(User.id))) == 0
    answer = post(client, "account", code=code, **{**ADMIN, "password": "aaaaaaaaaaaaaaa"})
    assert answer.status_code == 422
    assert post(client, "account", code=code, **ADMIN).status_code == 302


def test_two_browsers_with_the_code_make_one_administrator(empty: Flask) -> None:
    code = write(make_code)

    def press(number: int) -> str:
        with empty.app_context():
            try:
                facts = {**ADMIN, "email": f"admin{number}@factory.cn"}
                made = write(lambda: services.open_first_account(code=code, language="zh", **facts))
                return "made" if made is not None else "wrong"
            except Conflict:
                return "late"
            finally:
                session.remove()

    with ThreadPoolExecutor(4) as threads:
        outcomes = sorted(threads.map(press, range(4)))
    assert outcomes == ["late", "late", "late", "made"]
    session.rollback()
    assert session.scalar(select(func.count(User.id))) == 1


def test_only_the_administrator_goes_on(empty: Flask, client: FlaskClient, sign_in: Any) -> None:
    made_admin(client)
    assert empty.test_client().get("/setup/company").location.startswith("/login")
    assert sign_in("dispatcher").get("/setup/company").status_code == 403
    assert client.get("/setup/company").status_code == 200
    assert client.get("/setup/nonsense").status_code == 404


def test_unsafe_settings_stop_the_set_up(empty: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    code = write(make_code)
    unsafe = replace(empty.extensions["fieldservice.settings"], public_url="http://service.example.com")
    monkeypatch.setitem(empty.extensions, "fieldservice.settings", unsafe)
    page = client.get("/setup/account?lang=en").get_data(as_text=True)
    assert "TLS=1" in page
    assert client.post("/setup/account", data={"code": code, **ADMIN}).status_code == 422
    assert session.scalar(select(func.count(User.id))) == 0
    told = empty.test_cli_runner().invoke(args=["setup", "code"])
    assert told.exit_code == 1
    assert "https://" in told.stderr


def test_people_of_an_older_version_are_not_asked(empty: Flask, client: FlaskClient) -> None:
    make_user("dispatcher")
    assert not state().needed
    assert client.get("/").status_code == 200
    assert client.get("/setup").status_code == 404


def test_the_demo_needs_no_set_up(empty: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = replace(empty.extensions["fieldservice.settings"], demo=True)
    monkeypatch.setitem(empty.extensions, "fieldservice.settings", demo)
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (None, "took the message over"),
        (Unreachable("smtp_unreachable"), "does not answer"),
        (Unreachable("smtp_535"), "user and password"),
        (Refused("smtp_550"), "code 550"),
    ],
)
def test_a_mail_test_says_what_came_back(
    empty: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, failure: Exception | None, said: str
) -> None:
    sent = []

    class Carrier:
        def send(self, envelope: Any) -> None:
            if failure is not None:
                raise failure
            sent.append(envelope)

    configured = replace(empty.extensions["fieldservice.settings"], smtp_url="smtp://127.0.0.1:2525")
    monkeypatch.setitem(empty.extensions, "fieldservice.settings", configured)
    monkeypatch.setattr(trials, "adapters", lambda _settings: {"email": Carrier()})
    made_admin(client)
    client.get("/setup?lang=en")
    page = post(client, "messages", **{"try": "email", "email_to": "me@factory.cn"}).get_data(as_text=True)
    assert said in page
    assert [one.to for one in sent] == ([] if failure else ["me@factory.cn"])
    assert said in client.get("/setup/messages").get_data(as_text=True)  # still told when one comes back


def test_a_folder_for_backups_is_tried(tmp_path: Path) -> None:
    good = trials.try_folder(tmp_path / "backups", tmp_path)
    assert (good.writable, good.same_disk, list(good.path.iterdir())) == (True, True, [])
    (tmp_path / "file").write_text("no folder")
    assert not trials.try_folder(tmp_path / "file" / "below", tmp_path).ok


def test_the_command_asks_the_same_and_goes_on_where_it_was(empty: Flask) -> None:
    run = empty.test_cli_runner()
    word = ADMIN["password"]
    first = run.invoke(args=["setup", "--lang", "en"], input=f"{ADMIN['name']}\n{ADMIN['email']}\n{word}\n{word}\n")
    assert first.exit_code == 1  # no more answers
    assert state().step == "company"
    answers = ["无锡臻护", "", "", "", "", "zh", "Asia/Shanghai", "", "", ""]
    second = run.invoke(args=["setup", "--lang", "en"], input="\n".join(answers) + "\n")
    assert second.exit_code == 0, second.output
    assert "Sign in at" in second.output
    assert not state().needed
    assert session.scalar(select(User.email)) == ADMIN["email"]


def test_messages_say_whose_they_are(empty: Flask) -> None:
    from fieldservice.mechanisms.messages import render, templates

    write(
        lambda: services.name_company(
            names={"zh": "无锡臻护", "en": "Wuxi Zhenhu Ltd."}, short_names={"zh": "臻护"}, hotline="4005550360"
        )
    )
    known = next(iter(templates().values()))
    facts: dict[str, Any] = dict.fromkeys(known.needs, None) | {link.of: "SR-1" for link in known.links.values()}
    assert render(known.code, "zh", facts, "sms").body.startswith("【臻护】")
    assert render(known.code, "en", facts, "email").body.endswith("\n\nWuxi Zhenhu Ltd.\n400-555-0360")
