"""The JSON edge: problem details, bearer tokens, idempotency keys, ETags and paging by key (CONTRACT §3)."""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import marshmallow as ma
import orjson
from flask import Flask, Response, current_app, jsonify, request
from flask.json.provider import DefaultJSONProvider
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_smorest import Api, Blueprint
from sqlalchemy import Select, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import TooManyRequests

from fieldservice.foundation import limits
from fieldservice.foundation.access import person
from fieldservice.foundation.db import Base, Id, UtcDateTime, dumps, session, take_turns, write
from fieldservice.foundation.errors import Invalid, PreconditionFailed, PreconditionRequired
from fieldservice.foundation.field_messages import in_words
from fieldservice.foundation.openapi import KEY_PATTERN, Shared
from fieldservice.foundation.time import now
from fieldservice.foundation.web import problem, show_http_error, wants_json

PREFIX = "/api/v1"
KEEP_ANSWERS = timedelta(hours=24)
COUNT_CAP = 10_001
LIST_DEFAULT, LIST_MOST = 50, 200
RATE, RATE_WINDOW = 600, 60  # requests of one token, seconds


class IdempotentAnswer(Base):
    """The stored answer of a POST; its row commits with the effect."""

    __tablename__ = "idempotent_answer"
    id: Mapped[Id]
    caller: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(120))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    content: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    __table_args__ = (UniqueConstraint("caller", "key"),)


class FastJson(DefaultJSONProvider):
    """Answers are written by orjson, five times as fast, moments among them (as ISO 8601, like `isoformat`); all else,
    and what comes in, is as Flask has it."""

    def response(self, *args: Any, **kwargs: Any) -> Response:
        content = orjson.dumps(self._prepare_response_obj(args, kwargs), default=_plain, option=orjson.OPT_NON_STR_KEYS)
        return current_app.response_class(content, mimetype="application/json")


def _plain(value: Any) -> Any:
    """What orjson does not know: exact decimals, and words in the reader's language."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, LazyString):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest with our problem details in place of its error body."""

    def handle_http_exception(self, error: Any) -> Any:
        if not wants_json():  # this handler serves the whole app; people get a page
            return show_http_error(error)
        facts = getattr(error, "data", None) or {}
        messages = facts.get("messages") or {}
        if error.code == 422 or messages:
            answer = problem(Invalid(flat_messages(messages)))
            answer.status_code = error.code or 422
            return answer
        return show_http_error(error)


def flat_messages(messages: Any, prefix: str = "") -> dict[str, list[Any]]:
    """marshmallow's nested messages as 'contact.phone': [...]; the location level is dropped."""
    flat: dict[str, list[Any]] = {}
    if isinstance(messages, dict):
        for name, inner in messages.items():
            dropped = not prefix and name in ("json", "query", "form", "headers")
            flat.update(flat_messages(inner, "" if dropped else f"{prefix}.{name}".strip(".")))
    else:
        flat[prefix or "_body"] = [in_words(text) for text in (messages if isinstance(messages, list) else [messages])]
    return flat


