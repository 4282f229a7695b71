"""What the connections of one server share."""

from typing import Final, NamedTuple, Protocol

from tidegate.model.snapshot import ServerSettings
from tidegate.ports import Clock
from tidegate.wire.exchange import Handler
from tidegate.wire.reply import date_line
from tidegate.wire.sweep import Sweep

_SWEEP_US: Final = 250_000  # how late a time-out may be


class ServerStatistics(NamedTuple):
    """A moment's counts; `requests` and `refused` since the start."""

    connections: int
    exchanges: int  # requests whose reply is not complete
    requests: int
    refused: int  # answered by the wire itself


class Member(Protocol):
    """A connection, as the hub sees it."""

    deadline: int

    @property
    def busy(self) -> bool: ...

    def expire(self) -> None: ...

    def drain(self) -> None: ...

    def close(self) -> None: ...


class Hub:
    """Settings, handler, the members and their time-outs. `date` is a ready header line, renewed each second."""

    __slots__ = ("_clock", "date", "draining", "handler", "members", "refused", "requests", "settings", "sweep")

    def __init__(self, handler: Handler, settings: ServerSettings, clock: Clock) -> None:
        self.handler = handler
        self.settings = settings
        self._clock = clock
        self.members: set[Member] = set()
        self.sweep = Sweep(clock, _SWEEP_US, self._tick)
        self.date = date_line(clock.wall())
        self.draining = False
        self.requests = 0
        self.refused = 0
        self.sweep.start()

    def after(self, duration: int) -> int:
        """A deadline at least `duration` microseconds from now, at most two sweeps more."""
        return self.sweep.now + duration + _SWEEP_US

    def statistics(self) -> ServerStatistics:
        """O(connections)."""
        busy = sum(member.busy for member in self.members)
        return ServerStatistics(len(self.members), busy, self.requests, self.refused)

    def drain(self) -> None:
        """Let idle connections go now and the others after their reply."""
        self.draining = True
        for member in tuple(self.members):
            member.drain()

    def close(self) -> None:
        """Cut every connection and stop the clockwork."""
        for member in tuple(self.members):
            member.close()
        self.sweep.stop()

    def _tick(self, now: int) -> None:
        self.date = date_line(self._clock.wall())
        expired = [member for member in self.members if member.deadline <= now]
        for member in expired:
            member.expire()
