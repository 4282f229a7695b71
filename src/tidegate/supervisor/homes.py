"""Which folder belongs to whom: a worker's journal, and what it remembers, have one writer at a time.

A *place* is what workers serve one after the other: a replica of the main worker (`+0`, `+1` …, names that no namespace
can have) or an isolated namespace. Each has two folders, so that a successor begins in the one while its predecessor
finishes in the other; the file `homes` says who is in the second one.
"""

import contextlib
import json
import os

from tidegate.supervisor.failure import GateError

_FILE = "homes"


def replica(number: int) -> str:
    """The place of the main worker's replica of this number, from 0."""
    return f"+{number}"


class Homes:
    """The folders of a state directory. `os` rather than `pathlib`, as in supervisor/state_dir.py."""

    __slots__ = ("_path", "_replicas", "_second")

    def __init__(self, state_dir: str, replicas: int) -> None:
        """`replicas` of the main worker: with another than before, nobody knows all signatures that were used."""
        self._path = state_dir
        self._replicas = replicas
        before, self._second = _read(f"{state_dir}/{_FILE}")
        if before != replicas:
            for number in range(max(before, replicas)):
                forget_nonces(self.of(replica(number)))
            self._write()

    def of(self, place: str) -> str:
        """Where the place's worker is."""
        return self._folder(place, second=place in self._second)

    def next(self, place: str) -> str:
        """Where its successor begins."""
        return self._folder(place, second=place not in self._second)

    def moved(self, place: str) -> None:
        """The successor serves, from now on and after a restart. What cannot be written is tried with the next one."""
        self._second ^= {place}
        self._write()

    def _folder(self, place: str, *, second: bool) -> str:
        if place == replica(0) and not second:
            return self._path
        return f"{self._path}/workers/{place}{'+' if second else ''}"

    def _write(self) -> None:
        path = f"{self._path}/{_FILE}"
        with contextlib.suppress(OSError):
            with open(f"{path}.tmp", "w", encoding="utf-8") as file:  # noqa: PTH123
                json.dump({"replicas": self._replicas, "second": sorted(self._second)}, file)
            os.replace(f"{path}.tmp", path)  # noqa: PTH105


def made(folder: str) -> str:
    """The folder, which is there now. Raises `GateError`."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    except OSError as error:
        raise GateError(f"{folder} cannot be made: {error.strerror}") from None
    return folder


def forget_nonces(folder: str) -> None:
    """Other workers take these signatures now: what was used here is not all that was.

    A worker that finds no file of `journal/nonces.py` takes nothing that was signed before it began.
    """
    for name in ("nonces", "nonces.old"):
        with contextlib.suppress(OSError):
            os.unlink(f"{folder}/{name}")  # noqa: PTH108


def _read(path: str) -> tuple[int, set[str]]:
    """How many replicas there were, and who is in the second folder."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            found = json.load(file)
        return int(found["replicas"]), {str(place) for place in found["second"]}
    except (OSError, ValueError, TypeError, KeyError):
        return 1, set()
