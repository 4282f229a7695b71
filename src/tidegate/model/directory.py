"""Who may call, and which accounts are out of service, as it is managed at run time.

The control process writes these changes and workers follow them. They stand beside what the configuration file
declares; what the file names, the file alone changes.
"""

from typing import Final

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


class PutDrain(Record, frozen=True, tag="drain"):
    """An account of a provider is out of service: a scope, or one of its keys by its fingerprint."""

    provider: str
    scope: str
    key: str = ""  # "" = the scope


class Gone(Record, frozen=True, tag="gone"):
    """A namespace, user or key (`kind`) is no more: with a namespace go its users and keys, and a key is revoked.

    A `drain` is over: of the provider `namespace`, by the name that `drain_name` gives.
    """

    kind: str  # namespace | user | key | drain
    namespace: str
    name: str


Change = PutNamespace | PutUser | PutKey | PutDrain | Gone
DRAIN: Final = "drain"

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Change] = msgspec.msgpack.Decoder(Change)


def drain_name(scope: str, key: str) -> str:
    """What is drained, in one word."""
    return f"{scope}#{key}"


def drained_of(name: str) -> tuple[str, str]:
    """Scope and key of such a word."""
    scope, _, key = name.rpartition("#")
    return scope, key


def encode(change: Change) -> bytes:
    """The change as msgpack."""
    return _ENCODER.encode(change)


def decode(data: bytes) -> Change:
    """The change from msgpack. Raises `msgspec.ValidationError` when it does not fit this version."""
    return _DECODER.decode(data)
