"""What lending costs, as a table of cases: money in minor units."""

from datetime import date

import pytest

from fieldservice.dispatch.lending.costs import Cost, Terms, Way, cost, stays

TERMS = Terms(hour=120_00, km=1_50, night=300_00, overnight_km=120)
MON, TUE, THU = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 26)
CASES = [
    ("nothing", 0, (), Way(40, 10), False, Cost()),
    ("a day nearby", 600, (MON,), Way(40, 10), False, Cost(600, 60, 0, 1200_00, 90_00, 0)),
    ("two days nearby", 1200, (MON, TUE), Way(40, 10), False, Cost(1200, 120, 0, 2400_00, 180_00, 0)),
    ("nearer than the own station", 600, (MON,), Way(8, 10), False, Cost(600, 0, 0, 1200_00, 0, 0)),
    ("parts of a kilometre are whole ones", 60, (MON,), Way(10.2, 10), False, Cost(60, 1, 0, 120_00, 1_50, 0)),
    ("stays: one way each, nights between", 1800, (MON, TUE, THU), Way(200, 10), True,
     Cost(1800, 400, 3, 3600_00, 600_00, 900_00)),
    ("stays a day: no night", 600, (MON,), Way(200, 10), True, Cost(600, 400, 0, 1200_00, 600_00, 0)),
    ("a minute", 1, (MON,), Way(0, 0), False, Cost(1, 0, 0, 200, 0, 0)),
    ("hours on no day", 30, (), Way(40, 10), False, Cost(30, 0, 0, 60_00, 0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("minutes", "days", "way", "lodges", "expected"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_B6_the_cost_of_lending(minutes: int, days: tuple[date, ...], way: Way, lodges: bool, expected: Cost) -> None:
    found = cost(minutes, days, way, lodges=lodges, terms=TERMS)
    assert found == expected
    assert found.total == expected.work + expected.travel + expected.lodging


def test_halves_of_a_minor_unit_go_up() -> None:
    odd = Terms(hour=1, km=0, night=0, overnight_km=0)
    assert [cost(minutes, (MON,), Way(0, 0), lodges=False, terms=odd).work for minutes in (29, 30, 31)] == [0, 1, 1]


@pytest.mark.parametrize(("km", "expected"), [(119.9, False), (120, False), (120.1, True)])
def test_who_lives_too_far_away_stays(km: float, expected: bool) -> None:
    assert stays(Way(km, 5), TERMS) is expected


@pytest.mark.parametrize(("way", "km", "minutes"), [(Way(40, 10, 50, 20), 30, 30), (Way(5, 10, 8, 20), 0, 0)])
def test_further_is_never_less_than_nothing(way: Way, km: float, minutes: int) -> None:
    assert (way.further_km, way.further_minutes) == (km, minutes)
