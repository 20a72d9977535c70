"""The table of divisions: its shape, the way up and down, names in both languages."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.places import Point, distance_km, divisions

CODES = sorted(divisions.table())


def test_the_table_is_whole() -> None:
    levels = [division.level for division in divisions.table().values()]
    assert levels.count("province") == 34
    assert levels.count("prefecture") == 333
    assert levels.count("county") == 2850


def test_every_division_has_names_a_parent_and_a_centre_in_china() -> None:
    for code, division in divisions.table().items():
        assert division.name, code
        assert re.fullmatch(r"[A-Z][A-Za-zü' ]+", division.english), code
        assert (division.parent is None) == (division.level == "province")
        assert division.parent is None or division.parent in divisions.table()
        assert 3 < division.centre.latitude < 54, code
        assert 73 < division.centre.longitude < 136, code


def test_centres_lie_near_their_parents() -> None:
    for code, division in divisions.table().items():
        if division.level == "county" and division.parent and not division.parent.endswith("0000"):
            assert distance_km(division.centre, divisions.centre(division.parent)) < 1100, code


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_picker_never_shows_the_same_name_twice(lang: str) -> None:
    for code in ["", *CODES]:
        names = [divisions.name(child, lang) for child in (divisions.children(code) if code else divisions.provinces())]
        assert len(names) == len(set(names)), code


def test_every_division_is_reached_from_the_provinces() -> None:
    seen: list[str] = []
    waiting = list(divisions.provinces())
    while waiting:
        code = waiting.pop()
        seen.append(code)
        waiting += divisions.children(code)
    assert sorted(seen) == CODES


def test_former_divisions_lead_to_present_ones() -> None:
    for old, name, now in divisions.former():
        assert now in divisions.table(), (old, name)
        found = divisions.by_code(old)
        assert found is not None, (old, name)
        assert found.code == now, (old, name)


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("320214", ("320000", "320200", "320214")),
        ("110105", ("110000", "110105")),  # no "市辖区" in between
        ("500242", ("500000", "500242")),
        ("419001", ("410000", "419001")),  # directly under the province
        ("441900", ("440000", "441900")),  # a city without districts
        ("310000", ("310000",)),
        ("110100", ("110000",)),
        ("130101", ("130000", "130100")),
        ("330185", ("330000", "330100", "330112")),  # Lin'an, a city of its own until 2017
    ],
)
def test_the_chain_goes_from_the_province_down(code: str, path: tuple[str, ...]) -> None:
    assert divisions.chain(code) == path


@pytest.mark.parametrize(
    ("code", "chinese", "english"),
    [
        ("320214", "江苏省无锡市新吴区", "Xinwu District, Wuxi, Jiangsu"),
        ("320583", "江苏省苏州市昆山市", "Kunshan, Suzhou, Jiangsu"),
        ("110105", "北京市朝阳区", "Chaoyang District, Beijing"),
        ("310105", "上海市长宁区", "Changning District, Shanghai"),
        ("610113", "陕西省西安市雁塔区", "Yanta District, Xi'an, Shaanxi"),
        ("150102", "内蒙古自治区呼和浩特市新城区", "Xincheng District, Hohhot, Inner Mongolia"),
        ("410104", "河南省郑州市管城回族区", "Guancheng Hui District, Zhengzhou, Henan"),
        ("411100", "河南省漯河市", "Luohe, Henan"),
        ("810000", "香港特别行政区", "Hong Kong"),
    ],
)
def test_labels_read_naturally_in_both_languages(code: str, chinese: str, english: str) -> None:
    assert divisions.label(code, "zh") == chinese
    assert divisions.label(code, "en") == english


@pytest.mark.parametrize(
    "code", [None, "", "12", "999999", "32021", "3202140", "０１２３４５", "٣٢٠٢١٤", 320214.5, 10**40, "32\x000214"]
)
def test_unknown_codes_are_simply_unknown(code: object) -> None:
    assert divisions.by_code(code) is None


def test_codes_from_a_caller_that_checked_nothing_raise() -> None:
    with pytest.raises(KeyError):
        divisions.label("999999")


def test_within_serves_territories_of_divisions() -> None:
    assert divisions.within("320214", "320000")
    assert divisions.within("320214", "320214")
    assert not divisions.within("320200", "320214")
    assert not divisions.within("330106", "320000")


def test_search_finds_either_script_and_larger_places_first() -> None:
    assert divisions.search("无锡")[0] == "320200"
    assert divisions.search("wuxi")[0] == "320200"
    assert divisions.search("Xi'an")[0] == "610100"
    assert "320214" in divisions.search("新吴")
    assert "320214" in divisions.search("wu dist", limit=200)
    assert divisions.search("  ,") == []
    assert len(divisions.search("a", limit=5)) == 5
    assert divisions.search("a", limit=-1) == []


@given(st.text(max_size=300))
def test_search_takes_any_text(text: str) -> None:
    assert len(divisions.search(text)) <= 20


def test_the_nearest_county_is_a_hint_near_china_only() -> None:
    assert divisions.nearest(divisions.centre("320214")) == "320214"
    assert divisions.nearest(Point(52.52, 13.405)) is None


def test_centres_taken_from_a_neighbour_say_so() -> None:
    assert divisions.estimated("659007")
    assert not divisions.estimated("320214")
