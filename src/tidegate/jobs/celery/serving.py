"""Composition of a runner whose jobs come by Celery: under the supervisor, or alone (`tidegate jobs worker`)."""

import asyncio
import random  # noqa: TID251 - the composition root makes the generator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tidegate.clock import SystemClock
from tidegate.jobs.celery.crew import Crew
from tidegate.jobs.celery.hands import Hands
from tidegate.jobs.celery.names import queue_of
from tidegate.jobs.celery.tasks import celery_app
from tidegate.jobs.hints import Ear
from tidegate.jobs.key import write_key
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.run.executor import executor_of
from tidegate.jobs.run.work import Work
from tidegate.model.jobs import JobSettings
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

GRACE_US: Final = 5_000_000  # that calls under way have when the runner is told to end
COMMIT_US: Final = 5_000_000  # that the database has then
_CLOSE_SECONDS: Final = 5.0  # that the broker has then


class Serving:
    """A runner that has begun. On a running event loop; `name` is its own on this machine."""

    __slots__ = ("_crew", "_ear", "_hands", "_luck", "_secret", "_snapshot", "_state_dir", "_work", "over")

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
        self._work = Work(rows, executor, snapshot.jobs.lease_us, clock, log)
        self._hands = Hands(self._work, snapshot.jobs.lease_us, name)
        self._ear = Ear(state_dir, name, _nothing, self._work.changed)
        app = celery_app(backend, queue_of(self._secret), snapshot.jobs, self._hands.take)
        self._crew = Crew(app, backend, log)
        self._work.start()
        self._crew.start()
        self.over = asyncio.get_running_loop().create_task(self._run())  # done: it stopped, or cannot go on

    def follow(self, snapshot: Snapshot) -> bool:
        """Run by another configuration from now on; False: that needs another process."""
        if _firm(snapshot) != _firm(self._snapshot):
            return False
        self._snapshot = snapshot
        work, before = self._work, self._work.executor
        work.executor = executor_of(snapshot, self._state_dir, self._secret, work.clock, self._luck)
        before.close()
        return True

    async def stop(self) -> None:
        """Take nothing more, give what runs a moment, hand back the rest; a broker that hangs is not waited for."""
        self._ear.close()
        self.over.cancel()
        await self._hands.rest()
        self._crew.stop()
        await self._work.stop(min(self._snapshot.server.drain_timeout_us, GRACE_US), COMMIT_US)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._crew.over), _CLOSE_SECONDS)

    async def _run(self) -> None:
        """Raises what it breaks of."""
        done, _ = await asyncio.wait([self._crew.over, self._work.broken], return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
        raise RuntimeError("Celery has stopped")


def _firm(snapshot: Snapshot) -> tuple[str, str, JobSettings]:
    """What a runner does not change while it runs: the rows, and Celery's settings."""
    return snapshot.jobs.database, snapshot.ledger.database, snapshot.jobs


def _nothing() -> None:
    """There is work to claim: the broker will say so."""
