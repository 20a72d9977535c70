"""Clocks: a time limit on any subject, in wall or business time, with warnings, escalation and outcome.

`core` is pure arithmetic, `models` the rows, `services` what can be done, `scan` what the scheduler
does, `view` what screens show.
"""

from fieldservice.mechanisms.clocks.core import SHARES, net_minutes
from fieldservice.mechanisms.clocks.models import Clock, ClockPause
from fieldservice.mechanisms.clocks.scan import escalate, miss, tick
from fieldservice.mechanisms.clocks.services import (
    begin,
    first_open_of,
    hand_over,
    insert_many,
    most_urgent,
    of,
    of_many,
    pause,
    pauses_of,
    resume,
    shorten,
    start,
    stop,
    void,
)
from fieldservice.mechanisms.clocks.view import ClockView, moment_text, view, views, window_text
from fieldservice.mechanisms.limits import Limit

__all__ = [
    "SHARES", "Clock", "ClockPause", "ClockView", "Limit", "begin", "escalate", "first_open_of", "hand_over",
    "insert_many", "miss", "moment_text", "most_urgent", "net_minutes", "of", "of_many", "pause", "pauses_of", "resume",
    "shorten", "start", "stop", "tick", "view", "views", "void", "window_text",
]  # fmt: skip
