"""A provider in virtual time, as the twin judges, and one lane's mirrors in front of it. No sockets, no sleeping.

Delays to and from the provider are drawn for each call, so that calls and replies overtake each other.
"""

import heapq
from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.line.scenes import MINUTE, PROFILE
from tidegate.line.mirror import GRADUAL, Mirror
from tidegate.model.belief import Belief
from tidegate.model.snapshot import Profile
from tidegate.policy.failure import headers
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.testing.clock import SECOND
from tidegate.twin import settings
from tidegate.twin.headers import go_duration
from tidegate.twin.meter import Meter

KEY = "sk"
RPM = 10**6


@dataclass
class Books:
    """What the provider saw, by second."""

    charged: dict[int, int] = field(default_factory=dict)
    served: dict[int, int] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def tokens(self, start: int, end: int) -> int:
        return sum(tokens for second, tokens in self.charged.items() if start <= second < end)

    def calls(self, start: int, end: int) -> int:
        return sum(calls for second, calls in self.served.items() if start <= second < end)

    def refusals(self, start: int, end: int, *labels: str) -> int:
        return sum(
            start * SECOND <= at < end * SECOND and (not labels or label in labels) for at, label in self.refused
        )


@dataclass(order=True)
class _Event:
    at: int
    number: int
    what: str = field(compare=False)
    cost: int = field(compare=False, default=0)
    sent_at: int = field(compare=False, default=0)
    shown: dict[str, bytes] = field(compare=False, default_factory=dict)
    wait: int = field(compare=False, default=0)
    version: int = field(compare=False, default=0)


