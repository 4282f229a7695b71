"""The reading side of the purge log: a worker looks at the file five times a second and tells what is new.

One `stat` a look. A file that took another's place is told from its beginning: purging twice changes nothing. What
cannot be read purges everything that was stored until then, once: nobody is answered with what may have been purged.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tidegate.cache.layer import Log
from tidegate.cache.purge_log import MAGIC, Purge, purges
from tidegate.ports import Clock

LOOK_US = 200_000


class PurgeFollower:
    """Tells each purge of the file, in order."""

    __slots__ = ("_at", "_clock", "_damaged", "_inode", "_log", "_path", "_tell", "_trouble")

    def __init__(self, path: Path, tell: Callable[[Purge], None], clock: Clock, log: Log) -> None:
        self._path = path
        self._tell = tell
        self._clock = clock
        self._log = log
        self._inode = 0
        self._at = 0  # bytes of the file that were taken
        self._damaged = -1  # how long the file was when it could not be read
        self._trouble = ""

    async def follow(self) -> None:
        """Look for ever."""
        while True:
            await self._clock.sleep(LOOK_US)
            self.look()

    def look(self) -> None:
        """Tell what is new. Trouble is told, once, and not raised. O(what is new)."""
        try:
            self._look()
        except FileNotFoundError:
            self._inode = self._at = 0  # nothing was purged, or somebody removed it: what was told stays told
        except OSError as error:
            self._doubt(f"the purge log cannot be read: {error.strerror}")

    def _look(self) -> None:
        shown = self._path.stat()
        if shown.st_ino != self._inode or shown.st_size < self._at:
            self._inode, self._at, self._damaged = shown.st_ino, 0, -1
        if shown.st_size in {self._at, self._damaged}:
            return
        try:
            with self._path.open("rb") as file:
                self._take(file)
        except ValueError:
            self._damaged = shown.st_size
            self._doubt("the purge log is damaged")
        else:
            self._trouble = ""

    def _take(self, file: BinaryIO) -> None:
        """What is whole behind where this has come."""
        if self._at == 0:
            begins = file.read(len(MAGIC))
            if begins != MAGIC[: len(begins)]:
                raise ValueError("it is no purge log of this version")
            if len(begins) < len(MAGIC):
                return
            self._at = len(MAGIC)
        file.seek(self._at)
        began = self._at
        for purge, end in purges(file.read()):
            self._tell(purge)
            self._at = began + end

    def _doubt(self, event: str) -> None:
        if event != self._trouble:
            self._trouble = event
            self._log.warning(f"{event}: everything that was kept until now counts as purged", file=str(self._path))
            self._tell(Purge("all", "", "", self._clock.wall()))
