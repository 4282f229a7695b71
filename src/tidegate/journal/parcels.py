"""How bodies travel from a worker to the control process: small files, each written once and read once.

A parcel has its final name when it is whole, and is deleted when what it holds is in the database. Its name tells its
place in the row and how many samples it holds: `NUMBER-COUNT.bodies`. Only its owner may read it: nothing in it is
redacted yet.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tidegate.model.bodies import Sample
from tidegate.model.frames import Corrupt, frame, unframe

DIRECTORY: Final = "bodies"
MAGIC: Final = b"TIDEGTB1"
_SUFFIX: Final = ".bodies"
_UNFINISHED: Final = ".tmp"
_LARGEST: Final = 1 << 26
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Sample)


def parcels(directory: Path) -> list[Path]:
    """Those that are whole, the oldest first; none when there is no such directory."""
    return sorted(path for path in directory.glob(f"*{_SUFFIX}") if number_of(path) >= 0)


def number_of(path: Path) -> int:
    """A parcel's place in the row; -1 when it is none."""
    number, dash, count = path.stem.partition("-")
    return int(number) if dash and number.isdecimal() and count.isdecimal() else -1


def count_of(path: Path) -> int:
    """How many samples a parcel holds."""
    return int(path.stem.partition("-")[2])


def write(directory: Path, number: int, samples: Iterable[Sample]) -> Path:
    """Make a parcel. Raises `OSError`, and leaves nothing behind then."""
    frames = [frame(_ENCODER.encode(sample)) for sample in samples]
    path = directory / f"{number:016d}-{len(frames)}{_SUFFIX}"
    fresh = path.with_suffix(_UNFINISHED)
    try:
        with os.fdopen(os.open(fresh, _NEW, 0o600), "wb") as file:
            file.writelines((MAGIC, *frames))
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return path


def read(path: Path) -> Iterator[Sample]:
    """What a parcel holds, as far as it can be read. Raises `OSError`. Memory is the parcel."""
    data = path.read_bytes()
    at = len(MAGIC)
    while data.startswith(MAGIC):
        try:
            payload = unframe(data, at, _LARGEST)
            if payload is None:
                return
            yield _DECODER.decode(payload)
        except (Corrupt, msgspec.MsgspecError):  # a dying kernel's, or of another version: the rest is no better
            return
        at += len(frame(b"")) + len(payload)


def make_room(directory: Path, bytes_: int, files: int) -> int:
    """Delete the oldest until so much is left at most; returns how many samples went. Raises `OSError`. O(parcels)."""
    found = parcels(directory)
    sizes = [_size(path) for path in found]
    total, gone = sum(sizes), 0
    for at, path in enumerate(found):
        if total <= bytes_ and len(found) - at <= files:
            break
        path.unlink(missing_ok=True)
        total -= sizes[at]
        gone += count_of(path)
    return gone


def drop_unfinished(directory: Path) -> None:
    """Delete what nobody goes on with: its writer was killed. Raises `OSError`."""
    for path in directory.glob(f"*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def drop_stale(directory: Path, before: float) -> int:
    """Delete what was written before this moment (seconds since 1970); returns how many samples. Raises `OSError`."""
    gone = 0
    for path in (*parcels(directory), *directory.glob(f"*{_UNFINISHED}")):
        try:
            if path.stat().st_mtime < before:
                path.unlink()
                gone += count_of(path) if number_of(path) >= 0 else 0
        except FileNotFoundError:  # it has just been taken
            continue
    return gone


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # it has just been taken
        return 0
