"""The ready-made catalogues agree with each other and speak both languages. Reads the files only, no app."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2] / "fieldservice"
INDUSTRIES = ("lubricants", "coatings", "cnc", "general")
HAN = re.compile(r"[\u4e00-\u9fff]")
CODE = re.compile(r"[a-z][a-z0-9_]*")
SMALL_TERRITORY = 3  # stations of the small demo
MOST_TOUCHES = 3  # ticks, choices and texts a checklist may ask for; code, parts and finish take the rest of six


@cache
def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def words(namespace: str) -> set[str]:
    return set(load("foundation/data/words.yaml")[namespace])


def of_industries(folder: str) -> list[dict[str, Any]]:
    return [entry for name in INDUSTRIES for entry in load(f"workorders/data/{folder}/{name}.yaml")]


SKILLS = load("workorders/data/skills.yaml")
PARTS: list[dict[str, Any]] = load("parts/data/parts.yaml")
WORK_TYPES = of_industries("work_types")
PATTERNS = of_industries("fault_patterns")
COMPANY = load("demo/data/company.yaml")
NUMBERS = {part["number"] for part in PARTS}
KINDS = SKILLS["machine_kinds"]
FIELDS = [(work_type["code"], field) for work_type in WORK_TYPES for field in work_type["checklist"]]


def bilingual(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping that holds a text in either language, with its place in the file."""
    if isinstance(node, dict):
        if ("zh" in node or "en" in node) and not isinstance(node.get("zh"), list):
            yield path, node
        for key, value in node.items():
            yield from bilingual(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from bilingual(value, f"{path}[{index}]")


def repeated(values: Iterator[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


@pytest.mark.parametrize(
    "entries", [SKILLS, PARTS, WORK_TYPES, PATTERNS, COMPANY], ids=["skills", "parts", "types", "patterns", "company"]
)
def test_every_text_is_in_both_languages(entries: Any) -> None:
    faults = []
    for path, texts in bilingual(entries):
        unexpected = set(texts) - {"zh", "en", "code", "pinyin", "gender", "industry", "review_years", "valid_years"}
        blank = [language for language in ("zh", "en") if "pinyin" not in texts and not str(texts.get(language) or "")]
        if unexpected or blank or HAN.search(str(texts.get("en", ""))):
            faults.append((path, texts))
    assert not faults


def test_the_industries_and_codes_are_known() -> None:
    assert words("industry") == set(INDUSTRIES)
    for name in ("industry", "criticality", "unit"):
        allowed = {"industry": set(INDUSTRIES), "criticality": {"A", "B", "C", "safety"}}
        allowed["unit"] = {"pcs", "set", "l", "m", "kg"}
        assert {part[name] for part in PARTS} <= allowed[name]
    assert {kind["industry"] for kind in KINDS.values()} == set(INDUSTRIES)


def test_certificates_follow_their_validity_rule() -> None:
    for code, certificate in SKILLS["certificates"].items():
        assert 0 < certificate["review_years"] <= certificate["valid_years"], code
        if code != "hoisting":  # special equipment: renewed, not reviewed
            assert (certificate["review_years"], certificate["valid_years"]) == (3, 6)


def test_parts_are_distinct_priced_and_stocked() -> None:
    assert not repeated(part["number"] for part in PARTS)
    assert len(PARTS) >= 150
    for part in PARTS:
        assert isinstance(part["price_minor"], int), part
        assert part["price_minor"] > 0, part
        assert part["station_quantity"] >= 0, part
        assert isinstance(part["serial_tracked"], bool), part
        assert ("van" in part) == ("van_quantity" in part), part
        assert part.get("van") in (None, True), part
        assert part.get("van_quantity", 1) > 0, part


def test_work_types_are_distinct_and_refer_to_what_exists() -> None:
    versions: dict[str, list[int]] = {}
    for work_type in WORK_TYPES:
        versions.setdefault(work_type["code"], []).append(work_type["version"])
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values()), versions
    assert len(versions) >= 28
    for work_type in WORK_TYPES:
        code = work_type["code"]
        assert CODE.fullmatch(code)
        assert work_type["kind"] in words("work_kind"), code
        assert 60 <= work_type["duration_min"] <= 240, code
        assert work_type["skills"], code
        assert set(work_type["skills"]) <= set(SKILLS["skills"]), code
        assert set(work_type["skills"].values()) <= {1, 2, 3}, code
        assert set(work_type.get("permits", ())) <= words("permit"), code
        assert all(CODE.fullmatch(tool["code"]) for tool in work_type.get("tools", ())), code
        for industry, more in work_type.get("industry_skills", {}).items():
            assert industry in INDUSTRIES, code
            assert set(more) <= set(SKILLS["skills"]), code
            assert set(more.values()) <= {1, 2, 3}, code
        assert set(work_type["certificates"]) <= set(SKILLS["certificates"]), code
        assert {line["number"] for line in work_type["parts"]} <= NUMBERS, code
        assert all(line["quantity"] > 0 for line in work_type["parts"]), code


@pytest.mark.parametrize("name", INDUSTRIES)
def test_work_types_stand_in_the_file_of_their_industry(name: str) -> None:
    assert {entry["industry"] for entry in load(f"workorders/data/work_types/{name}.yaml")} == {name}


@pytest.mark.parametrize("work_type", WORK_TYPES, ids=lambda work_type: f"{work_type['code']}-{work_type['version']}")
def test_a_checklist_closes_within_the_six_touches(work_type: dict[str, Any]) -> None:
    fields = work_type["checklist"]
    assert 4 <= len(fields) <= 9
    assert not repeated(field["code"] for field in fields)
    asked = [field for field in fields if field["required"] and field["type"] in ("check", "choice", "text")]
    assert len(asked) <= MOST_TOUCHES


@pytest.mark.parametrize(("work_type", "field"), FIELDS, ids=[f"{code}.{field['code']}" for code, field in FIELDS])
def test_a_checklist_field_is_well_formed(work_type: str, field: dict[str, Any]) -> None:
    assert CODE.fullmatch(field["code"])
    assert field["type"] in ("check", "number", "choice", "text", "photo")
    assert isinstance(field["required"], bool)
    assert ("unit" in field) == (field["type"] == "number")
    assert ("options" in field) == (field["type"] == "choice")
    if field["type"] == "number":
        low, high = field.get("low"), field.get("high")
        assert field["unit"]
        assert low is not None or high is not None
        assert low is None or high is None or low < high
        nominal = field.get("nominal")
        assert nominal is None or low <= nominal <= high
    else:
        assert not {"low", "high", "nominal"} & set(field)
    if field["type"] == "choice":
        codes = [option["code"] for option in field["options"]]
        assert len(codes) == len(set(codes)) >= 2


def test_fault_patterns_are_many_and_distinct() -> None:
    assert len(PATTERNS) >= 130
    assert not repeated(pattern["code"] for pattern in PATTERNS)
    for language in ("zh", "en"):
        assert not repeated(pattern["symptom"][language] for pattern in PATTERNS)
        assert not repeated(pattern["remedy"][language] for pattern in PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern["code"])
def test_a_fault_pattern_is_coded_searchable_and_explained(pattern: dict[str, Any]) -> None:
    assert CODE.fullmatch(pattern["code"])
    codings = {
        "mode": "failure_mode",
        "mechanism": "failure_mechanism",
        "cause": "failure_cause",
        "detection": "detection",
        "activity": "activity",
        "severity": "severity",
    }
    for key, namespace in codings.items():
        assert pattern[key] in words(namespace), key
    assert pattern["work_type"] in {work_type["code"] for work_type in WORK_TYPES}
    assert pattern["machines"]
    assert set(pattern["machines"]) <= set(KINDS)
    assert {line["number"] for line in pattern["parts"]} <= NUMBERS
    assert all(line["quantity"] > 0 for line in pattern["parts"])
    for language in ("zh", "en"):
        found = pattern["words"][language]
        assert len(found) == len(set(found)) >= 3
        assert all(isinstance(term, str) for term in found)  # alarm 414 is a word to search for, not a number
    assert HAN.search(pattern["symptom"]["zh"])
    assert pattern["remedy"]["zh"].endswith("。")
    assert pattern["remedy"]["en"].endswith(".")


def test_every_kind_of_machine_has_faults_and_a_model() -> None:
    met = Counter(kind for pattern in PATTERNS for kind in pattern["machines"])
    built = {machine["kind"] for machine in COMPANY["machines"]}
    assert {kind: met[kind] for kind in KINDS if met[kind] < 3} == {}
    assert built == set(KINDS)
    for machine in COMPANY["machines"]:
        assert machine["industry"] == KINDS[machine["kind"]]["industry"], machine["model"]
    assert not repeated(machine["model"] for machine in COMPANY["machines"])
    assert not repeated(machine["serial"].format(year=2024, n=1) for machine in COMPANY["machines"])


def divisions() -> dict[str, dict[str, str]]:
    with (ROOT / "foundation/places/data/divisions.csv").open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row for row in csv.DictReader(lines)}


def counties_of(territory: list[str]) -> set[str]:
    """The counties of a territory; a prefecture without counties stands for itself."""
    known = divisions()
    assert set(territory) <= set(known)
    return {code for code in known if code in territory or code[:4] + "00" in territory}


def test_territories_do_not_overlap_and_hold_their_station() -> None:
    stations = COMPANY["stations"]
    taken: set[str] = set()
    assert len(stations) == 12
    assert not repeated(station["code"] for station in stations)
    assert [station["demo"] for station in stations].count("small") == SMALL_TERRITORY
    assert all(station["demo"] == "small" for station in stations[:SMALL_TERRITORY])
    for station in stations:
        counties = counties_of(station["territory"])
        assert not counties & taken, station["code"]
        taken |= counties
        assert station["division_code"] in counties, station["code"]
        assert re.fullmatch(r"0\d{2,3}-\d{7,8}", station["phone"])
        centre = divisions()[station["division_code"]]
        assert abs(float(centre["longitude"]) - station["point"]["longitude"]) < 0.3, station["code"]
        assert abs(float(centre["latitude"]) - station["point"]["latitude"]) < 0.3, station["code"]


def test_customers_are_distinct_and_live_in_a_territory() -> None:
    customers = COMPANY["customers"]
    home = {county: station["code"] for station in COMPANY["stations"] for county in counties_of(station["territory"])}
    assert len(customers) >= 60
    for key in ("zh", "en"):
        assert not repeated(customer["names"][key] for customer in customers)
        assert not repeated(customer["short"][key] for customer in customers)
    assert not repeated(customer["code"] for customer in customers)
    for customer in customers:
        assert {customer["industry"], *customer.get("also", ())} <= set(INDUSTRIES), customer["code"]
        assert customer["tier"] in words("tier"), customer["code"]
        assert customer["language"] in ("zh", "en"), customer["code"]
    served = Counter(home[customer["division_code"]] for customer in customers)
    assert set(served) == {station["code"] for station in COMPANY["stations"]}
    assert all(served[station["code"]] >= 10 for station in COMPANY["stations"][:SMALL_TERRITORY])


def test_the_sentences_cover_every_case() -> None:
    assert set(COMPANY["reports"]["impact"]) == words("severity")
    assert set(COMPANY["priority_reasons"]) == words("severity")
    assert set(COMPANY["cannot_complete"]) == words("cannot_complete_reason")
    assert set(COMPANY["survey"]) == set("12345")
    assert set(COMPANY["areas"]) == set(INDUSTRIES)
    for sentences in COMPANY["reports"]["since"], COMPANY["reports"]["tried"], COMPANY["technician_notes"]:
        assert len(sentences) >= 15


def test_pictures_of_before_and_after_come_in_pairs() -> None:
    """In the newest version of a checklist, as many of the one as of the other."""
    for work_type in {one["code"]: one for one in WORK_TYPES}.values():
        moments = Counter(field.get("moment") for field in work_type["checklist"])
        assert moments["before"] == moments["after"], work_type["code"]
    assert sum(1 for _code, field in FIELDS if field.get("moment") == "before") >= 4
