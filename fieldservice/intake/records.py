"""Import of service requests (CONTRACT 'Import'): what another system or a paper list holds becomes requests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from config import LANGUAGES
from fieldservice.foundation.access import READS_ALL_WORK
from fieldservice.foundation.errors import Conflict, Invalid
from fieldservice.foundation.formats import FormatError
from fieldservice.foundation.time import clock, now
from fieldservice.intake import report, services
from fieldservice.intake.models import ServiceRequest
from fieldservice.intake.receiving_many import Report, report_many
from fieldservice.mechanisms.records import Kind
from fieldservice.mechanisms.records.fields import Choice, Field, Warn
from fieldservice.mechanisms.records.kinds import Values
from fieldservice.stations.queries import find_station

FORM = {  # the names under which report.read knows the columns
    "contact_name": "name", "contact_phone": "phone", "contact_email": "email", "site_address": "address",
    "asset_serial": "serial",
}  # fmt: skip
COLUMN_OF = {form: column for column, form in FORM.items()}
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
DRIFT = timedelta(minutes=5)  # clocks of other systems may run a little ahead
UNTOUCHED = ("new",)


class Moment(Field):
    """A time with its offset, or on the wall clock of this installation; empty means now."""

    def read_text(self, text: str, warn: Warn) -> Any:
        try:
            moment = datetime.fromisoformat(text.replace("/", "-"))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)
        except (ValueError, OverflowError):
            raise FormatError(_l("Write the time such as 2026-11-25T10:30:00+08:00.")) from None
        if not EARLIEST <= moment <= now() + DRIFT:
            raise FormatError(_l("This time lies in the future or before the year 2000."))
        return min(moment, now()).isoformat()


class ServiceRequests(Kind):
    """Requests from elsewhere. A row whose identifier is known changes nothing; no messages are sent."""

    code, symbol = "service-requests", "inbox"
    title, one = _l("Service requests"), _l("Service request")
    model = ServiceRequest
    only_new, listed = True, False
    fields = (
        Field(name="external_id", label=_l("Identifier"), required=True, most=80, example="ERP-4711",
              hint=_l("A row with an identifier that is known already changes nothing.")),
        Moment(name="received_at", label=_l("Received at"), example="2026-11-25T10:30:00+08:00"),
        Choice(name="channel", label=_l("Channel"), words="channel", default="phone", example="phone"),
        Field(name="contact_name", label=_l("Name"), required=True, most=200, example="周敏"),
        Field(name="contact_phone", label=_l("Phone"), example="13912340608"),
        Field(name="contact_email", label=_l("E-mail"), most=255, example="zhou@example.com"),
        Field(name="site_address", label=_l("Address"), most=1000, example="无锡市新吴区长江路 88 号"),
        Field(name="division_code", label=_l("Division"), example="320214"),
        Field(name="latitude", label=_l("Latitude"), example="31.4906"),
        Field(name="longitude", label=_l("Longitude"), example="120.3667"),
        Field(name="asset_serial", label=_l("Serial number"), example="GK320-2023-0187"),
        Field(name="description", label=_l("What happened?"), required=True, most=20_000,
              example="减速机输出轴往下滴油。"),
        Choice(name="severity", label=_l("Severity"), words="severity", required=True, example="degraded"),
        Choice(name="language", label=_l("Language"), words=lambda: {one: {} for one in LANGUAGES},
               default=LANGUAGES[0], example="zh"),
    )  # fmt: skip
    keys = (("external_id",),)
    shown = ("external_id", "contact_name", "severity")
    searched = ("number", "description")
    editors = ("admin", "agent")
    readers = (*READS_ALL_WORK, "admin")

    def values(self, row: Any) -> dict[str, Any]:
        return {"external_id": row.external_id, "number": row.number, "state": row.state}

    def export_values(self, row: Any) -> dict[str, Any]:
        return {
            **{one.name: getattr(row, one.name, None) for one in self.fields},
            "received_at": row.received_at.astimezone(clock.zone).isoformat(), "site_address": row.address,
            "asset_serial": row.asset.serial if row.asset else row.serial_given,
        }  # fmt: skip

    def name(self, row: Any) -> str:
        return str(row.number)

    def check(self, drafts: Sequence[Any]) -> None:
        closed = _nobody_serves()
        for draft in drafts:
            if draft.row is not None:
                continue
            if closed is not None:
                draft.refuse("_row", closed.message)
            if not str(draft.values.get("external_id", "x")).isprintable():
                draft.refuse("external_id", _l("Give each row an identifier of at most 80 characters."))
                continue
            told = set(draft.errors)
            try:
                draft.values["given"] = report.read(_form(draft.values))
            except Invalid as refused:
                for name, texts in refused.errors.items():
                    for text in texts:
                        if COLUMN_OF.get(name, name) not in told:
                            draft.refuse(COLUMN_OF.get(name, name), text)
                if isinstance(refused, report.UnclearPlace):
                    listed = "; ".join(f"{code} {label}" for code, label in refused.choices[:5])
                    draft.refuse("division_code", listed)

    def create(self, wanted: Sequence[Values], at: datetime) -> Sequence[Any]:
        return report_many([_report(values) for values in wanted], at=at)

    def remove(self, row: Any) -> None:
        """A request that nobody touched is cancelled, and its identifier may come again."""
        if row.state not in UNTOUCHED:
            raise Conflict(_l("Somebody works on this request already."), code="record_used")
        services.cancel(row, str(_l("The import was taken back.")), at=now())
        row.external_id = None


def _nobody_serves() -> Conflict | None:
    """Why no request can be taken at all, where that is so."""
    try:
        find_station(None, None)
    except Conflict as closed:
        return closed
    return None


def _form(values: Values) -> dict[str, str]:
    """What the report form would have sent."""
    columns = {one.name: str(values.get(one.name) or "") for one in ServiceRequests.fields}
    return {**{FORM.get(name, name): value for name, value in columns.items()}, "division_asked": report.GIVEN}


def _report(values: Values) -> Report:
    given, received = values["given"], values.get("received_at")
    return Report(
        channel=values.get("channel") or "phone", contact_name=given.contact_name, contact_phone=given.contact_phone,
        contact_email=given.contact_email, description=given.description, severity=given.severity, serial=given.serial,
        asset_id=given.asset_id, place=given.place, language=values.get("language") or LANGUAGES[0],
        external_id=values["external_id"], received_at=datetime.fromisoformat(received) if received else None,
    )  # fmt: skip
