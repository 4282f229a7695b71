"""A provider that answers what the test says, when the test says it."""

import asyncio
from dataclasses import dataclass, field

from tidegate.ports import BodySource, StreamSink, TransportError


@dataclass(slots=True)
class Reply:
    """A scripted reply. With `stream` its body arrives by `ScriptedStream.say`."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    stream: "ScriptedStream | None" = None


class ScriptedStream:
    """`ports.UpstreamStream` whose bytes the test supplies; what is said before a sink is attached is held."""

    def __init__(self) -> None:
        self.aborted = False
        self.paused = False
        self._sink: StreamSink | None = None
        self._held: list[bytes | TransportError | None] = []

    def attach(self, sink: StreamSink) -> None:
        """Deliver to this sink."""
        self._sink = sink
        held, self._held = self._held, []
        for item in held:
            self._deliver(item)

    def pause(self) -> None:
        """Reading was paused."""
        self.paused = True

    def resume(self) -> None:
        """Reading goes on."""
        self.paused = False

    def abort(self) -> None:
        """The gate closed the connection."""
        self.aborted = True

    def say(self, *chunks: bytes) -> None:
        """The provider sends these bytes."""
        for chunk in chunks:
            self._deliver(chunk)

    def end(self) -> None:
        """The provider completes the body."""
        self._deliver(None)

    def cut(self, message: str = "connection reset") -> None:
        """The connection breaks."""
        self._deliver(TransportError(message, sent=True))

    def _deliver(self, item: bytes | TransportError | None) -> None:
        if self.aborted:
            return
        if self._sink is None:
            self._held.append(item)
        elif item is None:
            self._sink.end()
        elif isinstance(item, TransportError):
            self._sink.failed(item)
        else:
            self._sink.chunk(item)


@dataclass(slots=True)
class Sent:
    """A request as the provider got it."""

    head: bytes
    body: bytes | BodySource
    stream: bool
    deadline: int
    answer: "asyncio.Future[Reply]"


class ScriptedTransport:
    """`ports.Transport`: every request waits for the test's `answer` or `fail`."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.cancelled = 0
        self.closed = False

    async def send(self, head: bytes, body: bytes | BodySource, *, stream: bool, deadline: int) -> Reply:
        """Record the request and wait for the test's word."""
        request = Sent(head, body, stream, deadline, asyncio.get_running_loop().create_future())
        self.sent.append(request)
        try:
            return await request.answer
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def close(self) -> None:
        """Nothing to close."""
        self.closed = True

    @property
    def open(self) -> list[Sent]:
        """Requests that have not been answered."""
        return [request for request in self.sent if not request.answer.done()]

    def answer(self, reply: Reply) -> None:
        """Answer the oldest open request."""
        self.open[0].answer.set_result(reply)

    def fail(self, message: str = "connection refused", *, sent: bool = False) -> None:
        """Break the oldest open request."""
        self.open[0].answer.set_exception(TransportError(message, sent=sent))
