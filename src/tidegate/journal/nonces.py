"""Nonces that have been used, in a file: what let one request in lets no second one in after the worker was killed.

Two files in the worker's own directory, one for each generation of `policy/access/nonces.py`: a header (magic, the
machine's boot, the floor), then records of 24 bytes (mark, moment). One write each, which the kernel has before the
request is let in. What the machine's own death takes is unknown: where the file is missing, or is of another boot,
everything that was signed before the start is refused.
"""

import errno
import os
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Final

from tidegate.units import SECOND_US

_MAGIC: Final = b"TIDEGTN1"
_HEADER: Final = Struct("<8s16sq")
_RECORD: Final = Struct("<16sq")
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_UNKNOWN: Final = bytes(16)
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)

Used = tuple[bytes, int]  # mark, moment of creation


def boot_of_machine() -> bytes:
    """16 bytes that differ from boot to boot; zeros where the system does not tell."""
    try:
        return bytes.fromhex(_BOOT.read_text("ascii").strip().replace("-", ""))[:16]
    except (OSError, ValueError):
        return _UNKNOWN


def name_of_past(boot: bytes, elsewhere: Iterable[str]) -> bytes:
    """What the file of a boot is known by, while the signatures of these namespaces are judged elsewhere.

    Where others are judged elsewhere it is another one: so it is not known which of theirs were used.
    """
    if boot == _UNKNOWN:
        return boot
    return blake2b("\n".join(sorted(elsewhere)).encode(), key=boot, digest_size=16).digest()


class NonceFile:
    """Fulfils `ports.NonceLog`. `recalled` is what was used before, `floor_us` what `Nonces` begins with."""

    __slots__ = ("_boot", "_descriptor", "_old", "_young", "floor_us", "recalled")

    def __init__(self, directory: Path, wall: int, boot: bytes) -> None:
        """Reads what is there, and begins a new generation. Raises `OSError`. O(nonces)."""
        self._young = directory / "nonces"
        self._old = directory / "nonces.old"
        self._boot = boot
        young, old = _read(self._young, boot), _read(self._old, boot)
        # Created in the second of the start is after it, as far as anybody can tell.
        self.floor_us = wall // SECOND_US * SECOND_US - 1 if young is None else young[0]
        self.recalled: list[Used] = [used for found in (old, young) if found is not None for used in found[1]]
        os.close(self._begin(self._old, self.recalled))
        self._descriptor = self._begin(self._young, [])

    def append(self, mark: bytes, created_us: int) -> None:
        """It is used. Raises `OSError`: then it is not."""
        record = _RECORD.pack(mark, created_us)
        if os.write(self._descriptor, record) != _RECORD.size:
            end = os.fstat(self._descriptor).st_size - _HEADER.size
            os.ftruncate(self._descriptor, _HEADER.size + end // _RECORD.size * _RECORD.size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def turn(self, floor_us: int) -> None:
        """Begin another generation; the one before the last is gone. Raises `OSError`: then nothing has changed."""
        self.floor_us = floor_us
        fresh = self._young.with_suffix(".new")
        descriptor = self._open(fresh, [])
        self._young.replace(self._old)
        fresh.replace(self._young)
        os.close(self._descriptor)
        self._descriptor = descriptor

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _begin(self, path: Path, used: list[Used]) -> int:
        """A file that is there with all that it holds, or not at all."""
        fresh = path.with_suffix(".new")
        descriptor = self._open(fresh, used)
        fresh.replace(path)
        return descriptor

    def _open(self, path: Path, used: list[Used]) -> int:
        descriptor = os.open(path, _NEW, 0o600)
        whole = _HEADER.pack(_MAGIC, self._boot, self.floor_us) + b"".join([_RECORD.pack(*each) for each in used])
        try:
            if os.write(descriptor, whole) != len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


def _read(path: Path, boot: bytes) -> tuple[int, list[Used]] | None:
    """The floor and the nonces of a file; None when there is none, or when it may not hold all that was used."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < _HEADER.size:
        return None
    magic, of_boot, floor_us = _HEADER.unpack_from(data)
    if magic != _MAGIC or of_boot != boot or boot == _UNKNOWN:
        return None
    end = (len(data) - _HEADER.size) // _RECORD.size * _RECORD.size + _HEADER.size
    return floor_us, list(_RECORD.iter_unpack(data[_HEADER.size : end]))
