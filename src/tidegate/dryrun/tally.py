"""Sums over outcomes: all, and by namespace, plan and tier. Bounded, however many calls and names there are."""

from array import array
from collections import Counter
from math import exp, log
from typing import Final

from tidegate.dryrun.outcome import ANSWERED, FAILED, GONE, HIT, REFUSED, Outcome
from tidegate.model.arrivals import Arrival

ALL: Final = "all"
GROUPS: Final = (ALL, "namespace", "plan", "tier")
OTHER: Final = "(other)"
_KINDS: Final = 2_000  # of namespace, plan and tier together; more are one
QUEUED_US: Final = 1_000  # who had its turn sooner did not queue
_REASONS: Final = 32
_STEP: Final = log(1.02)  # between bins of waits: a quantile is 1 % off at most
_BINS: Final = 1_200  # from 1 µs to more than a day


class Waits:
    """Times, for their mean and quantiles."""

    __slots__ = ("bins", "count", "total")

    def __init__(self) -> None:
        self.bins: array[int] | None = None
        self.count = self.total = 0

    def add(self, us: int) -> None:
        """One more, of at least a microsecond."""
        if self.bins is None:
            self.bins = array("q", bytes(8 * _BINS))
        self.bins[min(_BINS - 1, int(log(us) / _STEP))] += 1
        self.count += 1
        self.total += us

    def merge(self, other: "Waits") -> None:
        """Those as well. O(bins)."""
        if other.bins is not None:
            self.bins = array("q", map(int.__add__, self.bins or bytes(_BINS), other.bins))
        self.count += other.count
        self.total += other.total

    @property
    def mean(self) -> int:
        """In microseconds, 0 of none."""
        return self.total // self.count if self.count else 0

    def quantile(self, permille: int) -> int:
        """In microseconds, 0 of none."""
        rank = self.count * permille // 1_000
        for number, held in enumerate(self.bins or ()):
            rank -= held
            if rank < 0:
                return int(exp((number + 0.5) * _STEP))
        return int(exp(_BINS * _STEP)) if self.count else 0


class Sums:
    """What became of some calls."""

    __slots__ = (
        "attempts", "completion", "cost_nano", "degraded", "ends", "moved", "paused", "prompt", "throttled", "waits",
        "whys",
    )  # fmt: skip

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()
        self.whys: Counter[str] = Counter()
        self.waits = Waits()
        self.paused = self.degraded = self.moved = self.throttled = self.attempts = 0
        self.prompt = self.completion = self.cost_nano = 0

    def add(self, outcome: Outcome, *, moved: bool) -> None:
        """One more call."""
        self.ends[outcome.end] += 1
        if outcome.end == REFUSED:
            why = outcome.why if outcome.why in self.whys or len(self.whys) < _REASONS else OTHER
            self.whys[why] += 1
        if outcome.waited_us >= QUEUED_US:
            self.waits.add(outcome.waited_us)
        self.paused += outcome.paused_us > 0
        self.degraded += outcome.degraded != ""
        self.moved += moved
        self.throttled += outcome.throttled
        self.attempts += outcome.attempts
        self.prompt += outcome.prompt
        self.completion += outcome.completion
        self.cost_nano += outcome.cost_nano

    def merge(self, other: "Sums") -> None:
        """Those calls as well."""
        self.ends += other.ends
        self.whys += other.whys
        self.waits.merge(other.waits)
        self.paused += other.paused
        self.degraded += other.degraded
        self.moved += other.moved
        self.throttled += other.throttled
        self.attempts += other.attempts
        self.prompt += other.prompt
        self.completion += other.completion
        self.cost_nano += other.cost_nano

    @property
    def calls(self) -> int:
        """All of them."""
        return sum(self.ends.values())

    @property
    def served(self) -> int:
        """Answered, by a provider or from what is known."""
        return self.ends[ANSWERED] + self.ends[HIT]

    @property
    def lost(self) -> int:
        """A provider failed, or the client left."""
        return self.ends[FAILED] + self.ends[GONE]


class Tally:
    """The sums of one policy, or of what happened: one for each namespace, plan and tier together."""

    __slots__ = ("_sums",)

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, str], Sums] = {}

    def add(self, arrival: Arrival, outcome: Outcome) -> None:
        """One more. O(1)."""
        names = arrival.namespace, arrival.plan or arrival.model, arrival.tier
        sums = self._sums.get(names)
        if sums is None:
            if len(self._sums) >= _KINDS:
                names = OTHER, OTHER, OTHER
            sums = self._sums.setdefault(names, Sums())
        moved = (
            outcome.end == ANSWERED and bool(arrival.served) and bool(outcome.model) and outcome.model != arrival.served
        )
        sums.add(outcome, moved=moved)

    @property
    def all(self) -> Sums:
        """Over all calls. O(kinds)."""
        return self.by(ALL)[""]

    def by(self, group: str) -> dict[str, Sums]:
        """By one of `GROUPS`. O(kinds)."""
        at = GROUPS.index(group) - 1
        found: dict[str, Sums] = {} if at >= 0 else {"": Sums()}
        for names, sums in self._sums.items():
            found.setdefault(names[at] if at >= 0 else "", Sums()).merge(sums)
        return found
