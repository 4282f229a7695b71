"""An answer while it is made, for all who want to hear it.

A *tape* stands where the exchange of a call would, keeps what it is told, and is played to whoever asked first and
whoever comes later, during the answer or after it. Each listener has its own pace; none holds the others.
"""

from collections.abc import Callable
from typing import Final, Protocol

from tidegate.wire.exchange import Exchange

MAX_BYTES: Final = 16_777_216  # of one; of a longer answer only what somebody has not heard is kept
_OVERHEAD: Final = 2_048  # of a tape beside its answer


class TapeRegistry(Protocol):
    """Who finds tapes again."""

    def begun(self, tape: "Tape") -> None:
        """Its reply begins; nobody has heard anything of it."""

    def ended(self, tape: "Tape") -> None:
        """It is complete."""

    def forget(self, tape: "Tape") -> None:
        """Nobody new may hear it."""


class Tape:
    """One answer. Fulfils `model.reply.Downstream`. `on_gone`, `on_pause`, `on_resume` are those of who makes it."""

    __slots__ = (
        "_clock",
        "_dropped",
        "_keeper",
        "_kept",
        "_listeners",
        "_pieces",
        "_size",
        "_stays",
        "aborted",
        "beats",
        "began_us",
        "ended",
        "head",
        "on_gone",
        "on_pause",
        "on_resume",
        "request_id",
        "status",
        "whole",
    )  # fmt: skip

    def __init__(
        self, keeper: TapeRegistry, request_id: bytes | None, *, stays: bool, clock: Callable[[], int] | None = None
    ) -> None:
        """`stays`: it is made to its end though nobody listens. With a `clock` it remembers how its pieces came."""
        self._keeper = keeper
        self._listeners: dict[Listener, None] = {}  # in the order in which they came
        self._pieces: list[bytes] = []
        self._dropped = 0  # pieces that are kept no more
        self._kept = 0  # bytes of those that are
        self._size = 0
        self._stays = stays
        self._clock = clock
        self.request_id = request_id  # the first one's own; the request itself is not kept
        self.status = 0
        self.head = b""
        self.whole = False  # `respond`: a complete reply, with its length
        self.ended = False
        self.aborted = False
        self.began_us = 0
        self.beats: list[tuple[int, int]] = []  # of each piece: bytes, and microseconds since the reply began
        self.on_gone: Callable[[], object] | None = None
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None

    @property
    def connection(self) -> "Tape | None":
        """None when nobody wants it any more."""
        return self if self._stays or self._listeners else None

    @property
    def replied(self) -> bool:
        """Whether `respond` or `start` was called."""
        return self.status != 0

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return self._size + len(self.head) + _OVERHEAD

    @property
    def said(self) -> int:
        """Bytes of the answer so far."""
        return self._size

    @property
    def long(self) -> bool:
        """Whether it has become too much to keep for those who come later."""
        return self._size > MAX_BYTES

    @property
    def behind(self) -> int:
        """Bytes that somebody has yet to hear, where it is long."""
        return self._kept

    @property
    def complete(self) -> bool:
        """Whether all of it is kept."""
        return self.ended and not self.aborted and self._dropped == 0

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
        if self._clock is not None:
            self.began_us = self._clock()
        self._keeper.begun(self)
        self._tell()

    def write(self, data: bytes) -> None:
        """A piece of the body."""
        self._size += len(data)
        self._kept += len(data)
        self._pieces.append(data)
        if self._clock is not None and self._size <= MAX_BYTES:
            self.beats.append((len(data), self._clock() - self.began_us))
        self._tell()
        if self._size > MAX_BYTES:
            self._keeper.forget(self)  # nobody new is played it; who listens hears the rest
            self._trim()

    def end(self) -> None:
        """The reply is complete."""
        self.ended = True
        self._keeper.ended(self)
        self._tell()
        self._let_go()

    def abort(self) -> None:
        """It will not be."""
        self.ended = self.aborted = True
        self._keeper.forget(self)
        self._tell()
        self._let_go()

    def play(self, listener: "Listener") -> None:
        """Let this one hear it, from the beginning."""
        out = listener.out
        out.on_gone = listener.leave
        out.on_pause = listener.pause
        out.on_resume = listener.resume
        self._listeners[listener] = None
        listener.tape = self
        listener.hear()

    def listeners(self) -> "tuple[Listener, ...]":
        """Who hears it now."""
        return tuple(self._listeners)

    def part(self, listener: "Listener") -> None:
        """It goes elsewhere; whether the answer is made does not depend on it."""
        self._listeners.pop(listener, None)
        listener.detach()

    def pieces(self, since: int) -> list[bytes]:
        """What was said since then."""
        return self._pieces[since - self._dropped :]

    def hold(self, *, paused: bool) -> None:
        """A listener does not read, or reads again: a tape that is too long to keep waits for it."""
        turn = self.on_pause if paused else self.on_resume
        if self._size > MAX_BYTES and turn is not None:
            turn()

    def leave(self, listener: "Listener") -> None:
        """It hears no more."""
        self._listeners.pop(listener, None)
        if self._size > MAX_BYTES and not any(one.paused for one in self._listeners):
            self.hold(paused=False)
        if not self._listeners and not self._stays and not self.ended:
            self._keeper.forget(self)
            gone, self.on_gone = self.on_gone, None
            if gone is not None:
                gone()

    def spoil(self) -> None:
        """The answer is worth nothing, however it ends: the next request runs anew."""
        self._keeper.forget(self)

    def _trim(self) -> None:
        """Let go of what everybody has heard."""
        heard = min((listener.heard for listener in self._listeners), default=self._dropped + len(self._pieces))
        self._kept -= sum(map(len, self._pieces[: heard - self._dropped]))
        del self._pieces[: heard - self._dropped]
        self._dropped = heard
        if any(listener.paused for listener in self._listeners):
            self.hold(paused=True)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener.hear()

    def _let_go(self) -> None:
        """Who made it refers to it, and it to that, until the collector comes."""
        self.on_gone = self.on_pause = self.on_resume = None


