"""Pages of import and export: template, upload, dry run, import, undo."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from fieldservice.accounts.freshness import ask
from fieldservice.admin import exporting, import_jobs
from fieldservice.admin.views import KEEPERS, attachment, blueprint, may_edit, open_kind
from fieldservice.foundation.access import current, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.web import limiter
from fieldservice.foundation.words import language
from fieldservice.mechanisms.lifecycle import move
from fieldservice.mechanisms.records import ImportRun, kind_of, kinds
from fieldservice.mechanisms.records.tables import csv_file, csv_lines, spooled, write_xlsx

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BUSY = ("checking", "importing", "undoing")
UPLOADS = limiter.limit("30 per minute")


# Tables out -----------------------------------------------------------------------------------------


@blueprint.get("/<kind_code>/export.<form>")
@roles(*KEEPERS)
def export(kind_code: str, form: str) -> Any:
    """All records of the list, as a table that can be imported again."""
    kind = open_kind(kind_code)
    if form not in FORMATS:
        raise NotFound()
    words, name = request.args.get("q", "").strip()[:80], f"{kind.code}.{form}"
    if form == "csv":
        return attachment(csv_file(exporting.csv_of(kind, current(), words)), name, FORMATS[form])
    return attachment(spooled(lambda file: exporting.write_xlsx_to(file, kind, current(), words)), name, FORMATS[form])


@blueprint.get("/<kind_code>/template.<form>")
@roles(*KEEPERS)
def template(kind_code: str, form: str) -> Any:
    """An empty table with an example row; as XLSX with a second sheet that explains the columns."""
    kind = open_kind(kind_code, edit=True)
    if form not in FORMATS:
        raise NotFound()
    name, rows = f"{kind.code}-template.{form}", exporting.template_rows(kind)
    if form == "csv":
        return attachment(csv_file(csv_lines(kind.columns, rows)), name, FORMATS[form])
    notes = exporting.column_notes(kind)
    return attachment(spooled(lambda file: write_xlsx(file, kind.columns, rows, notes)), name, FORMATS[form])


# Tables in ------------------------------------------------------------------------------------------


@blueprint.get("/imports")
@roles(*KEEPERS)
def imports() -> Any:
    """The latest imports of the kinds the person looks after."""
    mine = [kind.code for kind in kinds() if may_edit(kind)]
    rows = session.scalars(
        select(ImportRun).where(ImportRun.kind.in_(mine), _own()).order_by(ImportRun.id.desc()).limit(50)
    ).all()
    return render_template(
        "admin/imports.html",
        runs=rows,
        kinds=[kind for kind in kinds() if may_edit(kind)],
        kind_of=kind_of,
    )


def _own() -> Any:
    """Administrators see every import, others their own."""
    from sqlalchemy import true

    return true() if current().has("admin") else ImportRun.user_id == current().user_id


@blueprint.get("/<kind_code>/import")
@roles(*KEEPERS)
def import_form(kind_code: str) -> Any:
    kind = open_kind(kind_code, edit=True)
    return render_template("admin/import_form.html", kind=kind, notes=exporting.column_notes(kind), errors={})


@blueprint.post("/<kind_code>/import")
@roles(*KEEPERS)
@UPLOADS
def upload(kind_code: str) -> Any:
    """Take the file and try it at once; nothing is written before somebody has seen what it would do."""
    kind = open_kind(kind_code, edit=True)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        said = _l("Choose a CSV or XLSX file of at most %(most)s MB.", most=import_jobs.MOST_BYTES >> 20)
        return _refused(kind, Invalid({"file": [said]}))
    name = sent.filename.replace("\\", "/").rsplit("/", 1)[-1][:120]

    def begin() -> int:
        run = ImportRun(
            kind=kind.code, file_name=name, user_id=current().user_id, language=language(), created_at=now(), counts={},
            notes=[], share=0.0,
        )  # fmt: skip
        session.add(run)
        session.flush()
        import_jobs.keep(sent.stream, run.id)
        import_jobs.ask(run, import_jobs.check)
        return run.id

    try:
        run_id = write(begin)
    except DomainError as refused:
        return _refused(kind, refused)
    return redirect(url_for("admin.import_page", run_id=run_id), 303)


def _refused(kind: Any, refused: DomainError) -> Any:
    session.rollback()
    errors = getattr(refused, "errors", {}) or {"file": [refused.message]}
    shown = render_template("admin/import_form.html", kind=kind, notes=exporting.column_notes(kind), errors=errors)
    return shown, refused.status


def _run(run_id: int) -> ImportRun:
    run = session.get(ImportRun, run_id) if run_id < 2**63 else None
    if run is None or not (current().has("admin") or run.user_id == current().user_id):
        raise NotFound()
    open_kind(run.kind, edit=True)
    return run


@blueprint.get("/imports/<int:run_id>")
@roles(*KEEPERS)
def import_page(run_id: int) -> Any:
    """How an import goes: counts and row errors while it runs, what can be done next when it stands."""
    run = _run(run_id)
    return render_template(
        "admin/import.html", run=run, kind=kind_of(run.kind), busy=run.state in BUSY, may_undo=_may_undo(run),
        until=run.finished_at + import_jobs.UNDO_WITHIN if run.finished_at else None,
    )  # fmt: skip


def _may_undo(run: ImportRun) -> bool:
    written = run.counts.get("create", 0) + run.counts.get("change", 0)
    return (
        run.state in ("imported", "cancelled", "failed")
        and run.finished_at is not None
        and written > 0
        and now() - run.finished_at <= import_jobs.UNDO_WITHIN
    )


@blueprint.post("/imports/<int:run_id>/<act>")
@roles(*KEEPERS)
def import_act(run_id: int, act: str) -> Any:
    """Start what was checked, stop what runs, or take back what was imported. A second press changes nothing."""
    run = _run(run_id)
    if act == "undo" or (act == "start" and kind_of(run.kind).guarded):
        asking = ask()
        if asking is not None:
            return asking

    def work() -> None:
        run = _run(run_id)
        if act == "start":
            move(run, "importing")
            run.share = 0.0
            import_jobs.ask(run, import_jobs.carry_out)
        elif act == "stop" and run.state in ("checking", "importing"):
            run.stop_asked = True
        elif act == "stop" and run.state == "checked":
            move(run, "cancelled")
        elif act == "undo":
            if not _may_undo(run):
                raise Conflict(_l("An import can be taken back for one day after it ended."), code="too_late")
            move(run, "undoing")
            run.share = 0.0
            import_jobs.ask(run, import_jobs.take_back)
        else:
            raise NotFound()

    write(work)
    if act == "stop":
        flash(_("The import stops after the rows it is writing now."))
    return redirect(url_for("admin.import_page", run_id=run_id), 303)


@blueprint.get("/imports/<int:run_id>/notes.csv")
@roles(*KEEPERS)
def import_notes(run_id: int) -> Any:
    """Refused and doubtful rows as a table."""
    run = _run(run_id)
    header = (_("Line"), _("Key"), _("Kind"), _("What is wrong"))
    words = {"error": _("refused"), "warning": _("warning")}
    rows = ([str(line), key, words[tone], text] for line, key, tone, text in run.notes)
    return attachment(csv_file(csv_lines(header, rows)), f"import-{run.id}-notes.csv", FORMATS["csv"])
