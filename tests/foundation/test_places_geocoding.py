"""Addresses become divisions, or questions; never a silent guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.places import divisions, geocode
from fieldservice.foundation.places.geocoding import DivisionGeocoder
from fieldservice.foundation.places.names import short_name

COUNTIES = [division for division in divisions.table().values() if division.level == "county"]

RESOLVED = [
    # address, division, precision, what follows it
    ("江苏省无锡市新吴区长江路18号", "320214", "county", "长江路18号"),
    ("浙江杭州西湖区文三路90号", "330106", "county", "文三路90号"),
    ("江苏省 无锡市 新吴区 长江路18号", "320214", "county", "长江路18号"),
    ("中国江苏省无锡市新吴区", "320214", "county", ""),
    ("214028 江苏无锡新吴区长江路１８号", "320214", "county", "长江路18号"),
    ("地址：昆山市张浦镇", "320583", "county", "张浦镇"),
    ("苏州昆山张浦镇", "320583", "county", "张浦镇"),
    ("北京市市辖区朝阳区建国路", "110105", "county", "建国路"),
    ("上海市上海市浦东新区", "310115", "county", ""),
    ("河南省省直辖县级行政区划济源市", "419001", "county", ""),
    ("湖南长沙县", "430121", "county", ""),
    ("浙江江山市", "330881", "county", ""),
    ("吉林昌邑区", "220202", "county", ""),
    ("大理市下关镇", "532901", "county", "下关镇"),
    ("河北区中山路", "120105", "county", "中山路"),
    ("海淀区中关村大街", "110108", "county", "中关村大街"),
    ("杭州市临平区", "330113", "county", ""),
    # names and borders of before
    ("杭州市临安市", "330112", "county", ""),
    ("江西上饶县", "361104", "county", ""),
    ("吉林省四平市公主岭市", "220184", "county", ""),
    # streets named after other places
    ("上海市浦东新区南京路", "310115", "county", "南京路"),
    ("上海市南京东路100号", "310000", "province", "南京东路100号"),
    ("无锡市北京路3号", "320200", "prefecture", "北京路3号"),
    ("南京东路100号上海市黄浦区", "310101", "county", ""),
    ("杭州市余杭镇", "330100", "prefecture", "余杭镇"),
    ("合肥市场街", "340100", "prefecture", "市场街"),
    # a company's name first
    ("联创汽车，昆山市前进路", "320583", "county", "前进路"),
    ("江苏联创汽车有限公司 昆山市前进路", "320583", "county", "联创汽车有限公司 昆山市前进路"),
    # no smaller division is said, or there is none
    ("苏州工业园区星湖街", "320500", "prefecture", "工业园区星湖街"),
    ("东莞市长安镇", "441900", "prefecture", "长安镇"),
    ("吉林", "220000", "province", ""),
    ("海南", "460000", "province", ""),
    ("香港九龙", "810000", "province", "九龙"),
    # Latin letters
    ("Xinwu District, Wuxi", "320214", "county", "Xinwu District, Wuxi"),
    ("No. 18 Changjiang Road Xinwu District Wuxi Jiangsu China", "320214", "county", None),
    ("wuxi shi xinwu qu", "320214", "county", None),
    ("100 Nanjing East Road, Shanghai", "310000", "province", None),
    ("Suzhou, Jiangsu", "320500", "prefecture", None),
    ("Kunshan City", "320583", "county", None),
    ("Hohhot, Inner Mongolia", "150100", "prefecture", None),
]

ASKED_BACK = [
    ("西湖区文三路90号", {"330106", "360103"}),
    ("朝阳区建国路", {"110105", "220104"}),
    ("朝阳", {"110105", "211300"}),
    ("江苏鼓楼区", {"320106", "320302"}),
    ("昆山", {"320583"}),  # a bare short name only suggests
    ("东区3号楼", {"510402"}),
    ("南京银行上海分行", {"320100", "310000"}),
    ("联创公司，苏州市吴中区与南京市玄武区之间", {"320506", "320102"}),
    ("Suzhou", {"320500", "341300"}),
    ("Chaoyang District", {"110105", "220104", "440513"}),
    ("Xihu District, Shanghai", {"330106", "360103", "210503", "310000"}),
    ("Kunshan", {"320583"}),
    ("南京路18号", set()),
    ("中山北一路12号", set()),
    ("延安高架路", set()),
    ("长安镇", set()),
    ("18 Main St", set()),
    ("Berlin", set()),
    ("二号车间", set()),
    ("", set()),
    ("   \x00\u200b，", set()),
]


@pytest.mark.parametrize(("address", "code", "precision", "detail"), RESOLVED)
def test_addresses_that_say_where_they_are(address: str, code: str, precision: str, detail: str | None) -> None:
    result = geocode(address)
    assert (result.division_code, result.precision, result.rivals) == (code, precision, ())
    assert result.point == divisions.centre(code)
    assert detail is None or result.detail == detail


@pytest.mark.parametrize(("address", "rivals"), ASKED_BACK)
def test_unclear_places_are_asked_back(address: str, rivals: set[str]) -> None:
    result = geocode(address)
    assert (result.point, result.division_code, result.precision, result.clear) == (None, None, "none", False)
    assert {code for code, _label in result.rivals} == rivals


def test_rivals_are_labelled_in_the_asked_language() -> None:
    assert geocode("西湖区").rivals[0] == ("330106", "浙江省杭州市西湖区")
    assert geocode("西湖区", lang="en").rivals[0] == ("330106", "Xihu District, Hangzhou, Zhejiang")


@pytest.mark.parametrize(
    ("address", "clear"),
    [("无锡市新吴区", True), ("东莞市", True), ("香港", True), ("无锡市", False), ("江苏省", False), ("西湖区", False)],
)
def test_clear_means_the_smallest_division_there_is(address: str, clear: bool) -> None:
    assert geocode(address).clear is clear


@pytest.mark.parametrize(
    ("address", "picked", "code", "doubt"),
    [
        ("西湖区文三路90号", "330106", "330106", None),  # the answer to the question
        ("西湖区文三路90号", "330100", "330106", None),  # the city is enough
        ("昆山张浦镇", "320500", "320583", None),  # a bare short name, confirmed
        ("文三路90号", "330106", "330106", None),
        ("浙江省", "330106", "330106", None),
        ("", "330106", "330106", None),
        ("鼓楼区", "320000", "320000", None),  # two of them in Jiangsu still
        ("江苏省无锡市新吴区", "330106", "330106", "320214"),  # the pick holds, and the contradiction shows
        ("无锡市", "330185", "330112", "320200"),
        ("南京银行", "330106", "330106", None),
    ],
)
def test_what_a_person_picked_holds(address: str, picked: str, code: str, doubt: str | None) -> None:
    result = geocode(address, picked)
    assert (result.division_code, result.doubt, result.rivals) == (code, doubt, ())


@pytest.mark.parametrize("code", ["999999", "abc", "3202", "1" * 500, "\x00"])
def test_an_unknown_division_is_said_so(code: str) -> None:
    with pytest.raises(Invalid) as caught:
        geocode("无锡市", code)
    assert list(caught.value.errors) == ["division_code"]


def test_an_address_has_an_end() -> None:
    assert geocode("无锡市" + "路" * 197).precision == "prefecture"
    with pytest.raises(Invalid) as caught:
        geocode("无锡市" + "路" * 198)
    assert list(caught.value.errors) == ["address"]


names = st.sampled_from([division.name for division in divisions.table().values()])
pieces = (
    names
    | names.map(short_name)
    | st.text(max_size=6)
    | st.sampled_from(["路", "市辖区", " ", "，", "\ud800", "Wuxi "])
)


@given(st.lists(pieces, max_size=12).map(lambda parts: "".join(parts)[:200]))
def test_any_text_gets_a_consistent_answer(address: str) -> None:
    result = geocode(address)
    assert (result.point is None) == (result.division_code is None) == (result.precision == "none")
    assert result.division_code is None or not result.rivals
    assert len(result.rivals) <= 12


@pytest.mark.parametrize("piece", ["吉林", "上海市", "朝阳", "大理", "市中区鼓楼区", "南京路", "x吉林", "jilin "])
def test_repetition_does_not_explode(piece: str) -> None:
    geocode((piece * 200)[:200])


def every_county(form: str) -> list[tuple[str, str, str]]:
    """(form, address, code) for every county of China."""
    rows = []
    for county in COUNTIES:
        *above, own = [divisions.name(code) for code in divisions.chain(county.code)]
        short = "".join(map(short_name, above))
        address = {
            "full": f"{''.join(above)}{own}长江路18号",
            "city": f"{above[-1]}{own}",
            "short": f"{short}{own}人民路",
            "trap": f"{''.join(above)}{own}南京东路1号",
            "company": f"联创精密有限公司，{''.join(above)}{own}一号路",
            "alone": f"{own}建设路8号",
        }[form]
        rows.append((form, address, county.code))
    return rows


@pytest.mark.parametrize("form", ["full", "city", "short", "trap", "company"])
def test_every_county_of_china_is_understood(form: str) -> None:
    wrong = [
        (address, geocode(address).division_code)
        for _form, address, code in every_county(form)
        if geocode(address).division_code != code
    ]
    assert wrong == []


def test_a_county_without_its_city_is_right_or_asked_back() -> None:
    asked = 0
    for _form, address, code in every_county("alone"):
        result = geocode(address)
        if result.division_code is None:
            asked += 1
            assert code in {rival for rival, _label in result.rivals}, address
        else:
            assert result.division_code == code, address
    assert 50 < asked < 150


def test_english_labels_are_understood_again() -> None:
    for county in COUNTIES:
        result = geocode(divisions.label(county.code, "en"), lang="en")
        assert county.code == result.division_code or county.code in {code for code, _label in result.rivals}


def test_geopy_sees_a_geocoder_like_any_other() -> None:
    geocoder = DivisionGeocoder()
    place = geocoder.geocode("江苏省无锡市新吴区长江路18号")
    assert place is not None
    assert place.address == "江苏省无锡市新吴区"
    assert place.raw["precision"] == "county"
    assert place.latitude == pytest.approx(31.55, abs=0.1)
    assert geocoder.geocode("西湖区文三路90号") is None
    assert [found.raw["division_code"] for found in geocoder.geocode("西湖区文三路90号", exactly_one=False)] == [
        "330106",
        "360103",
    ]
    assert geocoder.geocode("nowhere at all", exactly_one=False) is None
