"""Health page, probes, metrics, and the job behind a backup."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fieldservice.foundation import deferred, turns
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict
from fieldservice.foundation.time import Clock, now
from fieldservice.foundation.web import settings
from fieldservice.mechanisms import messages
from fieldservice.operations import health, queries, runs, services, shelf
from fieldservice.operations.models import BackupRun
from tests.factories import station, technician


@pytest.fixture
def own(app: Flask, tmp_path: Path) -> Any:
    """This app with an instance folder and backup folder of the test's own."""
    before = settings()
    (tmp_path / "instance").mkdir()
    app.extensions["fieldservice.settings"] = replace(
        before, instance_path=tmp_path / "instance", backup_folder=tmp_path / "backups"
    )
    yield app.extensions["fieldservice.settings"]
    app.extensions["fieldservice.settings"] = before


def post(client: FlaskClient, path: str) -> Any:
    """As the page's form does."""
    token = client.get("/admin/health").text.split('name="csrf_token" value="')[1].split('"')[0]
    return client.post(path, data={"csrf_token": token})


def test_a_backup_is_made_tested_by_a_restore_and_offered(app: Flask, own: Any, sign_in: Any) -> None:
    write(lambda: technician(station(territory=["320214"])))
    admin = sign_in("admin")
    assert post(admin, "/admin/health/backups").status_code == 303
    with pytest.raises(Conflict):
        write(lambda: services.ask_for_backup(cause="nightly", at=now()))
    for claimed in write(lambda: deferred.claim(1)):
        deferred.run(claimed)
    run = queries.last_backup()
    assert run is not None
    assert (run.outcome, run.restore_outcome, run.restore_detail) == ("done", "passed", None)
    assert run.total > 5
    answer = post(admin, f"/admin/health/backups/{run.id}/file")
    assert answer.status_code == 200
    assert len(answer.data) == run.bytes
    answer.close()
    assert [path.name for path in own.backup_folder.iterdir()] == [run.file]
    assert not list(own.instance_path.glob("restore-test-*"))
    assert admin.get(f"/admin/health/backups/{run.id}/file").status_code == 405, "a link must not hand everything out"
    assert post(admin, "/admin/health/backups/99999999999999999999/file").status_code == 404


def test_a_backup_that_cannot_be_written_says_so(app: Flask, own: Any) -> None:
    own.backup_folder.write_text("a file where the folder should be")
    run_id = write(lambda: services.ask_for_backup(cause="asked", at=now())).id
    for claimed in write(lambda: deferred.claim(1)):
        deferred.run(claimed)
    run = session.get(BackupRun, run_id)
    assert run is not None
    assert run.outcome == "failed"
    assert {line.code: line.level for line in health.lines()}["backup"] == "trouble"


def test_a_waiting_backup_can_be_cancelled_once(app: Flask, own: Any, sign_in: Any) -> None:
    run_id = write(lambda: services.ask_for_backup(cause="asked", at=now())).id
    admin = sign_in("admin")
    assert post(admin, f"/admin/health/backups/{run_id}/cancel").status_code == 303
    assert post(admin, f"/admin/health/backups/{run_id}/cancel").status_code == 409
    runs.run_backup.work(run_id=run_id)
    run = session.get(BackupRun, run_id)
    assert run is not None
    assert run.outcome == "cancelled"
    assert not own.backup_folder.exists()


def test_a_failed_restore_test_is_trouble(app: Flask, own: Any) -> None:
    write(lambda: session.add(BackupRun(
        cause="nightly", asked_at=now(), started_at=now(), finished_at=now(), outcome="done", restore_tested_at=now(),
        restore_outcome="failed", restore_detail="ledger",
    )))  # fmt: skip
    line = {line.code: line for line in health.lines()}["restore_test"]
    assert line.level == "trouble"
    assert "ledger" in line.says


@pytest.mark.parametrize(("hours", "level"), [(1, "ok"), (27, "attention"), (60, "trouble")])
def test_an_old_backup_is_named(app: Flask, own: Any, clock: Clock, hours: int, level: str) -> None:
    write(lambda: session.add(BackupRun(cause="nightly", asked_at=now(), finished_at=now(), outcome="done")))
    clock.advance(hours=hours)
    assert {line.code: line.level for line in health.lines()}["backup"] == level


