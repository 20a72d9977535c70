"""The plain part of the demo: chance, rosters, diaries, readings, pictures, rows."""

from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldservice.demo import pictures, readings
from fieldservice.demo.company import told
from fieldservice.demo.dice import Dice
from fieldservice.demo.faults import SEVERITIES, Faults
from fieldservice.demo.history import SUITS
from fieldservice.demo.load import plan_world
from fieldservice.demo.roster import Turns
from fieldservice.demo.rows import Rows
from fieldservice.demo.sizes import CITY, SMALL
from fieldservice.foundation import formats
from fieldservice.foundation.places import divisions
from fieldservice.foundation.words import has_word
from fieldservice.mechanisms import forms
from fieldservice.parts.models import Part, StockMove
from fieldservice.workorders import catalogue
from tests.conftest import NOW

days = st.dates(date(2024, 1, 1), date(2032, 12, 31))


def test_chance_is_the_same_everywhere() -> None:
    assert [Dice(1, "a").randrange(1000) for _ in range(2)] == [704, 704]
    assert Dice(1, "a").random() != Dice(1, "b").random()


@given(days, st.integers(2, 24), st.integers(-200, 40))
def test_somebody_always_works_and_nobody_is_on_two_duties(today: date, team: int, offset: int) -> None:
    turns, day = Turns(today, team), today + timedelta(days=offset)
    assert turns.works(0, today), "the first technician works on the day of the demo"
    assert sum(turns.on_call(index, day) for index in range(team)) == 1
    for index in range(team):
        duties = [duty for number in range(3) for duty in turns.duties(index, day + timedelta(days=number))]
        assert all(one.ends_at <= other.starts_at for one, other in pairwise(duties))


@given(days, st.integers(4, 24))
def test_T_03_the_weeks_of_the_demo_are_covered(today: date, team: int) -> None:
    turns = Turns(today, team)
    some = [turns.duties(index, today + timedelta(days=number)) for index in range(team) for number in range(-8, 15)]
    spans = sorted((duty.starts_at, duty.ends_at) for duties in some for duty in duties)
    until = spans[0][1]
    for starts_at, ends_at in spans:
        assert starts_at <= until, "nobody is there"
        until = max(until, ends_at)


@pytest.mark.parametrize("size", [SMALL, CITY], ids=lambda size: size.code)
def test_the_company_stands_where_it_says(sqlite_app: Flask, size: object) -> None:
    world = plan_world(size, 360, NOW)  # type: ignore[arg-type]  # parametrised
    assert len(world.technicians) == world.size.stations * world.size.technicians
    assert len({technician.names["zh"] for technician in world.technicians}) == len(world.technicians)
    serials = [machine.serial for customer in world.customers for machine in customer.machines]
    assert len(set(serials)) == len(serials)
    for customer in world.customers:
        territory = world.station[customer.station].territory
        for site in customer.sites:
            assert any(divisions.within(site.division_code, held) for held in territory)
        for contact in customer.contacts:
            assert formats.check_phone(contact.phone) == contact.phone
            assert not contact.email or formats.check_email(contact.email) == contact.email
        assert all(has_word("tier", customer.tier) for customer in world.customers)


def test_every_kind_of_work_can_be_done_at_every_station(sqlite_app: Flask) -> None:
    world = plan_world(SMALL, 360, NOW)
    for station in world.stations:
        team = world.team[station.code]
        for kind in catalogue.work_types():
            able = [
                one for one in team if all(one.skills.get(skill, 0) >= level for skill, level in kind.skills.items())
            ]
            assert any(set(kind.certificates) <= set(one.certificates) for one in able), kind.code


def test_faults_fit_their_machines(sqlite_app: Flask) -> None:
    world = plan_world(SMALL, 360, NOW)
    faults, dice = Faults(world), Dice("test")
    for _ in range(200):
        fault = faults.draw(world.stations[0].code, dice, SEVERITIES)
        assert fault.machine.kind in fault.pattern.machines
        assert fault.customer.station == world.stations[0].code
    assert {kind for kinds in SUITS.values() for kind in kinds} <= {one["kind"] for one in told("machines")}
    assert set(SUITS) == set(told("planned")) == {catalogue.work_type(code).code for code in SUITS}


def test_readings_answer_every_checklist(sqlite_app: Flask) -> None:
    dice, outside, numbers = Dice("test"), 0, 0
    for _ in range(20):
        for kind in catalogue.work_types():
            given_now = dict(readings.answers(kind.form, "SV0414", dice))
            checked = {code: forms.check_answer(kind.form.field(code), value) for code, value in given_now.items()}
            for code in readings.photo_fields(kind.form):
                checked[code] = forms.check_answer(kind.form.field(code), [1])
            assert forms.missing_required(kind.form, checked) == []
            readings_now = [one for code, one in checked.items() if kind.form.field(code).type == "number"]
            numbers += len(readings_now)
            outside += sum(one.out_of_tolerance for one in readings_now)
    assert 0.01 < outside / numbers < 0.1, "some readings are out of tolerance, most are not"


@pytest.mark.parametrize("scene", pictures.SCENES)
def test_photos_are_drawn_the_same_every_time(scene: str) -> None:
    first = pictures.photo(scene).getvalue()
    pictures._drawn.cache_clear()
    assert pictures.photo(scene).getvalue() == first
    with Image.open(BytesIO(first)) as image:
        assert (image.format, image.size) == ("JPEG", pictures.TAKEN)


def test_rows_keep_the_models_rules(sqlite_app: Flask) -> None:
    rows = Rows()
    with pytest.raises(ValueError, match="has no"):
        rows.add(StockMove, colour="red")
    with pytest.raises(ValueError, match="no state"):
        rows.add(Part, state="shining")
    part = rows.add(Part, number="A", names={}, unit="pcs", price=1)
    assert (part["state"], part["criticality"], part["currency"]) == ("draft", "C", "CNY")
    with pytest.raises(ValueError, match="cannot go"):
        rows.move(part, "obsolete", at=NOW, by="system")
    rows.move(part, "active", at=NOW, by="system")
    assert [fact.kind for fact in rows.facts] == ["part.active"]
