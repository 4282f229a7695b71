"""Composition of a runner of the embedded engine: under the supervisor, or alone (`tidegate jobs worker`)."""

import asyncio
import random  # noqa: TID251 - the composition root makes the generator
from pathlib import Path
from typing import Final

from tidegate.clock import SystemClock
from tidegate.jobs.hints import Ear, UnixHints
from tidegate.jobs.key import write_key
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.run.embedded import Embedded
from tidegate.jobs.run.executor import executor_of
from tidegate.jobs.run.work import Work
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

GRACE_US: Final = 5_000_000  # that calls under way have when the runner is told to end
COMMIT_US: Final = 5_000_000  # that the database has then


class Serving:
    """A runner that has begun. On a running event loop; `name` is its own on this machine."""

    __slots__ = ("_ear", "_embedded", "_luck", "_secret", "_snapshot", "_state_dir", "_work", "over")

    def __init__(self, snapshot: Snapshot, state_dir: Path, backend: str, name: str, log: Log) -> None:
        """Raises what opening the rows does, `ValueError` and `OSError` where the gate's address is no good."""
        self._snapshot = snapshot
        self._state_dir = state_dir
        clock = SystemClock()
        self._luck = random.Random().random  # noqa: S311 - jitter, nothing secret
        rows = open_rows(snapshot.jobs, snapshot.ledger.database, state_dir)
        self._secret = rows.secret()
        if not snapshot.jobs.gate_url:
            write_key(state_dir, self._secret)  # before the first call
        executor = executor_of(snapshot, state_dir, self._secret, clock, self._luck)
        self._work = Work(rows, executor, snapshot.jobs.lease_us, clock, log, UnixHints(state_dir, name))
        self._embedded = Embedded(self._work, backend, snapshot.jobs, name)
        self._ear = Ear(state_dir, name, self._embedded.poke, self._work.changed)
        if self._ear.deaf:
            log.warning("no hints are heard: jobs begin up to half a second later", problem=self._ear.deaf)
        self._work.start()
        self.over = asyncio.get_running_loop().create_task(self._run())  # done: it stopped, or cannot go on

    def follow(self, snapshot: Snapshot) -> bool:
        """Run by another configuration from now on; False: that needs another process."""
        if _firm(snapshot) != _firm(self._snapshot):
            return False
        self._snapshot = snapshot
        work, before = self._work, self._work.executor
        work.executor = executor_of(snapshot, self._state_dir, self._secret, work.clock, self._luck)
        before.close()
        self._embedded.change(snapshot.jobs)
        return True

    async def stop(self) -> None:
        """Claim nothing more, give what runs a moment, hand back the rest."""
        self._ear.close()
        self._embedded.stop()
        await self.over
        grace = min(self._snapshot.server.drain_timeout_us, GRACE_US)
        await self._work.stop(grace, COMMIT_US)

    async def _run(self) -> None:
        running = asyncio.get_running_loop().create_task(self._embedded.run())
        done, _ = await asyncio.wait([running, self._work.broken], return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()


def _firm(snapshot: Snapshot) -> tuple[str, str, int]:
    """What a runner does not change while it runs."""
    return snapshot.jobs.database, snapshot.ledger.database, snapshot.jobs.lease_us
