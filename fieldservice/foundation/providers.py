"""Which services tell places and travel times, as the settings say."""

from config import Settings
from fieldservice.foundation import limits
from fieldservice.foundation.places import daytime, locating, travel
from fieldservice.foundation.places.road_dialects import DIALECTS
from fieldservice.foundation.places.roads import RoadTable

A_SECOND = {"nominatim": 1, "amap": 3}  # questions a provider's terms allow, over all processes


def choose(settings: Settings) -> None:
    """Called once by the app factory."""
    kind = locating.LOCATORS.get(settings.geocoder)
    locating.use(
        kind(settings.geocoder_url, settings.geocoder_key, may_ask=lambda: _in_turn(settings.geocoder))
        if kind is not None
        else None
    )
    travel.DEFAULT.hours = daytime.default() if settings.travel_hours == "default" else None
    dialect = DIALECTS.get(settings.travel)
    if dialect is None:
        travel.DEFAULT.provider = travel.StraightLine()
    else:
        travel.DEFAULT.provider = RoadTable(settings.travel_url, dialect)


def _in_turn(name: str) -> bool:
    """Whether the provider may be asked now; otherwise the division stands, which is said."""
    return limits.count(f"provider:{name}", 1) <= A_SECOND[name]
