"""One request and its reply, as a handler sees them.

A connection has at most one live exchange. Everything that is done to an exchange after the client left, or after the
connection was cut, does nothing: the handler hears of it once, by `on_gone`, and needs no other check.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from tidegate.ports import BodySource
from tidegate.wire.reply import LAST_CHUNK

_JOIN_BELOW: Final = 16_384  # bytes; copying less is cheaper than writing in pieces


class Intake(Enum):
    """What to do with a request's body."""

    BUFFER = 1  # read it whole, then call
    STREAM = 2  # call at once, hand it over as it arrives


class Coding(Enum):
    """How the body of a reply travels."""

    UNDECIDED = 0
    CHUNKED = 1
    UNTIL_CLOSE = 2  # to clients of HTTP/1.0, which know no chunks
    NONE = 3  # to HEAD, and with 204 and 304
    COMPLETE = 4  # it has been written


class Connection(Protocol):
    """What an exchange needs of the connection below it."""

    def respond(self, exchange: "Exchange", status: int, head: bytes, body: bytes) -> None: ...

    def begin(self, exchange: "Exchange", status: int, head: bytes) -> Coding: ...

    def write(self, data: bytes) -> None: ...

    def writelines(self, pieces: tuple[bytes, ...]) -> None: ...

    def finished(self, exchange: "Exchange") -> None: ...

    def cut(self, exchange: "Exchange") -> None: ...


class NoBody:
    """The source of a request whose body is buffered or absent."""

    __slots__ = ()

    async def read(self) -> bytes:
        """Empty: the end."""
        return b""


NO_BODY: Final = NoBody()


class Exchange:
    """A request and the way to answer it: either `respond`, or `start`, `write`…, `end`."""

    __slots__ = (
        "_coding",
        "_connection",
        "body",
        "headers",
        "method",
        "on_gone",
        "on_pause",
        "on_resume",
        "path",
        "peer",
        "query",
        "replied",
        "source",
        "target",
    )

    def __init__(
        self,
        connection: Connection,
        method: bytes,
        target: bytes,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        peer: str,
    ) -> None:
        self._connection: Connection | None = connection
        self._coding = Coding.UNDECIDED
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.headers = headers
        self.peer = peer
        self.body = b""
        self.source: BodySource = NO_BODY
        self.on_gone: Callable[[], object] | None = None
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.replied = False

    def header(self, name: bytes) -> bytes | None:
        """The first value of the header `name`, which is in lower case. O(headers)."""
        for known, value in self.headers:
            if known == name:
                return value
        return None

    def respond(self, status: int, head: bytes, body: bytes) -> None:
        """The whole reply. `head`: header lines, each with CR LF. Raises `RuntimeError` on a second reply."""
        if self.replied:
            raise RuntimeError("a request has one reply, and this one has begun it already")
        self.replied = True
        if self._connection is not None:
            self._coding = Coding.COMPLETE
            self._connection.respond(self, status, head, body)

    def start(self, status: int, head: bytes) -> None:
        """Begin a reply whose length is not known. Raises `RuntimeError` on a second reply."""
        if self.replied:
            raise RuntimeError("a request has one reply, and this one has begun it already")
        self.replied = True
        if self._connection is not None:
            self._coding = self._connection.begin(self, status, head)

    def write(self, data: bytes) -> None:
        """A piece of the body. Raises `RuntimeError` before `start` and after the end."""
        connection = self._connection
        if connection is None or not data:
            return
        coding = self._coding
        if coding is Coding.CHUNKED:
            if len(data) < _JOIN_BELOW:
                connection.write(b"%x\r\n%b\r\n" % (len(data), data))
            else:
                connection.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
        elif coding is Coding.UNTIL_CLOSE:
            connection.write(data)
        elif coding is not Coding.NONE:
            raise RuntimeError("`write` belongs between `start` and `end`")

    def end(self) -> None:
        """The reply is complete. Raises `RuntimeError` before `start` and on a second end."""
        connection = self._connection
        if connection is None:
            return
        coding = self._coding
        if coding is Coding.UNDECIDED or coding is Coding.COMPLETE:
            raise RuntimeError("`end` belongs once, after `start`")
        if coding is Coding.CHUNKED:
            connection.write(LAST_CHUNK)
        self._coding = Coding.COMPLETE
        connection.finished(self)

    def abort(self) -> None:
        """Cut the connection: the client sees that the reply is incomplete. Harmless after its end."""
        connection = self._connection
        if connection is not None:
            self._connection = None
            connection.cut(self)

    def detach(self) -> None:
        """For the connection: nothing this exchange does reaches the wire any more."""
        self._connection = None


class Handler(Protocol):
    """Answers exchanges. Called on the event loop; must not block. An exception becomes a 500 or a cut."""

    def head(self, exchange: Exchange) -> Intake:
        """The head is complete and valid; nothing of the body was read. May answer already."""

    def call(self, exchange: Exchange) -> None:
        """Answer, now or later. The body is complete (`BUFFER`) or arriving (`STREAM`)."""

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        """The JSON body of an error that the wire itself answers. `path` is empty when it could not be read."""
