"""What a dry run comes to: the record that the command prints and the admin API may hand on."""

import msgspec

from tidegate.dryrun.episodes import Episodes


class Figures(msgspec.Struct, frozen=True):
    """Of some calls, as the mean of all plays: so whole numbers need not add up to the last one.

    Who waited a millisecond for its turn queued; cost is in billionths of the house currency.
    """

    calls: int
    answered: int
    hits: int  # of them, by the cache
    refused: int  # by the gate
    refusals: dict[str, int]
    failed: int  # a provider was asked and did not answer
    left: int
    unseen: int
    queued: int
    wait_mean_ms: float
    wait_p95_ms: float
    wait_p99_ms: float
    paused: int  # held by smoothing or a back-off
    degraded: int
    moved: int  # answered by another model than it was
    throttled: int  # 429s of providers
    attempts: int
    prompt_tokens: int
    completion_tokens: int
    cost_nano: int


class Spread(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one play of the same calls lies from another: a standard deviation for each of `Figures`, 0 = nowhere."""

    answered: float = 0.0
    hits: float = 0.0
    refused: float = 0.0
    refusals: dict[str, float] = {}
    failed: float = 0.0
    left: float = 0.0
    queued: float = 0.0
    wait_mean_ms: float = 0.0
    wait_p95_ms: float = 0.0
    wait_p99_ms: float = 0.0
    paused: float = 0.0
    degraded: float = 0.0
    moved: float = 0.0
    throttled: float = 0.0
    attempts: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    cost_nano: float = 0.0


class Group(msgspec.Struct, frozen=True):
    """One namespace, plan or tier, or all calls; names are those that were recorded.

    Spreads are of what was played. `unsure`: the figures whose change is no larger than what chance makes of the calls.
    """

    by: str
    name: str
    before: Figures
    after: Figures
    before_spread: Spread = Spread()
    after_spread: Spread = Spread()
    unsure: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """A rule of the new policy refuses calls of a namespace. Moments since 1970, in microseconds."""

    rule: str
    why: str
    namespace: str
    calls: int
    answered: int  # of them, as it was recorded
    first_us: int
    last_us: int


class Unmatched(msgspec.Struct, frozen=True):
    """A rule of the new policy that none of the calls met."""

    kind: str
    name: str
    what: str


class Report(msgspec.Struct, frozen=True):
    """The whole. `before` says what the left column is: `recorded`, or `current` (another policy, played as well)."""

    from_us: int
    to_us: int
    calls: int
    before: str
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...]
    unmatched: tuple[Unmatched, ...]
    notes: tuple[str, ...]
    recorded: Figures
    currency: str
    plays: int = 1  # of each policy; of one alone no spread is known

    @property
    def all(self) -> Group:
        """All calls."""
        return self.groups[0]


def findings(episodes: Episodes, plays: int = 1) -> tuple[Finding, ...]:
    """Those with the most calls first; of each as many as a play has on average, if that is one at least."""
    every = [
        Finding(
            key.rule, key.why, key.namespace, round(one.calls / plays), round(one.answered / plays), one.first_us,
            one.last_us,
        )
        for key, several in episodes.found.items()
        for one in several
    ]  # fmt: skip
    return tuple(sorted((one for one in every if one.calls), key=_most_calls))


def _most_calls(one: Finding) -> tuple[int, int]:
    return -one.calls, one.first_us
