"""One server: a connection to it, made when it is first needed, and whatever waits for it, each with its own deadline.

A deadline holds for everything: making the connection, sending, and the reply. Who is late is told so, and the
connection is given up with everything on it, so that a late reply is nobody's. O(1) a command; one timer a server.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from tidegate.cluster.call import Pending
from tidegate.cluster.connection import Connection, Listener, Reply, packed
from tidegate.cluster.failure import Failure, away, late
from tidegate.ports import Clock, Timer

GRACE_US: Final = 1_000  # what has arrived by the deadline is read, though this process stood still meanwhile
DIAL_US: Final = 500_000  # making a connection goes on for so long, whoever has ceased to wait for it
_ASKING: Final = packed(("ASKING",))

Gone: TypeAlias = Callable[[Connection], None] | None
Dial: TypeAlias = Callable[[Gone], Awaitable[Connection]]


class Node:
    """`doubted` hears of every loss: the connection's, or that none could be made."""

    __slots__ = (
        "_armed", "_clock", "_closed", "_connection", "_dial", "_dialling", "_doubted", "_flushing", "_held", "_out",
        "_timeout_us", "_timer", "bytes_out", "commands", "dials",
    )  # fmt: skip

    def __init__(self, dial: Dial, clock: Clock, timeout_us: int, doubted: Callable[[], None]) -> None:
        self._dial = dial
        self._clock = clock
        self._timeout_us = timeout_us
        self._doubted = doubted
        self._connection: Connection | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._held: list[Pending] = []  # until there is a connection
        self._out: list[Pending] = []  # until the end of this turn of the loop
        self._flushing = False
        self._timer: Timer | None = None
        self._armed = 0
        self._closed = False
        self.commands = 0
        self.bytes_out = 0
        self.dials = 0

    @property
    def connected(self) -> bool:
        """There is a connection, as far as is known."""
        return self._connection is not None

    def submit(self, pending: Pending) -> None:
        """Send it at the end of this turn of the loop, with all others of the turn."""
        if self._closed:
            pending.failed(away("it was closed"))
            return
        if self._connection is None:
            self._held.append(pending)
            self._begin()
        else:
            self._out.append(pending)
            if not self._flushing:
                self._flushing = True
                asyncio.get_running_loop().call_soon(self._flush)
        self._arm(pending.deadline)

    def drop(self, failure: Failure | None = None) -> None:
        """Give the connection up, and make another one when it is needed."""
        if self._connection is not None:
            self._connection.drop(failure)

    def close(self) -> None:
        """For good. Who waits is told so."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._dialling is not None:
            self._dialling.cancel()
        self._fail_held(away("it was closed"))
        self.drop(away("it was closed", sent=True))

    def _flush(self) -> None:
        self._flushing = False
        out, self._out = self._out, []
        connection = self._connection
        if connection is None:
            for pending in out:
                self.submit(pending)
            return
        data: list[bytes] = []
        listeners: list[Listener] = []
        for pending in out:
            if pending.asking:
                data.append(_ASKING)
                listeners.append(_NOBODY)
            pending.sent = True
            data.append(pending.data)
            listeners.append(pending)
        self.commands += len(listeners)
        joined = b"".join(data)
        self.bytes_out += len(joined)
        connection.send(joined, listeners)

    def _begin(self) -> None:
        if self._dialling is None and not self._closed:
            self._dialling = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        limit = self._clock.call_at(self._clock.now() + max(DIAL_US, self._timeout_us), self._give_up)
        self.dials += 1
        failure: Failure | None = None
        try:
            self._connection = await self._dial(self._gone)
        except Failure as error:
            failure = error
        except asyncio.CancelledError:
            failure = away("it takes no connection in time")
        finally:
            limit.cancel()
            self._dialling = None
        if failure is not None:
            self._fail_held(failure)
            if not self._closed:
                self._doubted()
            return
        held, self._held = self._held, []
        for pending in held:
            self.submit(pending)
        if self._closed:
            self.drop()

    def _give_up(self) -> None:
        if self._dialling is not None:
            self._dialling.cancel()

    def _gone(self, connection: Connection) -> None:
        """It was lost; who waited for its replies is told by it."""
        if self._connection is connection:
            self._connection = None
            self._doubted()

    def _fail_held(self, failure: Failure) -> None:
        held, self._held = self._held, []
        out, self._out = self._out, []
        for pending in (*held, *out):
            pending.failed(failure)

    def _arm(self, deadline: int) -> None:
        if self._timer is None or deadline < self._armed:
            if self._timer is not None:
                self._timer.cancel()
            self._armed = deadline
            self._timer = self._clock.call_at(deadline, self._due)

    def _due(self) -> None:
        """Somebody's deadline has passed. What has arrived is read first."""
        self._timer = self._clock.call_at(self._clock.now() + GRACE_US, self._late)

    def _late(self) -> None:
        self._timer = None
        now = self._clock.now()
        connection = self._connection
        waiting = [one for one in connection.waiting if isinstance(one, Pending)] if connection is not None else []
        overdue = [one for one in waiting if one.deadline <= now]
        for one in overdue:
            one.failed(late(self._timeout_us, sent=True))
        if overdue:
            self.drop()
        held, self._held = self._held, []
        for one in held:
            if one.deadline <= now:
                one.failed(late(self._timeout_us, sent=False))
            else:
                self._held.append(one)
        left = self._held if overdue else [*self._held, *waiting]
        if left:
            self._arm(min([one.deadline for one in left]))


class _Nobody:
    """Waits for the reply to `ASKING`."""

    __slots__ = ()

    def replied(self, reply: Reply) -> None:
        """Whatever it is: the command behind it tells."""

    def failed(self, failure: Failure) -> None:
        """The command behind it is told too."""


_NOBODY: Final = _Nobody()
