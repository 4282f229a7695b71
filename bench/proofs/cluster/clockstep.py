"""A wall clock that is stepped under a running gate: a small library of our own stands before the C library's."""

import struct
import subprocess
from pathlib import Path
from typing import Final

from harness.node import Place
from harness.process import NotReady

_SOURCE: Final = Path(__file__).with_name("clockstep.c")


class ClockStep:
    """The clock of whoever is started at `place`. Needs a C compiler. Raises `NotReady` without one."""

    def __init__(self, home: Path) -> None:
        self._library, self._file = home / "clockstep.so", home / "clockstep"
        command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(self._library), str(_SOURCE), "-ldl"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise NotReady("cc is missing; on Debian: apt-get install gcc") from None
        if done.returncode:
            raise NotReady(done.stderr[-400:])
        self.step(0)

    @property
    def place(self) -> Place:
        return Place(env={"LD_PRELOAD": str(self._library), "CLOCKSTEP": str(self._file)})

    def step(self, seconds: float) -> None:
        """From now on the clock shows so much more than the true time; negative: less."""
        if not self._file.exists():
            self._file.write_bytes(bytes(8))
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", int(seconds * 1e9)))
