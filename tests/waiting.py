"""Waiting in tests: bounded, and for a condition, never for a time."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = 20.0, what: str = "") -> T:
    """The condition's first true result; fails when there is none in time."""
    deadline = monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        sleep(0.02)
