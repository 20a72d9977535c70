"""Behind a proxy, rate limits and addresses see who really comes; without one, nobody may say he is somebody else."""

from dataclasses import replace

import pytest
from flask import Flask, request

from config import ConfigError, load_settings
from fieldservice import create_app


def seen(app: Flask, headers: dict[str, str]) -> str | None:
    """The address that the app believes, asked by a page of its own."""
    found = []
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: found.append(request.remote_addr) or "seen")  # type: ignore[arg-type,func-returns-value]
    app.test_client().get("/", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.2"})
    return str(found[-1])


@pytest.mark.parametrize(
    ("proxies", "forwarded", "believed"),
    [
        (0, "203.0.113.9", "10.0.0.2"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # what the visitor wrote himself stands before
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, None, "10.0.0.2"),
    ],
)
def test_the_address_behind_proxies(
    settings: object, proxies: int, forwarded: str | None, believed: str, tmp_path: object
) -> None:
    app = create_app(replace(settings, trusted_proxies=proxies))  # type: ignore[type-var]
    assert seen(app, {"X-Forwarded-For": forwarded} if forwarded else {}) == believed


@pytest.mark.parametrize("wrong", ["-1", "many", "4", "1.5"])
def test_a_wrong_number_of_proxies_is_told(wrong: str) -> None:
    with pytest.raises(ConfigError, match="how many proxies"):
        load_settings({"FIELDSERVICE_TRUSTED_PROXIES": wrong, "FIELDSERVICE_SECRET_KEY": "t" * 40})
