"""A mark in an answer's place: a gate is making it, for a call of this rank.

It is no frame (`frame.py`): for who cannot read it there is nothing.
"""

MARK_US = 5_000_000  # nobody waits longer for a gate that died, and of a call that lasts longer there may be more
_MAGIC = b"TGM"
_MOST = 255


def mark(rank: int) -> bytes:
    """What stands there while the answer is made."""
    return _MAGIC + bytes((min(max(rank, 0), _MOST),))


def rank_of(frame: bytes) -> int | None:
    """For whom it is made; None: it is an answer."""
    return frame[len(_MAGIC)] if len(frame) == len(_MAGIC) + 1 and frame.startswith(_MAGIC) else None