def install(app: Flask) -> ProblemApi:
    """The API object of the app, with OpenAPI 3.1 at /api/v1/openapi.json."""
    app.config.update(
        API_TITLE="FieldService 360",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    app.config.setdefault("API_RATE", RATE)
    app.json = FastJson(app)
    app.before_request(_limit_caller)
    return ProblemApi(app, spec_kwargs={"servers": [{"url": "/"}], "extra_plugins": [Shared()]})


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A capability's part of the API, under /api/v1."""

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(f"api_{name}", import_name, url_prefix=PREFIX, description=description)


# Commands ----------------------------------------------------------------------------------------


def perform(
    work: Callable[[], Any],
    schema: ma.Schema,
    status: int = 201,
    *,
    secret: tuple[str, ...] = (),
    refill: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Response:
    """Run `work` in one write transaction and answer with its result; once per Idempotency-Key.

    Fields named in `secret` are left out of the stored answer; `refill` derives them again.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(KEY_PATTERN, key):
        raise Invalid({"Idempotency-Key": [_l("Use 1 to 120 letters, digits and signs without spaces.")]})

    def once() -> tuple[dict[str, Any], int]:
        if key is None:
            return schema.dump(work()), status
        caller, fingerprint = _caller(), _fingerprint()
        take_turns(f"idempotency:{caller}:{key}")
        stored = session.scalar(select(IdempotentAnswer).filter_by(caller=caller, key=key))
        if stored is not None and stored.at > now() - KEEP_ANSWERS:
            if stored.fingerprint != fingerprint:
                raise Invalid(
                    {"Idempotency-Key": [_l("This key was used for another request. Use a new one.")]},
                    code="idempotency_key_reused",
                )
            return refill(dict(stored.content)) if refill else stored.content, stored.status
        if stored is not None:
            session.delete(stored)
            session.flush()
        answer: dict[str, Any] = schema.dump(work())
        kept = {name: value for name, value in answer.items() if name not in secret}
        session.add(
            IdempotentAnswer(caller=caller, key=key, fingerprint=fingerprint, status=status, content=kept, at=now())
        )
        return answer, status

    content, code = write(once)
    response = jsonify(content)
    response.status_code = code
    return response


def _caller() -> str:
    somebody = person()
    return f"user:{somebody.user_id}" if somebody else f"address:{request.remote_addr}"


def _fingerprint() -> str:
    body = request.get_json(silent=True)
    content = f"{request.method} {request.path}\n{dumps(body)}"
    return hashlib.sha256(content.encode()).hexdigest()


def forget_old_answers() -> None:
    """Drop idempotent answers older than a day."""
    session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.at < now() - KEEP_ANSWERS))


# Versions ----------------------------------------------------------------------------------------


def require_match(version: int) -> None:
    """Refuse an edit without If-Match (428) or of another version than the present one (412)."""
    given = request.headers.get("If-Match")
    if given is None:
        raise PreconditionRequired()
    if given.strip().removeprefix("W/").strip('"') != str(version):
        raise PreconditionFailed(current=str(version))


def with_etag(content: dict[str, Any], version: int) -> Response:
    """A JSON answer carrying the row version as ETag."""
    response = jsonify(content)
    response.headers["ETag"] = f'"{version}"'
    return response


# Lists -------------------------------------------------------------------------------------------


class ListQuery(ma.Schema):
    """Query arguments of every list; capabilities add their filters."""

    class Meta:
        unknown = ma.EXCLUDE

    limit = ma.fields.Integer(load_default=LIST_DEFAULT, validate=ma.validate.Range(1, LIST_MOST))
    cursor = ma.fields.String(load_default=None, validate=ma.validate.Length(max=120))
    count = ma.fields.Boolean(load_default=False)


def page(
    statement: Select[Any],
    key: Any,
    told: Callable[[Sequence[Any]], list[dict[str, Any]]],
    *,
    limit: int,
    cursor: str | None,
    count: bool,
    descending: bool = True,
) -> Response:
    """One page of a list by key. `key` is the (unique, indexed) integer column that orders it, and one of its columns.

    `told` makes what is answered of all rows of the page together, so that it can fetch in one query what each shows.
    """
    total = None
    if count:
        total = session.scalar(select(func.count()).select_from(statement.limit(COUNT_CAP).subquery()))
    if cursor is not None:
        if not cursor.isdigit() or int(cursor) > 2**62:
            raise Invalid({"cursor": [_l("Use the next_cursor of the page before.")]})
        statement = statement.where(key < int(cursor) if descending else key > int(cursor))
    ordered = statement.order_by(key.desc() if descending else key).limit(limit + 1)
    rows: Sequence[Any] = session.execute(ordered).all()
    more, rows = len(rows) > limit, rows[:limit]
    content: dict[str, Any] = {"items": told(rows), "next_cursor": None}
    if more:
        content["next_cursor"] = str(getattr(rows[-1], key.key))
    if count:
        content["total"] = total
    return jsonify(content)


def bearer_text() -> str | None:
    """The bearer token of this request."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme == "Bearer" and text.strip() else None


def _limit_caller() -> None:
    """A token may ask so often in a minute (CONTRACT §3), counted across processes."""
    if not request.path.startswith(PREFIX):
        return
    somebody = person()
    if somebody is not None and somebody.via_token:
        token = hashlib.sha256((bearer_text() or "").encode()).hexdigest()
        asked = limits.count(f"api:{token}", RATE_WINDOW)
        if asked > current_app.config["API_RATE"]:
            raise TooManyRequests(retry_after=RATE_WINDOW)
