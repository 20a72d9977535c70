"""Whose make a machine is: our own brands are records; any other brand is another maker's."""

import re

from sqlalchemy import select

from fieldservice.assets.models import Brand
from fieldservice.foundation.db import session

SPELLINGS = re.compile(r"[;；]")


def is_own(brand: str) -> bool:
    """Whether this is a brand of ours, however it is spelled."""
    return _known().get(_key(brand)) is True


def is_another_makers(brand: str) -> bool:
    """Whether this is another maker's: listed as one, or not among our own. Where nobody listed our own, nobody knows.

    An empty brand is nobody's.
    """
    key, known = _key(brand), _known()
    return bool(key) and (not known[key] if key in known else any(known.values()))


def _key(brand: str) -> str:
    """A brand as it is compared: case, spaces and signs do not count."""
    return re.sub(r"[\W_]+", "", brand.casefold())


def _known() -> dict[str, bool]:
    """Spelling → ours. Brands are some dozens, so they are read whole."""
    rows = session.execute(select(Brand.name, Brand.also, Brand.own).order_by(Brand.id)).all()
    return {_key(said): own for name, also, own in rows for said in (name, *SPELLINGS.split(also)) if _key(said)}
