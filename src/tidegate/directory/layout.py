"""The file `state_dir/directory.log`: 8 bytes of magic, then one frame of msgpack for each change, in order.

The state is what is left when all changes are replayed onto nothing. A file is only appended to, or replaced as a whole
by another one of the same name.
"""

from collections.abc import Iterable, Iterator

from tidegate.model.directory import Change, Gone, PutKey, encode
from tidegate.model.frames import HEADER, Corrupt, frame, unframe

NAME = "directory.log"
MAGIC = b"TIDEGTD1"
MAX_RECORD = 1 << 20  # bytes: a namespace, a user or a key is never as large
KEYS_WERE_MANAGED = Gone("key", "", "")  # says nothing but that keys are needed here, though none is left


def concerns_keys(change: Change) -> bool:
    """Whether it says that somebody manages keys here."""
    return isinstance(change, PutKey) or (isinstance(change, Gone) and change.kind == "key")


def frames(changes: Iterable[Change]) -> bytes:
    """The changes as they stand in the file."""
    return b"".join([frame(encode(change)) for change in changes])


def payloads(data: bytes) -> Iterator[tuple[bytes, int]]:
    """What stands in each whole record, and where it ends. Raises `Corrupt` at a damaged one."""
    at = len(MAGIC)
    if data[:at] != MAGIC:
        raise Corrupt(0, len(data))
    while (payload := unframe(data, at, MAX_RECORD)) is not None:
        at += HEADER.size + len(payload)
        yield payload, at


def whole(data: bytes) -> int:
    """The end of the last whole record. What follows was never acknowledged: a torn or damaged last one.

    Raises `Corrupt` for a damaged record that others follow.
    """
    end = len(MAGIC)
    try:
        for _, after in payloads(data):
            end = after
    except Corrupt as damage:
        if damage.at == 0 or damage.end < len(data):
            raise
    return end
