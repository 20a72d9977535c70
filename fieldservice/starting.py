"""`make run`: migrations, demo data or set-up, and the server in one process, so that a second start takes seconds."""

import argparse
import os
import socket
import sys
from contextlib import suppress
from datetime import time
from pathlib import Path
from typing import Any

import segno
import uvicorn
from flask import Flask
from flask_babel import force_locale
from flask_migrate import upgrade

from config import Settings, load_settings
from fieldservice import create_app
from fieldservice.demo import accounts, load
from fieldservice.foundation import company
from fieldservice.foundation.db import session, write
from fieldservice.foundation.jobs import every
from fieldservice.foundation.server import make_asgi
from fieldservice.foundation.time import now
from fieldservice.setup import certificates
from fieldservice.setup.first_run import make_code, state
from fieldservice.setup.safety import is_loopback, is_migrated, look, unsafe

RENEWS_AT = time(3, 40)
STARTUP_FAILED = 3  # as uvicorn says it
STOP_WITHIN = 3  # seconds that open streams get when the server stops
EVERYWHERE = ("0.0.0.0", "::")  # compared, not bound  # nosec B104


def main() -> None:
    """Bring everything up and serve until stopped."""
    wishes = _wishes()
    if wishes.demo:
        os.environ.setdefault("FIELDSERVICE_DEMO", "1")
        _refuse_open_demo(wishes.host)
    shown = f"{'https' if wishes.tls else 'http'}://{_shown_host(wishes)}:{wishes.port}"
    os.environ.setdefault("FIELDSERVICE_PUBLIC_URL", shown)
    settings = load_settings()
    app = create_app(settings)
    with app.app_context():
        migrate()
        if wishes.demo:
            load.load_once("small", seed=360, tell=print)
            print(accounts.listing(shown), flush=True)
        else:
            _refuse_unsafe(settings, wishes.host)
            _tell_set_up(settings)
        session.remove()
    company.follow(app)
    _serve(app, settings, wishes)


def _serve(app: Flask, settings: Settings, wishes: argparse.Namespace) -> None:
    secured: dict[str, Any] = {}
    names = {*certificates.machine_names(), _shown_host(wishes)}
    if wishes.tls:
        files = certificates.ready(settings.instance_path, names, now())
        secured = {"ssl_certfile": str(files.server), "ssl_keyfile": str(files.key)}
        _tell_tablets(settings.public_url, files.authority)
    config = uvicorn.Config(
        make_asgi(app),
        host=wishes.host,
        port=wishes.port,
        lifespan="on",
        log_level="warning",
        timeout_graceful_shutdown=STOP_WITHIN,
        proxy_headers=False,  # FIELDSERVICE_TRUSTED_PROXIES says whom to believe
        **secured,
    )
    config.load()
    context = config.ssl
    if context is not None:
        every(
            RENEWS_AT,
            lambda: certificates.renew(context, settings.instance_path, names, now()),
            "setup.certificates.renew",
        )
    server = _Server(config, settings.public_url)
    with suppress(KeyboardInterrupt):  # Ctrl-C is how people stop it, and uvicorn raises it again when all is closed
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)


class _Server(uvicorn.Server):
    """Tells its address when it can be reached there, not before."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            print(f"FieldService 360: {self._address}", flush=True)


def migrate() -> None:
    """Bring the database to the newest migration; nothing is imported or opened when it is there already."""
    if not is_migrated():
        print("Preparing the database …", flush=True)
        upgrade()


def _tell_set_up(settings: Settings) -> None:
    """Where an empty installation is set up, with a code for it."""
    found = state()
    if not found.needed:
        return
    if found.has_account:
        print(f"The set-up is not finished: sign in and go on at {settings.public_url}/setup", flush=True)
        return
    code = write(make_code)
    print(
        f"\nThis installation is empty. Set it up at\n\n  {settings.public_url}/setup\n  one-time code  {code}\n\n"
        "or on the command line: flask --app wsgi setup\n",
        flush=True,
    )


def _refuse_unsafe(settings: Settings, host: str) -> None:
    """What is unsafe may be tried on this machine; for others the server does not start."""
    problems = unsafe(look(settings))
    with force_locale("en"):
        for problem in problems:
            print(f"UNSAFE: {problem.sentence}", flush=True)
    if problems and not is_loopback(host):
        sys.exit(f"Not started on {host}, which other machines reach. Mend the above, or use HOST=127.0.0.1.")


def _tell_tablets(address: str, authority: Path) -> None:
    """The address for tablets as a QR code on the terminal, and what they have to trust."""
    print(f"\nTablets open {address}/tablet; first they trust {address}/tablets/ca.crt", flush=True)
    print(f"  SHA-256 {certificates.fingerprint(authority)}", flush=True)
    if sys.stdout.isatty():
        segno.make(f"{address}/tablets/ca.crt").terminal(compact=True)


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fieldservice.serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--demo", action="store_true", help="load the demo company into an empty database")
    parser.add_argument("--tls", action="store_true", help="serve https with a certificate of this installation's own")
    return parser.parse_args()


def _shown_host(wishes: argparse.Namespace) -> str:
    """Listening everywhere is no address: tablets get the one of this machine in its network."""
    return certificates.network_address() if wishes.host in EVERYWHERE else str(wishes.host)


def _refuse_open_demo(host: str) -> None:
    """Demo accounts have a printed password, so the demo stays on this machine unless somebody insists."""
    if not is_loopback(host) and os.environ.get("I_KNOW") != "1":
        sys.exit(
            f"The demo would be open to everybody who reaches {host}. "
            "Use HOST=127.0.0.1, or say I_KNOW=1 if you mean it."
        )
