"""What a worker tells the desk of a request that it hands over, as header values: JSON in base64url (RFC 4648, 5)."""

import base64
from typing import Final

import msgspec

_ALL: Final = "*"


class Requester(msgspec.Struct, frozen=True):
    """Whose request it is. `models` may be called, a name with `*` at its end stands for all that begin so."""

    client: str = ""
    namespace: str = ""
    user: str = ""
    tag: str = ""
    models: tuple[str, ...] | None = None  # None = all

    @property
    def tags(self) -> tuple[str, ...]:
        """The words of `tag`."""
        return tuple(self.tag.split(", ")) if self.tag else ()

    def may_call(self, model: str) -> bool:
        """Whether the key allows this model or strategy. O(models)."""
        if self.models is None or model in self.models:
            return True
        return any(one.endswith(_ALL) and model.startswith(one[:-1]) for one in self.models)


class JobHandover(msgspec.Struct, frozen=True):
    """A call that is to run as a job while its client waits: by which strategy, carried by what, for how long."""

    strategy: str
    backend: str  # "" = the rows themselves
    deadline_ms: int
    stream: bool


_encode = msgspec.json.Encoder().encode


def written(record: Requester | JobHandover) -> bytes:
    """The header's value, without padding."""
    return base64.urlsafe_b64encode(_encode(record)).rstrip(b"=")
