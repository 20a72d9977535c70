"""Signing in and out, what a session is worth, and who is refused."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from fieldservice.accounts.models import SignIn, User
from fieldservice.accounts.services import create_token, create_user, revoke_sign_ins
from fieldservice.foundation.access import roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Invalid
from tests.conftest import PASSWORD, make_user


@pytest.fixture
def anna(app: Flask) -> User:
    return write(lambda: create_user(email="Anna@Demo.test", name="Anna", password=PASSWORD, grants=[("agent", None)]))


def post_login(client: FlaskClient, **form: str) -> Any:
    client.get("/login")
    with client.session_transaction() as browser:
        token = browser.get("csrf_token")
    page = client.get("/login").get_data(as_text=True)
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    return client.post("/login", data={"csrf_token": token, **form})


def test_the_right_password_signs_in_and_makes_one_row(anna: User, client: FlaskClient) -> None:
    answer = post_login(client, email="anna@demo.test", password=PASSWORD)
    assert answer.status_code == 302
    assert [row.user_id for row in session.scalars(select(SignIn))] == [anna.id]


def test_the_cookie_is_not_what_is_stored(anna: User, client: FlaskClient) -> None:
    answer = post_login(client, email="anna@demo.test", password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert session.scalars(select(SignIn.token_hash)).one() not in cookie


@pytest.mark.parametrize(
    "form",
    [
        {"email": "anna@demo.test", "password": "wrong"},
        {"email": "nobody@demo.test", "password": PASSWORD},
        {"email": "x" * 300, "password": "x" * 5000},
        {},
    ],
)
def test_anything_else_is_refused_with_the_same_words(form: dict[str, str], anna: User, client: FlaskClient) -> None:
    answer = post_login(client, **form)
    assert answer.status_code == 422
    assert "地址或密码" in answer.get_data(as_text=True) or "邮箱或密码" in answer.get_data(as_text=True)
    assert session.scalars(select(SignIn)).all() == []


def test_a_form_without_token_is_refused(anna: User, client: FlaskClient) -> None:
    assert client.post("/login", data={"email": "anna@demo.test", "password": PASSWORD}).status_code == 403


def test_another_site_cannot_post(anna: User, client: FlaskClient) -> None:
    answer = client.post("/login", data={}, headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403


def test_sign_out_ends_the_session_on_the_server(sign_in: Any, app: Flask) -> None:
    browser = sign_in("agent")
    cookie = browser.get_cookie("session")
    page = browser.get("/login")
    assert page.status_code == 302
    with browser.session_transaction() as kept:
        kept.pop("_user_id")
    assert session.scalars(select(SignIn.revoked_at)).one() is not None
    thief = app.test_client()
    thief.set_cookie("session", cookie.value)
    assert thief.get("/login").status_code == 200


def test_revoked_sessions_are_worth_nothing(sign_in: Any) -> None:
    browser = sign_in("agent")
    user_id = session.scalars(select(SignIn.user_id)).one()
    write(lambda: revoke_sign_ins(user_id))
    assert browser.get("/login").status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        "https://evil.test/", "//evil.test", "/\\evil.test", "/\t/evil.test", "/\n//evil.test", "\t//evil.test",
        "javascript:alert(1)", "/\r\nSet-Cookie: a=b", "http:/evil.test", "évil",
    ],
)  # fmt: skip
def test_only_paths_of_our_own_follow_the_sign_in(anna: User, client: FlaskClient, wish: str) -> None:
    page = client.get("/login", query_string={"next": wish}).get_data(as_text=True)
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    answer = client.post(
        "/login",
        query_string={"next": wish},
        data={"csrf_token": token, "email": "anna@demo.test", "password": PASSWORD},
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/requests")


def test_language_is_remembered_per_person(sign_in: Any) -> None:
    browser = sign_in("agent")
    browser.get("/login?lang=en")
    assert session.scalars(select(User.language)).one() == "en"


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"email": "a@demo.test", "password": "short"}, "password"), ({"grants": [("king", None)]}, "role")],
)
def test_bad_accounts_are_refused(app: Flask, facts: dict[str, Any], field: str) -> None:
    given = {"email": "b@demo.test", "name": "B", "password": None, **facts}
    with pytest.raises(Invalid) as refused:
        write(lambda: create_user(**given))
    assert field in refused.value.errors


def test_an_address_has_one_account(anna: User) -> None:
    with pytest.raises(Invalid):
        write(lambda: create_user(email="ANNA@demo.test", name="X", password=None))


def test_tokens_are_stored_hashed(anna: User) -> None:
    text = write(lambda: create_token(email="anna@demo.test", name="till"))
    assert text.startswith("fs360_")
    stored = session.execute(select(User)).scalars().all()
    assert text not in repr(stored)


def test_an_unknown_token_is_401_as_problem_details(client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json", headers={"Authorization": "Bearer fs360_wrong"})
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "token_unknown"


def test_roles_mark_views() -> None:
    @roles("agent")
    def view() -> str:
        return ""

    assert view.__access__.roles == {"agent"}  # type: ignore[attr-defined]
    assert make_user  # the factory of people is part of the cast
