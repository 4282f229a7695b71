"""After a failed attempt: again here, after how long, or on to the next target?

`max_retries` is the number of failed attempts a target may have. The wait before attempt n + 1 is
`named × multiplier^(n−1)` when the provider named a time, else `base × multiplier^(n−1)`; jitter only adds, so a
provider's not-before time is never undercut. A wait above the cap is not slept: the lane stays closed until then and
the call goes elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tidegate.model.outcome import Reason
from tidegate.model.snapshot import RetryPolicy

JITTER_PERMILLE = 100
MAX_EXPONENT = 30

_RETRIED = frozenset({Reason.RATE, Reason.OVERLOAD, Reason.RAMP, Reason.CAPACITY, Reason.TRANSIENT})
FINAL = frozenset({Reason.FATAL, Reason.POLICY})


class Move(Enum):
    """What to do next."""

    RETRY = auto()  # the same target, after a wait
    NEXT = auto()  # the next target
    STOP = auto()  # the same would happen everywhere


@dataclass(frozen=True, slots=True)
class Step:
    """A move and, for a retry, how long to wait before it (microseconds)."""

    move: Move
    wait_us: int = 0


def backoff(policy: RetryPolicy, failures: int, named_us: int | None, luck: float) -> int:
    """Microseconds to wait after the `failures`-th failure (≥ 1); `luck` is uniform in [0, 1)."""
    start = policy.base_us if named_us is None else named_us
    exponent = min(failures - 1, MAX_EXPONENT)
    wait: int = start * policy.multiplier_milli**exponent // 1000**exponent
    if policy.jitter:
        wait += int(wait * luck) * JITTER_PERMILLE // 1000
    return wait


def after_failure(
    reason: Reason,
    policy: RetryPolicy,
    failures: int,
    named_us: int | None,
    luck: float,
    affordable: Callable[[], bool],
) -> Step:
    """The step after the `failures`-th failed attempt on a target; `affordable` asks the retry budget, once."""
    if reason in FINAL:
        return Step(Move.STOP)
    if reason not in _RETRIED or failures >= policy.max_retries:
        return Step(Move.NEXT)
    wait = backoff(policy, failures, named_us, luck)
    if named_us is not None and wait > policy.cap_us:
        return Step(Move.NEXT)
    return Step(Move.RETRY, min(wait, policy.cap_us)) if affordable() else Step(Move.NEXT)


class RetryBudget:
    """Retries as a share of calls: what keeps a bad hour from being multiplied (Finagle's retry budget).

    Every call deposits `budget_permille` thousandths of a retry, every retry withdraws a whole one, over a window of
    10 s; `budget_floor` retries are always allowed in a window. O(1).
    """

    __slots__ = ("_calls", "_floor", "_permille", "_retries", "_started")

    WINDOW_US: Final = 10_000_000

    def __init__(self, policy: RetryPolicy) -> None:
        self._permille = policy.budget_permille
        self._floor = policy.budget_floor
        self._calls = 0
        self._retries = 0
        self._started = 0

    def _turn(self, now: int) -> None:
        age = now - self._started
        if age >= self.WINDOW_US:
            # Halving keeps some memory of the last window, so that its end is no free ticket.
            kept = 2 if age < 2 * self.WINDOW_US else 0
            self._calls = self._calls // kept if kept else 0
            self._retries = self._retries // kept if kept else 0
            self._started = now

    def deposit(self, now: int, *, retry_of_client: bool) -> None:
        """A call arrived; one that is itself an SDK's retry spends instead."""
        self._turn(now)
        if retry_of_client:
            self._retries += 1
        else:
            self._calls += 1

    def withdraw(self, now: int) -> bool:
        """True when a retry is allowed; it is then counted."""
        self._turn(now)
        if self._retries * 1000 >= self._calls * self._permille + self._floor * 1000:
            return False
        self._retries += 1
        return True
