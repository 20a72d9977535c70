"""The web edge: language, cross-site protection, security headers, errors as pages, and template names."""

import json
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, current_app, g, has_request_context, render_template, request, url_for
from flask_babel import Babel, ngettext
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from whitenoise import WhiteNoise

from config import LANGUAGES, Settings
from fieldservice.foundation import display, limits
from fieldservice.foundation.access import enforce, person
from fieldservice.foundation.company import company, default_language
from fieldservice.foundation.db import is_sqlite, session
from fieldservice.foundation.errors import DomainError, Forbidden, Invalid, NotFound, TooLarge, TooMany
from fieldservice.foundation.formats import phone_text
from fieldservice.foundation.places import travel
from fieldservice.foundation.time import clock
from fieldservice.foundation.words import language, pick, word

# Flask-Babel calls its lazy texts safe HTML, whatever was put into them. A name that somebody typed is not: without
# this, `There is no "<img …>"` would be shown as a picture. tests/foundation/test_front_pages.py watches it.
if hasattr(LazyString, "__html__"):
    del LazyString.__html__
babel = Babel()
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri=f"{limits.AttemptStorage.STORAGE_SCHEME[0]}://", headers_enabled=True)
UNREADABLE = re.compile("[\x00\ud800-\udfff]")
LOCAL = re.compile(r"https://(localhost|127\.|\[::1\])")  # one promise of HTTPS there would bind every program
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "static" / "dist"
CATALOGUES = ROOT / "fieldservice" / "translations"
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FILTERS = (
    "clock_time", "date_short", "datetime_short", "date_long", "date_weekday", "minutes", "quantity", "money",
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def settings() -> Settings:
    """The installation's settings."""
    found: Settings = current_app.extensions["fieldservice.settings"]
    return found


def serve_built_files(app: Flask) -> None:
    """Built files go out packed, kept for ever, without a way through the app; what is built later, Flask sends."""

    def add_headers(headers: Any, _path: str, _url: str) -> None:
        for name, value in HEADERS.items():
            headers[name] = value

    if DIST.is_dir():
        app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]  # as WhiteNoise's guide says
            app.wsgi_app, root=str(DIST), prefix="static/dist/", max_age=31536000, immutable_file_test=_is_built,
            add_headers_function=add_headers, allow_all_origins=False,
        )  # fmt: skip


def _is_built(path: str, _url: str) -> bool:
    return not path.endswith("manifest.json")


def install(app: Flask) -> None:
    """Fit the app with everything the edge does for every request."""
    csrf.init_app(app)
    limiter.init_app(app)
    domains = sorted(path.stem for path in (CATALOGUES / "zh" / "LC_MESSAGES").glob("*.po")) or ["messages"]
    babel.init_app(
        app,
        default_locale="zh",
        locale_selector=choose_language,
        timezone_selector=lambda: str(clock.zone),
        default_domain=";".join(domains),
        default_translation_directories=";".join([str(CATALOGUES)] * len(domains)),
    )
    app.before_request(_refuse_unreadable)
    app.before_request(_refuse_cross_site)
    app.before_request(enforce)
    app.after_request(_finish)
    app.register_error_handler(DomainError, show_error)
    app.register_error_handler(
        CSRFError,
        lambda error: show_error(
            Forbidden(_l("This page was open too long. Load it again and repeat the step."), code="csrf")
        ),
    )
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(Exception, _show_crash)
    for name in FILTERS:
        app.add_template_filter(getattr(display, name), name)
    app.add_template_filter(phone_text, "phone")
    app.jinja_env.globals.update(word=word, pick=pick, asset=asset, ngettext=ngettext, company=company)
    app.jinja_env.globals.update(travel_source=lambda: travel.DEFAULT.source)
    app.jinja_env.globals.update(nav_items=nav_items, switch_language_url=switch_language_url, texts=texts)
    app.context_processor(lambda: {"language": language(), "person": person(), "languages": LANGUAGES})
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


# Language ---------------------------------------------------------------------------------------


def choose_language() -> str:
    """?lang= first, then what the person or browser remembered, then the browser's wish, then the default."""
    if not has_request_context():
        return str(g.get("language") or default_language())
    if "language" not in g:
        somebody = person()
        wishes = (
            request.args.get("lang"),
            g.get("page_language"),
            request.cookies.get("lang"),
            somebody.language if somebody else None,
            request.accept_languages.best_match(("zh", "zh-CN", "en", "en-US"), default=""),
        )
        spoken = next((wish[:2] for wish in wishes if wish and wish[:2] in LANGUAGES), None)
        g.language = spoken or default_language()
    return str(g.language)


def switch_language_url(to: str) -> str:
    """This page in the other language."""
    query = {**request.args.to_dict(), "lang": to}
    return f"{request.path}?{urlencode(query)}"


# Input no database can store -------------------------------------------------------------------------


def _refuse_unreadable() -> None:
    """NUL and broken characters reach nothing: PostgreSQL cannot store them, and no keyboard types them."""
    if not _readable(request.path):
        raise NotFound()
    wrong = [name for name, value in request.args.items(multi=True) if not _readable(name) or not _readable(value)]
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        wrong += [name for name, value in request.form.items(multi=True) if not _readable(name) or not _readable(value)]
    elif request.is_json and not _readable(_body()):
        wrong.append("_body")
    if wrong:
        message = _l("This holds characters that cannot be stored. Remove them and try again.")
        raise Invalid({name.replace("\x00", ""): [message] for name in wrong})


