"""`Idempotency-Key` over all workers of a cluster: one of them executes, the others wait for its answer and play it.

Who executes claims the key in the shared state, renews the claim while the call runs, and puts the answer in its place
when it is complete. When its worker dies the claim lapses within `CLAIM_US`, and the next one executes. Answers are
kept as long as at home (`once.TTL_US`), up to `MAX_ANSWER` bytes each and `MAX_KEPT` of each worker; a key whose answer
is larger is executed again by the worker that is asked next, as a key whose answer was forgotten is.

Without the shared state a key is executed once by each worker, or, with `on_state_loss: closed`, by none.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from hashlib import blake2b
from typing import Final, Protocol

from tidegate.edge.idempotency.once import REPLAYED, TTL_US, OnceTape
from tidegate.edge.request import Request
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.shared import ANSWERED, RUNNING, Executed, encode_executed, executed
from tidegate.ports import Clock, SharedValues, StoreError

_log = logging.getLogger(__name__)

CLAIM_US: Final = 6_000_000
RENEW_US: Final = 2_000_000
LEAST_LOOK_US: Final = 20_000
MOST_LOOK_US: Final = 320_000
MAX_ANSWER: Final = 1_048_576
MAX_KEPT: Final = 33_554_432

AWAY: Final = Problem(
    ProblemKind.UNAVAILABLE,
    "The gate's shared state is away, so nobody can tell whether another worker executes this Idempotency-Key, and "
    "`cluster.on_state_loss` is closed. Try again under the same key.",
)
LATE: Final = Problem(ProblemKind.DEADLINE, "The deadline passed while another worker executed this Idempotency-Key.")


class Room(Protocol):
    """What is done with a request when it is known who executes it."""

    def go_on(self, request: Request) -> None:
        """We do, unless its key was revoked meanwhile."""

    def revoked(self, request: Request) -> bool:
        """Whether that ends it: then it has been told."""

    def reused(self, request: Request) -> None:
        """Another request was asked under its key."""

    def unserved(self, request: Request, problem: Problem) -> None:
        """Nobody does, for this reason."""

    def failed(self, request: Request) -> None:
        """A defect of ours: it is in the log, and whoever waits is told."""


class Elsewhere:
    """One a worker of a cluster. Fulfils `once.Beyond`. O(1) a call."""

    __slots__ = (
        "_clock", "_identity", "_kept", "_kept_bytes", "_loop", "_room", "_running", "_serial", "_shared", "_tasks",
    )  # fmt: skip

    def __init__(
        self, shared: SharedValues, clock: Clock, loop: asyncio.AbstractEventLoop, room: Room, identity: bytes
    ) -> None:
        """`identity`: 8 bytes that no other worker has, nor this one had in an earlier run."""
        self._shared = shared
        self._clock = clock
        self._loop = loop
        self._room = room
        self._identity = identity
        self._serial = 0
        self._running: dict[OnceTape, bytes] = {}  # those whose claim is ours, and who owns it
        self._kept: deque[tuple[int, int]] = deque()  # until when we have how many bytes in the shared state
        self._kept_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, request: Request, tape: OnceTape) -> None:
        """Have the request executed here, or told what another worker has made of it."""
        self._serial += 1
        owner = self._identity + self._serial.to_bytes(8, "big")
        key, claim = _key(tape), encode_executed(Executed(RUNNING, tape.digest))
        deadline, pause = request.call.deadline, LEAST_LOOK_US
        try:
            while tape.listeners():
                try:
                    there = await self._shared.claim(key, owner, claim, CLAIM_US)
                    found = None if there is None else executed(there[len(owner) :])
                except (StoreError, ValueError) as error:
                    self._blind(request, tape, owner, error)
                    return
                if found is None:
                    self._run(request, tape, owner)
                    return
                if self._room.revoked(request):
                    return
                if found.digest != tape.digest:
                    self._room.reused(request)
                    return
                if found.state == ANSWERED:
                    _play(tape, found)
                    return
                if deadline and self._clock.now() + pause >= deadline:
                    self._room.unserved(request, LATE)
                    return
                await self._clock.sleep(pause)
                pause = min(2 * pause, MOST_LOOK_US)
        except Exception:  # noqa: BLE001 - whatever it is, nobody waits for ever under this key
            self._room.failed(request)
            return
        tape.spoil()  # who asked is gone, and nothing was begun

    def ended(self, tape: OnceTape) -> None:
        """Its answer is complete, and a success."""
        owner = self._running.pop(tape, None)
        if owner is None:
            return
        room = self._room_for(tape.size)
        self._do(self._publish(tape, owner) if room and tape.complete else self._shared.release(_key(tape), owner))

    def forgotten(self, tape: OnceTape) -> None:
        """It came to nothing that is kept: whoever asks next executes."""
        owner = self._running.pop(tape, None)
        if owner is not None:
            self._do(self._shared.release(_key(tape), owner))

    async def renew(self) -> None:
        """Keep the claims of what runs. Every `RENEW_US`."""
        for tape, owner in list(self._running.items()):
            if tape not in self._running:
                continue
            claim = encode_executed(Executed(RUNNING, tape.digest))
            try:
                await self._shared.put(_key(tape), owner, claim, CLAIM_US)
            except StoreError:
                return

    def _blind(self, request: Request, tape: OnceTape, owner: bytes, error: Exception) -> None:
        """Nobody knows who executes it."""
        if self._shared.closed:
            self._room.unserved(request, AWAY)
        else:
            _log.info("an Idempotency-Key is executed without asking the other workers: %s", error)
            self._run(request, tape, owner)

    def _run(self, request: Request, tape: OnceTape, owner: bytes) -> None:
        self._running[tape] = owner
        self._room.go_on(request)

    def _room_for(self, size: int) -> bool:
        """Whether the shared state is given so much more."""
        kept, now = self._kept, self._clock.now()
        while kept and kept[0][0] <= now:
            self._kept_bytes -= kept.popleft()[1]
        if size > MAX_ANSWER or self._kept_bytes + size > MAX_KEPT:
            return False
        kept.append((now + TTL_US, size))
        self._kept_bytes += size
        return True

    async def _publish(self, tape: OnceTape, owner: bytes) -> None:
        body = b"".join(tape.pieces(0))
        answer = Executed(ANSWERED, tape.digest, tape.status, tape.head, body, tape.whole)
        await self._shared.put(_key(tape), owner, encode_executed(answer), TTL_US)

    def _do(self, work: Coroutine[object, object, object]) -> None:
        task = self._loop.create_task(self._quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: Coroutine[object, object, object]) -> None:
        try:
            await work
        except StoreError as error:
            _log.info("the shared state was not told what became of an Idempotency-Key: %s", error)


def _play(tape: OnceTape, found: Executed) -> None:
    """As it was told there, to all who listen here."""
    head = found.head + REPLAYED
    tape.replayed = True
    if found.whole:
        tape.respond(found.status, head, found.body)
        return
    tape.start(found.status, head)
    tape.write(found.body)
    tape.end()


def _key(tape: OnceTape) -> bytes:
    client, key = tape.name
    name = client.encode()
    return blake2b(b"%d:%b%b" % (len(name), name, key), digest_size=16).hexdigest().encode()
