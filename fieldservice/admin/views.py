"""Pages of master data: lists, forms, history with undo, states. Imports are in import_views.py."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fieldservice.accounts.freshness import ask
from fieldservice.admin import forms
from fieldservice.admin.history import history_of
from fieldservice.foundation.access import Access, current, declared, roles
from fieldservice.foundation.db import session, write
from fieldservice.foundation.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.foundation.web import navigation
from fieldservice.mechanisms.records import Draft, Kind, RecordChange, apply, kind_of, kinds, plan, undo_change
from fieldservice.mechanisms.records.fields import Reference
from fieldservice.mechanisms.records.kinds import references
from fieldservice.stations.team_records import certificate_words

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
KEEPERS = (
    "admin",
    "station_manager",
    "storekeeper",
    "agent",
    "sales",
    "dispatcher",
    "director",
    "quality",
    "finance",
    "engineer",
)
PAGE = 50
COUNTED = 10_001  # a count goes no further, so that a page costs the same whatever the size
LINKS = (
    ("operations.page", "eye", _l("Health and backups")),
    ("insight.audit_trail", "history", _l("Audit trail")),
    ("insight.verify_page", "shield-check", _l("Check the data")),
    ("admin.robot_list", "message-square", _l("Chat robots")),
    ("tablets.page", "tablet", _l("Connect tablets")),
    ("admin.field_rules_page", "wrench", _l("Rules of work in the field")),
    ("plans_pages.weights", "sliders-horizontal", _l("Weights of planning")),
)
navigation("admin.start", _l("Master data"), "admin", "station_manager", "storekeeper", "sales", "engineer", "agent")


def open_kind(code: str, *, edit: bool = False) -> Kind:
    """The kind, for whoever may read (or edit) it. Raises NotFound, Forbidden."""
    kind = kind_of(code)
    if not current().has(*(kind.editors if edit else kind.readers)):
        raise Forbidden()
    return kind


def may_edit(kind: Kind) -> bool:
    return current().has(*kind.editors)


def row_of(kind: Kind, record_id: int, *, edit: bool = False) -> Any:
    """A record the person may see (or edit). Raises NotFound for another station's."""
    row = kind.visible(current(), record_id)
    if edit:
        stations = current().stations(*kind.editors)
        if stations is not None and kind.station_of(kind.values(row)) not in stations:
            raise NotFound()
    return row


# Start ----------------------------------------------------------------------------------------------


@blueprint.get("")
@roles(*KEEPERS)
def start() -> Any:
    """What there is to look after, with how much of it there is."""
    shown = [kind for kind in kinds() if kind.listed and current().has(*kind.readers)]
    counts = {kind.code: kind.count(current(), COUNTED) for kind in shown}
    return render_template("admin/start.html", kinds=shown, counts=counts, may_import=_importable(), links=_links())


def _links() -> list[tuple[str, str, Any]]:
    """Pages about the system itself that this person may open: (address, icon, label)."""
    return [
        (url_for(endpoint), symbol, label)
        for endpoint, symbol, label in LINKS
        if current().has(*(declared(endpoint, "GET") or Access()).roles)
    ]


def _importable() -> list[Kind]:
    return [kind for kind in kinds() if current().has(*kind.editors)]


# Lists ----------------------------------------------------------------------------------------------


@blueprint.get("/<kind_code>")
@roles(*KEEPERS)
def records(kind_code: str) -> Any:
    """One page of a kind's records."""
    kind = open_kind(kind_code)
    if not kind.listed:
        raise NotFound()
    words, after = request.args.get("q", "").strip()[:80], _whole(request.args.get("after", ""))
    rows = kind.page_of(current(), words, after, PAGE + 1)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "admin/list.html", kind=kind, rows=[(row, _shown(kind, row)) for row in rows[:PAGE]], words=words, after=after,
        names=_names(kind, rows[:PAGE]), more=more, may_edit=may_edit(kind),
    )  # fmt: skip


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _shown(kind: Kind, row: Any) -> dict[str, Any]:
    values = kind.values(row)
    return {name: values[name] for name in kind.shown}