def _body() -> Any:
    """The JSON sent, or nothing; what is nested so deep that Python's reader gives up counts as unreadable."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return "\x00"


def _readable(value: Any, depth: int = 0) -> bool:
    """Whether every text inside can be stored."""
    if isinstance(value, str):
        return not UNREADABLE.search(value)
    if depth > 40:
        return False
    if isinstance(value, dict):
        return all(_readable(key, depth + 1) and _readable(inner, depth + 1) for key, inner in value.items())
    if isinstance(value, list):
        return all(_readable(inner, depth + 1) for inner in value)
    return True


# Cross-site protection ---------------------------------------------------------------------------


def _refuse_cross_site() -> None:
    """Writes must come from our own pages: Origin is checked always, the token where a cookie signs in."""
    if request.method in SAFE or request.headers.get("Authorization", "").startswith("Bearer "):
        return
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc not in (request.host, urlsplit(settings().public_url).netloc):
        raise Forbidden(_l("This request came from another site and was refused."), code="cross_site")
    if person() is not None or request.endpoint == "accounts.sign_in":
        csrf.protect()


# Responses ---------------------------------------------------------------------------------------


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if settings().secure_cookies and not LOCAL.match(settings().public_url):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = (
            "no-store" if request.endpoint != "static" else "public, max-age=31536000, immutable"
        )
    wish = request.args.get("lang")
    if wish in LANGUAGES and request.cookies.get("lang") != wish:
        response.set_cookie("lang", wish, max_age=365 * 86400, samesite="Lax", secure=settings().secure_cookies)
    return response


def wants_json() -> bool:
    return (
        request.path.startswith("/api/")
        or request.accept_mimetypes.best == "application/json"
        or request.path.startswith("/tablet/")
    )


def show_error(error: DomainError) -> Any:
    """The API answers problem details; pages show a sentence and the way back."""
    session.rollback()
    if wants_json():
        return problem(error)
    if error.status == 401 and request.method in SAFE:
        from flask import redirect

        return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
    return render_template("layouts/error.html", error=error), error.status


def problem(error: DomainError) -> Response:
    """RFC 9457 problem details with our `code`, field `errors` and the facts that help."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": error.code,
        "status": error.status,
        "code": error.code,
        "detail": str(error.message),
        **{
            name: fact
            for name, fact in error.facts.items()
            if name not in ("type", "title", "status", "code", "detail")
        },
    }
    if isinstance(error, Invalid):
        content["errors"] = {name: [str(text) for text in texts_] for name, texts_ in error.errors.items()}
    response = current_app.response_class(json.dumps(content, ensure_ascii=False, default=str), error.status)
    response.mimetype = "application/problem+json"
    return response


_BY_STATUS: dict[int, type[DomainError]] = {403: Forbidden, 404: NotFound, 413: TooLarge, 429: TooMany}


def show_http_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    shown = _BY_STATUS.get(error.code, DomainError)()
    shown.status = error.code
    if error.code not in _BY_STATUS:
        shown.code = error.name.lower().replace(" ", "_")
    answer = current_app.make_response(show_error(shown))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def _show_crash(error: Exception) -> Any:
    """A defect of ours. Logged with its trace, shown without it."""
    current_app.logger.exception("unhandled error on %s %s", request.method, request.path)
    shown = DomainError(_l("Something went wrong on our side. Nothing was saved; please try again."), code="internal")
    shown.status = 500
    if current_app.testing:
        raise error
    return show_error(shown)


# Template names ----------------------------------------------------------------------------------


@cache
def _manifest(_stamp: float) -> dict[str, str]:
    content: dict[str, str] = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
    return content


def asset(name: str) -> str:
    """The address of a built front-end file; its name carries a hash, so browsers keep it for ever."""
    path = DIST / "manifest.json"
    manifest = _manifest(path.stat().st_mtime) if path.exists() else {}
    return url_for("static", filename=f"dist/{manifest.get(name, name)}")


NAVIGATION: list[tuple[str, Any, tuple[str, ...]]] = []


def navigation(endpoint: str, label: Any, *roles: str) -> None:
    """Put a page into the top bar for these roles; shown in the order in which the app registers its pages."""
    if endpoint not in {entry[0] for entry in NAVIGATION}:
        NAVIGATION.append((endpoint, label, roles))


def nav_items() -> list[tuple[str, str, bool]]:
    """(address, label, is current) of the pages this person may open."""
    somebody = person()
    if somebody is None:
        return []
    order = list(current_app.blueprints)
    shown = [
        (url_for(endpoint), str(label), endpoint.split(".")[0])
        for endpoint, label, roles in NAVIGATION
        if somebody.has(*roles) and endpoint in current_app.view_functions
    ]
    shown.sort(key=lambda item: order.index(item[2]))
    below = [url for url, _label, _owner in shown if f"{request.path}/".startswith(f"{url}/")]
    here = (request.endpoint or "").split(".")[0]
    return [(url, label, url in below if below else owner == here) for url, label, owner in shown]


def texts(capability: str) -> dict[str, str]:
    """The Chinese texts of a capability's scripts, collected by `catalogues compile`; English is its own key."""
    return _texts().get(capability, {}) if language() == "zh" else {}


@cache
def _texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        (CATALOGUES / "zh" / "LC_MESSAGES" / "scripts.json").read_text("utf-8")
    )
    return found


def readable(value: Any) -> Any:
    """Decimals as plain numbers for JSON."""
    return float(value) if isinstance(value, Decimal) else value


def database_name() -> str:
    return "sqlite" if is_sqlite() else "postgresql"
