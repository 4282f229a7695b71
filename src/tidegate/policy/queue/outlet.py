"""An outlet: what a pool sees of one lane (scope and model).

Its quota, its breaker, how much it carries, and how many calls its scope may carry at once. A call takes one request
and its tokens together or not at all; a lower tier also leaves a `floor` of tokens (and the same number of requests as
`trunk` keeps calls) for higher ones. A floor makes no call impossible: what a full allowance can serve, it serves.

Every operation is O(1) in outlets, calls and models.
"""

from collections.abc import Callable
from typing import Final

from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import PROBE_GUESS_US
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import AWAY_US
from tidegate.policy.queue.trunk import CALLS
from tidegate.policy.quota.allowance import NEVER, Allowance
from tidegate.policy.quota.outputs import Outputs
from tidegate.policy.quota.prefixes import Prefixes
from tidegate.policy.quota.quota import Charge, Quota

UNTOLD: Final = 1 << 62  # a wait of which nobody knows the end: a probe's outcome or a call's end will tell
UNLIMITED: Final = 1 << 62  # tokens left where nothing limits them


class Cap:
    """How many calls a scope may have in flight at once, over all its models."""

    __slots__ = ("_listeners", "busy", "limit", "shut")

    def __init__(self, limit: int = 0) -> None:
        """`limit` 0 = as many as come."""
        self._listeners: dict[Callable[[], None], None] = {}
        self.limit = limit or UNLIMITED
        self.busy = 0
        self.shut = False  # they are other workers' too, and nobody hears of those: no call's end makes room

    def allow(self, limit: int) -> None:
        """The configuration says so many now, 0 = as many as come."""
        full = self.busy >= self.limit
        self.limit = limit or UNLIMITED
        if full and self.busy < self.limit:
            self._tell()

    def leave(self) -> None:
        """A call ended."""
        self.busy -= 1
        if self.busy == self.limit - 1:
            self._tell()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it once, when there is room again, whichever model's call ended."""
        self._listeners[listener] = None

    def _tell(self) -> None:
        listeners, self._listeners = self._listeners, {}
        for listener in listeners:
            listener()


class Tally:
    """What all outlets of a pool carry together. `sooner`: those that may serve sooner than they could, if kept."""

    __slots__ = ("calls", "sooner")

    def __init__(self) -> None:
        self.calls = 0
        self.sooner: dict[Outlet, None] | None = None


