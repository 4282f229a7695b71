"""The next segment, made before it is needed, and the old ones, which go.

Both are the disk's work and may take as long as the disk likes, so they are done in the background: the loop that
serves calls only ever takes what is ready. A full disk is asked once a second; what is in the database already makes
room first.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tidegate.journal.follow import taken
from tidegate.journal.segment import Segment, numbers, path_of

RETRY_US: Final = 1_000_000
SPARE: Final = "spare.tmp"

Background = Callable[[Callable[[], None]], object]


def at_once(work: Callable[[], None]) -> None:
    """No background at all."""
    work()


class Stock:
    """At most one spare segment of a journal's directory."""

    __slots__ = ("_background", "_busy", "_directory", "_failure", "_made", "_retry_at", "deleted_unread", "keep_bytes",
                 "segment_bytes")  # fmt: skip

    def __init__(self, directory: Path, segment_bytes: int, keep_bytes: int, background: Background) -> None:
        self._directory = directory
        self._background = background
        self._busy = False
        self._made: Segment | None = None
        self._failure: OSError | None = None
        self._retry_at = 0
        self.segment_bytes = segment_bytes
        self.keep_bytes = keep_bytes
        self.deleted_unread = 0

    def ready(self) -> bool:
        """There is a spare."""
        return self._made is not None

    def order(self, least: int, current: int, now: int) -> None:
        """Have a spare of `least` bytes made, unless there is one, it is being made, or the disk was full just now.

        `current` is the segment in use.
        """
        if self._made is not None or self._busy or (self._failure is not None and now < self._retry_at):
            return
        self._busy = True
        self._retry_at = now + RETRY_US
        self._background(lambda: self._work(least, current))

    def take(self) -> Segment:
        """The spare. Raises `OSError`: there is none, and why."""
        made, self._made = self._made, None
        if made is None:
            raise self.failure()
        return made

    def failure(self) -> OSError:
        """Why there is no spare."""
        known = self._failure
        if known is None:
            return OSError(errno.ETIMEDOUT, "the disk does not answer", str(self._directory))
        return OSError(known.errno or errno.EIO, "no room for the journal", str(self._directory))

    def create(self, least: int = 0) -> Segment:
        """A segment not yet of the journal, now. Raises `OSError`."""
        return Segment(self._directory / SPARE, max(self.segment_bytes, least))

    def trim(self, current: int) -> None:
        """Let the oldest segments go beyond `keep_bytes`. Raises `OSError`."""
        sizes = [(number, path_of(self._directory, number).stat().st_size) for number in numbers(self._directory)]
        excess = sum(size for _, size in sizes) + self.segment_bytes - self.keep_bytes
        read = taken(self._directory)
        for number, size in sizes:
            if excess <= 0 or number >= current:
                return
            path_of(self._directory, number).unlink()
            self.deleted_unread += number > read
            excess -= size

    def discard(self) -> None:
        """Remove the spare."""
        if self._made is not None:
            self._made.discard()
            self._made = None

    def _work(self, least: int, current: int) -> None:
        """Changes nothing that the loop looks at, but for the result."""
        try:
            self.trim(current)
            self._made = self._room_for(least, current)
            self._failure = None
        except OSError as error:
            self._failure = error
        finally:
            self._busy = False

    def _room_for(self, least: int, current: int) -> Segment:
        try:
            return self.create(least)
        except OSError:
            read = min(taken(self._directory), current - 1)
            spent = [number for number in numbers(self._directory) if number <= read]
            if not spent:
                raise
            for number in spent:
                path_of(self._directory, number).unlink(missing_ok=True)
            return self.create(least)
