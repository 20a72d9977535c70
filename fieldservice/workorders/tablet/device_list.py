"""What can be asked about devices: the list of the person's stations, one of them, and what is wrong with each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from fieldservice.accounts.agents import agent_words
from fieldservice.accounts.models import ApiToken, SignIn
from fieldservice.foundation.access import Person, scoped
from fieldservice.foundation.db import session
from fieldservice.foundation.errors import Invalid, NotFound
from fieldservice.foundation.time import now
from fieldservice.stations.models import Station
from fieldservice.workorders.queries import LARGEST_ID
from fieldservice.workorders.tablet import commands
from fieldservice.workorders.tablet.models import TabletDevice
from fieldservice.workorders.tablet.reviews import REVIEWERS

SHOWN = ("used", "trouble", "ended")
USED, ENDED = ("active", "sign_out_asked"), ("signed_out", "revoked")
OLD, VERY_OLD = timedelta(hours=8), timedelta(hours=24)  # waiting longer than a shift; longer than a day
FULL = 80  # per cent of its storage
PAGE = 50


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; every value was checked."""

    show: str = "used"
    station: str = ""
    after: int | None = None

    @classmethod
    def read(cls, args: Mapping[str, Any]) -> Self:
        """From a query string. Raises Invalid naming every value that cannot be meant."""
        show, after = str(args.get("show") or "used"), str(args.get("after") or "")
        errors: dict[str, list[Any]] = {}
        if show not in SHOWN:
            errors["show"] = [_l("Choose one of the options.")]
        if after and not (after.isascii() and after.isdigit() and len(after) < 19):
            errors["after"] = [_l("Choose one of the options.")]
        if errors:
            raise Invalid(errors)
        return cls(show, str(args.get("station") or "")[:24], int(after) if after else None)


@dataclass(frozen=True)
class Shown:
    """A device with what should worry somebody."""

    device: TabletDevice
    signed_in: bool  # its way in is still good
    age: timedelta | None  # of the oldest item that waits

    @property
    def title(self) -> str:
        """The name it was given, else the browser's."""
        return self.device.name or agent_words(self.device.agent)

    @property
    def waiting_tone(self) -> str:
        if self.age is None or self.age < OLD:
            return "mute"
        return "warn" if self.age < VERY_OLD else "bad"

    @property
    def not_kept(self) -> bool:
        """The browser may throw away what is stored when space runs short."""
        return self.device.persisted is False

    @property
    def clock_off(self) -> timedelta | None:
        """By how much its clock is wrong, if that is worth saying; ahead is negative."""
        offset = timedelta(milliseconds=max(-(10**14), min(self.device.offset_ms or 0, 10**14)))
        return offset if abs(offset) > commands.SKEW else None

    @property
    def outdated(self) -> bool:
        return self.device.client < commands.CURRENT

    @property
    def full(self) -> int | None:
        """Per cent of its space that are used, once that is worth saying."""
        if not self.device.quota or self.device.usage is None:
            return None
        share = 100 * self.device.usage // self.device.quota
        return share if share >= FULL else None


@dataclass(frozen=True)
class Listed:
    """A page of the list."""

    rows: list[Shown]
    more: int | None


def device_by_id(device_id: int, person: Person, *, hold: bool = False) -> TabletDevice:
    """A device of the person's stations; held when somebody is about to act on it. Raises NotFound."""
    wanted = scoped(select(TabletDevice).where(TabletDevice.id == device_id), TabletDevice, person, *REVIEWERS)
    if hold:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    found: TabletDevice | None = session.scalar(wanted) if 0 < device_id < LARGEST_ID else None
    if found is None:
        raise NotFound()
    return found


def narrowed(person: Person, filters: Filters) -> Select[Any]:
    """Devices the person may see, under the filters; `after` is left to the pager."""
    rows = scoped(select(TabletDevice), TabletDevice, person, *REVIEWERS)
    rows = rows.where(TabletDevice.state.in_(ENDED if filters.show == "ended" else USED))
    if filters.show == "trouble":
        off = int(commands.SKEW.total_seconds() * 1000)
        rows = rows.where(
            or_(
                TabletDevice.oldest_waiting_at <= now() - OLD, TabletDevice.held_items > 0,
                TabletDevice.persisted.is_(False), TabletDevice.client < commands.CURRENT,
                func.abs(TabletDevice.offset_ms) > off,
                (TabletDevice.quota > 0) & (TabletDevice.usage * 100 >= TabletDevice.quota * FULL),
            )
        )  # fmt: skip
    if filters.station:
        rows = rows.where(TabletDevice.station_id.in_(select(Station.id).where(Station.code == filters.station)))
    return rows


def listed(person: Person, filters: Filters) -> Listed:
    """Newest first, a page by key; a fixed number of queries."""
    wanted = narrowed(person, filters).options(
        joinedload(TabletDevice.technician), joinedload(TabletDevice.station)
    )  # fmt: skip
    if filters.after is not None:
        wanted = wanted.where(TabletDevice.id < filters.after)
    found = session.scalars(wanted.order_by(TabletDevice.id.desc()).limit(PAGE + 1)).all()
    page = found[:PAGE]
    return Listed(shown(page), page[-1].id if len(found) > PAGE else None)


def shown(devices: Sequence[TabletDevice]) -> list[Shown]:
    """These devices with what should worry somebody; two queries."""
    at = now()
    sign_ins = _good(SignIn, {one.sign_in_id for one in devices}, at)
    tokens = _good(ApiToken, {one.token_id for one in devices}, at)
    return [
        Shown(one, one.sign_in_id in sign_ins or one.token_id in tokens, _age(one, at)) for one in devices
    ]  # fmt: skip


def stations_for(person: Person) -> Sequence[Station]:
    """Stations whose devices the person sees."""
    covered = person.stations(*REVIEWERS)
    rows = select(Station).where(Station.state.in_(("open", "limited"))).order_by(Station.code)
    return session.scalars(rows if covered is None else rows.where(Station.id.in_(sorted(covered)))).all()


def _good(model: type[SignIn] | type[ApiToken], ids: Iterable[int | None], at: datetime) -> set[int]:
    """Those of these ways in that still are."""
    wanted = sorted({one for one in ids if one is not None})
    if not wanted:
        return set()
    rows = select(model.id).where(model.id.in_(wanted), model.revoked_at.is_(None))
    return set(session.scalars(rows.where(SignIn.expires_at > at) if model is SignIn else rows))


def _age(device: TabletDevice, at: datetime) -> timedelta | None:
    oldest = device.oldest_waiting_at if device.waiting else None
    return max(at - oldest, timedelta(0)) if oldest is not None else None
