"""The reading side of the directory log: a worker looks at the file five times a second and takes in what is new.

One `stat` a look. What is new is taken in slices, so that the calls beside it are not held up; a file that replaced
another is read into a state of its own, which takes the place of the one in force when it has been read. A torn end is
waited for. A damaged record stops the following until the file is replaced: what was known stays in force, so that
nobody who was revoked comes back; a worker that knows nothing yet lets nobody in by it.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from tidegate.directory.reader import Damaged, Reader
from tidegate.model.directory import Change
from tidegate.ports import Clock

LOOK_US = 200_000
SLICE = 256  # changes in one turn of the loop: one or two milliseconds
TORN_LOOKS = 25  # an end that is not whole for so long was not left by a writer at work
_REMEDY = "restart the gate: its control process writes the file anew from the database"


class State(Protocol):
    """What the changes are told to."""

    def apply(self, change: Change) -> None:
        """Take in one change. Raises nothing."""

    def distrust(self) -> None:
        """There is a log, and it cannot be read: nobody is known by it."""

    def let_go(self, most: int) -> bool:
        """It is not in force any more: forget so many entries; False when none is left."""


class Log(Protocol):
    """Where trouble is told."""

    def error(self, event: str, **fields: object) -> None:
        """One line."""


S = TypeVar("S", bound=State)


class Follower(Generic[S]):
    """Keeps a state as the file says. `state` is the one in force."""

    __slots__ = ("_clock", "_damaged", "_log", "_make", "_path", "_reader", "_tell", "_torn", "_trouble", "state")

    def __init__(self, path: Path, make: Callable[[], S], tell: Callable[[S], None], clock: Clock, log: Log) -> None:
        """`make` gives an empty state; `tell` hears of each that has changed, or has taken another's place."""
        self.state = make()
        self._path = path
        self._make = make
        self._tell = tell
        self._clock = clock
        self._log = log
        self._reader: Reader | None = None
        self._damaged = False  # the file that is read: nothing behind where its reader stands counts
        self._torn = 0  # looks at an end that is not whole
        self._trouble = ""  # what was told last

    async def follow(self) -> None:
        """Look for ever."""
        while True:
            await self._clock.sleep(LOOK_US)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - a defect of ours: whatever it is, later changes are followed
                self._complain(f"the gate failed on the directory log ({type(error).__name__})", _REMEDY)

    async def look(self) -> None:
        """Take in what is new; others have their turn after every slice. Trouble is told, once, and not raised."""
        try:
            await self._look()
        except FileNotFoundError:
            if self._reader is not None:
                self._complain("the directory log is gone: what was known stays in force", _REMEDY)
        except OSError as error:
            self._doubt(f"the directory log cannot be read: {error.strerror}", "let the gate read it")

    async def _look(self) -> None:
        shown = self._path.stat()
        reader = self._reader
        if reader is None or not reader.reads(shown):
            await self._anew()
        elif shown.st_size == reader.at:
            self._torn = 0
        elif not self._damaged:
            self._damaged = not await self._take(reader, self.state)
            self._watch_end(reader)

    async def _anew(self) -> None:
        """Another file: its state takes the place of the one in force when it has been read."""
        reader, state = Reader(self._path), self._make()
        try:
            whole = await self._take(reader, state)
        except BaseException:
            reader.close()
            raise
        if self._reader is not None:
            self._reader.close()
        self._reader, self._damaged, self._torn = reader, not whole, 0
        left = state
        if whole:
            left, self.state, self._trouble = self.state, state, ""
            self._tell(state)
        while left.let_go(SLICE):
            await _others()

    async def _take(self, reader: Reader, state: S) -> bool:
        """All that is whole. False when the file is damaged."""
        try:
            while changes := reader.take(SLICE):
                for change in changes:
                    state.apply(change)
                if state is self.state:
                    self._tell(state)
                    self._torn = 0
                await _others()
        except Damaged as damage:
            event = f"the directory log is not followed: {damage} at byte {damage.at}; what was known stays in force"
            self._doubt(event, _REMEDY)
            return False
        return True

    def _doubt(self, event: str, remedy: str) -> None:
        """Nobody is let in by what is not known."""
        if self._complain(event, remedy):
            self.state.distrust()
            self._tell(self.state)

    def _watch_end(self, reader: Reader) -> None:
        """A writer that dies leaves an end that is not whole, and its successor cuts it off."""
        self._torn += 1
        if self._torn == TORN_LOOKS:
            self._complain(f"the directory log ends in a record that is not whole, at byte {reader.at}", _REMEDY)

    def _complain(self, event: str, remedy: str) -> bool:
        """Tell it, once."""
        if event == self._trouble:
            return False
        self._trouble = event
        self._log.error(event, file=str(self._path), remedy=remedy)
        return True


async def _others() -> None:
    """Let them have their turn."""
    await asyncio.sleep(0)  # noqa: TID251 - it takes no time of a clock
