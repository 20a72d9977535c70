"""Plans are computed at once, in the test's own process; one test uses the workers."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from fieldservice.dispatch.offers import finding
from fieldservice.dispatch.plans import running, urgent
from tests.workorders.scene import Scene, make_scene


def _here(function: Callable[..., Any], *arguments: Any, timeout: float = 0) -> Any:
    assert timeout > 0
    return function(*arguments)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (running, urgent, finding):
        monkeypatch.setattr(module, "compute", _here)


@pytest.fixture
def scene(app: Flask, here: None) -> Scene:
    return make_scene()
