"""Backup and restore: whole, all-or-nothing, on both databases and from one to the other."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from config import ROOT, Settings
from fieldservice import create_app
from fieldservice.foundation.db import Base, db, session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.web import settings
from fieldservice.insight.verify import verify
from fieldservice.operations import commands, dump, load, schema
from fieldservice.operations.archive import ArchiveUnusable, reading
from fieldservice.operations.children import environment_of
from tests import postgres
from tests.conftest import DATABASES
from tests.factories import station, technician
from tests.waiting import wait_until


@pytest.fixture
def own(app: Flask, tmp_path: Path) -> Settings:
    """This app's settings over an instance folder of the test's own."""
    instance = tmp_path / "instance"
    instance.mkdir()
    return replace(settings(), instance_path=instance, backup_folder=tmp_path / "backups")


@pytest.fixture
def filled(app: Flask, own: Settings) -> Settings:
    write(lambda: technician(station(territory=["320214"])))
    picture = own.instance_path / "files" / "kept" / "ab" / "abc.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"\xff\xd8 a picture")
    return own


def content() -> dict[str, list[Any]]:
    """Every row of every table."""
    session.rollback()
    rows = {
        table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
        for table in Base.metadata.sorted_tables
    }
    session.rollback()  # a reader would hold up a restore
    return rows


def other_database(kind: str, own: Settings, tmp_path: Path) -> tuple[Flask, Settings]:
    url = f"sqlite:///{tmp_path / 'other.db'}" if kind == "sqlite" else postgres.make_database(f"other_{os.getpid()}")
    instance = tmp_path / "other"
    instance.mkdir()
    there = replace(own, database_url=url, instance_path=instance)
    return create_app(there), there


def test_a_backup_is_private_whole_and_says_what_it_holds(app: Flask, filled: Settings, tmp_path: Path) -> None:
    made = dump.back_up(db.engine, filled, tmp_path / "b" / "one.zip")
    assert made.head == schema.newest_head()
    assert made.engine == db.engine.dialect.name
    assert made.rows > 5
    assert (tmp_path / "b" / "one.zip").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["one.zip"]
    with reading(tmp_path / "b" / "one.zip") as archive:
        assert archive.manifest == made
        assert archive.files() == ["files/kept/ab/abc.jpg"]
    assert "secret_key" not in made.members
    with_key = dump.back_up(db.engine, filled, tmp_path / "key.zip", with_key=True)
    assert "secret_key" in with_key.members


def test_the_same_data_gives_the_same_bytes(app: Flask, filled: Settings, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        dump.back_up(db.engine, filled, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize("kind", DATABASES)
def test_a_backup_moves_to_either_engine(app: Flask, filled: Settings, tmp_path: Path, kind: str) -> None:
    """SQLite to PostgreSQL and back: equal rows, equal pictures, sound, and new rows get new keys."""
    before = content()
    dump.back_up(db.engine, filled, tmp_path / "one.zip")
    other, there = other_database(kind, filled, tmp_path)
    with other.app_context():
        load.restore(db.engine, there, tmp_path / "one.zip")
        assert content() == before
        assert all(check.sound for check in verify())
        write(lambda: station("WXHS", "惠山站", "Huishan"))  # its key follows the loaded ones
        assert (there.instance_path / "files/kept/ab/abc.jpg").read_bytes() == b"\xff\xd8 a picture"
        db.engine.dispose()


def test_restore_refuses_a_database_with_data_and_replaces_it_when_told(
    app: Flask, filled: Settings, tmp_path: Path
) -> None:
    before = content()
    dump.back_up(db.engine, filled, tmp_path / "one.zip")
    write(lambda: station("WXHS", "惠山站", "Huishan"))
    with pytest.raises(load.NotEmpty):
        load.restore(db.engine, filled, tmp_path / "one.zip")
    assert len(content()["station"]) == 2
    load.restore(db.engine, filled, tmp_path / "one.zip", replace=True)
    assert content() == before


@pytest.mark.parametrize("place", ["picture", "table", "cut", "no_zip", "none"])
def test_a_damaged_archive_is_refused_and_nothing_changes(
    app: Flask, filled: Settings, tmp_path: Path, place: str
) -> None:
    path = tmp_path / "one.zip"
    dump.back_up(db.engine, filled, path)
    before, whole = content(), path.read_bytes()
    with zipfile.ZipFile(path) as pack:
        table = pack.getinfo("tables/station.jsonl")
    at = whole.index(b"a picture") if place == "picture" else table.header_offset + table.compress_size // 2 + 60
    spoilt = {"cut": whole[: len(whole) // 2], "no_zip": b"no archive", "none": None}
    bad = spoilt.get(place, whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    path.unlink() if bad is None else path.write_bytes(bad)
    with pytest.raises(ArchiveUnusable):
        load.restore(db.engine, filled, path, replace=True)
    assert content() == before


def rewritten(path: Path, change: Any) -> None:
    """The archive with another manifest."""
    with zipfile.ZipFile(path) as pack:
        members = {name: pack.read(name) for name in pack.namelist()}
    manifest = json.loads(members["manifest.json"])
    change(manifest, members)
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as pack:
        for name, inner in members.items():
            pack.writestr(name, inner)


def test_a_newer_backup_is_refused(app: Flask, filled: Settings, tmp_path: Path) -> None:
    dump.back_up(db.engine, filled, tmp_path / "one.zip")
    rewritten(tmp_path / "one.zip", lambda manifest, _members: manifest.update(head="9999"))
    with pytest.raises(load.FromTheFuture):
        load.restore(db.engine, filled, tmp_path / "one.zip", replace=True)


def test_a_member_cannot_leave_its_folder(app: Flask, filled: Settings, tmp_path: Path) -> None:
    dump.back_up(db.engine, filled, tmp_path / "one.zip")

    def lead_out(manifest: Any, members: Any) -> None:
        manifest["members"]["files/../../out"] = manifest["members"].pop("files/kept/ab/abc.jpg")
        members["files/../../out"] = members.pop("files/kept/ab/abc.jpg")

    rewritten(tmp_path / "one.zip", lead_out)
    with pytest.raises(ArchiveUnusable):
        load.restore(db.engine, filled, tmp_path / "one.zip", replace=True)
    assert not (tmp_path / "out").exists()


def test_a_backup_of_an_older_head_is_loaded_there_and_migrated_up(
    app: Flask, filled: Settings, tmp_path: Path
) -> None:
    before = content()
    dump.back_up(db.engine, filled, tmp_path / "one.zip")
    tables = (
        "backup_run", "schedule_run", "robot", "dispatch_plan", "slow_area", "technician_wish", "brand", "rescue",
        "opportunity", "shift_swap", "lending", "tablet_device", "finding", "follow_up", "time_correction", "arrival",
        "location_consent", "line_choice", "extra_work", "supplier", "supplier_offer", "part_substitute", "part_kit",
        "part_kit_line", "stock_batch", "serial_unit", "stock_move_piece", "goods_receipt", "goods_receipt_line",
        "stock_count", "stock_count_line", "reservation", "transfer", "transfer_line", "supply_order",
        "supply_order_line", "stock_level", "stock_level_run", "consignment_line", "consignment_reading",
        "refill_order", "old_part", "supplier_claim",
    )  # fmt: skip
    columns = {
        "booking": ("work_order_id", "expires_at", "terms"),
        "tablet_command": (
            "review_reason", "reviewed_at", "reviewed_by", "review", "client", "counted_at", "offset_ms", "device_at",
        ),
        "tablet_upload": ("moment",),
        "part": (
            "batch_tracked", "wears", "gtin", "pack_size", "shelf_life_days", "hazard", "lead_days",
            "certificate_needed", "notes", "superseded_by_id",
        ),
        "stock_location": ("code", "site_id"),
        "stock_balance": ("batch_id", "set_aside"),
        "stock_move": ("becomes",),
        "part_use": ("removed_serial", "batch", "command_id", "wants_old"),
        "work_item": ("command_id",),
    }  # fmt: skip

    def age(manifest: Any, members: Any) -> None:
        manifest["head"] = "0005"  # the migration before these tables and columns
        manifest["tables"] = [shape for shape in manifest["tables"] if shape["name"] not in tables]
        for name in tables:
            del manifest["members"][f"tables/{name}.jsonl"], members[f"tables/{name}.jsonl"]
        for shape in manifest["tables"]:
            if shape["name"] in columns:
                _without(shape, columns[shape["name"]], manifest["members"], members)

    rewritten(tmp_path / "one.zip", age)
    load.restore(db.engine, filled, tmp_path / "one.zip", replace=True)
    assert content() == before
    assert schema.head_of(session.connection()) == schema.newest_head()


def _without(shape: Any, columns: tuple[str, ...], listed: Any, members: Any) -> None:
    """A table as it was before these columns."""
    member, kept = f"tables/{shape['name']}.jsonl", [name not in columns for name in shape["columns"]]
    rows = [json.loads(line) for line in members[member].decode().splitlines()]
    lines = [json.dumps([cell for cell, stays in zip(row, kept, strict=True) if stays]) for row in rows]
    members[member] = "".join(f"{line}\n" for line in lines).encode()
    listed[member]["sha256"], listed[member]["size"] = hashlib.sha256(members[member]).hexdigest(), len(members[member])
    shape["columns"] = {name: kind for name, kind in shape["columns"].items() if name not in columns}


def test_a_restore_that_fails_half_way_leaves_the_old_data(app: Flask, filled: Settings, tmp_path: Path) -> None:
    dump.back_up(db.engine, filled, tmp_path / "one.zip")
    before = content()

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load.restore(db.engine, filled, tmp_path / "one.zip", replace=True, progress=stop)
    assert content() == before
    assert not (filled.instance_path / "files.restored").exists()


def test_a_backup_of_a_database_at_another_head_is_refused(app: Flask, filled: Settings, tmp_path: Path) -> None:
    write(lambda: session.execute(text("UPDATE alembic_version SET version_num = '0002'")))
    with pytest.raises(dump.NotMigrated):
        dump.back_up(db.engine, filled, tmp_path / "one.zip")
    assert not list(tmp_path.glob("*.zip"))
    assert not list(tmp_path.glob(".*"))


def test_a_backup_sees_one_moment(app: Flask, filled: Settings, tmp_path: Path) -> None:
    """What others commit while it reads is not in it, not even by half."""
    count = session.scalar(select(func.count()).select_from(Base.metadata.tables["station"]))
    session.rollback()
    added = []

    def meanwhile(_done: int, _total: int) -> None:
        if _total and not added:  # the rows have begun, not only the pictures
            added.append(write(lambda: station("WXHS", "惠山站", "Huishan")))

    made = dump.back_up(db.engine, filled, tmp_path / "one.zip", progress=meanwhile)
    assert added
    assert {shape.name: shape.rows for shape in made.tables}["station"] == count


def test_a_killed_backup_leaves_nothing_that_looks_like_one(app: Flask, filled: Settings, tmp_path: Path) -> None:
    """kill -9 in the middle; the next backup sweeps what it left."""
    big = filled.instance_path / "files" / "kept" / "zz"
    big.mkdir(parents=True)
    pipe = big / "blocks.jpg"
    os.mkfifo(pipe)  # a picture whose bytes never come: the backup stands still in the middle
    folder = tmp_path / "backups"
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "backup", str(folder / "one.zip")]
    child = subprocess.Popen(command, cwd=ROOT, env=environment_of(filled, db.engine.url, filled.instance_path))
    try:
        wait_until(lambda: list(folder.glob(".*")), seconds=60, what="the backup began")
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert not list(folder.glob("*.zip"))
    assert len(list(folder.glob(".*.unfinished"))) == 1
    pipe.unlink()
    dump.back_up(db.engine, filled, folder / "two.zip")
    assert [path.name for path in folder.iterdir()] == ["two.zip"]


def test_no_two_backups_at_once(app: Flask) -> None:
    with commands._alone(), pytest.raises(Conflict) as refused, commands._alone():
        pass
    assert refused.value.code == "backup_running"
    with commands._alone():
        pass
