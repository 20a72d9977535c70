"""Asking a service on the net for JSON: briefly, not following it elsewhere, and leaving it alone while it is down."""

import json
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

TIMEOUT = 2.5  # seconds somebody may wait for a road or an address
REST = 60.0  # seconds a service that failed is left alone
MOST_BYTES = 4 * 1024 * 1024


class Unavailable(Exception):
    """The service gave no usable answer; the caller falls back and says so."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """An address of the settings is asked, and no other."""

    def redirect_request(self, *_args: Any, **_facts: Any) -> None:
        return None


class Service:
    """A service at an address of the settings, with its circuit breaker."""

    def __init__(self, name: str, url: str, *, timeout: float = TIMEOUT) -> None:
        self.name, self.url, self.timeout = name, url.rstrip("/"), timeout
        self._opener = urllib.request.build_opener(_Stay)
        self._lock, self._rests_until = threading.Lock(), 0.0

    @property
    def resting(self) -> bool:
        """Whether it failed a moment ago."""
        return time.monotonic() < self._rests_until

    def ask(self, path: str, body: Any = None) -> Any:
        """The JSON behind a path (GET), or in answer to a body sent there as JSON (POST).

        Raises Unavailable for anything else, at once while the service rests.
        """
        if self.resting:
            raise Unavailable(f"{self.name} rests after a failure")
        headers = {"User-Agent": "FieldService360", "Accept": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, content, headers)
        try:
            # the address comes from the settings, whose scheme config.py has checked
            with self._opener.open(request, timeout=self.timeout) as answer:
                text = answer.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise ValueError("the answer is too long")
            return json.loads(text)
        except (urllib.error.URLError, HTTPException, OSError, ValueError, RecursionError) as error:
            self.fail()
            raise Unavailable(f"{self.name}: {type(error).__name__}") from error

    def fail(self) -> None:
        """Leave it alone for a while: it answered nothing, or nonsense."""
        with self._lock:
            self._rests_until = time.monotonic() + REST
