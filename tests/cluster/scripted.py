"""A client that answers what it is told to, when it is told to, and remembers what was said."""

from typing import TypeVar

import msgspec

from tidegate.cluster.call import Call, Heard
from tidegate.cluster.failure import Failure, late
from tidegate.model.cluster import Beat, ExchangeReply, ExchangeRequest, Stand

T = TypeVar("T")


class Scripted:
    """Fulfils `keeper.Sender` and `membership.Talker`."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []  # key and argument; a question for the time has none
        self._waits: list[Heard] = []

    def start(self, call: Call, heard: Heard, deadline: int = 0) -> object:
        key = call.key if isinstance(call.key, str) else call.key.decode()
        self.said.append((key, call.argument))
        self._waits.append(heard)
        return None

    def time(self, key: bytes, heard: Heard) -> object:
        self.said.append((key.decode(), b""))
        self._waits.append(heard)
        return None

    @property
    def waiting(self) -> int:
        return len(self._waits)

    def asks(self) -> list[ExchangeRequest]:
        """What funds said since the last look."""
        said, self.said = self.said, []
        return [msgspec.msgpack.decode(argument, type=ExchangeRequest) for _, argument in said]

    def beat(self) -> Beat | None:
        """The one thing that was said since the last look: a beat, or None, a question for the time."""
        ((_, argument),) = self.said
        self.said = []
        return msgspec.msgpack.decode(argument, type=Beat) if argument else None

    def answer(self, what: ExchangeReply | Stand | bytes) -> None:
        """The oldest that waits hears this."""
        self._waits.pop(0)(what if isinstance(what, bytes) else msgspec.msgpack.encode(what))

    def show(self, server_us: int) -> None:
        """The oldest that waits is told the server's time."""
        self._waits.pop(0)([str(server_us // 1_000_000).encode(), str(server_us % 1_000_000).encode()])

    def fail(self, failure: Failure | None = None) -> None:
        """The oldest that waits hears that nobody knows."""
        self._waits.pop(0)(failure or late(75_000, sent=True))
