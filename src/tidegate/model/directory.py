"""Who may call, as it is managed at run time: the changes that the control process writes and workers follow.

They stand beside what the configuration file declares; what the file names, the file alone changes.
"""

import msgspec

from tidegate.model.snapshot import ClientKey, Namespace, Record, User


class PutNamespace(Record, frozen=True, tag="namespace"):
    """A namespace is new, or other than it was. Its `clients` and `users` are empty: they are changes of their own."""

    namespace: Namespace


class PutUser(Record, frozen=True, tag="user"):
    """A user of a namespace is new, or other than it was."""

    namespace: str
    user: User


class PutKey(Record, frozen=True, tag="key"):
    """A key of a namespace is new, or other than it was."""

    namespace: str
    key: ClientKey


class Gone(Record, frozen=True, tag="gone"):
    """A namespace, user or key (`kind`) is no more: with a namespace go its users and keys, and a key is revoked."""

    kind: str  # namespace | user | key
    namespace: str
    name: str


Change = PutNamespace | PutUser | PutKey | Gone

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Change] = msgspec.msgpack.Decoder(Change)


def encode(change: Change) -> bytes:
    """The change as msgpack."""
    return _ENCODER.encode(change)


def decode(data: bytes) -> Change:
    """The change from msgpack. Raises `msgspec.ValidationError` when it does not fit this version."""
    return _DECODER.decode(data)
