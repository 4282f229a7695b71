"""The connection to the shared state: scripts and commands, each with one deadline for all that it takes.

What is asked in one turn of the loop goes in one write to each server; replies come in order on one connection, and no
place in a pool is waited for. A server that says nothing costs who asked its own deadline, and nobody else's.
"""

import asyncio
import ssl
from collections.abc import Sequence
from functools import partial

from tidegate.cluster.call import Call, Heard, Pending, key_of, script_call
from tidegate.cluster.connection import Connection, Reply, Word, context_of, packed
from tidegate.cluster.failure import BAD, Failure, late
from tidegate.cluster.routes import Route, Single, Watched
from tidegate.cluster.slots import Slots
from tidegate.cluster.url import CLUSTER, SENTINEL, StoreAddress
from tidegate.ports import Clock

_TIME = packed(("TIME",))


class StoreClient:
    """One of a worker. Nothing is dialled before something is asked."""

    __slots__ = ("_clock", "_route", "_timeout_us", "place")

    def __init__(self, place: StoreAddress, clock: Clock, timeout_us: int) -> None:
        """Raises `ValueError`: the files of its TLS cannot be read."""
        self.place = place
        self._clock = clock
        self._timeout_us = timeout_us
        self._route = _route(place, context_of(place.tls), clock, timeout_us)

    @property
    def commands(self) -> int:
        """How many were sent, by now."""
        return sum(node.commands for node in self._route.nodes)

    def start(self, call: Call, heard: Heard, deadline: int = 0) -> Pending:
        """Have a script run; `heard` is told the reply or a `Failure`, once. `deadline` is the time-out's unless given.

        The face for who asks often: no task, no future. O(bytes).
        """
        pending = script_call(call, deadline or self._clock.now() + self._timeout_us, heard, self._route.retry)
        self._route.submit(pending)
        return pending

    def time(self, key: bytes, heard: Heard) -> Pending:
        """What the clock of this key's server shows; `heard` is told the reply to TIME or a `Failure`, once."""
        pending = Pending(_TIME, key, self._clock.now() + self._timeout_us, heard, self._route.retry)
        self._route.submit(pending)
        return pending

    async def run(self, calls: Sequence[Call]) -> list[bytes | Failure]:
        """Have scripts run, all under one deadline: what each replied, or why nobody knows. Never raises."""
        deadline = self._clock.now() + self._timeout_us
        gathered = _Gathered(len(calls))
        pending = [self.start(call, partial(gathered.put, place), deadline) for place, call in enumerate(calls)]
        try:
            await gathered.done
        finally:
            for one in pending:
                one.forget()
        return gathered.answers

    async def do(self, *words: Word, within_us: int = 0) -> Reply:
        """One command. Raises `Failure`, which is a `StoreError`."""
        done: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        deadline = self._clock.now() + (within_us or self._timeout_us)
        pending = Pending(packed(words), key_of(words), deadline, partial(_settle, done), self._route.retry)
        self._route.submit(pending)
        try:
            return await done
        finally:
            pending.forget()

    async def everywhere(self, *words: Word, within_us: int = 0) -> list[Reply]:
        """One command of every server that is known; the first `Failure` is raised. Ask for something else before."""
        deadline = self._clock.now() + (within_us or self._timeout_us)
        loop, waits = asyncio.get_running_loop(), []
        for node in tuple(self._route.nodes):
            done: asyncio.Future[Reply] = loop.create_future()
            node.submit(Pending(packed(words), None, deadline, partial(_settle, done), _never))
            waits.append(done)
        replies = await asyncio.gather(*waits, return_exceptions=True)
        for reply in replies:
            if isinstance(reply, BaseException):
                raise reply
        return [reply for reply in replies if not isinstance(reply, BaseException)]

    async def line(self, key: bytes | None = None) -> "Line":
        """A connection of its own to the server of `key`, for what blocks it. Raises `Failure`."""
        deadline = 4 * self._timeout_us
        async with _within(self._clock, deadline, sent=False):
            return Line(await self._route.dial(key), self._clock)

    def close(self) -> None:
        """For good: who waits is told so."""
        self._route.close()


class Line:
    """A connection of one's own: commands that block, and what is published."""

    __slots__ = ("_clock", "_connection")

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def do(self, *words: Word, within_us: int) -> Reply:
        """One command at a time; `within_us` includes what it blocks for. Raises `Failure`: open another line then."""
        try:
            async with _within(self._clock, within_us, sent=True):
                return await self._connection.ask(*words)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Harmless the second time."""
        self._connection.drop()


class _within:  # noqa: N801 - used as a word
    """`asyncio.timeout` on our own clock, with our own error."""

    __slots__ = ("_clock", "_over", "_sent", "_timer", "_us")

    def __init__(self, clock: Clock, us: int, *, sent: bool) -> None:
        self._clock = clock
        self._us = us
        self._sent = sent
        self._over = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        self._timer = self._clock.call_at(self._clock.now() + self._us, partial(self._end, task))

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self._timer.cancel()
        if self._over and kind is asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.uncancel() == 0:
                raise late(self._us, sent=self._sent) from None

    def _end(self, task: "asyncio.Task[object] | None") -> None:
        self._over = True
        if task is not None:
            task.cancel()


class _Gathered:
    __slots__ = ("_left", "answers", "done")

    def __init__(self, count: int) -> None:
        self.answers: list[bytes | Failure] = [_MISSING] * count
        self._left = count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not count:
            self.done.set_result(None)

    def put(self, place: int, what: Reply | Failure) -> None:
        self.answers[place] = what if isinstance(what, bytes | Failure) else strange()
        self._left -= 1
        if not self._left and not self.done.done():
            self.done.set_result(None)


def strange() -> Failure:
    """A script replies with bytes, and this one did not."""
    return Failure(BAD, "the shared state cannot be used: its script replies what nobody understands", sent=True)


_MISSING = strange()


def _settle(done: "asyncio.Future[Reply]", what: Reply | Failure) -> None:
    if done.done():
        return
    if isinstance(what, Failure):
        done.set_exception(what)
    else:
        done.set_result(what)


def _never(_pending: Pending, _reply: str) -> bool:
    """What one server was asked is asked of no other."""
    return False


def _route(place: StoreAddress, tls: ssl.SSLContext | None, clock: Clock, timeout_us: int) -> Route:
    if place.kind == CLUSTER:
        return Slots(place, tls, clock, timeout_us)
    return (Watched if place.kind == SENTINEL else Single)(place, tls, clock, timeout_us)
