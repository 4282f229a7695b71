"""Composition of a runner of the embedded engine: under the supervisor, or alone (`tidegate jobs worker`)."""

import asyncio
from pathlib import Path

from tidegate.jobs.hints import Ear
from tidegate.jobs.run.embedded import Embedded
from tidegate.jobs.run.footing import Footing
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log


class Serving:
    """A runner that has begun. On a running event loop; `name` is its own on this machine."""

    __slots__ = ("_ear", "_embedded", "_footing", "over")

    def __init__(self, snapshot: Snapshot, state_dir: Path, backend: str, name: str, log: Log) -> None:
        """Raises what opening the rows does, `ValueError` and `OSError` where the gate's address is no good."""
        self._footing = Footing(snapshot, state_dir, name, log)
        work = self._footing.work
        self._embedded = Embedded(work, backend, snapshot.jobs, name)
        self._ear = Ear(state_dir, name, self._embedded.poke, work.changed)
        if self._ear.deaf:
            log.warning("no hints are heard: jobs begin up to half a second later", problem=self._ear.deaf)
        work.start()
        self.over = asyncio.get_running_loop().create_task(self._run())  # done: it stopped, or cannot go on

    def follow(self, snapshot: Snapshot) -> bool:
        """Run by another configuration from now on; False: that needs another process."""
        if not self._footing.follow(snapshot):
            return False
        self._embedded.change(snapshot.jobs)
        return True

    async def stop(self) -> None:
        """Claim nothing more, give what runs a moment, hand back the rest."""
        self._ear.close()
        self._embedded.stop()
        await self.over
        await self._footing.stop()

    async def _run(self) -> None:
        running = asyncio.get_running_loop().create_task(self._embedded.run())
        done, _ = await asyncio.wait([running, self._footing.work.broken], return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
