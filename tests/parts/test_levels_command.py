"""`levels backtest`: anybody's file, in both languages, and clear words about a bad one."""

import json
from pathlib import Path

import numpy as np
import pytest
from flask import Flask

from tests.parts.levels.test_backtest import parts


def written(path: Path, rows: list[list[str]], header: list[str] | None = None) -> Path:
    header = header or ["part_id", *(f"m{at}" for at in range(len(rows[0]) - 1))]
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n", encoding="utf-8")
    return path


def table(months: int = 30) -> list[list[str]]:
    return [[f"P{at}", *(str(int(cell)) for cell in row)] for at, row in enumerate(parts(60, months))]


def test_a_file_is_compared_and_told_as_json(sqlite_app: Flask, tmp_path: Path) -> None:
    rows = table()
    rows[7][3] = ""  # unknown, so this part is left out
    path = written(tmp_path / "demand.csv", rows)
    found = sqlite_app.test_cli_runner().invoke(
        args=["levels", "backtest", str(path), "--lead", "1", "--score", "12", "--json"]
    )
    assert found.exit_code == 0, found.output
    told = json.loads(found.output)
    assert (told["parts"], told["left_out"], told["learned"], told["scored"], told["lead"]) == (59, 1, 18, 12, 1)
    assert [row["share"] for row in told["needed"]] == [0.95, 0.98]
    first = told["needed"][0]
    assert first["ratio"] == first["best"][0]["ratio"]
    assert {one["asked"] for one in told["calibrated"]} == {0.95, 0.98}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["60 parts (0 left out for empty cells)", "rules as they are published", "asked for 95 %"]),
        ("zh", ["60 个备件", "规则按原文献", "要求 95 %"]),
    ],
)
def test_it_is_told_in_both_languages(sqlite_app: Flask, tmp_path: Path, language: str, words: list[str]) -> None:
    path = written(tmp_path / "demand.csv", table())
    found = sqlite_app.test_cli_runner().invoke(
        args=["levels", "backtest", str(path), "--lead", "0", "--score", "12", "--lang", language]
    )
    assert found.exit_code == 0, found.output
    for one in words:
        assert one in found.output


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["P1", "1", "x"]], "Line 2: “x” is no amount"),
        ([["P1", "1", "-2"]], "“-2” is no amount"),
        ([["P1", "1", "nan"]], "“nan” is no amount"),
        ([["P1", "1", "1e9"]], "“1e9” is no amount"),
        ([["P1", "1", "2"], ["P1", "1", "2"]], "Line 3: part P1 stands in the file twice"),
        ([["", "1", "2"]], "the part's number is missing"),
        ([["P1", "1", "2"], ["P2", "1"]], "Line 3: it does not have as many cells"),
        ([["P1", "1", "2"]], "2 months are too few: 14 to learn from and 24 to score are needed"),
        ([["P1", "", "2"]], "No part has an amount in every month"),
    ],
)
def test_a_bad_file_is_told_by_line(sqlite_app: Flask, tmp_path: Path, rows: list[list[str]], says: str) -> None:
    path = written(tmp_path / "demand.csv", rows, ["part", "a", "b"])
    found = sqlite_app.test_cli_runner().invoke(args=["levels", "backtest", str(path), "--lead", "1", "--lang", "en"])
    assert found.exit_code == 1
    assert says in found.output
    assert "Traceback" not in found.output


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "header"), (b"part\n", "header"), (b"part,a\n", "no parts"), (b"PK\x03\x04broken", "XLSX")],
)
def test_no_table_at_all(sqlite_app: Flask, tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "demand.csv"
    path.write_bytes(content)
    found = sqlite_app.test_cli_runner().invoke(args=["levels", "backtest", str(path), "--lead", "1", "--lang", "en"])
    assert found.exit_code == 1
    assert says in found.output


def test_many_faults_are_told_ten_at_a_time(sqlite_app: Flask, tmp_path: Path) -> None:
    path = written(tmp_path / "demand.csv", [[f"P{at}", "bad"] for at in range(50)], ["part", "a"])
    found = sqlite_app.test_cli_runner().invoke(args=["levels", "backtest", str(path), "--lead", "1", "--lang", "en"])
    assert found.output.count("is no amount") == 10


@pytest.mark.parametrize("lead", ["-1", "13", "x"])
def test_a_lead_time_has_bounds(sqlite_app: Flask, tmp_path: Path, lead: str) -> None:
    path = written(tmp_path / "demand.csv", table())
    assert sqlite_app.test_cli_runner().invoke(args=["levels", "backtest", str(path), "--lead", lead]).exit_code == 2


def test_the_command_needs_no_database(sqlite_app: Flask, tmp_path: Path) -> None:
    """A file is compared on a machine that has no company yet."""
    path = written(tmp_path / "demand.csv", [["P1", *np.tile(["0", "1"], 20)]])
    found = sqlite_app.test_cli_runner().invoke(args=["levels", "backtest", str(path), "--lead", "1", "--json"])
    assert found.exit_code == 0, found.output
