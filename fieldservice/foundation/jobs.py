"""Work in the background: four calls that hide whether one process does it or many (DESIGN §5).

`defer` asks for work after a commit, `every` for work by the clock, `emit` tells everybody who
watches, `run_leader` does it all. Here is the embedded mode; the scaled one changes what stands behind
these names, not who calls them.
"""

from flask import Flask

from fieldservice.foundation import live
from fieldservice.foundation.compute import ComputeTimeout, compute
from fieldservice.foundation.deferred import Done, Task, defer, failed_jobs, forget_done, retry, task
from fieldservice.foundation.leader import Leader, every, leader_of, schedules
from fieldservice.foundation.live import Notice
from fieldservice.foundation.single import AlreadyRunning
from fieldservice.foundation.turns import last_turns

__all__ = [
    "AlreadyRunning", "ComputeTimeout", "Done", "Leader", "Notice", "Task", "compute", "defer", "emit", "every",
    "failed_jobs", "forget_done", "last_turns", "leader_of", "retry", "run_leader", "schedules", "task",
]  # fmt: skip


def emit(*notices: Notice) -> None:
    """Tell everybody who watches. Called by the relay once facts have their place in the log; never by services."""
    live.feed().publish(notices)


def run_leader(app: Flask) -> Leader:
    """Do this installation's background work in this process until `stop`. Raises AlreadyRunning."""
    leader = Leader(app)
    leader.start()
    return leader
