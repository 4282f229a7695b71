"""The worker's side of the semantic process: `ports.Semantics` over one connection, in which questions overlap.

It never costs a call more than its budget, and soon nothing when the process is away or hangs. After `STRIKES`
questions in a row without a reply in time no question is asked any more, but the process, once a second, whether it is
there; its word ends that. A connection that failed is made anew when somebody asks, after 0.1 s and up to 2 s. The
latest `MOST_LATER` answers that it was not told of, it is told of then: they may not be made again for hours.
"""

import asyncio
from collections import deque
from functools import partial
from pathlib import Path
from typing import Final

from tidegate.cache.semantic_frames import (
    LONGEST,
    Ask,
    Compared,
    Done,
    Feedback,
    Frames,
    Gone,
    Learn,
    Ping,
    Request,
    Told,
    encode,
    replies,
)
from tidegate.model.cached import Labels
from tidegate.model.comparison import Comparison, MatchResult
from tidegate.ports import Clock, Timer

STRIKES: Final = 3
MOST_LATER: Final = 256
PING_US: Final = 1_000_000
_PAUSE_US: Final = 100_000
_LONGEST_PAUSE_US: Final = 2_000_000
_NEVER: Final = 1 << 62
_MOST_UNSENT: Final = 1 << 20  # bytes that wait to be read by the process


class Counters:
    """What became of the questions of this worker, since it began."""

    __slots__ = ("asked", "away", "dropped", "explored", "late", "refused", "served", "shadowed")

    def __init__(self) -> None:
        self.asked = 0
        self.served = 0
        self.shadowed = 0  # would have been served
        self.explored = 0
        self.refused: dict[str, int] = {}  # by the gate: `MatchResult.why` without its second part
        self.late = 0  # no word within the budget
        self.away = 0  # the process was not asked
        self.dropped = 0  # what it was to be told and was not

    @property
    def figures(self) -> tuple[dict[str, int], int, int]:
        """The fields of `observe.meters.SemanticMeter`, in their order."""
        outcomes = {"served": self.served, "shadow": self.shadowed, "late": self.late, "away": self.away}
        for gate, count in self.refused.items():
            outcomes[gate] = outcomes.get(gate, 0) + count
        return outcomes, self.explored, self.dropped

    def count(self, verdict: MatchResult) -> None:
        """A question has been answered."""
        self.explored += verdict.explore
        if verdict.serve:
            self.served += 1
        elif verdict.why == "shadow":
            self.shadowed += 1
        elif verdict.why == "late":
            self.late += 1
        else:
            gate = verdict.why.partition(":")[0]
            self.refused[gate] = self.refused.get(gate, 0) + 1


