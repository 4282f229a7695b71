"""Composition of a runner whose jobs come by Celery: under the supervisor, or alone (`tidegate jobs worker`)."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

from tidegate.jobs.celery.crew import Crew
from tidegate.jobs.celery.hands import Hands
from tidegate.jobs.celery.names import queue_of
from tidegate.jobs.celery.tasks import celery_app
from tidegate.jobs.hints import Ear
from tidegate.jobs.run.footing import Footing
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

_CLOSE_SECONDS: Final = 5.0  # that the broker has then


class Serving:
    """A runner that has begun. On a running event loop; `name` is its own on this machine."""

    __slots__ = ("_crew", "_ear", "_footing", "_hands", "_jobs", "over")

    def __init__(self, snapshot: Snapshot, state_dir: Path, backend: str, name: str, log: Log) -> None:
        """Raises what opening the rows does, `ValueError` and `OSError` where the gate's address is no good."""
        self._jobs = snapshot.jobs
        self._footing = Footing(snapshot, state_dir, name, log)
        work = self._footing.work
        self._hands = Hands(work, snapshot.jobs.lease_us, name)
        self._ear = Ear(state_dir, name, _nothing, work.changed)
        app = celery_app(backend, queue_of(self._footing.secret), snapshot.jobs, self._hands.take)
        self._crew = Crew(app, backend, log)
        work.start()
        self._crew.start()
        self.over = asyncio.get_running_loop().create_task(self._run())  # done: it stopped, or cannot go on

    def follow(self, snapshot: Snapshot) -> bool:
        """Run by another configuration from now on; False: that needs another process."""
        return snapshot.jobs == self._jobs and self._footing.follow(snapshot)  # Celery's settings are firm

    async def stop(self) -> None:
        """Take nothing more, give what runs a moment, hand back the rest; a broker that hangs is not waited for."""
        self._ear.close()
        self.over.cancel()
        await self._hands.rest()
        self._crew.stop()
        await self._footing.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._crew.over), _CLOSE_SECONDS)

    async def _run(self) -> None:
        """Raises what it breaks of."""
        done, _ = await asyncio.wait([self._crew.over, self._footing.work.broken], return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
        raise RuntimeError("Celery has stopped")


def _nothing() -> None:
    """There is work to claim: the broker will say so."""
