"""Keeping what a call said, for people who debug: where its namespace asks for it, of a sample or of errors.

A *witness* stands where the exchange of such a call would, and hears what the client gets. Other calls have none.
"""

from collections.abc import Callable
from typing import Final, Protocol

from tidegate.edge.tape import Tape
from tidegate.model.bodies import BodyPolicy, Sample
from tidegate.model.call import Call
from tidegate.model.facts import BROKEN, LEFT
from tidegate.policy.sampling import sampled
from tidegate.wire.exchange import Exchange

MARGIN: Final = 4_096  # bytes beyond what is kept: so that no secret lies across the cut (`redaction/redactor.py`)
_FAILED: Final = 400
_BEARER: Final = b"bearer "


class BodyLog(Protocol):
    """Where samples go. It never raises and never waits: what it cannot take is dropped, and counted."""

    def append(self, sample: Sample, secret: bytes) -> None:
        """Keep one. `secret`, the client's own key, is nowhere in what is written."""


class CapturePolicy:
    """What a namespace keeps of its calls. Nobody changes one."""

    __slots__ = ("log", "policy", "wall")

    def __init__(self, policy: BodyPolicy, log: BodyLog, wall: Callable[[], int]) -> None:
        self.policy = policy
        self.log = log
        self.wall = wall

    def watch(self, out: "Exchange | Tape | Witness", call: Call, asked: Exchange) -> "Exchange | Tape | Witness":
        """Who stands for `out` while the call is served: itself, when nothing of the call can be kept."""
        policy = self.policy
        chosen = sampled(call.id, policy.sample_ppm)
        if not chosen and not policy.errors:
            return out
        return Witness(out, self, call, asked, chosen)


class Witness:
    """Stands where the exchange, or the tape, of a call would. Fulfils `model.reply.Downstream`.

    It holds `max_bytes` of the answer at most, and the request, which the call holds too.
    """

    __slots__ = (
        "_asked", "_call_id", "_chosen", "_failed", "_keeper", "_key", "_length", "_namespace", "_out", "_pieces",
        "_room", "_secret", "_status", "_told", "on_gone", "on_pause", "on_resume",
    )  # fmt: skip

    def __init__(
        self, out: "Exchange | Tape | Witness", keeper: CapturePolicy, call: Call, asked: Exchange, chosen: bool
    ) -> None:
        """`chosen`: it is of the sample, and kept however it ends."""
        self._out = out
        self._keeper = keeper
        self._chosen = chosen
        self._call_id = call.id
        self._namespace = call.tenant.name
        self._key = call.client
        self._asked = asked.body
        self._secret = _key_of(asked)
        self._pieces: list[bytes] = []
        self._room = keeper.policy.max_bytes + MARGIN
        self._length = 0
        self._status = 0
        self._failed = False
        self._told = False
        self.on_gone: Callable[[], object] | None = None
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        out.on_gone = self._left
        out.on_pause = self._pause
        out.on_resume = self._resume

    @property
    def connection(self) -> object:
        """As of what it stands for."""
        return self._out.connection

    @property
    def replied(self) -> bool:
        """Whether `respond` or `start` was called."""
        return self._out.replied

    def header(self, name: bytes) -> bytes | None:
        """Of the request."""
        return self._out.header(name)

    def respond(self, status: int, head: bytes, body: bytes) -> None:
        """The whole reply."""
        self._out.respond(status, head, body)
        self._status = status
        self._hear(body)
        self._tell(complete=True)

    def start(self, status: int, head: bytes) -> None:
        """Begin a reply whose length is not known."""
        self._status = status
        self._out.start(status, head)

    def write(self, data: bytes) -> None:
        """A piece of the answer."""
        self._hear(data)
        self._out.write(data)

    def end(self) -> None:
        """The reply is complete."""
        self._out.end()
        self._tell(complete=True)

    def abort(self) -> None:
        """It will not be."""
        self._failed = True
        self._out.abort()
        self._tell(complete=False)

    def spoil(self) -> None:
        """The answer is worth nothing, however it ends."""
        self._failed = True
        self._out.spoil()

    def _left(self) -> None:
        gone = self.on_gone
        if not self._told:
            self._status = LEFT
        if gone is not None:
            gone()
        self._tell(complete=False)

    def _pause(self) -> None:
        if self.on_pause is not None:
            self.on_pause()

    def _resume(self) -> None:
        if self.on_resume is not None:
            self.on_resume()

    def _hear(self, data: bytes) -> None:
        """What is beyond the bound is only counted."""
        self._length += len(data)
        room = self._room
        if room > 0:
            self._pieces.append(data if len(data) <= room else data[:room])
            self._room = room - len(data)

    def _tell(self, *, complete: bool) -> None:
        """Once, when the client has got all that it gets."""
        if self._told:
            return
        self._told = True
        self._forget()
        pieces, self._pieces, self._room = self._pieces, [], 0
        status = BROKEN if self._failed and self._status < _FAILED else self._status
        if not self._chosen and status < _FAILED:
            return
        keeper, asked = self._keeper, self._asked
        most = keeper.policy.max_bytes + MARGIN
        sample = Sample(
            self._call_id,
            keeper.wall(),
            self._namespace,
            self._key,
            status,
            "sample" if self._chosen else "error",
            complete and not self._failed,
            asked[:most],
            len(asked),
            b"".join(pieces),
            self._length,
            keeper.policy,
        )
        keeper.log.append(sample, self._secret)

    def _forget(self) -> None:
        """What it stands for would else refer to it, and it to that, until the collector comes."""
        out = self._out
        out.on_gone = out.on_pause = out.on_resume = None


def _key_of(asked: Exchange) -> bytes:
    """The key that the client showed, b"" for none."""
    shown = asked.header(b"authorization") or asked.header(b"x-api-key") or asked.header(b"api-key") or b""
    return shown[7:].strip() if shown[:7].lower() == _BEARER else shown
