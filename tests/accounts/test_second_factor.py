"""Second factors, recovery codes, passkeys, sessions, fresh proof and growing delays."""

import base64
import hashlib
import json
import re
import secrets
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from fieldservice.accounts import second_factor, strength
from fieldservice.accounts.models import Passkey, SignIn, User
from fieldservice.foundation import limits
from fieldservice.foundation.db import session, write
from fieldservice.foundation.time import Clock, now
from tests.conftest import PASSWORD, make_user


def token_of(page: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text[:300]
    return found.group(1)


def post(client: Any, where: str, page: str = "/account", **fields: Any) -> Any:
    return client.post(where, data={"csrf_token": token_of(client.get(page)), **fields})


def code_at(secret: str, step_away: int = 0) -> str:
    step = int(now().timestamp()) // 30 + step_away
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(step * 30).decode()


@pytest.fixture
def guarded(app: Flask) -> tuple[int, str, list[str]]:
    """Somebody with a password and an authenticator app: (id, secret, recovery codes)."""
    user_id = make_user("dispatcher", email="lu@example.com", password=PASSWORD).id
    secret = second_factor.new_secret()
    code = code_at(secret, -1)
    codes = write(lambda: second_factor.turn_on(session.get_one(User, user_id), secret, code, at=now()))
    return user_id, secret, codes


def sign_in(client: Any, password: str = PASSWORD, email: str = "lu@example.com", **fields: str) -> Any:
    return post(client, "/login", "/login", email=email, password=password, **fields)


def test_rfc_6238_codes_are_reckoned_as_the_standard_says() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    from datetime import UTC, datetime

    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")):
        at = datetime.fromtimestamp(seconds, UTC)
        assert second_factor.step_of(secret, code, at) == seconds // 30
        assert second_factor.step_of(secret, f" {code[:3]} {code[3:]} ", at) == seconds // 30
        assert second_factor.step_of(secret, str((int(code) + 1) % 10**6).zfill(6), at) is None


def test_a_code_is_asked_after_the_password_and_counts_once(app: Flask, guarded: tuple[int, str, list[str]]) -> None:
    _user, secret, _codes = guarded
    client = app.test_client()
    first = sign_in(client)
    assert first.headers["Location"].startswith("/login/code")
    assert client.get("/requests").status_code == 302  # not in yet
    assert post(client, "/login/code", "/login/code", code="000000").status_code == 422
    assert post(client, "/login/code", "/login/code", code=code_at(secret)).status_code == 302
    assert client.get("/account").status_code == 200
    other = app.test_client()
    sign_in(other)
    assert post(other, "/login/code", "/login/code", code=code_at(secret)).status_code == 422  # used already


def test_a_recovery_code_counts_once(app: Flask, guarded: tuple[int, str, list[str]]) -> None:
    user_id, _secret, codes = guarded
    assert len(set(codes)) == 10
    for status in (302, 422):
        client = app.test_client()
        sign_in(client)
        assert post(client, "/login/code", "/login/code", code=codes[0].upper()).status_code == status
    assert second_factor.recovery_left(user_id) == 9


def test_the_password_alone_opens_the_second_step_for_five_minutes(
    app: Flask, guarded: tuple[int, str, list[str]], clock: Clock
) -> None:
    client = app.test_client()
    sign_in(client)
    page = client.get("/login/code")
    clock.advance(minutes=6)
    late = client.post("/login/code", data={"csrf_token": token_of(page), "code": code_at(guarded[1])})
    assert late.headers["Location"].startswith("/login")
    assert client.get("/account").status_code == 302


def test_secrets_are_not_readable_in_the_database(app: Flask, guarded: tuple[int, str, list[str]]) -> None:
    stored = session.scalars(select(User.totp_secret).where(User.id == guarded[0])).one()
    assert stored
    assert guarded[1] not in stored


def test_it_is_set_up_and_turned_off_on_the_account_page(app: Flask, sign_in: Any) -> None:
    client = sign_in("dispatcher", password=PASSWORD)
    offered = post(client, "/account/second-factor/offer")
    found = re.search(r'<code class="pre s">([A-Z2-7]+)</code>', offered.text)
    assert found
    assert post(client, "/account/second-factor/on", code="123").status_code == 422
    done = post(client, "/account/second-factor/on", code=code_at(found.group(1)))
    assert len(re.findall(r"\b[0-9a-f]{5}-[0-9a-f]{5}\b", done.text)) == 10
    assert post(client, "/account/second-factor/off").status_code == 303
    assert session.scalars(select(User.totp_secret).where(User.password.is_not(None))).one() is None


def test_dangerous_acts_ask_once_more_and_keep_what_was_typed(app: Flask, sign_in: Any, clock: Clock) -> None:
    client = sign_in("admin", password=PASSWORD)
    clock.advance(minutes=11)
    facts = {"email": "new@example.com", "name": "新人", "active": "1"}
    asked = post(client, "/admin/people", "/admin/people/new", **facts)
    assert asked.status_code == 401
    assert 'value="new@example.com"' in asked.text
    wrong = client.post("/admin/people", data={"csrf_token": token_of(asked), **facts, "_proof": "nonsense"})
    assert wrong.status_code == 422
    assert session.scalar(select(User.id).where(User.email == "new@example.com")) is None
    right = client.post("/admin/people", data={"csrf_token": token_of(asked), **facts, "_proof": PASSWORD})
    assert right.status_code == 303
    assert session.scalar(select(User.id).where(User.email == "new@example.com"))
    for where in ("/account/second-factor/offer", "/account/recovery-codes", "/account/tokens"):
        assert post(client, where, name="x").status_code == 200  # fresh again
    clock.advance(minutes=11)
    acts = (
        "second-factor/offer",
        "second-factor/off",
        "recovery-codes",
        "tokens",
        "passkeys/options",
        "passkeys/1/remove",
    )
    for where in (f"/account/{act}" for act in acts):
        assert post(client, where, name="x").status_code == 401, where


def test_sessions_are_listed_and_ended(app: Flask) -> None:
    make_user("dispatcher", email="lu@example.com", password=PASSWORD)
    one, two = app.test_client(), app.test_client()
    sign_in(one)
    sign_in(two, device="车间平板 3")
    assert "车间平板 3" in one.get("/account").text
    tablet = session.scalars(select(SignIn).where(SignIn.device != "")).one()
    assert (tablet.expires_at - now()).days >= 89
    assert post(one, f"/account/sessions/{tablet.id}/end").status_code == 303
    assert two.get("/account").status_code == 302
    three = app.test_client()
    sign_in(three)
    assert post(three, "/account/sessions/end-others").status_code == 303
    assert one.get("/account").status_code == 302
    assert three.get("/account").status_code == 200


def test_nobody_ends_anothers_session_or_token(app: Flask, sign_in: Any) -> None:
    make_user("dispatcher", email="lu@example.com", password=PASSWORD)
    victim = app.test_client()
    post(victim, "/login", "/login", email="lu@example.com", password=PASSWORD)
    row = session.scalars(select(SignIn.id)).first()
    attacker = sign_in("admin")
    assert post(attacker, f"/account/sessions/{row}/end").status_code == 404
    assert post(attacker, "/account/tokens/1/end").status_code == 404
    assert victim.get("/account").status_code == 200


def test_a_changed_password_ends_the_other_browsers(app: Flask) -> None:
    make_user("dispatcher", email="lu@example.com", password=PASSWORD)
    one, two = app.test_client(), app.test_client()
    sign_in(one)
    sign_in(two)
    new = "blue mountain teapot 7"
    assert post(one, "/account/password", old="wrong", password=new, again=new).status_code == 422
    assert post(one, "/account/password", old=PASSWORD, password=new, again=new + "x").status_code == 422
    weak = "lu2026example"
    assert post(one, "/account/password", old=PASSWORD, password=weak, again=weak).status_code == 422
    assert post(one, "/account/password", old=PASSWORD, password=new, again=new).status_code == 303
    assert (one.get("/account").status_code, two.get("/account").status_code) == (200, 302)


def test_wrong_passwords_wait_longer_and_longer_known_or_not(app: Flask) -> None:
    make_user("dispatcher", email="lu@example.com", password=PASSWORD)
    client = app.test_client()
    for email in ("lu@example.com", "nobody@example.com"):
        statuses = []
        for _try in range(7):
            statuses.append(sign_in(client, "wrong wrong wrong", email).status_code)
            clear_address_limits()  # they are not what this is about
        assert statuses == [422] * 5 + [429] * 2, email
    assert sign_in(client, PASSWORD).status_code == 429  # even the right one waits
    limits.forget("wait:password:" + hashlib.sha256(b"lu@example.com").hexdigest()[:24])
    assert sign_in(client, PASSWORD).status_code == 302


def clear_address_limits() -> None:
    from sqlalchemy import text

    limits._run(text("DELETE FROM attempt_count WHERE key NOT LIKE 'w%:%'"))


def test_a_role_that_needs_a_second_factor_is_led_to_it(app: Flask, sign_in: Any) -> None:
    from dataclasses import replace

    settings = app.extensions["fieldservice.settings"]
    app.extensions["fieldservice.settings"] = replace(settings, second_factor_roles=frozenset({"admin"}))
    try:
        client = sign_in("admin", password=PASSWORD)
        assert client.get("/admin").headers["Location"] == "/account"
        assert client.get("/account").status_code == 200
        assert sign_in("dispatcher").get("/dispatch").status_code == 200
    finally:
        app.extensions["fieldservice.settings"] = settings


def test_the_tablets_calls_are_told_what_is_owed_instead_of_led_away(app: Flask, sign_in: Any) -> None:
    """A redirect looked like an ended session to the tablet, and signing in led back to it: round and round."""
    from dataclasses import replace

    settings = app.extensions["fieldservice.settings"]
    app.extensions["fieldservice.settings"] = replace(settings, second_factor_roles=frozenset({"technician"}))
    try:
        client = sign_in("technician", password=PASSWORD)
        assert client.get("/tablet").headers["Location"] == "/account"  # the page itself
        for path in ("/tablet/session", "/tablet/snapshot", "/tablet/files/1"):
            answer = client.get(path, headers={"Accept": "application/json"})
            assert (answer.status_code, answer.json["code"]) == (403, "second_factor_owed"), path
            assert "账号" in answer.json["detail"]
        assert client.get("/account").status_code == 200
    finally:
        app.extensions["fieldservice.settings"] = settings
    assert client.get("/tablet/session").status_code == 200  # owed no more: it goes on where it was


def test_a_one_time_password_is_changed_first(app: Flask) -> None:
    user_id = make_user("dispatcher", email="lu@example.com", password=PASSWORD).id
    write(lambda: setattr(session.get_one(User, user_id), "must_change_password", True))
    client = app.test_client()
    assert sign_in(client).headers["Location"] == "/account"
    assert client.get("/dispatch").headers["Location"] == "/account"
    new = "blue mountain teapot 7"
    post(client, "/account/password", old=PASSWORD, password=new, again=new)
    assert client.get("/dispatch").status_code == 200


# Passkeys: a software authenticator, so that the real checks run -----------------------------------


class Authenticator:
    """What a telephone does: makes a key for a site and signs challenges with it."""

    def __init__(self, origin: str = "http://localhost", rp_id: str = "localhost") -> None:
        self.key, self.identity, self.count = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16), 0
        self.origin, self.rp_id = origin, rp_id

    def client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def data(self, flags: int) -> bytes:
        self.count += 1
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def make(self, challenge: str) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + numbers.x.to_bytes(32, "big") + b"\x22\x58\x20"
        cose += numbers.y.to_bytes(32, "big")
        held = self.data(0x45) + bytes(16) + len(self.identity).to_bytes(2, "big") + self.identity + cose
        wrapped = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(held)]) + held
        return self.answer(
            {"clientDataJSON": self.client_data("webauthn.create", challenge), "attestationObject": wrapped}
        )

    def sign(self, challenge: str, flags: int = 0x05) -> dict[str, Any]:
        client, data = self.client_data("webauthn.get", challenge), self.data(flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self.answer({"clientDataJSON": client, "authenticatorData": data, "signature": signature})

    def answer(self, response: dict[str, bytes]) -> dict[str, Any]:
        identity = text(self.identity)
        return {"id": identity, "rawId": identity, "type": "public-key",
                "response": {name: text(value) for name, value in response.items()}}  # fmt: skip


def text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def send(client: Any, where: str, body: Any, page: str) -> Any:
    return client.post(
        where, json=body, headers={"X-CSRFToken": token_of(client.get(page)), "Accept": "application/json"}
    )


def test_a_passkey_signs_in_without_a_password(app: Flask, sign_in: Any) -> None:
    owner, phone = sign_in("dispatcher"), Authenticator()
    options = send(owner, "/account/passkeys/options", {}, "/account").json
    made = send(owner, "/account/passkeys", {"name": "手机", "answer": phone.make(options["challenge"])}, "/account")
    assert made.status_code == 200, made.text
    again = send(owner, "/account/passkeys", {"name": "x", "answer": phone.make(options["challenge"])}, "/account")
    assert again.status_code == 422  # a challenge is answered once
    assert "手机" in owner.get("/account").text
    guest = app.test_client()
    challenge = send(guest, "/login/passkey/options", {}, "/login").json["challenge"]
    entered = send(guest, "/login/passkey", phone.sign(challenge), "/login")
    assert entered.status_code == 200, entered.text
    assert guest.get("/account").status_code == 200


@pytest.mark.parametrize("what", ["other key", "other site", "not verified", "old counter", "nothing", "replayed"])
def test_a_passkey_that_does_not_fit_is_refused(app: Flask, sign_in: Any, what: str) -> None:
    owner, phone = sign_in("dispatcher"), Authenticator()
    options = send(owner, "/account/passkeys/options", {}, "/account").json
    send(owner, "/account/passkeys", {"name": "手机", "answer": phone.make(options["challenge"])}, "/account")
    guest = app.test_client()
    challenge = send(guest, "/login/passkey/options", {}, "/login").json["challenge"]
    if what == "other key":
        phone.key = ec.generate_private_key(ec.SECP256R1())
    elif what == "other site":
        phone.origin = "https://evil.example"
    elif what == "old counter":
        write(lambda: setattr(session.scalars(select(Passkey)).one(), "sign_count", 900))
    answer: Any = phone.sign(challenge, flags=0x01 if what == "not verified" else 0x05)
    if what == "replayed":
        guest.post("/login/passkey", json=answer, headers={"X-CSRFToken": token_of(guest.get("/login"))})
        guest = app.test_client()
    refused = send(guest, "/login/passkey", None if what == "nothing" else answer, "/login")
    assert refused.status_code == 422, refused.text
    assert guest.get("/account").status_code == 302


# Passwords ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("short", False), ("123456789012", False), ("qwertyuiopas", False), ("aaaaaaaaaaaa", False),
        ("abcabcabcabc", False), ("Password1234!", False), ("P@ssw0rd2026", False), ("woaini520520", False),
        ("zhaomin-2026!", False), ("FieldService360", False), ("Admin!Admin!1", False), ("19880808 1990", False),
        ("poiuytrewq12", False), ("letmein-letmein", False), ("correct horse battery", True),
        ("xK7#pQ2!vR9z", True), ("蓝天白云骑车去上班很开心呀", True), ("blue mountain teapot 7", True),
        ("x" * 300, False),
    ],
)  # fmt: skip
def test_passwords_that_people_would_guess_are_refused(password: str, fine: bool) -> None:
    assert (strength.weakness(password, known=("赵敏", "zhaomin@example.com")) is None) is fine


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=60, unique=True))
def test_a_breached_password_is_found_in_a_sorted_file_and_no_other(passwords: list[str]) -> None:
    import tempfile

    sums = sorted(hashlib.sha1(one.encode("utf-8", "replace")).hexdigest().upper() for one in passwords)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sums.txt"
        path.write_text("".join(f"{one}:{number}\n" for number, one in enumerate(sums)))
        for one in passwords:
            if one.encode("utf-8", "replace").decode() == one:
                assert strength.is_listed(one, path)
        assert not strength.is_listed("a password that is in no such list", path)


# Limits ---------------------------------------------------------------------------------------------


def test_limits_are_exact_between_threads(app: Flask) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def one(_number: int) -> int:
        with app.app_context():
            return limits.count("k", 60)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(200))) == list(range(1, 201))


def test_limits_are_exact_between_processes(sqlite_app: Flask, tmp_path: Path) -> None:
    import subprocess
    import sys

    from config import ROOT

    script = (
        "import sys; from config import load_settings; from fieldservice import create_app;"
        "from fieldservice.foundation import limits\n"
        f"env = {{'FIELDSERVICE_INSTANCE_PATH': {str(tmp_path)!r}, 'FIELDSERVICE_BACKGROUND': '0'}}\n"
        "app = create_app(load_settings(env))\n"
        "with app.app_context():\n    print(*[limits.count('k', 600) for _n in range(100)])\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _n in range(3)
    ]
    seen = [int(number) for process in running for number in process.communicate()[0].split()]
    assert sorted(seen) == list(range(1, 301))


def test_a_count_begins_anew_after_its_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([1000.0, 1001.0, 1061.0])
    monkeypatch.setattr(limits.time, "time", lambda: next(times))
    assert [limits.count("k", 60) for _n in range(3)] == [1, 2, 1]
