"""What a worker tells the desk of a request that it hands over, as header values: JSON in base64url (RFC 4648, 5)."""

import base64

import msgspec


class Asker(msgspec.Struct, frozen=True):
    """Whose request it is. `models` may be called, a name with `*` at its end stands for all that begin so."""

    client: str
    namespace: str
    user: str
    tag: str
    models: tuple[str, ...] | None = None  # None = all


class JobHandover(msgspec.Struct, frozen=True):
    """A call that is to run as a job while its client waits: by which strategy, carried by what, for how long."""

    strategy: str
    backend: str  # "" = the rows themselves
    deadline_ms: int
    stream: bool


_encode = msgspec.json.Encoder().encode


def written(record: Asker | JobHandover) -> bytes:
    """The header's value, without padding."""
    return base64.urlsafe_b64encode(_encode(record)).rstrip(b"=")
