"""Threads of this process that calls need not wait for."""

import contextlib
import os
import sys
import threading
from typing import Final

_NICE: Final = 10


def give_way() -> None:
    """Let calls have the CPU first. On Linux a thread has a priority of its own; elsewhere it has not."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
