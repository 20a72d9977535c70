"""Robots of group chats: add one by its address, try it, silence it, forget it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.accounts.freshness import fresh
from fieldservice.admin.views import blueprint
from fieldservice.foundation.access import roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.mechanisms.messages import robots
from fieldservice.mechanisms.messages.robots import Robot
from fieldservice.stations.models import Station

MOST = 200
LARGEST_ID = 2**62


@blueprint.get("/robots")
@roles("admin")
def robot_list() -> Any:
    """Every robot with what it is told, and the form for one more."""
    return _page({}, {"language": "zh", "news": list(robots.NEWS)})


@blueprint.post("/robots")
@roles("admin")
@fresh
def add_robot() -> Any:
    """Keep a robot; what cannot be used comes back with the reason and everything that was typed."""
    form = request.form
    typed = {name: form.get(name, "").strip()[:300] for name in ("name", "address", "secret", "station", "language")}
    typed["news"] = form.getlist("news")[:10]  # type: ignore[assignment]  # the one field of many values
    try:
        write(
            lambda: robots.add_robot(
                name=typed["name"], address=typed["address"], secret=typed["secret"],
                station_id=_station(typed["station"]), language=typed["language"], news=typed["news"], at=now(),
            )
        )  # fmt: skip
    except Invalid as refused:
        session.rollback()
        return _page(refused.errors, typed), 422
    flash(_("The robot is kept. Send a test to see it speak."))
    return _back()


@blueprint.post("/robots/<int:robot_id>/test")
@roles("admin")
def test_robot(robot_id: int) -> Any:
    """Queue a message that says the robot works."""

    def send() -> None:
        robot = _robot(robot_id)
        if not robot.active:
            raise Conflict(_l("This robot is silent. Let it speak first."))
        robots.send_test(robot, at=now())

    write(send)
    flash(_("The test is on its way; the list shows in a moment whether it arrived."))
    return _back()


@blueprint.post("/robots/<int:robot_id>/<any(on,off):wish>")
@roles("admin")
def switch_robot(robot_id: int, wish: str) -> Any:
    """Silence a robot, or let it speak again."""
    write(lambda: robots.switch(_robot(robot_id), active=wish == "on", at=now()))
    return _back()


@blueprint.post("/robots/<int:robot_id>/remove")
@roles("admin")
@fresh
def remove_robot(robot_id: int) -> Any:
    """Forget a robot and its key."""
    write(lambda: robots.remove(_robot(robot_id), at=now()))
    flash(_("The robot is forgotten."))
    return _back()


def _robot(robot_id: int) -> Robot:
    found = session.get(Robot, robot_id) if 0 < robot_id < LARGEST_ID else None
    if found is None:
        raise NotFound()
    return found


def _station(code: str) -> int | None:
    if not code:
        return None
    found = session.scalar(select(Station.id).where(Station.code == code))
    if found is None:
        raise Invalid({"station": [_l("Choose one of the options.")]})
    return found


def _page(errors: dict[str, Any], typed: dict[str, Any]) -> str:
    stations = session.scalars(select(Station).order_by(Station.code).limit(MOST * 2)).all()
    return render_template(
        "admin/robots.html", robots=session.scalars(select(Robot).order_by(Robot.id).limit(MOST)).all(),
        stations=stations, by_id={station.id: station for station in stations}, kinds=robots.NEWS, errors=errors,
        typed=typed,
    )  # fmt: skip


def _back() -> Any:
    return redirect(url_for("admin.robot_list"), 303)
