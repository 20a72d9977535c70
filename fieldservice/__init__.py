"""FieldService 360. The table of contents of the system is `app.py`; importing the package alone brings nothing else,
so that a process that only shrinks pictures does not hold the whole of it (97 MB each, measured)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings


def create_app(settings: "Settings") -> "Flask":
    """Build the app (`fieldservice.app`)."""
    from fieldservice import app

    return app.create_app(settings)
