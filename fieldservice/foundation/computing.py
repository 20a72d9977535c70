"""What a computing process does when it begins. Imports nothing of ours: such a process holds only what it computes."""

import multiprocessing
import os
import signal
from multiprocessing.connection import wait
from threading import Thread

POLITE = 5  # workers yield to the threads that serve people


def begin() -> None:
    """Leave Ctrl-C to the server, and end with it even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(POLITE)
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
