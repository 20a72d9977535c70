"""The page of chat robots: for administrators, keeps what was typed, never shows a key again."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import select

from fieldservice.foundation.db import session
from fieldservice.mechanisms.messages.models import Message
from fieldservice.mechanisms.messages.robots import Robot
from tests.mechanisms.test_robots import WECOM

SignIn = Callable[..., Any]
FORM = {
    "name": "无锡调度群",
    "address": WECOM,
    "secret": "",
    "station": "",
    "language": "zh",
    "news": ["urgent", "broken"],
}


def post(client: Any, path: str, **data: Any) -> Any:
    token = client.get("/admin/robots").text.split('name="csrf_token" value="')[1].split('"')[0]
    return client.post(path, data={"csrf_token": token, **data})


def test_a_robot_is_added_tried_silenced_and_forgotten(app: Flask, sign_in: SignIn) -> None:
    admin = sign_in("admin")
    assert post(admin, "/admin/robots", **FORM).status_code == 303
    kept = session.scalars(select(Robot)).one()
    page, one = admin.get("/admin/robots").text, f"/admin/robots/{kept.id}"
    assert "无锡调度群" in page
    assert kept.key not in page
    assert kept.key_end in page
    assert post(admin, f"{one}/test").status_code == 303
    assert session.scalars(select(Message.channel)).all() == ["robot"]
    assert post(admin, f"{one}/off").status_code == 303
    assert post(admin, f"{one}/test").status_code == 409
    assert post(admin, f"{one}/on").status_code == 303
    assert post(admin, f"{one}/remove").status_code == 303
    assert session.scalars(select(Robot)).all() == []
    assert post(admin, f"{one}/test").status_code == 404


def test_a_wrong_address_comes_back_with_all_that_was_typed(app: Flask, sign_in: SignIn) -> None:
    answer = post(sign_in("admin"), "/admin/robots?lang=en", **{**FORM, "address": "https://evil.example/x"})
    assert answer.status_code == 422
    assert "https://evil.example/x" in answer.text
    assert "无锡调度群" in answer.text
    assert "It begins with https://qyapi.weixin.qq.com/" in answer.text


def test_only_administrators_see_robots(app: Flask, sign_in: SignIn) -> None:
    assert sign_in("dispatcher").get("/admin/robots").status_code == 403
