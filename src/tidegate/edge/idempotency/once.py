"""`Idempotency-Key`: one execution for all requests that show the same key, and its result for each of them.

The call runs against a *tape* instead of a connection. Who asked first and who comes again, during the answer or after
it, are all played the tape: so a client that lost its connection gets the answer that it has paid for. Only successes
are kept; what failed may be tried again under the same key. Source: IETF draft-ietf-httpapi-idempotency-key-header.
"""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Final, Protocol

from tidegate.edge.tape import Listener, Tape

TTL_US: Final = 600_000_000  # a client that comes back later than this is served anew
MAX_BYTES: Final = 67_108_864  # of all tapes that have ended
MAX_KEY: Final = 255
REPLAYED: Final = b"idempotent-replayed: true\r\n"


class OnceTape(Tape):
    """The answer to the requests under one key. It is made to its end: who lost its connection comes back for it."""

    __slots__ = ("digest", "ends_at", "name", "replayed")

    def __init__(self, once: "Once", name: tuple[str, bytes], digest: bytes, request_id: bytes | None) -> None:
        super().__init__(once, request_id, stays=True)
        self.name = name
        self.digest = digest
        self.ends_at = 0
        self.replayed = False  # another worker made it, and its head says that it is told again


class Again(Listener):
    """A client that comes back for an answer, and is told so."""

    __slots__ = ()

    def head(self, tape: Tape) -> bytes:
        """As it was told the first time."""
        return tape.head if isinstance(tape, OnceTape) and tape.replayed else tape.head + REPLAYED


class Beyond(Protocol):
    """The other workers, in a cluster."""

    def ended(self, tape: OnceTape) -> None:
        """It is complete, and a success."""

    def forgotten(self, tape: OnceTape) -> None:
        """It is not kept."""


class Nobody:
    """There are no other workers. Fulfils `Beyond`."""

    __slots__ = ()

    def ended(self, tape: OnceTape) -> None:
        """Nobody waits for it."""

    def forgotten(self, tape: OnceTape) -> None:
        """Nor for this."""


class Once:
    """The tapes by client and key; bounded in time and bytes. All O(1)."""

    __slots__ = ("_bytes", "_ended", "_now", "_tapes", "beyond")

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._tapes: dict[tuple[str, bytes], OnceTape] = {}
        self._ended: OrderedDict[tuple[str, bytes], OnceTape] = OrderedDict()  # by their end
        self._bytes = 0
        self.beyond: Beyond = Nobody()

    def __len__(self) -> int:
        return len(self._tapes)

    def find(self, client: str, key: bytes) -> OnceTape | None:
        """What this client has asked for under this key."""
        self._expire()
        return self._tapes.get((client, key))

    def record(self, client: str, key: bytes, digest: bytes, request_id: bytes | None) -> OnceTape:
        """A new tape for a call that is about to run."""
        tape = self._tapes[client, key] = OnceTape(self, (client, key), digest, request_id)
        return tape

    def begun(self, tape: Tape) -> None:
        """Whatever it is, it is the answer."""

    def ended(self, tape: Tape) -> None:
        """Keep what succeeded, for a while."""
        if not isinstance(tape, OnceTape):
            raise TypeError("a tape of somebody else's")
        if self._tapes.get(tape.name) is not tape:
            return
        if not 200 <= tape.status < 300:
            self.forget(tape)
            return
        self.beyond.ended(tape)
        tape.ends_at = self._now() + TTL_US
        self._ended[tape.name] = tape
        self._bytes += tape.size
        self._expire()

    def forget(self, tape: Tape) -> None:
        """The next request under its key runs anew."""
        if isinstance(tape, OnceTape) and self._tapes.get(tape.name) is tape:
            del self._tapes[tape.name]
            if self._ended.pop(tape.name, None) is not None:
                self._bytes -= tape.size
            else:
                self.beyond.forgotten(tape)

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
