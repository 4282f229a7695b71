"""What a dry run comes to: the record that the command prints and the admin API may hand on."""

import msgspec

from tidegate.dryrun.episodes import Episodes
from tidegate.dryrun.outcome import FAILED, GONE, HIT, REFUSED, UNSEEN
from tidegate.dryrun.tally import GROUPS, Sums, Tally


class Figures(msgspec.Struct, frozen=True):
    """Of some calls. Who waited a millisecond for its turn queued; cost is in billionths of the house currency."""

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


class Group(msgspec.Struct, frozen=True):
    """One namespace, plan or tier, or all calls; names are those that were recorded."""

    by: str
    name: str
    before: Figures
    after: Figures


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

    @property
    def all(self) -> Group:
        """All calls."""
        return self.groups[0]


def figures(sums: Sums) -> Figures:
    """As they are shown."""
    waits = sums.waits
    return Figures(
        sums.calls,
        sums.served,
        sums.ends[HIT],
        sums.ends[REFUSED],
        dict(sorted(sums.whys.items())),
        sums.ends[FAILED],
        sums.ends[GONE],
        sums.ends[UNSEEN],
        waits.count,
        waits.mean / 1_000,
        waits.quantile(950) / 1_000,
        waits.quantile(990) / 1_000,
        sums.paused,
        sums.degraded,
        sums.moved,
        sums.throttled,
        sums.attempts,
        sums.prompt,
        sums.completion,
        sums.cost_nano,
    )


def groups(before: Tally, after: Tally) -> tuple[Group, ...]:
    """Beside each other: all calls first, then the largest groups of each kind."""
    found: list[Group] = []
    for by in GROUPS:
        was, is_ = before.by(by), after.by(by)
        made = [
            Group(by, name, figures(was.get(name, Sums())), figures(is_.get(name, Sums()))) for name in {**was, **is_}
        ]
        found += sorted(made, key=_largest)
    return tuple(found)


def findings(episodes: Episodes) -> tuple[Finding, ...]:
    """Those with the most calls first."""
    every = [
        Finding(key.rule, key.why, key.namespace, one.calls, one.answered, one.first_us, one.last_us)
        for key, several in episodes.found.items()
        for one in several
    ]
    return tuple(sorted(every, key=_most_calls))


def _largest(one: Group) -> tuple[int, str]:
    return -max(one.before.calls, one.after.calls), one.name


def _most_calls(one: Finding) -> tuple[int, int]:
    return -one.calls, one.first_us
