"""One connection to a Redis or Valkey server: commands out, replies in, in the same order, many at a time.

hiredis parses. RESP2 is spoken, as every server and proxy knows it.
"""

import asyncio
import os
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias, cast

import hiredis

from tidegate.cluster.failure import Failure, away, refused
from tidegate.cluster.url import Host, StoreAddress, Tls

Reply: TypeAlias = bytes | int | list["Reply"] | hiredis.ReplyError | None
Word: TypeAlias = bytes | str | int

_NAME: Final = "tidegate"


class Listener(Protocol):
    """Who waits for a reply."""

    def replied(self, reply: Reply) -> None:
        """What the server said; an error of it is a value."""

    def failed(self, failure: Failure) -> None:
        """There will be no reply."""


class Connection(asyncio.Protocol):
    """Replies belong to listeners in the order of sending, so one that waits no more keeps its place."""

    __slots__ = ("_closed", "_gone", "_reader", "_transport", "_waiting", "alive")

    def __init__(self, gone: Callable[["Connection"], None] | None = None) -> None:
        """`gone` is called once, when the connection is lost, before its listeners are told."""
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Listener] = deque()
        self._gone = gone
        self.alive = False

    @property
    def waiting(self) -> Sequence[Listener]:
        """Those whose replies have not come, the oldest first."""
        return self._waiting

    def send(self, data: bytes, listeners: Sequence[Listener]) -> None:
        """Write so many commands at once. O(bytes)."""
        if self._transport is None or not self.alive:
            for listener in listeners:
                listener.failed(away("it was cut off"))
            return
        self._waiting.extend(listeners)
        self._transport.write(data)

    async def ask(self, *words: Word) -> Reply:
        """One command, its reply. Raises `Failure`, also for an error reply."""
        answer = Answer()
        self.send(packed(words), (answer,))
        return await answer.future

    def drop(self, failure: Failure | None = None) -> None:
        """Close it at once: what still comes is nobody's. Who waits is told so."""
        self.alive = False
        if self._transport is not None:
            self._transport.abort()
        self._lost(failure or away("its connection was given up", sent=True))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.alive = True

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                self._waiting.popleft().replied(reply)
        except (hiredis.ProtocolError, IndexError):  # no server of ours: somebody else's protocol, or words unasked
            self.drop(away("it does not speak as Redis does", sent=True))

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        self._lost(away("it was cut off", sent=True))

    def _lost(self, failure: Failure) -> None:
        gone, self._gone = self._gone, None
        if gone is not None:
            gone(self)
        while self._waiting:
            self._waiting.popleft().failed(failure)


class Answer:
    """A reply to be awaited."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def replied(self, reply: Reply) -> None:
        """An error reply is raised."""
        if self.future.done():
            return
        if isinstance(reply, hiredis.ReplyError):
            self.future.set_exception(refused(str(reply)))
        else:
            self.future.set_result(reply)

    def failed(self, failure: Failure) -> None:
        """Raised where it is awaited."""
        if not self.future.done():
            self.future.set_exception(failure)


def packed(words: Sequence[Word]) -> bytes:
    """A command as it is sent."""
    return cast("bytes", hiredis.pack_command(cast("tuple[bytes]", tuple(words))))


async def dial(
    host: Host, place: StoreAddress, tls: ssl.SSLContext | None, gone: Callable[[Connection], None] | None = None
) -> Connection:
    """Connected, known to the server, at its database. Raises `Failure`. Has no deadline of its own: cancel it."""
    loop = asyncio.get_running_loop()
    connection = Connection(gone)
    try:
        if host.port:
            name = host.name if tls is not None else None
            await loop.create_connection(lambda: connection, host.name, host.port, ssl=tls, server_hostname=name)
        else:
            await loop.create_unix_connection(lambda: connection, host.name)
    except ssl.SSLError as error:
        raise away(f"TLS with it fails ({error.reason or 'no reason given'})") from None
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or type(error).__name__
        raise away(f"it cannot be reached ({why})") from None
    try:
        await _greet(connection, place)
    except BaseException:
        connection.drop()
        raise
    return connection


async def _greet(connection: Connection, place: StoreAddress) -> None:
    """One round trip."""
    commands: list[tuple[Word, ...]] = []
    if place.user or place.password:
        commands.append(("AUTH", *((place.user,) if place.user else ()), place.password))
    if place.database:
        commands.append(("SELECT", place.database))
    commands.append(("CLIENT", "SETNAME", _NAME))
    answers = [Answer() for _ in commands]
    connection.send(b"".join([packed(words) for words in commands]), answers)
    replies = await asyncio.gather(*[one.future for one in answers], return_exceptions=True)
    for reply in replies[:-1]:  # the name is a courtesy: its user may not have the right
        if isinstance(reply, BaseException):
            raise reply
    last = replies[-1]
    if isinstance(last, Failure) and last.kind != "bad" and not (place.user and last.kind == "denied"):
        raise last


def context_of(tls: Tls | None) -> ssl.SSLContext | None:
    """Raises `ValueError` where a file cannot be read."""
    if tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=tls.authorities or None)
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key or None)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"cluster.url: its certificates cannot be read ({error.strerror or error})") from None
    context.check_hostname = tls.check_hostname
    return context
