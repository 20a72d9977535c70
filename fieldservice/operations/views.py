"""The health page: how everything is, with the buttons that mend it. For administrators."""

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, send_file, url_for
from flask_babel import gettext as _

from fieldservice.accounts.freshness import fresh
from fieldservice.foundation.access import roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.deferred import DeferredJob
from fieldservice.foundation.errors import Conflict, NotFound
from fieldservice.foundation.jobs import failed_jobs, last_turns, leader_of, retry, schedules
from fieldservice.foundation.time import now
from fieldservice.mechanisms import messages
from fieldservice.operations import health, queries, services, shelf

blueprint = Blueprint("operations", __name__, url_prefix="/admin/health")


@blueprint.get("")
@roles("admin")
def page() -> Any:
    """Lines in words, then backups, schedules, given-up jobs and messages."""
    shown = health.lines()
    return render_template(
        "operations/health.html", lines=shown, worst=health.worst(shown), running=queries.running_backup(),
        runs=queries.backup_runs(), turns=_turns(), jobs=failed_jobs(20), messages=queries.failed_messages(),
        size_text=health.size_text, available=_available,
    )  # fmt: skip


def _available(run: Any) -> bool:
    try:
        shelf.file_of(run)
    except NotFound:
        return False
    return True


def _turns() -> list[tuple[str, Any, datetime | None]]:
    """(name, last turn or None, next by the real clock or None) of every schedule."""
    leader = leader_of(current_app._get_current_object())  # type: ignore[attr-defined]  # the app behind the proxy
    last = last_turns()
    return [(name, last.get(name), leader.next_turn(name) if leader else None) for name in schedules]


@blueprint.post("/backups")
@roles("admin")
def back_up_now() -> Any:
    """Ask for a backup."""
    write(lambda: services.ask_for_backup(cause="asked", at=now()))
    flash(_("The backup begins."))
    return _back()


@blueprint.post("/backups/<int:run_id>/cancel")
@roles("admin")
def cancel(run_id: int) -> Any:
    """Stop the backup that runs."""
    write(lambda: services.cancel_backup(shelf.run_by_id(run_id), at=now()))
    flash(_("The backup is being cancelled."))
    return _back()


@blueprint.post("/backups/<int:run_id>/file")
@roles("admin")
@fresh
def download(run_id: int) -> Any:
    """The archive itself. It holds everything, personal data included, so who asks is proved once more."""
    run = shelf.run_by_id(run_id)
    path = shelf.file_of(run)
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=path.name, max_age=0)


@blueprint.post("/jobs/<int:job_id>/retry")
@roles("admin")
def retry_job(job_id: int) -> Any:
    """Try a job again that was given up."""

    def again() -> None:
        job = session.get(DeferredJob, job_id) if 0 < job_id < 2**53 else None
        if job is None:
            raise NotFound()
        if job.status != "failed":
            raise Conflict()
        retry(job)

    write(again)
    flash(_("It is tried again."))
    return _back()


@blueprint.post("/messages/<int:message_id>/retry")
@roles("admin")
def retry_message(message_id: int) -> Any:
    """Send a message again that was given up."""

    def again() -> None:
        message = session.get(messages.Message, message_id) if 0 < message_id < 2**53 else None
        if message is None:
            raise NotFound()
        messages.send_again(message, at=now())

    write(again)
    flash(_("It is sent again."))
    return _back()


def _back() -> Any:
    return redirect(url_for("operations.page"), 303)
