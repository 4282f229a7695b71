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
_NAMES: Final = 1_000  # of each group; more are one
_REASONS: Final = 32
_STEP: Final = log(1.02)  # between bins of waits: a quantile is 1 % off at most
_BINS: Final = 1_200  # from 1 µs to more than a day


class Waits:
    """Times, for their mean and quantiles."""

    __slots__ = ("_bins", "count", "total")

    def __init__(self) -> None:
        self._bins: array[int] | None = None
        self.count = self.total = 0

    def add(self, us: int) -> None:
        """One more, of at least a microsecond."""
        if self._bins is None:
            self._bins = array("q", bytes(8 * _BINS))
        self._bins[min(_BINS - 1, int(log(us) / _STEP))] += 1
        self.count += 1
        self.total += us

    @property
    def mean(self) -> int:
        """In microseconds, 0 of none."""
        return self.total // self.count if self.count else 0

    def quantile(self, permille: int) -> int:
        """In microseconds, 0 of none."""
        rank = self.count * permille // 1_000
        for number, held in enumerate(self._bins or ()):
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
        if outcome.waited_us > 0:
            self.waits.add(outcome.waited_us)
        self.paused += outcome.paused_us > 0
        self.degraded += outcome.degraded != ""
        self.moved += moved
        self.throttled += outcome.throttled
        self.attempts += outcome.attempts
        self.prompt += outcome.prompt
        self.completion += outcome.completion
        self.cost_nano += outcome.cost_nano

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
    """The sums of one policy, or of what happened."""

    __slots__ = ("groups",)

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, Sums]] = {group: {} for group in GROUPS}
        self.groups[ALL][""] = Sums()

    @property
    def all(self) -> Sums:
        """Over all calls."""
        return self.groups[ALL][""]

    def add(self, arrival: Arrival, outcome: Outcome) -> None:
        """One more. O(1)."""
        moved = (
            outcome.end == ANSWERED and bool(arrival.served) and bool(outcome.model) and outcome.model != arrival.served
        )
        names = "", arrival.namespace, arrival.plan or arrival.model, arrival.tier
        for group, name in zip(GROUPS, names, strict=True):
            known = self.groups[group]
            sums = known.get(name)
            if sums is None:
                name = name if len(known) < _NAMES else OTHER  # noqa: PLW2901 - it is another's now
                sums = known.setdefault(name, Sums())
            sums.add(outcome, moved=moved)
