"""One request and its reply, as a handler sees them.

A connection has at most one live exchange. Everything that is done to an exchange after the client left, or after the
connection was cut, does nothing: the handler hears of it once, by `on_gone`, and needs no other check.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from tidegate.ports import BodySource
from tidegate.wire.reply import LAST_CHUNK

_JOIN_BELOW: Final = 16_384  # bytes; copying less is cheaper than writing in pieces
_SMALL: Final = 1_024  # bytes; the usual piece of a stream, whose length need not be written anew each time
_LENGTHS: Final = tuple(b"%x\r\n" % size for size in range(_SMALL))


class Intake(Enum):
    """What to do with a request's body."""

    BUFFER = 1  # read it whole, then call
    STREAM = 2  # call at once, hand it over as it arrives


BUFFER: Final = Intake.BUFFER
STREAM: Final = Intake.STREAM

# How the body of a reply travels. Plain integers: looking up a member of an Enum costs ten times as much.
UNDECIDED: Final = 0
IN_CHUNKS: Final = 1
UNTIL_CLOSE: Final = 2  # to clients of HTTP/1.0, which know no chunks
NO_CONTENT: Final = 3  # to HEAD, and with 204 and 304
COMPLETE: Final = 4  # it has been written


class Connection(Protocol):
    """What an exchange needs of the connection below it."""

    def respond(self, exchange: "Exchange", status: int, head: bytes, body: bytes) -> None: ...

    def begin(self, exchange: "Exchange", status: int, head: bytes) -> int: ...

    @property
    def transport(self) -> asyncio.Transport: ...

    def finished(self, exchange: "Exchange") -> None: ...

    def cut(self, exchange: "Exchange") -> None: ...


class NoBody:
    """The source of a request whose body is buffered or absent."""

    __slots__ = ()

    async def read(self) -> bytes:
        """Empty: the end."""
        return b""


NO_BODY: Final = NoBody()


class Likeness:
    """What the heads of a connection's requests have in common that differ in nothing but the length of the body.

    What the lines of a signature, of a trace and of a request's id say may differ, too: that is not part of it.
    `note` is the handler's own: what it made of the head of one of them need not be made again for the next.
    """

    __slots__ = ("note",)

    def __init__(self) -> None:
        self.note: object = None


class Exchange:
    """A request and the way to answer it: either `respond`, or `start`, `write`…, `end`."""

    __slots__ = (
        "_coding",
        "_fields",
        "_transport",
        "alike",
        "began",
        "body",
        "connection",
        "headers",
        "method",
        "on_gone",
        "on_pause",
        "on_resume",
        "path",
        "peer",
        "query",
        "source",
        "target",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - once a request, by its parser alone: a record would be one more object
        self,
        connection: Connection,
        method: bytes,
        target: bytes,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        fields: dict[bytes, bytes],
        peer: str,
        alike: Likeness | None = None,
    ) -> None:
        self.connection: Connection | None = connection  # the wire's own; None: nothing reaches the wire any more
        self._coding = UNDECIDED
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.headers = headers
        self._fields = fields
        self.peer = peer
        self.alike = Likeness() if alike is None else alike
        self.began = 0  # the handler's own: when its head was there
        self.body = b""
        self._transport: asyncio.Transport
        self.source: BodySource = NO_BODY
        self.on_gone: Callable[[], object] | None = None
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None

    @property
    def replied(self) -> bool:
        """Whether `respond` or `start` was called."""
        return self._coding != UNDECIDED

    @property
    def transport(self) -> asyncio.Transport | None:
        """What is below, for who has to break the protocol on purpose; None once the client has left."""
        connection = self.connection
        return None if connection is None else connection.transport

    def header(self, name: bytes) -> bytes | None:
        """The first value of the header `name`, which is in lower case. O(1)."""
        return self._fields.get(name)

    def respond(self, status: int, head: bytes, body: bytes) -> None:
        """The whole reply. `head`: header lines, each with CR LF. Raises `RuntimeError` on a second reply."""
        if self._coding:
            raise RuntimeError("a request has one reply, and this one has begun it already")
        connection = self.connection
        if connection is not None:
            connection.respond(self, status, head, body)
        self._coding = COMPLETE

    def start(self, status: int, head: bytes) -> None:
        """Begin a reply whose length is not known. Raises `RuntimeError` on a second reply."""
        if self._coding:
            raise RuntimeError("a request has one reply, and this one has begun it already")
        connection = self.connection
        if connection is None:
            self._coding = NO_CONTENT
            return
        self._coding = connection.begin(self, status, head)
        self._transport = connection.transport

    def write(self, data: bytes) -> None:
        """A piece of the body. Raises `RuntimeError` before `start` and after the end."""
        coding = self._coding
        if self.connection is None or not data:
            return
        if coding == IN_CHUNKS:
            if len(data) < _SMALL:
                self._transport.write(b"%b%b\r\n" % (_LENGTHS[len(data)], data))
            elif len(data) < _JOIN_BELOW:
                self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))
            else:
                self._transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
        elif coding == UNTIL_CLOSE:
            self._transport.write(data)
        elif coding != NO_CONTENT:
            raise RuntimeError("`write` belongs between `start` and `end`")

    def end(self) -> None:
        """The reply is complete. Raises `RuntimeError` before `start`."""
        connection = self.connection
        if connection is None:
            return
        coding = self._coding
        if coding == UNDECIDED:
            raise RuntimeError("`end` belongs after `start`")
        if coding == IN_CHUNKS:
            self._transport.write(LAST_CHUNK)
        self._coding = COMPLETE
        connection.finished(self)

    def spoil(self) -> None:
        """The answer is worth nothing, however it ends. It is told to nobody else, so nothing is to be done."""

    def abort(self) -> None:
        """Cut the connection: the client sees that the reply is incomplete. Harmless after its end."""
        connection = self.connection
        if connection is not None:
            self.connection = None
            connection.cut(self)


class Handler(Protocol):
    """Answers exchanges. Called on the event loop; must not block. An exception becomes a 500 or a cut."""

    def head(self, exchange: Exchange) -> Intake:
        """The head is complete and valid; nothing of the body was read. May answer already."""

    def call(self, exchange: Exchange) -> None:
        """Answer, now or later. The body is complete (`BUFFER`) or arriving (`STREAM`)."""

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        """The JSON body of an error that the wire itself answers. `path` is empty when it could not be read."""
