"""Scenarios cut short, so that a test takes a second."""

from msgspec.structs import replace

from tidegate.simulate.reader import read
from tidegate.simulate.report import Report
from tidegate.simulate.run import Run
from tidegate.simulate.scenario import Discipline, Fault, Group, Pattern, Pool, Scenario, Scope, Size


def short(name: str, seconds: float, *, patience_s: float = 0.0, load: float = 1.0) -> Scenario:
    """A shipped scenario of `seconds`, its faults and patterns in proportion, with empty buckets at the beginning.

    `patience_s`: everybody's deadline; `load`: calls and limits times this.
    """
    whole = read(name)
    by = seconds / whole.duration_s
    groups = tuple(
        replace(group, pattern=shortened(group.pattern, by, load), deadline_s=patience_s or group.deadline_s)
        for group in whole.tenants
    )
    faults = tuple(replace(fault, at_s=fault.at_s * by, for_s=fault.for_s * by) for fault in whole.faults)
    return replace(
        whole,
        duration_s=seconds,
        warmup_s=whole.warmup_s * by,
        bucket_s=seconds / 10,
        tenants=groups,
        faults=faults,
        pool=replace(
            whole.pool,
            drained=True,
            scopes=tuple(replace(scope, tpm=int(scope.tpm * load)) for scope in whole.pool.scopes),
        ),
        shards=replace(whole.shards, notice_ms=whole.shards.notice_ms * by) if whole.shards else None,
    )


def shortened(pattern: Pattern, by: float, load: float) -> Pattern:
    points = tuple(replace(point, at_s=point.at_s * by) for point in pattern.points)
    return replace(pattern, rate=pattern.rate * load, points=points, from_s=pattern.from_s * by, to_s=pattern.to_s * by)


def small(
    *groups: Group, tpm: int = 60_000, accounts: int = 2, seconds: float = 20, faults: tuple[Fault, ...] = ()
) -> Scenario:
    """Accounts of 1,000 tokens a second, empty at the beginning; calls of exactly 1,000 tokens by default."""
    pool = Pool((Scope("a", accounts, tpm=tpm),), drained=True, settles=False, estimate=1.0, network_ms=(5, 20))
    return Scenario("small", pool, groups or (calls("g"),), duration_s=seconds, warmup_s=0, faults=faults)


def calls(name: str, rate: float = 4, **more: object) -> Group:
    fields: dict[str, object] = {"prompt": Size(900), "output": Size(100), "deadline_s": 600, **more}
    return Group(name, Pattern(rate=rate), **fields)  # type: ignore[arg-type]


def play(scenario: Scenario, scheduler: Discipline = "dynamic", seed: int = 1) -> Report:
    return Run(scenario, scheduler, seed).play()


def ended(report: Report) -> int:
    return report.answered + report.refused + report.expired + report.failed
