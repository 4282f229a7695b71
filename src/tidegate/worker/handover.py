"""From one worker to its successor: what the one leaves, and how the other takes it over.

Both have folders of their own: a journal has one writer. A worker that keeps its quota by itself says `Quiet` when
nothing new comes in; only then does its successor read where its mirrors stood. What is in flight was charged when it
left, and what still waits is told (`owed.py`). What ends later reaches the successor's budgets by the journal.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tidegate.line.lanes import Lanes
from tidegate.model import snapshot as snapshots
from tidegate.model.snapshot import Snapshot
from tidegate.ports import Clock
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import end_now
from tidegate.supervisor.messages import Go, Load, Warm
from tidegate.wire.server import Server
from tidegate.worker import owed

LONGEST_US: Final = 600_000_000  # for the calls that are in flight: nobody waits for their end
LEARNT: Final = "learnt.json"
_REMEMBERED: Final = (LEARNT, "nonces", "nonces.old", "spend")
_LAST_CALL_US: Final = 5_000_000  # for connections to ask once more, and hear that they end
_ALONE_US: Final = 250_000  # the same, while new connections have to wait
_QUEUE_US: Final = 1_000_000  # for whoever waits for a turn, while new connections have to wait
_LOOK_US: Final = 10_000


async def go_ahead(channel: Channel, first: Snapshot) -> Snapshot:
    """Wait until the predecessor has handed over; returns what to serve by. Raises `ValueError`."""
    channel.send(Warm(bool(first.cluster.url)))
    while True:
        message = await channel.receive()
        if isinstance(message, Go):
            return first
        if not isinstance(message, Load):
            end_now()
        first = snapshots.decode(message.snapshot)


def take_over(own: Path, before: Path) -> None:
    """Remember what the predecessor remembered, and nothing of an earlier life in this folder. Raises `OSError`."""
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _REMEMBERED:
        (own / name).unlink(missing_ok=True)
        if (before / name).exists():
            shutil.copyfile(before / name, own / name)
    (own / owed.NAME).unlink(missing_ok=True)


async def last_call(server: Server, clock: Clock, *, alone: bool) -> None:
    """Take no new connection; those that are there may ask once more."""
    server.relieve()
    await _until(lambda: server.empty, clock, _ALONE_US if alone else _LAST_CALL_US)


async def nobody_waits(lanes: Lanes, clock: Clock) -> None:
    """Until nobody waits for a turn, or for so long as new connections can be left waiting."""
    await _until(lambda: not any(pool.waiting for pool in lanes.pools), clock, _QUEUE_US)


async def _until(condition: Callable[[], bool], clock: Clock, most_us: int) -> None:
    end = clock.now() + most_us
    while not condition() and clock.now() < end:
        await clock.sleep(_LOOK_US)
