"""The body of an upstream reply that is still arriving, and the reply itself."""

from typing import Final, Protocol

from tidegate.ports import Headers, StreamSink, TransportError

HIGH_WATER: Final = 65_536  # bytes held before a sink is attached; then reading pauses


class Source(Protocol):
    """What a stream needs of its connection."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abort(self) -> None: ...


class Stream:
    """`ports.UpstreamStream`. Lets go of its connection at the end, so that a late `abort` hits nobody else's reply."""

    __slots__ = ("_ended", "_error", "_held", "_sink", "_size", "_source")

    def __init__(self, source: Source) -> None:
        self._source: Source | None = source
        self._sink: StreamSink | None = None
        self._held: list[bytes] = []
        self._size = 0
        self._ended = False
        self._error: TransportError | None = None

    def attach(self, sink: StreamSink) -> None:
        """Deliver what is held, then what arrives. `end` or `failed` may be called before this returns."""
        self._sink = sink
        held, self._held = self._held, []
        if held:
            sink.chunk(held[0] if len(held) == 1 else b"".join(held))
        if self._ended:
            sink.end()
        elif self._error is not None:
            sink.failed(self._error)
        elif self._size >= HIGH_WATER:
            self.resume()
        self._size = 0

    def pause(self) -> None:
        """Stop reading from the provider."""
        if self._source is not None:
            self._source.pause()

    def resume(self) -> None:
        """Read on."""
        if self._source is not None:
            self._source.resume()

    def abort(self) -> None:
        """Close the upstream connection at once; the sink hears nothing more. Harmless after the end."""
        source, self._source = self._source, None
        self._sink = None
        if source is not None:
            source.abort()

    # ── for the connection ──────────────────────────────────────────────────────────────────────────────────────────

    def deliver(self, data: bytes) -> None:
        """Some bytes of the body arrived."""
        sink = self._sink
        if sink is not None:
            sink.chunk(data)
            return
        if self._source is None:
            return
        self._held.append(data)
        self._size += len(data)
        if self._size >= HIGH_WATER:
            self._source.pause()

    def finish(self) -> None:
        """The body is complete."""
        if self._source is None:
            return
        self._source = None
        self._ended = True
        if self._sink is not None:
            self._sink.end()

    def fail(self, error: TransportError) -> None:
        """The body will not be completed."""
        if self._source is None:
            return
        self._source = None
        self._error = error
        if self._sink is not None:
            self._sink.failed(error)


class Reply:
    """`ports.UpstreamReply`."""

    __slots__ = ("body", "headers", "status", "stream")

    def __init__(self, status: int, headers: Headers, body: bytes, stream: Stream | None) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream
