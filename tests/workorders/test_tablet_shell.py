"""The app around the tablet's page: nothing of a person in what is kept, and nobody sends a colleague's entries."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldservice.accounts.models import User
from fieldservice.foundation.db import session
from tests.workorders.on_tour import make_tour


@pytest.fixture
def page(sqlite_app: Flask) -> FlaskClient:
    tour = make_tour()
    client = sqlite_app.test_client()
    with client.session_transaction() as browser:
        browser["_user_id"] = session.get_one(User, tour.user_id).fs_uniquifier
        browser["_fresh"] = True
    session.rollback()
    return client


def is_there(client: FlaskClient, path: str) -> bool:
    with client.get(path) as answer:
        return answer.status_code == 200


def shell_of(client: FlaskClient) -> tuple[dict[str, Any], str]:
    """What the service worker was told to keep, and its own text."""
    answer = client.get("/tablet/worker.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Service-Worker-Allowed"] == "/tablet"
    assert answer.headers["Cache-Control"] == "no-cache"
    first, _, rest = answer.text.partition(";\n")
    told: dict[str, Any] = json.loads(first.removeprefix("self.SHELL = "))
    return told, rest


def test_the_kept_page_holds_nothing_of_a_person(page: FlaskClient) -> None:
    answer = page.get("/tablet")
    assert answer.status_code == 200
    for secret in ("陆建国", "lu@demo.test", "csrf", "user:"):
        assert secret not in answer.text
    assert page.get_cookie("who") is not None


def test_the_session_tells_who_is_there(page: FlaskClient) -> None:
    told: Any = page.get("/tablet/session").json
    assert told["person"]["name"] == "陆建国"
    assert isinstance(told["person"]["id"], int)
    assert told["csrf"]


def test_the_worker_keeps_the_page_and_every_file_it_names(page: FlaskClient) -> None:
    told, script = shell_of(page)
    assert "addEventListener" in script
    html = page.get("/tablet")
    assert html.headers["X-Shell"] == told["version"]
    named = {part.split('"')[0].split("#")[0] for part in html.text.split('src="')[1:]}
    named |= {part.split('"')[0].split("#")[0] for part in html.text.split('href="')[1:] if part.startswith("/static")}
    assert named <= {*told["assets"], *(one for one in named if "icon-apple" in one)}
    for path in told["assets"]:
        assert is_there(page, path), path


def test_whoever_is_signed_in_gets_the_same_worker(page: FlaskClient, sqlite_app: Flask) -> None:
    nobody = sqlite_app.test_client()
    assert shell_of(nobody) == shell_of(page)
    english = nobody.get("/tablet/worker.js", headers={"Accept-Language": "en"})
    assert english.text == nobody.get("/tablet/worker.js").text


@pytest.mark.parametrize(("spoken", "name"), [("zh", "FieldService 360 平板"), ("en", "FieldService 360 tablet")])
def test_the_page_can_be_put_on_the_home_screen(page: FlaskClient, spoken: str, name: str) -> None:
    answer = page.get(f"/tablet/app.webmanifest?lang={spoken}")
    told: Any = answer.get_json(force=True)
    assert answer.mimetype == "application/manifest+json"
    assert (told["name"], told["start_url"], told["display"]) == (name, "/tablet", "standalone")
    assert {icon["sizes"] for icon in told["icons"]} >= {"192x192", "512x512"}
    assert "maskable" in {icon["purpose"] for icon in told["icons"]}
    for icon in told["icons"]:
        assert is_there(page, icon["src"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tablet/session"),
        ("GET", "/tablet/snapshot"),
        ("POST", "/tablet/commands"),
        ("PUT", "/tablet/uploads/a/0"),
    ],
)
def test_a_page_left_open_by_a_colleague_is_told_so(page: FlaskClient, method: str, path: str) -> None:
    token = page.get("/tablet/session").json["csrf"]  # type: ignore[index]
    answer = page.open(path, method=method, headers={"X-Tablet-Person": "999", "X-CSRFToken": token})
    assert (answer.status_code, answer.json["code"]) == (409, "other_person")  # type: ignore[index]


def test_signing_out_takes_the_name_away(page: FlaskClient) -> None:
    page.get("/tablet")
    token = page.get("/tablet/session").json["csrf"]  # type: ignore[index]
    assert page.post("/logout", headers={"X-CSRFToken": token}).status_code == 302
    assert page.get_cookie("who") is None
