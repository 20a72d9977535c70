"""The day plan as a page."""

import pytest
from flask import Flask

from tests.workorders.scene import Scene, make_scene


@pytest.fixture
def scene(app: Flask) -> Scene:
    return make_scene()


def test_the_page_shows(scene: Scene, sign_in) -> None:
    client = sign_in("dispatcher", scene.station.id)
    page = client.get("/dispatch")
    assert page.status_code == 200, page.text
    page = client.get(f"/dispatch?order={scene.order.number}")
    assert page.status_code == 200, page.text