class World:
    """One lane, saturated unless `offered` says otherwise, and its provider."""

    def __init__(
        self, tpm: int, *, configured: int | None = None, window: str = "continuous", ghost: int = 0, seed: int = 1,
        cost: Callable[[Random], int] = lambda _: 2_000, delay_ms: tuple[int, int] = (5, 250),
        think_ms: tuple[int, int] = (20, 200), says: Callable[[int, dict[str, bytes]], dict[str, bytes]] | None = None,
        jitter_us: int = 250_000, phase: int = 0, stalls: list[tuple[int, int]] | None = None,
    ) -> None:  # fmt: skip
        """`ghost`: thousandths of the quota that others use; `says`: what the provider's headers really say.

        `stalls`: from when until when nothing reaches the provider, in order and apart.
        """
        self.rng = Random(seed)
        self.books = Books()
        self.now = phase
        self._events: list[_Event] = []
        self._numbers = iter(range(1 << 60))
        rules = settings.Rules(window=window, ghost_permille=ghost, notice_ms=delay_ms[1])  # type: ignore[arg-type]
        self.meter = Meter(settings.Limits(RPM, tpm), rules, self.now)
        self.profile = Profile("p", "openai", "2026-11-01", "test", window=window, jitter_us=jitter_us)
        assert PROFILE.dialect == self.profile.dialect
        self.mirror = Mirror(tpm if configured is None else configured, self.profile, self.now)
        self.quota = Quota((), self.mirror.allowances)
        self._cost, self._delay, self._think = cost, delay_ms, think_ms
        self._says = says or (lambda _, shown: shown)
        self._closed_until = 0
        self._stalls = stalls or []
        self._next = cost(self.rng)
        self._in_flight = 0
        self.most_in_flight = 10_000
        self.every_us = 0  # what is offered: a call each so often at most
        self._sent_at = -MINUTE
        self.paused: Callable[[int], bool] = lambda _: False

    @property
    def second(self) -> int:
        return self.now // SECOND

    def run(self, seconds: float) -> "World":
        """Let so much time pass."""
        until = self.now + int(seconds * SECOND)
        while self.now < until:
            wait = self._send()
            step = until if wait == NEVER else min(until, self.now + max(1, wait))
            if self._events and self._events[0].at <= step:
                event = heapq.heappop(self._events)
                self.now = max(self.now, event.at)
                self._happen(event)
            else:
                self.now = step
        return self

    def restart(self, belief: Belief, left: int, at: int) -> None:
        """A new process with what the last one left behind."""
        configured = self.mirror.configured
        self.mirror = Mirror(configured, self.profile, self.now)
        self.mirror.recall(belief, left, at, self.now)
        self.quota.tokens = self.mirror.allowances

    def burst(self, amount: int) -> None:
        """Somebody else uses so much at once."""
        self.meter.quota.tokens.charge(amount, self.now)

    def _send(self) -> int:
        """Send what may be sent; how long until more may."""
        while True:
            if self.paused(self.now):
                return 10_000
            if self.now < self._closed_until:
                return self._closed_until - self.now
            if self._in_flight >= self.most_in_flight:
                return NEVER
            if self.now < self._sent_at + self.every_us:
                return self._sent_at + self.every_us - self.now
            cost = self._next
            wait = self.quota.wait(Charge(cost, cost), self.now)
            if wait:
                return wait
            self.quota.take(Charge(cost, cost), self.now)
            self.mirror.note(cost, self.now)
            self.quota.tokens = self.mirror.allowances
            self._in_flight += 1
            self._sent_at = self.now
            self._at(self._way(), "arrives", cost=cost, sent_at=self.now)
            self._next = self._cost(self.rng)

    def _drawn(self, between_ms: tuple[int, int]) -> int:
        return self.rng.randrange(between_ms[0] * 1_000, between_ms[1] * 1_000 + 1)

    def _way(self) -> int:
        """How long a call is on its way to the provider."""
        delay = self._drawn(self._delay)
        index = bisect(self._stalls, (self.now + delay, self.now + delay))
        return max(delay, self._stalls[index - 1][1] - self.now) if index else delay

    def _at(self, delay: int, what: str, **fields: object) -> None:
        heapq.heappush(self._events, _Event(self.now + delay, next(self._numbers), what, **fields))  # type: ignore[arg-type]

    def _happen(self, event: _Event) -> None:
        if event.what == "arrives":
            self._arrive(event)
        else:
            self._reply(event)

    def _arrive(self, event: _Event) -> None:
        refusal = self.meter.admit(KEY, event.cost, self.now)
        window = self.meter.quota.tokens
        shown = {
            "limit": b"%d" % window.limit,
            "left": b"%d" % window.remaining(self.now),
            "reset": go_duration(window.reset(self.now)).encode(),
        }
        if refusal is None:
            self.books.charged[self.second] = self.books.charged.get(self.second, 0) + event.cost
            self.books.served[self.second] = self.books.served.get(self.second, 0) + 1
        else:
            self.books.refused.append((self.now, refusal.label))
        self._at(
            (0 if refusal else self._drawn(self._think)) + self._drawn(self._delay), "replies", cost=event.cost,
            sent_at=event.sent_at, shown=self._says(self.now, shown), wait=refusal.wait if refusal else 0,
            version=self.meter.version,
        )  # fmt: skip

    def _reply(self, event: _Event) -> None:
        self._in_flight -= 1
        shown, mirror = event.shown, self.mirror
        self.meter.shown(KEY, event.version, self.now)
        if shown:
            seen = headers.read(shown["limit"], shown["left"], shown["reset"], gradual=self.profile.window in GRADUAL)
            mirror.learn(seen, event.sent_at, self.now)
            mirror.missing(shown["left"], event.sent_at, self.now)
        if event.wait > 0:
            self._closed_until = max(self._closed_until, self.now + event.wait)
            if not shown or self.profile.window == "quantised" or not mirror.trust.believed:
                mirror.refused(event.cost, event.sent_at, self.now)
        self.quota.tokens = mirror.allowances


def minutes(world: World, count: int) -> Iterator[tuple[int, int]]:
    """Tokens charged and calls refused in each of the coming minutes."""
    for _ in range(count):
        start = world.second
        world.run(MINUTE // SECOND)
        yield world.books.tokens(start, world.second), world.books.refusals(start, world.second)
