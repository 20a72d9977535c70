"""The other side of the channels: a real SMTP server and a real SMS service on loopback, which answer as told."""

import base64
import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class MailServer:
    """What it got, and how it answers: `answers` by command ('RCPT' → '550 no such user')."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    signed_in_as: list[tuple[str, str]] = field(default_factory=list)
    offers: tuple[str, ...] = ("AUTH PLAIN",)


class _Mail(socketserver.StreamRequestHandler):
    facts: MailServer
    timeout = 5

    def handle(self) -> None:
        self.sender = self.recipient = ""
        if not self._say(self.facts.answers.get("greeting", "220 test")):
            return
        while line := self.rfile.readline():
            command, _, rest = line.decode().strip().partition(" ")
            self.facts.commands.append(command.upper())
            if not self._answer(command.upper(), rest):
                return

    def _answer(self, command: str, rest: str) -> bool:
        told = self.facts.answers.get(command)
        if told is not None and command != "DATA":
            return self._say(told)
        if command == "EHLO":
            lines = ["test", *self.facts.offers]
            return self._say("\r\n".join(f"250{'-' if n < len(lines) - 1 else ' '}{x}" for n, x in enumerate(lines)))
        if command == "AUTH":
            _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\x00")
            self.facts.signed_in_as.append((user, password))
            return self._say("235 welcome")
        if command in ("MAIL", "RCPT"):
            address = rest[rest.index("<") + 1 : rest.index(">")]
            self.sender, self.recipient = (address, "") if command == "MAIL" else (self.sender, address)
            return self._say("250 ok")
        if command == "DATA":
            return self._data(told)
        return self._say("221 bye" if command == "QUIT" else "250 ok")

    def _data(self, told: str | None) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if told is None:
            self.facts.envelopes.append((self.sender, self.recipient))
            self.facts.mails.append(message_from_bytes(b"".join(lines), policy=SMTP))  # type: ignore[arg-type]
        return self._say(told or "250 taken")

    def _say(self, text: str) -> bool:
        """Answer; '' hangs up."""
        if text:
            self.wfile.write(f"{text}\r\n".encode())
        return bool(text)


@contextmanager
def mail_server(**facts: Any) -> Iterator[MailServer]:
    """A running SMTP server."""
    server_facts = MailServer(**facts)
    handler = type("Handler", (_Mail,), {"facts": server_facts})
    with _serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)) as port:
        server_facts.port = port
        yield server_facts


@dataclass
class SmsServer:
    """What it got: path, headers and content of each call; and the statuses it answers, the last one for ever."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    calls: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    garbage: bool = False


class _Sms(BaseHTTPRequestHandler):
    facts: SmsServer
    timeout = 5

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.facts.calls.append((self.path, dict(self.headers), content))
        if self.facts.garbage:
            self.wfile.write(b"no HTTP at all\r\n\r\n")
            return
        statuses = self.facts.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""


@contextmanager
def sms_server(**facts: Any) -> Iterator[SmsServer]:
    """A running SMS service."""
    server_facts = SmsServer(**facts)
    handler = type("Handler", (_Sms,), {"facts": server_facts})
    with _serve(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as port:
        server_facts.port = port
        yield server_facts


@contextmanager
def _serve(server: socketserver.BaseServer) -> Iterator[int]:
    server.daemon_threads = True  # type: ignore[attr-defined]  # both servers mix in threads
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[misc, index]  # (host, port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
