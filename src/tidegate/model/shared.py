"""What workers of a cluster leave for each other in the shared state, as msgpack arrays."""

from typing import Final

import msgspec

RUNNING: Final = 0
ANSWERED: Final = 1


class Executed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What became of an `Idempotency-Key`. Fields may be added at the end, with a default."""

    state: int
    digest: bytes  # of what was asked
    status: int = 0
    head: bytes = b""
    body: bytes = b""
    whole: bool = True  # it was told in one piece


encode_executed = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Executed).decode


def executed(data: bytes) -> Executed:
    """Raises `ValueError`: it is nothing of ours."""
    try:
        return _decode(data)
    except msgspec.DecodeError:
        raise ValueError("the shared state holds what no gate has put there") from None
