"""`Idempotency-Key`: one execution for all requests that show the same key, and its result for each of them.

The call runs against a *tape* instead of a connection. Who asked first and who comes again, during the answer or after
it, are all played the tape: so a client that lost its connection gets the answer that it has paid for. Only successes
are kept; what failed may be tried again under the same key. Source: IETF draft-ietf-httpapi-idempotency-key-header.
"""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from tidegate.wire.exchange import Exchange

TTL_US: Final = 600_000_000  # a client that comes back later than this is served anew
MAX_BYTES: Final = 67_108_864  # of all tapes that have ended
MAX_TAPE_BYTES: Final = 16_777_216  # of one; a longer answer is not kept
MAX_KEY: Final = 255
_OVERHEAD: Final = 2_048  # of a tape beside its answer
REPLAYED: Final = b"idempotent-replayed: true\r\n"


class Tape:
    """One answer while it is made: stands where the exchange of a call would. Fulfils `model.reply.Downstream`."""

    __slots__ = (
        "_dropped", "_listeners", "_once", "_pieces", "_size", "aborted", "digest", "ended", "ends_at", "head",
        "name", "on_gone", "on_pause", "on_resume", "request_id", "status", "whole",
    )  # fmt: skip

    def __init__(self, once: "Once", name: tuple[str, bytes], digest: bytes, request_id: bytes | None) -> None:
        self._once = once
        self._listeners: list[_Listener] = []
        self._pieces: list[bytes] = []
        self._dropped = 0  # pieces that are kept no more
        self._size = 0
        self.name = name
        self.digest = digest
        self.request_id = request_id  # the first one's own; the request itself is not kept
        self.status = 0
        self.head = b""
        self.whole = False  # `respond`: a complete reply, with its length
        self.ended = False
        self.aborted = False
        self.ends_at = 0
        self.on_gone: Callable[[], object] | None = None
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None

    @property
    def connection(self) -> object:
        """There is always one: nobody has to listen for the answer to be made."""
        return self

    @property
    def replied(self) -> bool:
        """Whether `respond` or `start` was called."""
        return self.status != 0

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._size + len(self.head) + _OVERHEAD

    def header(self, name: bytes) -> bytes | None:
        """Of the first request, as far as an answer needs it."""
        return self.request_id if name == b"x-request-id" else None

    def respond(self, status: int, head: bytes, body: bytes) -> None:
        """The whole reply."""
        self.whole = True
        self.start(status, head)
        self.write(body)
        self.end()

    def start(self, status: int, head: bytes) -> None:
        """Begin a reply whose length is not known."""
        self.status, self.head = status, head
        self._tell()

    def write(self, data: bytes) -> None:
        """A piece of the body."""
        self._size += len(data)
        self._pieces.append(data)
        self._tell()
        if self._size > MAX_TAPE_BYTES:
            self._once.forget(self)  # nobody new is played it; who listens hears the rest
            self._trim()

    def end(self) -> None:
        """The reply is complete."""
        self.ended = True
        self._once.ended(self)
        self._tell()

    def abort(self) -> None:
        """It will not be."""
        self.ended = self.aborted = True
        self._once.forget(self)
        self._tell()

    def play(self, exchange: Exchange, *, again: bool) -> None:
        """Let this one hear it, from the beginning. Its own pauses do not hold the others. `again`: it is told so."""
        listener = _Listener(self, exchange, again=again)
        exchange.on_gone = listener.leave
        exchange.on_pause = listener.pause
        exchange.on_resume = listener.resume
        self._listeners.append(listener)
        listener.hear()

    def pieces(self, since: int) -> list[bytes]:
        """What was said since then."""
        return self._pieces[since - self._dropped :]

    def hold(self, *, paused: bool) -> None:
        """A listener does not read, or reads again: a tape that is too long to keep waits for it."""
        turn = self.on_pause if paused else self.on_resume
        if self._size > MAX_TAPE_BYTES and turn is not None:
            turn()

    def leave(self, listener: "_Listener") -> None:
        """It hears no more. The answer is made all the same."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not any(one.paused for one in self._listeners):
            self.hold(paused=False)

    def spoil(self) -> None:
        """The answer is worth nothing, however it ends: the next request runs anew."""
        self._once.forget(self)

    def _trim(self) -> None:
        """Let go of what everybody has heard."""
        heard = min((listener.heard for listener in self._listeners), default=self._dropped + len(self._pieces))
        del self._pieces[: heard - self._dropped]
        self._dropped = heard
        if any(listener.paused for listener in self._listeners):
            self.hold(paused=True)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener.hear()


class _Listener:
    """One client that is played a tape."""

    __slots__ = ("_again", "_begun", "_exchange", "_tape", "heard", "paused")

    def __init__(self, tape: Tape, exchange: Exchange, *, again: bool) -> None:
        self._tape = tape
        self._exchange = exchange
        self._again = again
        self.heard = 0
        self._begun = False
        self.paused = False

    def leave(self) -> None:
        self._tape.leave(self)

    def pause(self) -> None:
        self.paused = True
        self._tape.hold(paused=True)

    def resume(self) -> None:
        self.paused = False
        self.hear()
        self._tape.hold(paused=False)

    def hear(self) -> None:
        """Go on to where the tape is."""
        if self._tape.replied and not self.paused:
            self._go_on()

    def _go_on(self) -> None:
        tape, exchange = self._tape, self._exchange
        head = tape.head + REPLAYED if self._again else tape.head
        if tape.whole:
            if tape.ended:
                self.leave()
                exchange.respond(tape.status, head, b"".join(tape.pieces(0)))
            return
        if not self._begun:
            self._begun = True
            exchange.start(tape.status, head)
        for piece in tape.pieces(self.heard):
            self.heard += 1
            exchange.write(piece)
            if self.paused:
                return
        if tape.ended:
            self.leave()
            if tape.aborted:
                exchange.abort()
            else:
                exchange.end()


class Once:
    """The tapes by client and key; bounded in time and bytes. All O(1)."""

    __slots__ = ("_bytes", "_ended", "_now", "_tapes")

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._tapes: dict[tuple[str, bytes], Tape] = {}
        self._ended: OrderedDict[tuple[str, bytes], Tape] = OrderedDict()  # by their end
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._tapes)

    def find(self, client: str, key: bytes) -> Tape | None:
        """What this client has asked for under this key."""
        self._expire()
        return self._tapes.get((client, key))

    def record(self, client: str, key: bytes, digest: bytes, request_id: bytes | None) -> Tape:
        """A new tape for a call that is about to run."""
        tape = self._tapes[client, key] = Tape(self, (client, key), digest, request_id)
        return tape

    def ended(self, tape: Tape) -> None:
        """Keep what succeeded, for a while."""
        if self._tapes.get(tape.name) is not tape:
            return
        if not 200 <= tape.status < 300:
            self.forget(tape)
            return
        tape.ends_at = self._now() + TTL_US
        self._ended[tape.name] = tape
        self._bytes += tape.size
        self._expire()

    def forget(self, tape: Tape) -> None:
        """The next request under its key runs anew."""
        if self._tapes.get(tape.name) is tape:
            del self._tapes[tape.name]
            if self._ended.pop(tape.name, None) is not None:
                self._bytes -= tape.size

    def _expire(self) -> None:
        now = self._now()
        while self._ended:
            oldest = next(iter(self._ended.values()))
            if oldest.ends_at > now and self._bytes <= MAX_BYTES:
                return
            self.forget(oldest)


def digest(path: bytes, body: bytes) -> bytes:
    """What a request asks for. O(bytes)."""
    return blake2b(b"%d:%b%b" % (len(path), path, body), digest_size=16).digest()