def _names(kind: Kind, rows: Any) -> dict[str, dict[int, tuple[str, str]]]:
    """The names of what the listed records refer to, one query for each reference."""
    return {
        one.name: kind_of(one.to).labels({one.get(row) for row in rows})
        for one in references(kind)
        if one.name in kind.shown
    }


@blueprint.get("/<kind_code>/suggest")
@roles(*KEEPERS)
def suggest(kind_code: str) -> Any:
    """Records whose name holds the words, for a field that refers to one."""
    kind = open_kind(kind_code)
    words = request.args.get("q", "").strip()[:80]
    statement = kind.statement(current())
    if words:
        statement = statement.where(kind.holds(words))
    within = _whole(request.args.get("within", ""))
    if within:
        statement = statement.where(kind.model.customer_id == within)
    rows = session.scalars(statement.order_by(kind.model.id).limit(12)).all()
    return {"items": [{"key": kind.key_text(row), "name": kind.name(row)} for row in rows]}


# One record -----------------------------------------------------------------------------------------


@blueprint.get("/<kind_code>/new")
@roles(*KEEPERS)
def new(kind_code: str) -> Any:
    kind = open_kind(kind_code, edit=True)
    if not kind.listed:
        raise NotFound()
    return _page(forms.empty(kind, request.args))


@blueprint.get("/<kind_code>/<int:record_id>")
@roles(*KEEPERS)
def record(kind_code: str, record_id: int) -> Any:
    kind = open_kind(kind_code)
    return _page(forms.of_row(kind, row_of(kind, record_id)))


@blueprint.post("/<kind_code>")
@roles(*KEEPERS)
def create(kind_code: str) -> Any:
    """Save a new record; a refused form comes back with everything typed."""
    kind = open_kind(kind_code, edit=True)
    return _proved(kind) or _save(kind, None)


@blueprint.post("/<kind_code>/<int:record_id>")
@roles(*KEEPERS)
def save(kind_code: str, record_id: int) -> Any:
    kind = open_kind(kind_code, edit=True)
    row_of(kind, record_id, edit=True)
    return _proved(kind) or _save(kind, record_id)


def _proved(kind: Kind) -> Any:
    """Whoever gives roles proves once more who they are; None when that is done."""
    return ask() if kind.guarded else None


def _save(kind: Kind, record_id: int | None) -> Any:
    texts = forms.collect(kind, request.form)
    draft = Draft(line=1, texts=texts)
    if request.form.get("act") == "preview":
        return _preview(kind, record_id, draft)

    def work() -> int | None:
        draft.values, draft.errors, draft.warnings = {}, {}, {}
        draft.row = row_of(kind, record_id, edit=True) if record_id is not None else None
        if draft.row is not None and request.form.get("seen", "") != forms.digest(kind, draft.row):
            raise Conflict(_l("Somebody changed this record meanwhile. Compare what it holds now, then save again."))
        plan(kind, [draft], current(), fixed_row=True)
        if draft.errors:
            raise Invalid(dict(draft.errors))
        apply(kind, [draft], at=now())
        return int(draft.row.id)

    try:
        saved = write(work)
    except DomainError as refused:
        session.rollback()
        row = row_of(kind, record_id) if record_id is not None else None
        form = forms.RecordForm(
            kind, row, texts, getattr(refused, "errors", {}), draft.warnings,
            forms.digest(kind, row) if row is not None else "",
        )  # fmt: skip
        return _page(form, refused), refused.status
    for said in draft.warnings.values():
        flash(" ".join(map(str, said)), "warn")
    flash(_("Saved.") if draft.action != "same" else _("Nothing was changed."))
    return redirect(url_for("admin.record", kind_code=kind.code, record_id=saved), 303)


