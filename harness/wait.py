"""Waiting for what happens in another process: looked at again and again, with a deadline."""

import asyncio
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Final

DEADLINE: Final = 20.0  # seconds; only a failure takes as long
_STEP: Final = 0.005


class Vain(AssertionError):
    """It did not come to be in time."""


def wait_until(condition: Callable[[], object], what: str | Callable[[], str], seconds: float = DEADLINE) -> None:
    """Poll for what no descriptor tells. Raises `Vain`; `what` may look only then."""
    limit = time.monotonic() + seconds
    while not condition():
        _in_time(limit, what)
        time.sleep(_STEP)


async def until(condition: Callable[[], object], what: str | Callable[[], str], seconds: float = DEADLINE) -> None:
    """The same, letting everything else of this process run."""
    limit = time.monotonic() + seconds
    while not condition():
        _in_time(limit, what)
        await asyncio.sleep(_STEP)


def _in_time(limit: float, what: str | Callable[[], str]) -> None:
    if time.monotonic() > limit:
        raise Vain(f"waited in vain for {what if isinstance(what, str) else what()}")


def wait_gone(pid: int) -> None:
    """Until the process has ended; it is killed when it has not in time, which raises `Vain`."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], DEADLINE)
        if not ended:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            raise Vain(f"process {pid} lives on")
    finally:
        os.close(descriptor)
