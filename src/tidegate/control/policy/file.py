"""The configuration file on this node: read, judged whether it can be written, and written as a whole."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 1_048_576
_IN_PLACE: Final = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM, errno.EXDEV})


class Unwritable(Exception):
    """Why the file cannot be written."""


def read(file: str) -> bytes:
    """What stands in it. Raises `OSError`."""
    with Path(file).open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def why_not(file: str) -> str:
    """Why it cannot be written, "" = as far as one can tell it can."""
    path = os.path.realpath(file)
    try:
        if not os.access(path, os.W_OK):
            with contextlib.suppress(OSError), Path(path).open("ab"):
                return ""
            return "the file is read-only for the gate (its permissions, or a mount such as a ConfigMap)"
    except ValueError:
        return "the file's name cannot be used"
    return ""


def write(file: str, content: bytes) -> None:
    """Put this in its place: in one step where the folder allows it, with mode and owner as before; links stay.

    Raises `Unwritable`.
    """
    path = Path(os.path.realpath(file))
    try:
        try:
            _replace(path, content)
        except OSError as error:
            if error.errno not in _IN_PLACE:
                raise
            _overwrite(path, content)  # a mounted file cannot be replaced, nor one in a folder of somebody else
    except OSError as error:
        raise Unwritable(f"the file cannot be written: {error.strerror}") from None


def _replace(path: Path, content: bytes) -> None:
    before = path.stat()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), before.st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _overwrite(path: Path, content: bytes) -> None:
    before = path.read_bytes()
    try:
        _fill(path, content)
    except OSError:
        with contextlib.suppress(OSError):
            _fill(path, before)
        raise


def _fill(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
