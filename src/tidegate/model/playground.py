"""In whose name the playground asks a worker: over a socket that only the gate's own user may reach."""

from typing import Final

import msgspec

SOCKET: Final = "play.sock"  # in a worker's directory
HEADER: Final = b"x-tidegate-play"
CLIENT: Final = "(playground)"  # stands in records where a key's name would; no key can have it
TAG: Final = "playground"


class Player(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`namespace` "" = nobody's, and then there is no user."""

    namespace: str = ""
    user: str = ""


_DECODER = msgspec.json.Decoder(Player)


def written(player: Player) -> bytes:
    """The header's value: names are ASCII."""
    return msgspec.json.encode(player)


def read(shown: bytes) -> Player:
    """What the header says. Raises `msgspec.DecodeError`."""
    return _DECODER.decode(shown)
