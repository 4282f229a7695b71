"""The faces that adapters fulfil. The line sees these, never an adapter.

Time is an integer of microseconds everywhere: `now` is monotonic, `wall` counts from 1970.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from tidegate.model.cached import CacheEntry, Labels
from tidegate.model.call import BodySource as BodySource
from tidegate.model.comparison import Comparison, MatchResult
from tidegate.model.facts import CallRecord, Fact
from tidegate.model.outcome import Reason
from tidegate.model.reply import Unexplained

Headers = Sequence[tuple[bytes, bytes]]  # names in lower case


class Timer(Protocol):
    """A callback that has not run yet."""

    def cancel(self) -> None:
        """Never run it. Harmless when it ran already."""


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> int:
        """Monotonic microseconds."""

    def wall(self) -> int:
        """Microseconds since 1970."""

    def call_at(self, when: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` when `now()` has reached `when`."""

    async def sleep(self, duration: int) -> None:
        """Return after `duration` microseconds; at once when it is not positive."""


class Journal(Protocol):
    """The local journal. Appending survives the death of this process before it returns."""

    def append(self, fact: Fact) -> None:
        """Write one fact. Raises `OSError` when the disk is full."""


class AnswerStore(Protocol):
    """A layer of the cache beyond this process's memory. It may be slow, gone or full: then it is as if it were empty.

    What it keeps are frames (`cache/frame.py`), of which it knows the key and the moment at which they are worthless.
    """

    @property
    def name(self) -> str:
        """For the log and the metrics: disk, redis."""

    @property
    def holds(self) -> tuple[int, int]:
        """How many frames and bytes it holds, as of late; -1 = it does not tell. No I/O."""

    async def get(self, key: bytes) -> bytes | None:
        """The frame under this key. Raises `StoreError`."""

    async def put(self, key: bytes, frame: bytes, until_us: int) -> None:
        """Keep it until then (wall clock). Raises `StoreError`."""

    async def drop(self, key: bytes) -> None:
        """Forget it. Raises `StoreError`."""

    async def close(self) -> None:
        """Let go of files and connections."""


@runtime_checkable
class MarkingStore(AnswerStore, Protocol):
    """One that many gates share, and that can say who of them is making an answer."""

    async def claim(self, key: bytes, mark: bytes, life_us: int) -> bytes | None:
        """As `get`; where there is nothing, `mark` from now on, for so long. Raises `StoreError`."""


class StoreError(Exception):
    """A layer of the cache did not do what it was asked; the message says why, without secrets."""


class StoreLate(StoreError):
    """It did not answer in time."""


class Answers(Protocol):
    """The answers that are kept, in this process's memory and in the layers beyond it. Nothing here ever raises."""

    @property
    def layered(self) -> bool:
        """There are layers beyond memory: `later` may find what `now` did not."""

    def now(self, key: bytes) -> CacheEntry | None:
        """What memory holds, also one that is not fresh any more but may stand in for a provider that fails.

        None: nothing, too old even for that, or purged. O(1), no I/O.
        """

    async def later(self, key: bytes, deadline: int) -> CacheEntry | None:
        """What the layers hold, as `now`; `now` finds it from then on. Never later than `deadline` (monotonic)."""

    async def lead(self, key: bytes, deadline: int, rank: int, patience_us: int) -> CacheEntry | bool:
        """As `later`; but where another gate is making the answer, wait for it, unless its tier's rank is a lower one.

        It is waited for `patience_us` at most. True: nobody is, so we do, and others wait for us until `keep` or
        `unled`. False: it is to be asked for as if nobody else did.
        """

    def unled(self, key: bytes) -> None:
        """What we were to make is not kept: others need not wait for it."""

    def keep(self, entry: CacheEntry) -> None:
        """Have `now` find it at once, and the layers when they get to it."""

    def drop(self, key: bytes) -> None:
        """Forget it: memory at once, the layers when they get to it."""


class Semantics(Protocol):
    """Questions compared by their meaning, in a process of its own. Nothing here raises, and only `ask` waits."""

    async def ask(self, question: Comparison, deadline: int) -> MatchResult | None:
        """Is there an answer to a question that means the same? None: nobody knows within the budget and deadline.

        `deadline` is monotonic. A process that is away or hangs costs nothing but the first few calls their budget.
        """

    def learn(
        self, scope: bytes, text: str, vector: bytes, key: bytes, call_id: int, labels: Labels, until_us: int
    ) -> None:
        """The answer to this question is kept under `key` until then (wall clock)."""

    def compared(self, verdict: MatchResult, answer: str, other: str, *, same: bool | None = None) -> None:
        """A question that was explored has been answered, and the answer under `verdict.key` is `other`.

        Whether both say the same is judged in the process, unless somebody else has judged: `same`.
        """

    def gone(self, key: bytes) -> None:
        """There is no answer under this key any more: its question stands for nothing."""

    def feedback(self, call_id: int, correct: bool) -> None:
        """Somebody says whether what this call was served answered its question."""