class SemanticClient:
    """Fulfils `ports.Semantics`. `budget_us` may change."""

    __slots__ = (
        "_clock", "_connecting", "_decode", "_doubted", "_last", "_later", "_next_try", "_path", "_pause_us",
        "_ping_at", "_strikes", "_transport", "_unsent", "_waiting", "budget_us", "counters",
    )  # fmt: skip

    def __init__(self, path: Path, clock: Clock, budget_us: int) -> None:
        self.budget_us = budget_us
        self.counters = Counters()
        self._path = path
        self._clock = clock
        self._decode = replies().decode
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._unsent: list[bytes] = []  # until it is connected
        self._waiting: dict[int, tuple[asyncio.Future[Told | None], Timer]] = {}
        self._later: deque[Learn] = deque(maxlen=MOST_LATER)
        self._last = 0
        self._strikes = 0
        self._doubted = False
        self._ping_at = 0
        self._next_try = 0
        self._pause_us = _PAUSE_US

    async def ask(self, question: Comparison, deadline: int) -> MatchResult | None:
        """See `ports.Semantics`."""
        counters, now = self.counters, self._clock.now()
        counters.asked += 1
        due = min(deadline, now + self.budget_us)
        if not question.text or len(question.text) > LONGEST:
            return self._counted(
                MatchResult(b"", 0, 0, serve=False, explore=False, why="long", call_id=question.call_id)
            )
        if self._doubted:
            self._ping(now)
        if self._doubted or due <= now or not self._send(_ask(question, self._last + 1, due - now)):
            counters.away += 1
            return None
        self._last += 1
        told = await self._reply(self._last, due)
        if told is None:
            return None
        return self._counted(
            MatchResult(
                told.key, told.similarity_permille, told.source, told.serve, told.explore, told.why, question.call_id
            )
        )

    def learn(
        self, scope: bytes, text: str, vector: bytes, key: bytes, call_id: int, labels: Labels, until_us: int
    ) -> None:
        """See `ports.Semantics`."""
        if text and len(text) <= LONGEST:
            names = (labels.namespace, labels.model, labels.strategy, labels.tags)
            learn = Learn(scope, text, vector, key, call_id, *names, until_us, self._clock.wall())
            if self._doubted or not self._send(learn):
                self._tell_later(learn)

    def compared(self, verdict: MatchResult, answer: str, other: str, *, same: bool | None = None) -> None:
        """See `ports.Semantics`. Answers that are too long to be judged are no observation."""
        if same is not None:
            self._tell(Compared(verdict.call_id, "", "", same))
        elif len(answer) <= LONGEST and len(other) <= LONGEST:
            self._tell(Compared(verdict.call_id, answer, other, None))

    def gone(self, key: bytes) -> None:
        """See `ports.Semantics`."""
        self._tell(Gone(key))

    def feedback(self, call_id: int, correct: bool) -> None:
        """See `ports.Semantics`."""
        self._tell(Feedback(0, call_id, correct))

    def close(self) -> None:
        """Let go of the connection, for good; who waits goes on without an answer."""
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._transport is not None:
            self._transport.abort()
        self.lost()
        self._next_try = _NEVER

    # The connection

    def heard(self, payload: bytes) -> None:
        """The process said something. Raises `ValueError` when it makes no sense."""
        message = self._decode(payload)
        if isinstance(message, Told):
            waiting = self._waiting.pop(message.id, None)
            if waiting is not None:
                waiting[1].cancel()
                self._strikes = 0
                if not waiting[0].done():
                    waiting[0].set_result(message)
        elif isinstance(message, Done) and self._doubted:
            self._doubted = False
            self._catch_up()
            self._strikes = STRIKES - 1  # it is there; should it be too slow still, one question will tell

    def lost(self) -> None:
        """The connection has ended."""
        if self._transport is not None:
            self._transport = None
            self._rest()
        self._unsent.clear()
        self._doubted = False
        self._strikes = 0
        self._give_up()

    def _give_up(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for future, timer in waiting.values():
            timer.cancel()
            if not future.done():
                self.counters.away += 1
                future.set_result(None)

    def _rest(self) -> None:
        self._next_try = self._clock.now() + self._pause_us
        self._pause_us = min(2 * self._pause_us, _LONGEST_PAUSE_US)

    async def _reply(self, number: int, due: int) -> Told | None:
        future: asyncio.Future[Told | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future, self._clock.call_at(due, partial(self._expired, number))
        try:
            return await future
        finally:
            left = self._waiting.pop(number, None)
            if left is not None:
                left[1].cancel()

    def _expired(self, number: int) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is None:
            return
        self.counters.late += 1
        self._strikes += 1
        self._doubted = self._doubted or self._strikes >= STRIKES
        if not waiting[0].done():
            waiting[0].set_result(None)

    def _counted(self, verdict: MatchResult) -> MatchResult:
        self.counters.count(verdict)
        return verdict

    def _ping(self, now: int) -> None:
        if self._ping_at <= now:
            self._ping_at = now + PING_US
            self._send(Ping(1))

    def _tell(self, message: Request) -> None:
        if self._doubted or not self._send(message):
            self.counters.dropped += 1

    def _tell_later(self, learn: Learn) -> None:
        self.counters.dropped += len(self._later) == MOST_LATER
        self._later.append(learn)

    def _catch_up(self) -> None:
        later = tuple(self._later)
        self._later.clear()
        for learn in later:
            self._tell(learn)

    def _send(self, message: Request) -> bool:
        """Whether it will be read, as far as anybody can tell."""
        try:
            frame = encode(message)
        except UnicodeError:  # half of a surrogate pair, which JSON can say
            return False
        transport = self._transport
        if transport is not None:
            if transport.get_write_buffer_size() > _MOST_UNSENT:
                return False
            transport.write(frame)
            return True
        if self._connecting is None:
            if self._clock.now() < self._next_try:
                return False
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        if len(self._unsent) >= 1_000:
            return False
        self._unsent.append(frame)
        return True

    async def _connect(self) -> None:
        try:
            transport, _ = await asyncio.get_running_loop().create_unix_connection(
                partial(_Link, self), str(self._path)
            )
        except OSError:
            self._connecting = None
            self._rest()
            self.lost()
            return
        self._connecting = None
        self._pause_us = _PAUSE_US
        self._transport = transport
        unsent, self._unsent = self._unsent, []
        transport.write(b"".join(unsent))
        self._catch_up()


class _Link(asyncio.Protocol):
    """One connection."""

    __slots__ = ("_client", "_frames", "_transport")

    def __init__(self, client: SemanticClient) -> None:
        self._client = client
        self._frames = Frames()
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self._frames.feed(data):
                self._client.heard(payload)
        except ValueError:
            if self._transport is not None:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.lost()


def _ask(question: Comparison, number: int, budget_us: int) -> Ask:
    policy = question.policy
    return Ask(
        number,
        question.call_id,
        question.scope,
        question.text,
        question.vector,
        policy.mode,
        policy.error_permille,
        policy.min_similarity_permille,
        policy.judge,
        budget_us,
    )
