"""What `make bench` says where the car parts are not."""

from pathlib import Path

import pytest

from benchmarks.parts.figures import figures


def test_absent_data_is_said_and_never_guessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert figures(str(tmp_path), ("lead1", "lead3", "kits")) == []
    assert "NOT MEASURED: lead1, lead3, kits" in capsys.readouterr().err