class NonceLog(Protocol):
    """Where used nonces outlive this process. What was appended is known to the next one."""

    def append(self, mark: bytes, created_us: int) -> None:
        """A nonce (16 bytes stand for it) of a signature of this wall-clock moment is used. Raises `OSError`."""

    def turn(self, floor_us: int) -> None:
        """Begin a generation, and forget the one before the last; what was created up to `floor_us` was of those.

        Raises `OSError`: then nothing has changed.
        """


class SharedValues(Protocol):
    """Small values that all workers of a cluster see, each until its time is over.

    Whatever is asked may raise `StoreError`: then nobody knows whether it was done, and it may be asked again. Nothing
    waits for longer than the cluster's time-out.
    """

    @property
    def closed(self) -> bool:
        """Where it is away nothing goes on that needs it (`on_state_loss: closed`)."""

    async def claim(self, key: bytes, owner: bytes, value: bytes, life_us: int) -> bytes | None:
        """Put `owner` and `value` there, if nothing is there or it is the owner's: None. Else all of what is there.

        `owner` has 16 bytes, which nobody else begins with.
        """

    async def put(self, key: bytes, owner: bytes, value: bytes, life_us: int) -> bool:
        """Put it there in any case, unless it is another owner's: False."""

    async def release(self, key: bytes, owner: bytes) -> None:
        """Forget what is there, if it is the owner's."""

    async def use(self, mark: bytes, created_us: int, life_us: int) -> int:
        """A nonce (16 bytes stand for it) of a signature of this wall-clock moment is used; it is known for `life_us`.

        FRESH, USED, or FORGOTTEN, as in `policy.nonces`: created before what is known begins.
        """


class Observer(Protocol):
    """Counts what happened. Never raises into the line; a few microseconds per call in all."""

    def attempt(self, lane: str, reason: Reason | None) -> None:
        """An attempt on a lane ended: answered (None) or failed for this reason."""

    def finished(self, record: CallRecord) -> None:
        """A call ended, whatever came of it."""

    def refused(self, plan: str, kind: str, tier: str = "") -> None:
        """The gate itself refused a call of this plan and tier; `kind` is one of a small set of words."""

    def fell_back(self, plan: str) -> None:
        """A call left a target for the next one."""

    def moved(self, plan: str) -> None:
        """A call was answered by another target than its plan's first."""

    def key_retired(self, lane: str, digest: str, left: int) -> None:
        """The provider refused a key (called by its digest), and it left its scope; `left` are in use. Once a key."""

    def key_restored(self, lane: str, digest: str) -> None:
        """A key that had left was answered, and is in use again."""

    def unexplained(self, lane: str, refusal: Unexplained) -> None:
        """A refusal of the lane's provider that no row of its profile explains. It may hold what is secret."""


class StreamSink(Protocol):
    """Receives the body of a streamed upstream reply by callback; nothing wakes a task per chunk."""

    def chunk(self, data: bytes) -> None:
        """Some bytes of the body (transfer coding removed)."""

    def end(self) -> None:
        """The body ended as its framing promised."""

    def failed(self, error: "TransportError") -> None:
        """The body will not be completed. Called at most once, and never after `end`."""


class UpstreamStream(Protocol):
    """The body of a reply that is still arriving. Bytes are held (bounded, by pausing) until a sink is attached."""

    def attach(self, sink: StreamSink) -> None:
        """Deliver what is held, then what arrives. `end` or `failed` may be called before this returns."""

    def pause(self) -> None:
        """Stop reading from the provider."""

    def resume(self) -> None:
        """Read on."""

    def abort(self) -> None:
        """Close the upstream connection at once; the sink hears nothing more. Harmless after the end."""


class UpstreamReply(Protocol):
    """A provider's reply: complete (`stream` is None) or with its body still arriving (`body` is empty)."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def body(self) -> bytes: ...
    @property
    def stream(self) -> UpstreamStream | None: ...


class TransportError(Exception):
    """The provider could not be reached or broke off.

    `sent` tells whether any byte of the request may have reached it: only when False is the attempt certainly free.
    `begun`: it was at work, since it had begun to reply or it was us who broke off.
    """

    def __init__(self, message: str, *, sent: bool, begun: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.begun = begun


class Transport(Protocol):
    """One upstream service: sends requests over a pool of connections."""

    async def send(self, head: bytes, body: bytes | BodySource, *, stream: bool, deadline: int) -> UpstreamReply:
        """Send one request and return its reply.

        `head` is the request line and all headers but the framing (`content-length` or `transfer-encoding`) and the
        final empty line, which the transport adds. With `stream` a 2xx reply is returned when its head is complete,
        anything else when its body is. `deadline` is on the clock's monotonic microseconds and bounds the time until
        this method returns (pool wait, connect, send, receive). Raises `TransportError`. On cancellation the
        connection is closed at once.
        """

    def close(self) -> None:
        """Close idle connections now, busy ones when their reply is complete."""
