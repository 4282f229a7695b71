"""What the connections of one server share."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from tidegate.model.snapshot import ServerSettings
from tidegate.ports import Clock
from tidegate.wire.exchange import Handler
from tidegate.wire.head import RequestLines
from tidegate.wire.reply import date_line, status_line
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


Longer = Callable[[bytes, bytes], int]  # of a method and a path, how long a body may be that is not held; 0 = as any


class Hub:
    """Settings, handler, the members and their time-outs, and the beginnings of replies, renewed with the date."""

    __slots__ = (
        "_clock",
        "_date",
        "_empty",
        "draining",
        "field",
        "handler",
        "idle_deadline",
        "longer",
        "loop",
        "max_body",
        "max_head",
        "max_url",
        "members",
        "patient",
        "refused",
        "requests",
        "settings",
        "sweep",
        "tops",
    )

    def __init__(
        self, handler: Handler, settings: ServerSettings, clock: Clock, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.handler = handler
        self.settings = settings
        self.max_url = settings.max_url_bytes
        self.max_head = settings.max_header_bytes
        self.max_body = settings.max_body_bytes
        self.longer: Longer | None = None
        self._clock = clock
        self.loop = loop
        self.members: set[Member] = set()
        self._empty: asyncio.Future[None] | None = None
        self.sweep = Sweep(clock, _SWEEP_US, self._tick)
        self._date = date_line(clock.wall())
        self.tops: dict[int, bytes] = {}
        self.field = RequestLines().__getitem__
        self.idle_deadline = self.after(settings.idle_timeout_us)  # for a connection that becomes idle now
        self.draining = False
        self.patient = False  # who has not been told that the connection ends may ask once more
        self.requests = 0
        self.refused = 0
        self.sweep.start()

    def after(self, duration: int) -> int:
        """A deadline at least `duration` microseconds from now, at most two sweeps more."""
        return self.sweep.now + duration + _SWEEP_US

    def longest(self, method: bytes, path: bytes) -> int:
        """Bytes that the body of such a request may have, where it is taken as it arrives."""
        longer = 0 if self.longer is None else self.longer(method, path)
        return longer if longer > self.max_body else self.max_body

    def top(self, status: int) -> bytes:
        """Status line and date. Raises `ValueError` for a status outside 200-599."""
        top = self.tops.get(status)
        if top is None:
            top = self.tops[status] = status_line(status) + self._date
        return top

    def statistics(self) -> ServerStatistics:
        """O(connections)."""
        busy = sum(member.busy for member in self.members)
        return ServerStatistics(len(self.members), busy, self.requests, self.refused)

    def leave(self, member: Member) -> None:
        """Its connection is closed."""
        self.members.discard(member)
        if self._empty is not None and not self.members and not self._empty.done():
            self._empty.set_result(None)

    def relieve(self) -> None:
        """Each connection ends with the next reply that begins, and says so in its head."""
        self.draining = self.patient = True

    def drain(self) -> asyncio.Future[None]:
        """Let idle connections go now and the others after their reply; the future is done when all are gone."""
        self.draining = True
        self.patient = False
        empty = self._empty = self.loop.create_future()
        for member in tuple(self.members):
            member.drain()
        if not self.members:
            empty.set_result(None)
        return empty

    def close(self) -> None:
        """Cut every connection and stop the clockwork."""
        for member in tuple(self.members):
            member.close()
        self.sweep.stop()

    def _tick(self, now: int) -> None:
        self.idle_deadline = self.after(self.settings.idle_timeout_us)
        date = date_line(self._clock.wall())
        if date != self._date:
            self._date = date
            self.tops.clear()
        expired = [member for member in self.members if member.deadline <= now]
        for member in expired:
            member.expire()
