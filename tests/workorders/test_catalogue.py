"""Work types and fault patterns as the product reads them, and finding them by words (N-11)."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from fieldservice.foundation.db import write
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.time import now
from fieldservice.mechanisms import templates
from fieldservice.workorders import catalogue, fault_search

# How people say it, not how the catalogue does; any of the work types would be a good start.
SAID = [
    ("机床主轴转起来嗡嗡响，温度很高", "spindle_repair"),
    ("刀库卡住不换刀", "tool_changer_repair"),
    ("切削液发臭，工人手痒", "coolant_care machine_coolant_repair"),
    ("齿轮箱底下一滩油", "gearbox_seal_change gearbox_diagnosis"),
    ("减速箱声音不对，有异响", "gearbox_diagnosis"),
    ("液压站压力上不去", "hydraulic_performance"),
    ("液压油管爆了，喷油", "hydraulic_leak_repair"),
    ("烤箱温度升不上去", "oven_repair"),
    ("空压机不打气", "compressor_repair"),
    ("冷水机报高压", "chiller_repair"),
    ("机器人突然停在半路，示教器黑屏", "robot_repair"),
    ("输送带跑偏", "conveyor_repair"),
    ("配电柜跳闸", "electrical_repair"),
    ("泵震动大", "rotating_repair"),
    ("要取个油样化验", "oil_sampling"),
    ("卡盘夹不紧", "workholding_repair"),
    ("双组份配比不准，漆不干", "paint_ratio_calibration"),
    ("喷房风速不够，漆雾出不去", "booth_repair"),
    ("前处理磷化不上", "pretreatment_service"),
    ("铣床主轴一开就嗞嗞叫", "spindle_repair"),
    ("机械手原点丢了", "robot_repair"),
    ("spindle makes a grinding noise and gets hot", "spindle_repair"),
    ("servo alarm 414 on the X axis", "servo_repair"),
    ("oil puddle below the reducer", "gearbox_seal_change gearbox_diagnosis"),
    ("hydraulic pressure will not build up", "hydraulic_performance"),
    ("air compressor does not load", "compressor_repair"),
    ("conveyor belt drifts to one side", "conveyor_repair"),
    ("breaker keeps tripping", "electrical_repair"),
    ("water in the oil, milky", "oil_purification oil_change"),
    ("coolant smells rotten", "coolant_care machine_coolant_repair"),
    ("chuck does not clamp", "workholding_repair"),
    ("powder does not stick", "powder_repair"),
    ("oil pressure low at lube station", "lube_station_repair"),
    ("two component mix ratio wrong", "paint_ratio_calibration"),
]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_N_11_every_symptom_finds_its_own_pattern_among_the_first_three(sqlite_app: Flask, language: str) -> None:
    missed = [
        one.code for one in catalogue.patterns()
        if one.code not in [found.code for found in catalogue.find_patterns(one.symptom[language], limit=3)]
    ]  # fmt: skip
    assert not missed


@pytest.mark.parametrize("language", ["zh", "en"])
def test_half_a_symptom_finds_its_pattern_too(sqlite_app: Flask, language: str) -> None:
    everything = catalogue.patterns()
    found = 0
    for one in everything:
        text = one.symptom[language]
        half = (
            text[: max(4, len(text) // 2)]
            if language == "zh"
            else " ".join(text.split()[: max(3, len(text.split()) // 2)])
        )
        found += one.code in [pattern.code for pattern in catalogue.find_patterns(half, limit=3)]
    assert found >= 0.9 * len(everything)


@pytest.mark.parametrize(("text", "work_types"), SAID)
def test_what_people_say_hints_at_the_right_work(sqlite_app: Flask, text: str, work_types: str) -> None:
    hints = catalogue.hints(text)
    assert {hint.work_type.code for hint in hints} & set(work_types.split()), [hint.work_type.code for hint in hints]
    assert all(hint.pattern.work_type == hint.work_type.code for hint in hints)  # the reason fits the hint


def test_words_for_the_same_thing_are_one(sqlite_app: Flask) -> None:
    assert fault_search.cut("齿轮箱震动") == fault_search.cut("减速机振动")
    assert fault_search.cut("The reducer drips") == fault_search.cut("gearbox leaking")
    assert "gearb" not in fault_search.cut("reducers")  # Latin names are whole words


def test_patterns_of_the_own_work_come_first_where_others_score_alike(sqlite_app: Flask) -> None:
    first = catalogue.find_patterns("漏油", work_type="hydraulic_leak_repair")[0]
    assert first.work_type == "hydraulic_leak_repair"
    assert catalogue.find_patterns("漏油", work_type="gearbox_seal_change")[0].work_type == "gearbox_seal_change"


def test_without_words_the_order_own_patterns_are_offered(sqlite_app: Flask) -> None:
    found = catalogue.find_patterns(" ", work_type="gearbox_seal_change")
    assert found
    assert {one.work_type for one in found} == {"gearbox_seal_change"}
    assert catalogue.find_patterns("") == []
    assert catalogue.find_patterns("ξψζ") == []


def test_a_pattern_added_by_an_administrator_is_found_at_once(app: Flask) -> None:
    known = templates.get("fault_pattern", "gearbox_output_seal_leak").content
    added = {
        **known,
        "symptom": {"zh": "蒸馏塔回流罐泄漏", "en": "Distillation reflux drum leaks"},
        "words": {"zh": [], "en": []},
    }
    assert "reflux_leak" not in [one.code for one in catalogue.find_patterns("蒸馏塔回流", limit=300)]
    write(lambda: templates.save("fault_pattern", "reflux_leak", added, at=now()))
    assert catalogue.find_patterns("蒸馏塔回流")[0].code == "reflux_leak"


def test_a_work_type_keeps_the_version_an_order_was_given(app: Flask) -> None:
    known = templates.get("work_type", "gearbox_seal_change").content
    write(lambda: templates.save("work_type", "gearbox_seal_change", {**known, "duration_min": 200}, at=now()))
    assert catalogue.work_type("gearbox_seal_change").duration_min == 200
    assert catalogue.work_type("gearbox_seal_change", 1).duration_min == known["duration_min"]


@pytest.mark.parametrize("code", ["", "nonsense", "a\x00b", "長" * 900])
def test_unknown_codes_are_refused_in_words(app: Flask, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        catalogue.work_type(code)
    assert "work_type" in refused.value.errors
    with pytest.raises(Invalid):
        catalogue.pattern(code)


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("电柜冒烟，有焦味", "safety"),
        ("不冒烟，但是全线停产", "line_stop"),
        ("没有停线，只是噪音大", None),
        ("The line is down since six", "line_stop"),
        ("There is no smoke, line stopped", "line_stop"),
        ("Somebody was injured and production stopped", "safety"),
        ("smokestack paint is peeling", None),
        ("", None),
    ],
)
def test_severity_is_heard_in_the_words(text: str, severity: str | None) -> None:
    assert catalogue.severity_said(text) == severity


@given(st.text(max_size=300))
def test_any_text_can_be_searched(text: str) -> None:
    words = fault_search.cut(text)
    assert all(0 < weight <= 1 for weight in words.values())
    assert fault_search.cut(text) == words
    catalogue.severity_said(text)
