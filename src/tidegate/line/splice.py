"""The splice: a streamed answer from the provider's connection to the client's, by callback.

Nothing wakes a task per chunk. Until the answer is *committed* (its first content was seen) what arrives is held and a
failure is the attempt's; from then on bytes flow, and a failure ends in a typed error event and no clean end, unless
somebody else goes on. The callback `on_end` runs exactly once, before the last byte is written.
"""

import asyncio
import logging
from collections.abc import Callable

from tidegate.line.taps import RawTap, Words
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Downstream, Failure
from tidegate.ports import TransportError, UpstreamStream
from tidegate.providers.codec import Tap

_log = logging.getLogger(__name__)
MAX_HELD_BYTES = 1_048_576  # before the first content; a role and some pings need a few hundred


class _Nobody:
    """A client that has left."""

    __slots__ = ()

    def write(self, data: bytes) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def abort(self) -> None:
        """Nothing."""


_NOBODY = _Nobody()


class Splice:
    """One streamed answer. Fulfils `ports.StreamSink`."""

    __slots__ = (
        "_closed", "_first", "_held", "_held_bytes", "_last", "_out", "_words", "failure", "gone", "heard",
        "on_end", "sent", "stream", "tap",
    )  # fmt: skip

    def __init__(self, stream: UpstreamStream, tap: Tap, words: Words | None) -> None:
        """`words` tell the client of a failure; None cuts the connection instead."""
        self.stream = stream
        self.tap = tap
        self.failure: Failure | None = None
        self.gone = False  # the client left
        self.sent = 0  # bytes, to the client
        self.on_end: Callable[[], bool] | None = None  # True: somebody else goes on, and says how it ends
        self.heard: Usage | None = None  # what was used, once it is settled; None: the client does not ask for it
        self._words = words
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._last = b""  # what was sent last
        self._out: Downstream | None = None
        self._closed = False
        self._first: asyncio.Future[None] | None = None

    @property
    def tells(self) -> bool:
        """Whether it can say more than its provider does: its client reads events."""
        return self._words is not None

    async def committed(self) -> Failure | None:
        """Wait for the first content; the failure when there will be none. Aborts the stream when cancelled."""
        self.stream.attach(self)
        if not self._decided():
            self._first = asyncio.get_running_loop().create_future()
            try:
                await self._first
            except asyncio.CancelledError:
                self.stream.abort()
                raise
        return None if self.tap.committed or self.tap.finished else self.failure

    def attach(self, out: Downstream) -> None:
        """Send what was held and, from now on, what arrives."""
        self._out = out
        held, self._held = self._held, []
        for data in held[:-1]:
            self.sent += len(data)
            out.write(data)
        self._forward(held[-1] if held else b"")

    def abandon(self) -> None:
        """The client left: stop the provider at once."""
        self.gone = True
        self.stream.abort()
        self._close()

    def drain(self) -> None:
        """The client left, and the exact usage is wanted: read on for nobody."""
        self.gone = True
        self._out = _NOBODY
        self.stream.resume()

    def cut(self, failure: Failure) -> None:
        """The gate ends it, through no fault of the provider's: that is stopped, and the client told why."""
        self.gone = True
        self.stream.abort()
        if not self.tap.finished:
            self._fail(failure)
        self._forward(b"")

    def expire(self) -> None:
        """The deadline passed before the first content."""
        if self._decided():
            return  # it came in the same moment
        self.stream.abort()
        self.failed(TransportError("the deadline passed before the first content of the stream", sent=True, begun=True))

    def chunk(self, data: bytes) -> None:
        """Some bytes from the provider."""
        tap = self.tap
        try:
            ready = tap.feed(data)
        except Exception as error:  # noqa: BLE001 - a defect of ours in a callback: the call still ends, once
            _log.exception("the gate failed on an event of a stream")
            self.stream.abort()
            self.failed(TransportError(f"the gate failed on an event ({type(error).__name__})", sent=True))
            return
        if self._out is not None and not (tap.finished or tap.failure):
            if ready:
                self._last = ready
                self.sent += len(ready)
                self._out.write(ready)
            return
        if self._closed:
            return
        if tap.failure:
            self._fail(_broken(tap.failure.decode("utf-8", "replace")))
            self.stream.abort()
        if self._out is not None:
            self._forward(ready)
        elif ready:
            self._hold(ready)
        self._decide()

    def end(self) -> None:
        """The provider's framing is complete: a clean end only when the dialect says so too."""
        if isinstance(self.tap, RawTap):
            self.tap.finished = True
        elif not self.tap.finished and (rest := self.tap.rest()):
            self.chunk(rest)
        if not self.tap.finished:
            self._fail(_broken("the provider ended the stream before it was complete"))
        if self._out is not None:
            self._forward(b"")
        self._decide()

    def failed(self, error: TransportError) -> None:
        """The provider's connection broke."""
        if not self.tap.finished:
            self._fail(_broken(str(error)))
        if self._out is not None:
            self._forward(b"")
        self._decide()

    def _hold(self, ready: bytes) -> None:
        self._held.append(ready)
        self._held_bytes += len(ready)
        if self._held_bytes > MAX_HELD_BYTES and not self._decided():
            self._held.clear()
            self._fail(_broken("the provider sent more than 1 MiB before any content"))
            self.stream.abort()

    def _fail(self, failure: Failure) -> None:
        if self.failure is None:
            self.failure = failure

    def _decided(self) -> bool:
        return self.tap.committed or self.tap.finished or self.failure is not None

    def _decide(self) -> None:
        if self._first is not None and not self._first.done() and self._decided():
            self._first.set_result(None)

    def _forward(self, last: bytes) -> None:
        """Write `last`, and the end when there is one."""
        out = self._out
        if out is None or self._closed:
            return
        if last:
            self._last = last
            self.sent += len(last)
        if not self.tap.finished and self.failure is None:
            if last:
                out.write(last)
            return
        try:
            taken = self._close()
        except Exception:
            out.abort()  # without a record there is no last byte, and nobody waits for it
            raise
        if taken:
            if last:
                out.write(last)
            return
        if last:
            out.write(last)
        if self.failure is None:
            out.end()
        else:
            self.say_failure(self.failure)
        self.stream.resume()  # the client may have paused it and is heard no more; what follows must still be read

    def say_failure(self, failure: Failure) -> None:
        """Tell the client, whose answer will not be completed."""
        out = self._out
        if out is None:
            return
        if self._words is None:
            out.abort()
        else:
            out.write(self._words.event(failure, self._last, self.heard))
            out.end()

    def _close(self) -> bool:
        """It is over; True when somebody else goes on."""
        if self._closed:
            return False
        self._closed = True
        ended, self.on_end = self.on_end, None  # it refers back to this splice: leave no cycle behind
        return ended is not None and ended()


def _broken(message: str) -> Failure:
    """A reply that had begun will not be completed."""
    return Failure(Reason.TRANSIENT, message, begun=True)
