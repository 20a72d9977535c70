"""How large a demo company is (CONTRACT §1)."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.db import is_sqlite
from fieldservice.foundation.errors import Invalid


@dataclass(frozen=True)
class Size:
    """Stations and technicians at each, customers at each, open requests, and closed ones over `days`.

    With `past` all this is told for one of `regions`, and copied for the others and for earlier months until so many
    orders are closed.
    """

    code: str
    stations: int
    technicians: int
    customers: int
    open: int
    closed: int
    days: int = 180
    regions: int = 1
    past: int = 0


SMALL = Size("small", stations=3, technicians=4, customers=12, open=60, closed=740)
CITY = Size("city", stations=10, technicians=20, customers=60, open=2250, closed=12_000)
NATION = Size(
    "nation", stations=10, technicians=20, customers=60, open=7900, closed=1500, days=35, regions=30, past=1_000_000
)
SIZES = {size.code: size for size in (SMALL, CITY, NATION)}


def size_of(code: str) -> Size:
    """Raises Invalid for a size that cannot be built here."""
    if code not in SIZES:
        raise Invalid({"size": [_l("Choose small, city or nation.")]})
    size = SIZES[code]
    if size.past and is_sqlite():
        raise Invalid({"size": [_l("A whole country needs PostgreSQL. Use small or city here, or set the address of a "
                                   "PostgreSQL database.")]})  # fmt: skip
    return size