class Outlet:
    """One lane in one pool. `weight_milli` is its part where parts are configured."""

    __slots__ = (
        "breaker", "calls", "cap", "charged_requests", "charged_tokens", "crowd", "name", "outputs", "prefixes",
        "quota", "reserved", "tallies", "wallet", "weight_milli",
    )  # fmt: skip

    def __init__(
        self, name: str, quota: Quota, breaker: Breaker | None = None, cap: Cap | None = None, weight_milli: int = 1_000
    ) -> None:
        """`quota`, `breaker` and `cap` may be shared with other pools, `cap` also with the scope's other models."""
        self.name = name
        self.quota = quota
        self.breaker = breaker or Breaker()
        self.cap = cap or Cap()
        self.crowd: Cap | None = None  # while its provider is overloaded: how many calls of this model it carries
        self.prefixes: Prefixes | None = None  # where cached input is free
        self.outputs: Outputs | None = None  # where output has a limit of its own
        self.wallet: LeaseClient | None = None  # where its quota is shared with other workers
        self.weight_milli = weight_milli
        self.tallies: tuple[Tally, ...] = ()  # of the pools that it is in
        self.calls = 0  # in flight
        self.reserved = 0  # their tokens
        self.charged_requests = self.charged_tokens = 0  # ever: what was taken, as far as it was found to be right

    def due(self, charge: Charge, now: int) -> Charge:
        """What the call costs here: less what is cached. Where nothing is, it is `charge` itself."""
        cached = self.prefixes.cached(charge.prefix, now) if self.prefixes is not None else 0
        if not cached:
            return charge
        beside = charge.beside
        tokens, least = max(charge.tokens - cached, beside), max(charge.least - cached, beside)
        return Charge(tokens, least, 0, beside, charge.outputs)

    def full(self) -> Cap | None:
        """What allows no more calls now, whatever they cost; None usually."""
        cap, crowd = self.cap, self.crowd
        if cap.busy >= cap.limit:
            return cap
        return crowd if crowd is not None and crowd.busy >= crowd.limit else None

    def fits(self, charge: Charge, now: int, floor: int = 0) -> bool:
        """Whether the call can pass now: `soonest(charge, now, floor) == 0`, cheaper."""
        breaker, cap, quota = self.breaker, self.cap, self.quota
        if cap.busy >= cap.limit or (breaker.limited and breaker.wait(now)):
            return False
        if self.crowd is not None and self.full():
            return False
        if self.outputs is not None and not self.outputs.fits(now):
            return False
        if charge.prefix:
            charge = self.due(charge, now)
        if floor:
            return self._leaves(charge, now, floor)
        for allowed in quota.requests:
            if not allowed.has(1, now):
                return False
        for allowed in quota.tokens:
            if not allowed.has(charge.tokens, now) and not _brimful(allowed, charge, now):
                return False
        return True

    def _leaves(self, charge: Charge, now: int, floor: int) -> bool:
        for allowed in self.quota.requests:
            if not allowed.has(needed(allowed, 1, CALLS), now):
                return False
        for allowed in self.quota.tokens:
            cost = clamped(allowed, charge, now)
            if cost == NEVER or not allowed.has(needed(allowed, cost, floor), now):
                return False
        return True

    def soonest(self, charge: Charge, now: int, floor: int = 0) -> int:
        """Microseconds until the call could pass if nobody else did; 0 = now, NEVER = too large, UNTOLD = who knows."""
        longest = self._open_at(now)
        if charge.prefix:
            charge = self.due(charge, now)
        for allowed in self.quota.requests:
            wait = allowed.wait(needed(allowed, 1, CALLS if floor else 0), now)
            if wait > longest:
                longest = wait
        for allowed in self.quota.tokens:
            cost = clamped(allowed, charge, now)
            if cost == NEVER:
                return NEVER
            wait = allowed.wait(needed(allowed, cost, floor), now)
            if wait > longest:
                longest = wait
        return UNTOLD if self.full() is not None or self.breaker.blocked() else longest

    def _open_at(self, now: int) -> int:
        """Microseconds until neither its breaker, its output nor a shared state that is away keeps calls away."""
        wait = self.breaker.wait(now)
        if self.cap.shut and wait < AWAY_US:
            wait = AWAY_US
        return wait if self.outputs is None else max(wait, self.outputs.wait(now))

    def closed(self, now: int) -> int:
        """Microseconds until it could serve a call of no tokens, whatever its tokens; 0, or UNTOLD."""
        longest = self._open_at(now)
        for allowed in self.quota.requests:
            wait = allowed.wait(1, now)
            if wait > longest:
                longest = wait
        return UNTOLD if self.full() is not None or self.breaker.blocked() else longest

    def wait(self, charge: Charge, now: int, ahead_requests: int = 0, ahead_tokens: int = 0) -> int:
        """The predicted wait behind those ahead: 0 = now, NEVER = too large. Where nobody knows, a guess."""
        if charge.prefix:
            charge = self.due(charge, now)
        wait = self.quota.wait(charge, now, ahead_requests, ahead_tokens)
        if wait == NEVER:
            return NEVER
        closed = self._open_at(now)
        if closed < PROBE_GUESS_US and self.full() is not None:
            closed = PROBE_GUESS_US
        return wait if wait > closed else closed

    def take(self, charge: Charge, now: int) -> int:
        """The call passes; the caller has asked `fits` at the same `now`. What it probes: `Breaker.enter`."""
        tokens, quota = charge.tokens, self.quota
        for allowed in quota.requests:
            allowed.take(1, now)
        for allowed in quota.tokens:
            allowed.take(tokens, now)
        if self.outputs is not None:
            self.outputs.take(charge.outputs, now)
        self.calls += 1
        self.reserved += tokens
        self.charged_requests += 1
        self.charged_tokens += tokens
        self.cap.busy += 1
        if self.crowd is not None:
            self.crowd.busy += 1
        for tally in self.tallies:
            tally.calls += 1
        return self.breaker.enter() if self.breaker.limited else 0

    def settle(self, reserved: int, tokens: int, taken_at: int, now: int) -> None:
        """A call that reserved so much ended; the provider really charged `tokens`."""
        if tokens != reserved:
            self.charged_tokens += tokens - reserved
            for allowed in self.quota.tokens:
                allowed.correct(tokens - reserved, taken_at, now)
        self.keep(reserved)

    def keep(self, reserved: int) -> None:
        """A call ended; what it reserved stays charged."""
        self.calls -= 1
        self.reserved -= reserved
        for tally in self.tallies:
            tally.calls -= 1
            if tally.sooner is not None:
                tally.sooner[self] = None
        self.cap.leave()
        if self.crowd is not None:
            self.crowd.leave()

    def give_back(self, reserved: int, taken_at: int, now: int, outputs: int = 0) -> None:
        """Nothing was sent: all of it returns."""
        self.charged_requests -= 1
        self.charged_tokens -= reserved
        self.quota.give_back(reserved, taken_at, now)
        if self.outputs is not None:
            self.outputs.correct(-outputs, taken_at, now)
        self.keep(reserved)

    def join(self, tally: Tally) -> None:
        """A pool has it from now on, with what it carries."""
        self.tallies = (*self.tallies, tally)
        tally.calls += self.calls

    def part(self, tally: Tally) -> None:
        """It is in that pool no more. Harmless when it was not."""
        if tally in self.tallies:
            self.tallies = tuple(one for one in self.tallies if one is not tally)
            tally.calls -= self.calls

    def rate(self) -> float:
        """Tokens a second in the long run, infinite without a limit."""
        return min((allowed.rate() for allowed in self.quota.tokens), default=float("inf"))

    def left(self, now: int) -> int:
        """Tokens that could be taken now, negative in debt; `UNLIMITED` without a limit."""
        return min((allowed.left(now) for allowed in self.quota.tokens), default=UNLIMITED)

    def headroom(self, charge: Charge, now: int) -> float:
        """What would be left after the call of the scarcest dimension, as a share of its limit; 1 without limits."""
        least = 1.0
        for allowed in self.quota.requests:
            least = min(least, (allowed.left(now) - 1) / allowed.limit)
        for allowed in self.quota.tokens:
            least = min(least, (allowed.left(now) - charge.tokens) / allowed.limit)
        return least if self.outputs is None else min(least, self.outputs.headroom(now))

    def load(self) -> float:
        """Tokens in flight per token of the minute's limit; where nothing is limited, per unit of weight."""
        tokens = self.quota.tokens
        return self.reserved / (tokens[0].rate() if tokens else self.weight_milli)


def clamped(allowed: Allowance, charge: Charge, now: int = 0) -> int:
    """What to ask for: an estimate above the limit asks for all of it, unless the least is above a firm one too."""
    if charge.tokens <= allowed.limit:
        return charge.tokens
    return NEVER if charge.least > allowed.limit and now < allowed.firm_until else allowed.limit


def _brimful(allowed: Allowance, charge: Charge, now: int) -> bool:
    """An estimate above the limit passes a full allowance, and so does what puts an old limit to the test."""
    possible = allowed.limit >= charge.least or now >= allowed.firm_until
    return charge.tokens > allowed.limit and possible and allowed.has(allowed.limit, now)


def needed(allowed: Allowance, cost: int, floor: int) -> int:
    """What must be there before the call, so that `floor` is there after it; no more than there can ever be."""
    depth = allowed.depth
    if cost + floor <= depth:
        return cost + floor
    return cost if cost > depth else depth