@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_the_health_page_is_for_administrators(app: Flask, own: Any, sign_in: Any, spoken: str) -> None:
    page = sign_in("admin").get(f"/admin/health?lang={spoken}")
    assert page.status_code == 200
    assert {"zh": "系统状况如何", "en": "How is the system?"}[spoken] in page.text
    assert sign_in("director").get("/admin/health").status_code == 403


def test_a_failed_message_and_a_failed_job_are_tried_again(app: Flask, own: Any, sign_in: Any) -> None:
    def fail() -> tuple[int, int]:
        place = station()
        message = messages.Message(
            state="failed", template="request_received", channel="sms", to="+8613800000000", language="zh", facts={},
            subject_type="station", subject_id=place.id, key="k", queued_at=now(), error="smtp_550",
        )  # fmt: skip
        job = deferred.DeferredJob(
            task="files.prepare", key="file:1", arguments={}, status="failed", run_at=now(), asked_at=now(),
            finished_at=now(), error="OSError",
        )  # fmt: skip
        session.add_all([message, job])
        session.flush()
        return message.id, job.id

    message_id, job_id = write(fail)
    admin = sign_in("admin")
    assert "file:1" in admin.get("/admin/health").text
    assert post(admin, f"/admin/health/messages/{message_id}/retry").status_code == 303
    assert post(admin, f"/admin/health/messages/{message_id}/retry").status_code == 409
    assert post(admin, f"/admin/health/jobs/{job_id}/retry").status_code == 303
    assert post(admin, f"/admin/health/jobs/{job_id}/retry").status_code == 409
    assert queries.failed_message_count() == 0
    assert not deferred.failed_jobs()


def test_schedules_tell_their_last_turn(app: Flask) -> None:
    with turns.noted("test.fine", lasting=True):
        pass
    with pytest.raises(KeyError), turns.noted("test.broken", lasting=True):
        raise KeyError("secret words")
    turns._turns.clear()  # as after a restart
    last = turns.last_turns()
    assert last["test.fine"].failures == 0
    assert (last["test.broken"].failures, last["test.broken"].error) == (1, "KeyError")


def test_healthz_needs_no_database_and_readyz_does(client: FlaskClient, app: Flask, own: Any) -> None:
    assert client.get("/healthz").json == {"alive": True}
    assert client.get("/readyz").status_code == 200
    app.extensions["fieldservice.settings"] = replace(own, background=True)  # it should run here and does not
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert [reason["code"] for reason in answer.json["reasons"]] == ["no_background"]


def test_readyz_names_a_database_that_was_not_migrated(client: FlaskClient, app: Flask) -> None:
    from sqlalchemy import text

    write(lambda: session.execute(text("UPDATE alembic_version SET version_num = '0002'")))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"][0]["code"] == "not_migrated"


def test_metrics_are_for_this_machine_or_the_token(client: FlaskClient, app: Flask, own: Any) -> None:
    client.get("/healthz")
    text = client.get("/metrics").text
    assert 'fieldservice_requests_total{endpoint="probes.alive",method="GET",status="200"}' in text
    for name in ("outbox_age_seconds", "requests_open", "promises_running", "promises_late", "database_up 1.0"):
        assert f"fieldservice_{name}" in text
    token = "t" * 20
    app.extensions["fieldservice.settings"] = replace(own, metrics_token=token)
    away = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.get("/metrics", environ_overrides=away).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 403
    for given, status in ((token, 200), ("x" * 20, 403), ("é", 403)):
        headers = {"Authorization": f"Bearer {given}"}
        assert client.get("/metrics", environ_overrides=away, headers=headers).status_code == status


def test_the_rotation_deletes_old_backups_and_nothing_else(app: Flask, own: Any, clock: Clock) -> None:
    own.backup_folder.mkdir()
    for number in range(40):
        (own.backup_folder / (now() + timedelta(days=number)).strftime(shelf.NAME)).touch()
    (own.backup_folder / "mine.zip").touch()
    gone = shelf.rotate()
    left = {path.name for path in own.backup_folder.iterdir()}
    assert "mine.zip" in left
    assert len(left) + len(gone) == 41
    assert 7 < len(left) < 15