def _preview(kind: Kind, record_id: int | None, draft: Draft) -> Any:
    """The form with what it would look like; nothing is kept."""
    draft.row = row_of(kind, record_id, edit=True) if record_id is not None else None
    plan(kind, [draft], current(), fixed_row=True)
    form = forms.RecordForm(
        kind, draft.row, draft.texts, draft.errors, draft.warnings, request.form.get("seen", "")[:16]
    )
    return _page(form, preview=None if draft.errors else draft.all_values()), 422 if draft.errors else 200


def _page(form: forms.RecordForm, refused: DomainError | None = None, preview: Any = None) -> str:
    kind, row = form.kind, form.row
    editable = may_edit(kind) and (row is None or _editable(kind, row))
    return render_template(
        "admin/record.html", kind=kind, form=form, row=row, refused=refused, may_edit=editable,
        history=history_of(kind, row.id) if row is not None else [], moves=_moves(kind, row) if editable else [],
        roles=forms.role_codes(), stations=forms.station_codes() if _chooses_station(kind) else [],
        names=_reference_names(kind, row), extra=_extra(kind, row), certificate_words=certificate_words,
        preview=preview,
    )  # fmt: skip


def _editable(kind: Kind, row: Any) -> bool:
    stations = current().stations(*kind.editors)
    return stations is None or kind.station_of(kind.values(row)) in stations


def _chooses_station(kind: Kind) -> bool:
    return any(one.widget == "grants" or (isinstance(one, Reference) and one.to == "stations") for one in kind.fields)


def _reference_names(kind: Kind, row: Any) -> dict[str, str]:
    """What the references of a record are called, beside their keys."""
    if row is None:
        return {}
    values = kind.values(row)
    found = {}
    for one in references(kind):
        if values.get(one.name) is not None:
            key, name = kind_of(one.to).labels([values[one.name]]).get(values[one.name], ("", ""))
            found[one.name] = name if name != key else ""
    return found


def _extra(kind: Kind, row: Any) -> Any:
    from fieldservice.admin.extras import extra_of

    return extra_of(kind, row) if row is not None else None


def _moves(kind: Kind, row: Any) -> list[tuple[str, bool]]:
    """(state, whether it needs a reason) that people may choose now."""
    if row is None or not kind.moves:
        return []
    cycle = row.lifecycle
    return [(to, to in cycle.reason_for) for to in kind.moves if cycle.allows(row.state, to)]


@blueprint.post("/<kind_code>/<int:record_id>/move")
@roles(*KEEPERS)
def move(kind_code: str, record_id: int) -> Any:
    """Another state: open or closed, in service or retired."""
    kind = open_kind(kind_code, edit=True)
    to, reason = request.form.get("to", "")[:24], request.form.get("reason", "").strip()[:500]
    if to not in kind.moves:
        raise Invalid({"to": [_l("Choose one of the options.")]})

    def work() -> None:
        kind.move(row_of(kind, record_id, edit=True), to, reason, now())

    write(work)
    flash(_("Saved."))
    return redirect(url_for("admin.record", kind_code=kind.code, record_id=record_id), 303)


@blueprint.post("/changes/<int:change_id>/undo")
@roles(*KEEPERS)
def undo(change_id: int) -> Any:
    """Take an edit back, unless something was built on it."""
    change = session.get(RecordChange, change_id) if change_id < 2**63 else None
    if change is None:
        raise NotFound()
    kind = open_kind(change.kind, edit=True)
    row_of(kind, change.record_id, edit=True)

    def work() -> Any:
        again = session.get_one(RecordChange, change_id)
        said = kind.left_by_undo(row_of(kind, again.record_id, edit=True), again.before)
        return undo_change(kind, again, at=now()), said

    record_id = change.record_id
    left, said = write(work)
    for sentence in said:
        flash(str(sentence), "warn")
    flash(_("The edit was taken back."))
    if left is None:
        return redirect(url_for("admin.records", kind_code=kind.code), 303)
    return redirect(url_for("admin.record", kind_code=kind.code, record_id=record_id), 303)


def attachment(body: Any, name: str, mimetype: str) -> Response:
    """A file to keep."""
    answer = Response(body, mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
