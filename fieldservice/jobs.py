"""Wiring: every piece of scheduled work, one line each. Deferred jobs are declared beside what they do, by @task."""

from datetime import time, timedelta

from fieldservice.foundation.db import write
from fieldservice.foundation.jobs import every, forget_done
from fieldservice.foundation.time import now
from fieldservice.mechanisms import clocks, files, messages
from fieldservice.mechanisms.relay import relay


def list_schedules() -> None:
    """Called by the app factory; the leader then runs them."""
    every(timedelta(milliseconds=80), relay)
    every(timedelta(seconds=2), messages.deliver_queued)
    every(timedelta(seconds=10), watch_clocks)
    every(time(3, 30), forget_done)
    every(time(3, 40), files.sweep)


def watch_clocks() -> None:
    """Tell warnings and breaches, in batches, until none is due."""
    while write(lambda: clocks.tick(now(), 200)) == 200:
        pass
