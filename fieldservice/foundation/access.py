"""Who may do what, and on whose objects.

Every view declares its access; one hook enforces it, and an undeclared view is refused. Forbidden by
role is 403, another station's object is 404 (CONTRACT §3): scope is asked once, by `scoped`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import current_app, g, has_request_context, request
from flask.views import View
from sqlalchemy import ColumnElement, Select, false, true

from fieldservice.foundation.errors import Forbidden, NotFound, SignInNeeded

F = TypeVar("F", bound=Callable[..., Any])
STAFF = (
    "agent", "dispatcher", "technician", "station_manager", "storekeeper", "sales", "engineer",
    "quality", "finance", "director", "admin",
)  # fmt: skip
READS_ALL_WORK = ("agent", "dispatcher", "station_manager", "director", "quality", "finance", "sales", "engineer")


OPEN = frozenset({"static", "api-docs.openapi_json"})  # views of libraries that cannot carry a declaration


@dataclass(frozen=True)
class Access:
    """What a view demands: anybody (a machine is not even looked up), somebody signed in, or one of these roles."""

    public: bool = False
    machine: bool = False
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Person:
    """Whoever acts now. `roles` maps a role to the stations it covers; None covers all of them."""

    user_id: int
    name: str
    email: str
    language: str | None = None
    technician_id: int | None = None
    customer_id: int | None = None
    roles: Mapping[str, frozenset[int] | None] = field(default_factory=dict)
    via_token: bool = False

    def has(self, *roles: str) -> bool:
        return any(role in self.roles for role in roles)

    def stations(self, *roles: str) -> frozenset[int] | None:
        """Stations covered by any of these roles (by all held roles when none is named); None means all."""
        covered: set[int] = set()
        for role in roles or tuple(self.roles):
            if role in self.roles:
                some = self.roles[role]
                if some is None:
                    return None
                covered |= some
        return frozenset(covered)

    def covers(self, station_id: int | None, *roles: str) -> bool:
        stations = self.stations(*roles)
        return stations is None or (station_id is not None and station_id in stations)

    @property
    def is_staff(self) -> bool:
        return self.has(*STAFF)


def public(view: F) -> F:
    """Anybody may call this."""
    view.__access__ = Access(public=True)  # type: ignore[attr-defined]  # marks on functions are how Flask extensions declare
    return view


def machine(view: F) -> F:
    """Anybody may call this and nobody is asked who they are: probes, which must answer without the database."""
    view.__access__ = Access(public=True, machine=True)  # type: ignore[attr-defined]  # see public
    return view


def signed_in(view: F) -> F:
    """Anybody signed in may call this."""
    view.__access__ = Access()  # type: ignore[attr-defined]  # see public
    return view


def roles(*names: str) -> Callable[[F], F]:
    """Only people holding one of these roles may call this."""

    def mark(view: F) -> F:
        view.__access__ = Access(roles=frozenset(names))  # type: ignore[attr-defined]  # see public
        return view

    return mark


def declared(endpoint: str, method: str) -> Access | None:
    """The access a route declares, looking into class-based views by method."""
    if endpoint in OPEN:
        return Access(public=True)
    view = current_app.view_functions.get(endpoint)
    if view is None:
        return None
    view_class: type[View] | None = getattr(view, "view_class", None)
    if view_class is not None:
        view = getattr(view_class, method.lower(), None) or getattr(view_class, "get", None)
    access: Access | None = getattr(view, "__access__", None)
    return access


def enforce() -> None:
    """The hook before every request."""
    if request.endpoint is None or request.method == "OPTIONS":
        return
    access = declared(request.endpoint, request.method)
    if access is None:
        raise Forbidden(code="undeclared_access")
    if access.public:
        return
    somebody = person()
    if somebody is None:
        raise SignInNeeded()
    if access.roles and not somebody.has(*access.roles):
        raise Forbidden()


def person() -> Person | None:
    """Whoever is signed in on this request (or acts in this command), else None."""
    return g.get("person") if has_request_context() or current_app else None


def current() -> Person:
    """Like `person`, where the view's declaration guarantees one."""
    somebody = person()
    if somebody is None:
        raise SignInNeeded()
    return somebody


def actor() -> str:
    """The code of whoever acts, for events: 'user:7', 'customer' or 'system'."""
    acting = g.get("actor") if current_app else None
    if acting:
        return str(acting)
    somebody = person() if current_app else None
    if somebody is not None:
        return f"user:{somebody.user_id}"
    return "customer" if has_request_context() else "system"


def in_scope(model: Any, somebody: Person, *roles: str) -> ColumnElement[bool]:
    """The condition that keeps a model's rows to the person's stations (and what is assigned to them).

    A model whose rows may be assigned across stations (a lent technician's visit) adds its own
    `assigned_to(person)` condition; DESIGN §3: scope = own stations ∪ what is explicitly assigned.
    """
    stations = somebody.stations(*roles)
    if stations is None:
        return true()
    own: ColumnElement[bool] = model.station_id.in_(stations) if stations else false()
    assigned = getattr(model, "assigned_to", None)
    return own | assigned(somebody) if assigned else own


def scoped(statement: Select[Any], model: Any, somebody: Person, *roles: str) -> Select[Any]:
    """Limit a list or look-up to what the person may see."""
    return statement.where(in_scope(model, somebody, *roles))


def require_station(station_id: int | None, *roles: str) -> None:
    """Refuse work on another station's object with 404, so that its existence is not told."""
    if not current().covers(station_id, *roles):
        raise NotFound()


def all_of(names: Iterable[str]) -> dict[str, frozenset[int] | None]:
    """Roles over every station (system and command-line use)."""
    return dict.fromkeys(names)
