"""Naming a thing without importing its model: mechanisms know a subject by type and id."""

from dataclasses import dataclass
from typing import Any

from fieldservice.mechanisms.lifecycle import Lifecycle


@dataclass(frozen=True)
class Ref:
    """A subject known only by its type and id (and station, where it has one)."""

    subject_type: str
    id: int
    station_id: int | None = None


class OnBehalf:
    """Lets `lifecycle.move` change a row while the event tells of the row's subject.

    Clocks and tasks are about something else; their facts belong on that thing's timeline.
    """

    def __init__(self, row: Any) -> None:
        self.row = row
        self.lifecycle: Lifecycle = row.lifecycle
        self.subject_type: str = row.subject_type
        self.id: int = row.subject_id
        self.station_id: int | None = row.station_id

    @property
    def state(self) -> str:
        return str(self.row.state)

    @state.setter
    def state(self, value: str) -> None:
        self.row.state = value
