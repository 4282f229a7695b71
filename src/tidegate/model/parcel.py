"""A configuration as nodes hand it to each other: the file's own text and that of the files which are part of it.

References to the environment stand in it as they are written: each node resolves them by its own.
"""

from hashlib import sha256

import msgspec

LARGEST = 8 * 1024 * 1024  # bytes of a parcel that is handed round


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """`files` by their names as the configuration writes them, in that order."""

    text: bytes
    files: tuple[tuple[str, bytes], ...] = ()


class Kept(msgspec.Struct, array_like=True):
    """What a node remembers in its state directory of the configuration that all nodes share.

    `seen` is the digest of its own file when that was looked at last: while it is the same, the file is no news.
    """

    version: int = 0
    parcel: bytes = b""
    node: str = ""  # whose file it was
    former: bytes = b""  # the parcel before, to go back to
    seen: str = ""


_encoder = msgspec.msgpack.Encoder()
_parcels = msgspec.msgpack.Decoder(Parcel)
_kept = msgspec.msgpack.Decoder(Kept)


def encode(what: Parcel | Kept) -> bytes:
    """As msgpack."""
    return _encoder.encode(what)


def parcel_of(data: bytes) -> Parcel:
    """Raises `msgspec.ValidationError`, `msgspec.DecodeError`."""
    return _parcels.decode(data)


def kept_of(data: bytes) -> Kept:
    """Raises `msgspec.ValidationError`, `msgspec.DecodeError`."""
    return _kept.decode(data)


def digest(data: bytes) -> str:
    """Of a parcel's bytes: 64 hexadecimal digits."""
    return sha256(data).hexdigest()
