"""How large a demo company is (CONTRACT §1)."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from fieldservice.foundation.errors import Invalid


@dataclass(frozen=True)
class Size:
    """Stations and technicians at each, customers at each, open requests, and closed ones over `days`."""

    code: str
    stations: int
    technicians: int
    customers: int
    open: int
    closed: int
    days: int = 180


SMALL = Size("small", stations=3, technicians=4, customers=12, open=60, closed=740)
CITY = Size("city", stations=10, technicians=20, customers=60, open=2000, closed=12_000)
SIZES = {size.code: size for size in (SMALL, CITY)}


def size_of(code: str) -> Size:
    """Raises Invalid for a size that cannot be built."""
    if code == "nation":
        raise Invalid(
            {"size": [_l("The size nation comes with the scale figures of stage 2 (issue 3). Use small or city.")]}
        )
    if code not in SIZES:
        raise Invalid({"size": [_l("Choose small or city.")]})
    return SIZES[code]
