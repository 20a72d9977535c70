"""The front-end build: hashed names, one manifest, nothing done twice, sizes that customers can afford."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT

NODE = Path(sys.executable).parent / "node"
DIST = ROOT / "static" / "dist"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the sources, so that a test may spoil them."""
    (tmp_path / "static").mkdir()
    shutil.copy(ROOT / "static" / "build.mjs", tmp_path / "static")
    shutil.copytree(ROOT / "static" / "src" / "foundation", tmp_path / "static" / "src" / "foundation")
    shutil.copy(ROOT / "package-lock.json", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def build(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(NODE), "static/build.mjs", *options], cwd=project, capture_output=True, text=True)


def manifest(project: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads((project / "static" / "dist" / "manifest.json").read_text())
    return content


def test_every_name_leads_to_a_file_with_its_hash(project: Path) -> None:
    run = build(project)
    assert run.returncode == 0, run.stderr
    for name, built in manifest(project).items():
        stem, extension = name.rsplit(".", 1)
        assert re.fullmatch(rf"{stem}-[0-9A-Z]{{8}}\.{extension}", built)
        assert (project / "static" / "dist" / built).is_file()
    assert {"foundation/site.css", "foundation/site.js", "foundation/desk.js", "foundation/icons.svg"} <= set(
        manifest(project)
    )


def test_nothing_is_built_twice_and_a_change_gets_a_new_name(project: Path) -> None:
    build(project)
    before = manifest(project)
    assert "nothing changed" in build(project).stdout
    with (project / "static" / "src" / "foundation" / "utilities.css").open("a") as file:
        file.write("@layer utilities { .fresh { gap: 1px; } }")
    build(project)
    after = manifest(project)
    assert after["foundation/site.css"] != before["foundation/site.css"]
    assert after["foundation/site.js"] == before["foundation/site.js"]
    assert not (project / "static" / "dist" / before["foundation/site.css"]).exists()


def test_an_unknown_icon_stops_the_build(project: Path) -> None:
    with (project / "static" / "src" / "foundation" / "icons.txt").open("a") as file:
        file.write("no-such-thing\n")
    run = build(project)
    assert run.returncode != 0
    assert 'no icon "no-such-thing"' in run.stderr


def test_production_files_carry_no_source_maps(project: Path) -> None:
    build(project)
    assert not list((project / "static" / "dist").rglob("*.map"))
    build(project, "--maps")
    assert list((project / "static" / "dist").rglob("*.map"))


def test_browsers_without_light_dark_get_light_colours(project: Path) -> None:
    build(project)
    css = (project / "static" / "dist" / manifest(project)["foundation/site.css"]).read_text()
    fallback = css[css.index("@supports not") :]
    assert "--accent:#0b5e59" in fallback.replace(" ", "")
    assert "light-dark(" not in fallback.split("{", 1)[1]


def weight(*names: str) -> float:
    built = json.loads((DIST / "manifest.json").read_text())
    return sum(len(gzip.compress((DIST / built[name]).read_bytes(), 9)) for name in names) / 1024


def test_the_whole_look_stays_under_15_kb() -> None:
    assert weight("foundation/site.css") <= 15


def test_shared_scripts_leave_room_for_the_pages_own() -> None:
    """UI §6: 20 KB on customers' pages, 95 KB on desks; what every page carries is a small part of it."""
    assert weight("foundation/site.js", "foundation/live.js") <= 6
    assert weight("foundation/site.js", "foundation/desk.js") <= 20


def test_the_timeline_leaves_room_for_the_board_around_it() -> None:
    assert weight("dispatch/timeline.js") <= 12


def test_the_map_stays_small_beside_it() -> None:
    assert weight("dispatch/map.js") <= 12
    assert weight("dispatch/map.css") <= 1.5


def test_every_icon_that_pages_name_is_in_the_sprite() -> None:
    listed = (ROOT / "static" / "src" / "foundation" / "icons.txt").read_text().split()
    assert listed == sorted(set(listed))
    for path in (ROOT / "templates").rglob("*.html"):
        for name in re.findall(r'\b(?:icon|empty)\("([a-z0-9-]+)"', path.read_text(encoding="utf-8")):
            assert name in listed, f"{path.relative_to(ROOT)} uses {name}"


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "package-lock.json").read_text()