class Listener:
    """One client that is played a tape."""

    __slots__ = ("_begun", "heard", "out", "paused", "tape")

    def __init__(self, out: Exchange | Tape) -> None:
        self.out = out
        self.tape: Tape | None = None
        self._begun = False
        self.heard = 0
        self.paused = False

    def head(self, tape: Tape) -> bytes:
        """The header lines that it is told."""
        return tape.head

    def over(self, tape: Tape) -> None:
        """It has heard all that there is."""

    def leave(self) -> None:
        """Its client is gone."""
        tape = self.detach()
        if tape is not None:
            tape.leave(self)

    def pause(self) -> None:
        """Its client does not read."""
        self.paused = True
        if self.tape is not None:
            self.tape.hold(paused=True)

    def resume(self) -> None:
        """It reads again."""
        self.paused = False
        self.hear()
        if self.tape is not None:
            self.tape.hold(paused=False)

    def hear(self) -> None:
        """Go on to where the tape is."""
        tape = self.tape
        if tape is not None and tape.replied and not self.paused:
            self.go_on(tape)

    def go_on(self, tape: Tape) -> None:
        """What was said since it last heard."""
        if tape.whole:
            if tape.ended:
                self.respond(tape, b"".join(tape.pieces(0)))
            return
        out = self.out
        if not self._begun:
            self._begun = True
            out.start(tape.status, self.head(tape))
        for piece in tape.pieces(self.heard):
            self.heard += 1
            out.write(piece)
            if self.paused:
                return
        if tape.ended:
            self.finish(tape)
            if tape.aborted:
                out.abort()
            else:
                out.end()

    def respond(self, tape: Tape, body: bytes) -> None:
        """Everything in one piece."""
        head = self.head(tape)
        self.finish(tape)
        self.out.respond(tape.status, head, body)

    def finish(self, tape: Tape) -> None:
        """Nothing follows."""
        self.detach()
        tape.leave(self)
        self.over(tape)

    def detach(self) -> Tape | None:
        """Let go of the tape, and return it: else each refers to the other, until the collector comes."""
        tape, out = self.tape, self.out
        self.tape = out.on_gone = out.on_pause = out.on_resume = None
        return tape
