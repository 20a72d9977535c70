"""Adapters that carry a message out of the house: SMTP, SMS by HTTP, and the log where neither is set up.

They raise Refused when trying again cannot help and Unreachable when it may. Both carry a code of
ours, never the other side's words (which may quote addresses), and nothing here logs a secret.
"""

import http.client
import json
import logging
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from config import Settings
from fieldservice.foundation.time import local, now

TIMEOUT = 10.0  # seconds for each answer of the other side
LOOPBACK = ("localhost", "127.0.0.1", "::1")
WORTH_RETRYING = (401, 403, 408, 425, 429)  # our set-up may be mended, or they were busy
log = logging.getLogger("fieldservice.messages")


@dataclass(frozen=True)
class Envelope:
    """A message ready to go. `key` lets the receiver recognise a repeat."""

    id: int
    key: str
    template: str
    channel: str
    to: str
    language: str
    subject: str
    body: str


class DeliveryError(Exception):
    """The message did not leave; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Refused(DeliveryError):
    """It never will: the address or the text is not accepted."""


class Unreachable(DeliveryError):
    """It may later."""


class ChannelAdapter(Protocol):
    """Carries one message; returning means that the other side took it over."""

    def send(self, envelope: Envelope) -> None: ...


def adapters(settings: Settings) -> dict[str, ChannelAdapter]:
    """The adapter of each channel, as set up. Raises ValueError for an address that cannot be used."""
    email: ChannelAdapter = Console()
    sms: ChannelAdapter = Console()
    if settings.smtp_url:
        email = Smtp.from_url(settings.smtp_url, settings.mail_from)
    if settings.sms_url:
        sms = SmsGateway.from_url(settings.sms_url, settings.sms_token)
    return {"email": email, "sms": sms}


class Console:
    """Where no way out is set up: says in the log that a message would go. Address and text stay out of it."""

    def send(self, envelope: Envelope) -> None:
        facts = {"message": envelope.id, "template": envelope.template, "channel": envelope.channel}
        log.info("message %s", json.dumps({**facts, "language": envelope.language}, ensure_ascii=False))


@dataclass(frozen=True)
class Smtp:
    """E-mail. smtp://user:password@host:587?starttls=1, smtps://user:password@host:465, smtp://127.0.0.1:25"""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False  # from the first byte
    starttls: bool = False

    @classmethod
    def from_url(cls, url: str, sender: str) -> "Smtp":
        """Read the setting. Raises ValueError (without the password in it) for one that cannot be used."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("SMTP_URL: write smtp://user:password@host:587?starttls=1 or smtps://…")
        tls = parts.scheme == "smtps"
        starttls = parse_qs(parts.query).get("starttls", ["0"])[0] == "1"
        if parts.username and not (tls or starttls) and parts.hostname not in LOOPBACK:
            raise ValueError("SMTP_URL: a password goes over an open line; write smtps:// or add ?starttls=1")
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if tls else 587 if starttls else 25),
            sender=sender,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=tls,
            starttls=starttls,
        )

    def send(self, envelope: Envelope) -> None:
        try:
            mail = self.mail(envelope)
            with self._connect() as server:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(mail, self.sender, [envelope.to])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise (Refused if code >= 500 else Unreachable)(f"smtp_{code}") from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise (Refused if error.smtp_code >= 500 else Unreachable)(f"smtp_{error.smtp_code}") from error
        except smtplib.SMTPResponseException as error:  # greeting, sign-in: ours to mend
            raise Unreachable(f"smtp_{error.smtp_code}") from error
        except smtplib.SMTPNotSupportedError as error:  # an address or text this server cannot carry
            raise Refused("smtp_not_supported") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable("smtp_unreachable") from error
        except (UnicodeError, ValueError) as error:  # an address that is no address
            raise Refused("address") from error

    def _connect(self) -> smtplib.SMTP:
        if self.tls:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)

    def mail(self, envelope: Envelope) -> EmailMessage:
        """The e-mail itself. Its Message-ID stays the same when it has to be sent again."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, envelope.to, envelope.subject
        mail["Date"] = format_datetime(local(now()))
        mail["Message-ID"] = f"<message-{envelope.id}@{self.sender.rpartition('@')[2].strip('>') or 'localhost'}>"
        mail["Auto-Submitted"] = "auto-generated"  # no out-of-office replies, please
        mail.set_content(envelope.body + "\n", cte="base64")
        mail["Content-Language"] = envelope.language  # set_content drops what was said of a content before
        return mail


@dataclass(frozen=True)
class SmsGateway:
    """Any SMS service that takes POST {"to", "text", "id"} as JSON with a bearer token."""

    host: str
    port: int
    path: str
    tls: bool
    token: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str, token: str | None) -> "SmsGateway":
        """Read the setting. Raises ValueError for one that cannot be used."""
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("SMS_URL: write the full address, such as https://sms.example.com/send")
        if token and not tls and parts.hostname not in LOOPBACK:
            raise ValueError("SMS_URL: the token would go over an open line; write https://")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname, parts.port or (443 if tls else 80), path, tls, token or "")

    def send(self, envelope: Envelope) -> None:
        content = {"to": envelope.to, "text": envelope.body, "id": envelope.key}
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(envelope.id)}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        # http.client follows no redirect, so the token reaches nobody but the host that was set up
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=TIMEOUT)
        try:
            connection.request("POST", self.path, json.dumps(content), headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable("sms_unreachable") from error
        finally:
            connection.close()
        if 400 <= status < 500 and status not in WORTH_RETRYING:
            raise Refused(f"sms_{status}")
        if not 200 <= status < 300:
            raise Unreachable(f"sms_{status}")
