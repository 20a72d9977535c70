"""`make run`: migrations, demo data and the server in one process, so that a second start takes seconds.

`python -m fieldservice.serve [--demo] [--host H] [--port P]`; wiring, like the commands.
"""

import argparse
import ipaddress
import os
import sys

import uvicorn
from flask_migrate import upgrade
from sqlalchemy import inspect, text

from config import ROOT, load_settings
from fieldservice import create_app
from fieldservice.demo import accounts, load
from fieldservice.foundation.db import db, session
from fieldservice.foundation.server import make_asgi

STOP_WITHIN = 3  # seconds that open streams get when the server stops


def main() -> None:
    """Bring everything up and serve until stopped."""
    wishes = _wishes()
    if wishes.demo:
        os.environ.setdefault("FIELDSERVICE_DEMO", "1")
        _refuse_open_demo(wishes.host)
    shown = f"http://{wishes.host}:{wishes.port}"
    os.environ.setdefault("FIELDSERVICE_PUBLIC_URL", shown)
    app = create_app(load_settings())
    with app.app_context():
        migrate()
        if wishes.demo:
            load.load_once("small", seed=360, tell=print)
            print(accounts.listing(shown), flush=True)
        session.remove()
    print(f"FieldService 360: {shown}", flush=True)
    uvicorn.run(
        make_asgi(app),
        host=wishes.host,
        port=wishes.port,
        lifespan="on",
        log_level="warning",
        timeout_graceful_shutdown=STOP_WITHIN,
    )


def migrate() -> None:
    """Bring the database to the newest migration; nothing is imported or opened when it is there already."""
    newest = max(path.stem.split("_")[0] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    with db.engine.connect() as connection:
        known = inspect(connection).has_table("alembic_version")
        at = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
    if at != newest:
        print("Preparing the database …", flush=True)
        upgrade()


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fieldservice.serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--demo", action="store_true", help="load the demo company into an empty database")
    return parser.parse_args()


def _refuse_open_demo(host: str) -> None:
    """Demo accounts have a printed password, so the demo stays on this machine unless somebody insists."""
    local = host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
    if not local and os.environ.get("I_KNOW") != "1":
        sys.exit(
            f"The demo would be open to everybody who reaches {host}. "
            "Use HOST=127.0.0.1, or say I_KNOW=1 if you mean it."
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
