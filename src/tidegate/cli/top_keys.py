"""Keys that somebody presses while `top` runs: one at a time, without Enter; none where stdin is no terminal."""

import os
import re
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SEQUENCE: Final = re.compile(rb"\x1b(?:[\[O][0-9;]*.?)?")  # of arrows and such


class Waits:
    """Waits for a key, or for time to pass."""

    __slots__ = ("_file",)

    def __init__(self, file: int | None) -> None:
        """`file`: a terminal's descriptor; None: there are no keys."""
        self._file = file

    def wait(self, seconds: float) -> str:
        """The keys, "" when the time is over or what was pressed is no character."""
        if self._file is None:
            time.sleep(max(0.0, seconds))
            return ""
        ready, _, _ = select.select([self._file], [], [], max(0.0, seconds))
        if not ready:
            return ""
        pressed = os.read(self._file, 32)
        if not pressed:  # the terminal is gone
            self._file = None
            return "q"
        return _SEQUENCE.sub(b"", pressed).decode("ascii", "replace")


@contextmanager
def keys() -> Iterator[Waits]:
    """Have the terminal give each key at once; as it was, afterwards."""
    if not sys.stdin.isatty():
        yield Waits(None)
        return
    import termios  # no terminal, no such module
    import tty

    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    try:
        tty.setcbreak(file)
        yield Waits(file)
    finally:
        termios.tcsetattr(file, termios.TCSADRAIN, before)
