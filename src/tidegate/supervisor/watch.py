"""Has a file changed since it was read? Looked up by polling.

A look is one `stat` a file. Notification by the kernel would be quicker by less than a second, but exists on one system
only, is silent on network and overlay mounts, and has to follow each link of a path by itself. `stat` follows them: a
file that is replaced by renaming, and a link that is turned to another folder, show as a new inode. Decisions only:
`now` is an argument, in monotonic seconds.
"""

import os
from collections.abc import Sequence

_SETTLED = 0.3  # seconds for which a changed file has to stay as it is: it may be half-written

Print = tuple[int, int, int, int]  # device, inode, size, modified
_NO_FILE: Print = (0, 0, -1, 0)


class Watch:
    """The configuration file and the files it names. `at` is when to look next; None: it is not to be looked."""

    __slots__ = ("_config", "_others", "_period", "_read", "_seen", "at")

    def __init__(self, config: str, period: float) -> None:
        """Look every `period` seconds; 0 = never."""
        self._config = config
        self._others: tuple[str, ...] = ()
        self._period = period
        self._read = self._seen = self._prints()
        self.at: float | None = None

    def start(self, now: float) -> None:
        """Look from now on."""
        self.at = now + self._period if self._period else None

    def stop(self) -> None:
        """Look no more."""
        self.at = None

    def reading(self) -> None:
        """The files are read right after this: what is there now is no change."""
        self._read = self._seen = self._prints()

    def unread(self) -> None:
        """They were not: the next look finds a change."""
        self._read = ()

    def name(self, others: Sequence[str]) -> None:
        """The files that the configuration names. One that was not watched before counts from now on."""
        known = dict(zip((self._config, *self._others), self._read, strict=False))
        self._others = tuple(others)
        self._read = tuple(known.get(path) or _print(path) for path in (self._config, *others)) if self._read else ()

    def changed(self, now: float) -> bool:
        """Is there something new to read, and does it look complete? Call it at `at`, which it sets anew."""
        seen = self._prints()
        settled, self._seen = seen == self._seen, seen
        new = seen != self._read
        self.at = now + (_SETTLED if new and not settled else self._period)
        return new and settled

    def _prints(self) -> tuple[Print, ...]:
        return tuple(_print(path) for path in (self._config, *self._others))


def _print(path: str) -> Print:
    """What tells one state of a file from another."""
    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib costs the supervisor 5 ms of its start
    except (OSError, ValueError):
        return _NO_FILE
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
