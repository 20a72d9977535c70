"""Trying what the installation needs from outside: mail, SMS, and the folder of backups. Says what came back in words.

Called outside `write`: a mail server may take its time.
"""

import os
import secrets
import shutil
import smtplib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from config import Settings
from fieldservice.foundation.company import company
from fieldservice.foundation.errors import Invalid
from fieldservice.foundation.formats import FormatError, check_email, check_phone
from fieldservice.foundation.words import language
from fieldservice.mechanisms.messages.channels import DeliveryError, Envelope, adapters

LEAST_FREE = 2 * 1024**3  # bytes; a year of photos of a small station and its database
MOST_WORDS = 200


@dataclass(frozen=True)
class Outcome:
    """How a trial went. `answer` are the other side's own words, if it gave any."""

    ok: bool
    code: str
    sentence: str
    answer: str = ""


def send_trial(channel: str, to: str, settings: Settings) -> Outcome:
    """Send a real message by the configured way. Raises Invalid for an address that is none."""
    try:
        address = check_email(to) if channel == "email" else check_phone(to)
    except FormatError as error:
        raise Invalid({f"{channel}_to": [error.message]}) from error
    if not (settings.smtp_url if channel == "email" else settings.sms_url):
        return Outcome(False, "not_configured", sentence_of("not_configured", channel))
    name = company().short() or "FieldService 360"
    envelope = Envelope(
        0, f"setup-trial-{secrets.token_hex(8)}", "setup_trial", channel, address, language(),
        str(_("Test message of %(name)s", name=name)),
        str(_("This is a test of %(name)s. If you read it, messages leave this installation.", name=name)),
    )  # fmt: skip
    try:
        adapters(settings)[channel].send(envelope)
    except ValueError as error:
        return Outcome(False, "setting", sentence_of("setting", channel), str(error)[:MOST_WORDS])
    except DeliveryError as error:
        return Outcome(False, error.code, sentence_of(error.code, channel), _words(error.__cause__))
    return Outcome(True, "sent", sentence_of("sent", channel))


def sentence_of(code: str, channel: str) -> str:
    """What a code means and what to do next."""
    setting = "FIELDSERVICE_SMTP_URL" if channel == "email" else "FIELDSERVICE_SMS_URL"
    known = {
        "sent": _("The other side took the message over. Look whether it arrived."),
        "not_configured": _("%(setting)s is not set: messages are only written to the log.", setting=setting),
        "setting": _("%(setting)s cannot be used as it is written.", setting=setting),
        "smtp_unreachable": _("The mail server does not answer. Check host, port and firewall in %(s)s.", s=setting),
        "sms_unreachable": _("The SMS service does not answer. Check host, port and firewall in %(s)s.", s=setting),
        "smtp_535": _("The mail server does not accept user and password. Check them in %(s)s.", s=setting),
        "sms_401": _("The SMS service does not accept the token. Check FIELDSERVICE_SMS_TOKEN."),
        "sms_403": _("The SMS service does not accept the token. Check FIELDSERVICE_SMS_TOKEN."),
        "smtp_not_supported": _("The mail server cannot do what %(s)s asks of it, such as encryption.", s=setting),
        "address": _("The address cannot be used."),
    }
    if code in known:
        return str(known[code])
    number = code.rpartition("_")[2]
    if channel == "email":
        return str(_("The mail server refused the message with code %(code)s.", code=number))
    return str(_("The SMS service refused the message with code %(code)s.", code=number))


def _words(cause: BaseException | None) -> str:
    """The server's own words, plain and short."""
    text: Any = ""
    if isinstance(cause, smtplib.SMTPRecipientsRefused):
        text = next(iter(cause.recipients.values()))[1]
    elif isinstance(cause, smtplib.SMTPResponseException):
        text = cause.smtp_error
    elif cause is not None:
        text = str(cause)
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:MOST_WORDS]


@dataclass(frozen=True)
class Folder:
    """Whether backups can be kept in a folder."""

    path: Path
    writable: bool
    free: int  # bytes
    same_disk: bool  # as the data: a broken disk takes both

    @property
    def ok(self) -> bool:
        return self.writable and self.free >= LEAST_FREE

    @property
    def free_gb(self) -> int:
        """Whole gigabytes."""
        return self.free // 1024**3


def try_folder(path: Path, data: Path) -> Folder:
    """Make the folder if it is missing, write a file and take it away again."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / f".trial-{secrets.token_hex(8)}"
        probe.write_bytes(b"360")
        probe.unlink()
    except OSError:
        return Folder(path, False, 0, False)
    return Folder(path, True, shutil.disk_usage(path).free, os.stat(path).st_dev == os.stat(data).st_dev)
