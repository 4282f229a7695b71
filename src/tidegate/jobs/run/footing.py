"""What every runner stands on, whichever engine brings its jobs: the rows, the way to the gate, the work itself."""

import random  # noqa: TID251 - the composition root makes the generator
from pathlib import Path
from typing import Final

from tidegate.clock import SystemClock
from tidegate.jobs.hints import UnixHints
from tidegate.jobs.key import write_key
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.run.executor import Executor, executor_of
from tidegate.jobs.run.work import Work
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

GRACE_US: Final = 5_000_000  # that calls under way have when the runner is told to end
COMMIT_US: Final = 5_000_000  # that the database has then


class Footing:
    """Made on the running event loop; `work` has not begun yet."""

    __slots__ = ("_clock", "_hints", "_luck", "_rows", "_snapshot", "_state_dir", "secret", "work")

    def __init__(self, snapshot: Snapshot, state_dir: Path, name: str, log: Log) -> None:
        """`name`: by which this process hears hints. Raises what opening the rows does, and as `Gates`."""
        self._snapshot = snapshot
        self._state_dir = state_dir
        self._clock = SystemClock()
        self._luck = random.Random().random  # noqa: S311 - jitter, nothing secret
        self._rows = open_rows(snapshot.jobs, snapshot.ledger.database, state_dir)
        self.secret = self._rows.secret()
        if not snapshot.jobs.gate_url:
            write_key(state_dir, self.secret)  # before the first call
        executor = self._executor(snapshot)
        self._hints = UnixHints(state_dir, name)
        self.work = Work(self._rows, executor, snapshot.jobs.lease_us, self._clock, log, self._hints)

    def follow(self, snapshot: Snapshot) -> bool:
        """Another configuration; what runs ends as it began. False: that needs another process."""
        if _firm(snapshot) != _firm(self._snapshot):
            return False
        self._snapshot = snapshot
        before, self.work.executor = self.work.executor, self._executor(snapshot)
        before.close()
        return True

    async def stop(self) -> None:
        """What runs has a moment to end; the rest is handed back, before the gate's workers break its calls off."""
        await self.work.stop(min(self._snapshot.server.drain_timeout_us // 2, GRACE_US), COMMIT_US)
        self._hints.close()
        self._rows.engine.dispose()

    def _executor(self, snapshot: Snapshot) -> Executor:
        return executor_of(snapshot, self._state_dir, self.secret, self._clock, self._luck)


def _firm(snapshot: Snapshot) -> tuple[str, str, int]:
    """What a runner does not change while it runs."""
    return snapshot.jobs.database, snapshot.ledger.database, snapshot.jobs.lease_us
