"""Technicians of the demo who are lent: one works elsewhere today, and for another time somebody is asked for."""

from datetime import timedelta

from flask import g

from fieldservice.demo.accounts import People
from fieldservice.demo.company import told
from fieldservice.demo.still import Placed
from fieldservice.demo.world import TechnicianPlan, World
from fieldservice.dispatch.lending import services
from fieldservice.foundation.access import Person
from fieldservice.foundation.time import at_local, clock
from fieldservice.workorders.placement import Span

MORNING = 8


def lend(world: World, placed: Placed, people: People) -> None:
    """By the services, as if on the days before. Inside `write`, before anything is booked."""
    if world.size.past:  # a country is copied from rows that name no lending
        return
    at = clock.now()
    for technician in world.technicians:
        if technician.lent:
            _works_elsewhere(technician, placed, people)
            _asked_for(technician, world, placed, people)
    clock.fix(at)
    g.actor = "system"


def _works_elsewhere(technician: TechnicianPlan, placed: Placed, people: People) -> None:
    """From the first morning on; a night on call that ends with the last one is still his."""
    to, first, last = told("lent")["to"], min(technician.lent), max(technician.lent)
    clock.fix(at_local(first - timedelta(days=2), 10))
    lending = services.ask(
        _person(people, "dispatcher", to), placed.stations[to], placed.stations[technician.station],
        Span(at_local(first, MORNING), at_local(last + timedelta(days=1), MORNING)),
        technician=placed.technicians[technician.key], words=told("lent")["words"]["running"],
    )  # fmt: skip
    clock.fix(at_local(first - timedelta(days=1), 16))
    services.agree(lending, _person(people, "station_manager", technician.station))


def _asked_for(technician: TechnicianPlan, world: World, placed: Placed, people: People) -> None:
    """A third station asks the same one for a skill, for some days from now; nobody has answered yet."""
    others = [one for one in world.stations if one.code not in (technician.station, told("lent")["to"])]
    if not others:
        return
    to, first = others[0].code, world.today + timedelta(days=3)
    clock.fix(world.now - timedelta(minutes=50))
    services.ask(
        _person(people, "dispatcher", to), placed.stations[to], placed.stations[technician.station],
        Span(at_local(first, MORNING), at_local(first + timedelta(days=1), 18)), skills=told("lent")["skills"],
        words=told("lent")["words"]["asked"],
    )  # fmt: skip


def _person(people: People, role: str, station: str) -> Person:
    """Whoever acts from here on."""
    g.actor = people.of(role, station)
    return people.by_role[role, station].as_person()
