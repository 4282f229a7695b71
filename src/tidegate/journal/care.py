"""Looking after a journal, once a second: to the disk by policy, what is left to write, and the log.

A disk that does not answer holds up a thread and nobody else: after a while the journal is told that it is suspect.
"""

import asyncio
import errno
from pathlib import Path
from typing import Final, Protocol

from tidegate.journal.journal import Journal
from tidegate.ports import Clock

STALLED_US: Final = 5_000_000
_SAY_AGAIN_US: Final = 60_000_000


class Teller(Protocol):
    """A log."""

    def info(self, event: str, **fields: object) -> None: ...
    def warning(self, event: str, **fields: object) -> None: ...
    def error(self, event: str, **fields: object) -> None: ...


class Care:
    """Of one journal."""

    __slots__ = ("_began", "_clock", "_dropped", "_journal", "_log", "_said", "_syncing", "_syncs", "_unread")

    def __init__(self, journal: Journal, clock: Clock, log: Teller, *, syncs: bool) -> None:
        """`syncs`: the policy is to write to the disk once a second."""
        self._journal = journal
        self._clock = clock
        self._log = log
        self._syncs = syncs
        self._syncing: asyncio.Future[None] | None = None
        self._began = 0
        self._said = 0  # when it was last said that something is wrong, 0 = nothing is
        self._dropped = self._unread = 0

    async def look(self) -> None:
        """Do what is due now. Waits for nothing."""
        if self._syncs:
            self._sync(self._clock.now())
        works = self._journal.catch_up()
        self._tell(self._clock.now(), works=works)

    def _sync(self, now: int) -> None:
        running = self._syncing
        if running is not None and not running.done():
            if now - self._began >= STALLED_US:
                self._journal.suspect(OSError(errno.ETIMEDOUT, "the disk does not answer"))
            return
        if running is not None:
            error = running.exception()
            if error is not None and not isinstance(error, OSError):
                error = OSError(
                    errno.EIO, f"the journal could not be synced: {error!r}"
                )  # a defect: as bad as a disk's
            self._journal.suspect(error)
        self._began = now
        self._syncing = asyncio.get_running_loop().run_in_executor(None, self._journal.sync)

    def _tell(self, now: int, *, works: bool) -> None:
        keeper = self._journal.keeper
        if not works and (not self._said or now - self._said >= _SAY_AGAIN_US):
            self._said = now
            policy = "calls are refused" if keeper.stops else "calls go on"
            self._log.error(
                f"the journal cannot be written: {policy}", problem=keeper.failing, kept=keeper.kept,
                dropped=keeper.dropped, unwritten_intents=keeper.unwritten_intents,
            )  # fmt: skip
        elif works and self._said:
            self._said = 0
            self._log.info("the journal is written again", failures=keeper.failures, dropped=keeper.dropped)
        if keeper.dropped > self._dropped:
            self._log.error("records of calls are lost: the journal was away too long", records=keeper.dropped)
        if keeper.deleted_unread > self._unread:
            self._log.error(
                "the journal reached `keep_bytes`: segments went that are not in the database",
                segments=keeper.deleted_unread,
            )
        self._dropped, self._unread = keeper.dropped, keeper.deleted_unread


def tell_damage(journal: Journal, log: Teller) -> None:
    """Say which segments of the last runs could not be read wholly."""
    for path in journal.damaged:
        log.error("the journal is damaged; what can be read of it is used", file=str(Path(path)))
