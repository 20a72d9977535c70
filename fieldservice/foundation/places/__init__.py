"""Places: points, China's divisions, addresses and travel times. No network unless the settings name a service."""

from fieldservice.foundation.places import divisions, travel
from fieldservice.foundation.places.geocoding import GeocodeResult, geocode
from fieldservice.foundation.places.points import Point, gcj_to_wgs, wgs_to_gcj
from fieldservice.foundation.places.travel import TravelProvider, distance_km, travel_minutes

__all__ = [
    "GeocodeResult", "Point", "TravelProvider", "distance_km", "divisions", "gcj_to_wgs", "geocode",
    "travel", "travel_minutes", "wgs_to_gcj",
]  # fmt: skip
