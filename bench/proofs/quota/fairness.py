"""One tenant floods at a hundred times the rate of fifty others, beside fifty that call rarely."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Figure, at_least, at_most, exactly, told
from bench.proofs.fleet import Fleet, Policy, Quota, fleet
from bench.proofs.steps import Context, Row
from bench.proofs.traffic import Show, play, punctual
from tidegate.judge.justice import backlogs, jain, widest_gap
from tidegate.judge.served import Match, Served, admissions, matched
from tidegate.load.crowd import Member
from tidegate.load.report import percentiles
from tidegate.load.visits import Visit
from tidegate.simulate.fairness import fair_shares

_MEAN = 2_000
_SPREAD = 0.5
LARGEST = int(_MEAN * (1 + _SPREAD))
_STEADY, _FLOOD = 1.0, 100.0  # calls a second; a fair share of this quota is 0.63
_RARE = 1 / 20
_SETTLED_S = 60  # the buckets are empty: who sends more than a share waits, who waited before was only unlucky
_JAIN = f"of service ÷ max-min fair share of who is backlogged, from {_SETTLED_S} s on"
_WAYS = ("dynamic", "weighted", "round_robin", "FIFO")


def crowd() -> list[Member]:
    """One flood, fifty steady tenants, fifty rare ones."""

    def some(kind: str, count: int, rate: float) -> list[Member]:
        return [
            Member(f"{kind}-{n}", f"tg-{kind}-{n:03d}", rate, _MEAN, _SPREAD, deadline_ms=30_000) for n in range(count)
        ]

    return [*some("flood", 1, _FLOOD), *some("steady", 50, _STEADY), *some("rare", 50, _RARE)]


def flood_beside_quiet(context: Context, row: Row) -> None:
    """Every discipline on the same arrivals, side by side."""
    row.commands.append("tidegate serve with scheduler: dynamic, weighted, round_robin, and without namespaces (FIFO)")
    seconds = 180 if context.quick else 600
    members = crowd()
    with contextlib.ExitStack() as stack:
        fleets = [stack.enter_context(_fleet(context, way, members)) for way in _WAYS]
        for one in fleets:
            one.empty_books()
        played = play([Show(one.gate.url, members, seconds) for one in fleets])
        for way, one, visits in zip(_WAYS, fleets, played, strict=True):
            row.figures += _figures(Run(way, one, visits), members, promised=way == "dynamic")


def _fleet(context: Context, way: str, members: Sequence[Member]) -> contextlib.AbstractContextManager[Fleet]:
    extra = {"defaults": {"smoothing": {"delay_ms": 0}}}  # a delay that is no queue, and would pass for one
    if way == "FIFO":  # all are nobody's, so one tenant, and a tenant's own queue is a FIFO
        return fleet(context.work, Quota(), Policy(alone=True, extra=extra), members, way)
    return fleet(context.work, Quota(), Policy(scheduler=way, extra=extra), members, way)


@dataclass(slots=True)
class Run:
    """One discipline's run."""

    way: str
    one: Fleet
    visits: list[Visit]


def _figures(run: Run, members: Sequence[Member], *, promised: bool) -> list[Figure]:
    served = admissions(run.one.events())
    matches, twice = matched(run.visits, served)
    backlogged = [match for match in matches if not match.visit.tenant.startswith("rare")]
    settled = int((run.one.began + _SETTLED_S) * 1e6)
    gaps = widest_gap(backlogs(backlogged, settled), served, {member.name: 1.0 for member in members})
    index = jain(_parts(backlogged, served, settled))
    waits = percentiles(_waits(matches, "rare"))
    lost = sum(1 for match in matches if match.visit.tenant.startswith("rare") and match.at_us is None)
    avoidable = run.one.ledger()["avoidable"]
    when = gaps.at_us / 1e6 - run.one.began
    note = f"between {' and '.join(gaps.between)} at {when:.0f} s; largest call {LARGEST:,}; {run.one.gate.refused}"
    way = run.way
    if not promised:
        return [
            told(f"{way}: widest gap of backlogged tenants", f"{gaps.widest / LARGEST:.1f} calls", note),
            told(f"{way}: Jain's index × 100", f"{100 * index:.2f}"),
            told(
                f"{way}: a rare tenant's p99 wait", f"{waits.p99:,.0f} ms", f"p50 {waits.p50:,.0f} ms; {lost} refused"
            ),
        ]
    return [
        at_most(f"{way}: widest gap of backlogged tenants, all intervals", gaps.widest / LARGEST, 3, "calls", note),
        at_least(f"{way}: Jain's index × 100", 100 * index, 99.9, note=_JAIN),
        at_most(f"{way}: a rare tenant's p99 wait", waits.p99, round_bound_ms(), "ms", f"p50 {waits.p50:,.0f} ms"),
        exactly(f"{way}: calls of rare tenants refused", lost, 0),
        exactly(f"{way}: avoidable 429s", avoidable, 0),
        exactly(f"{way}: calls served twice", twice, 0),
        punctual(way, run.visits),
    ]


def round_bound_ms(tenants: int = 51) -> float:
    """The bound that `dynamic` states for a tenant's first call: each other one gets its lead, a step and a call."""
    return 1_000 * tenants * (2 + 1 / 16) * LARGEST / Quota().per_second


def _parts(matches: Sequence[Match], served: Sequence[Served], since_us: int) -> list[float]:
    """Each tenant's service since then over its max-min fair share of all of it, which what it asked for bounds.

    It asked for what was due since then, and for what was served since then though it was due before.
    """
    asked: dict[str, float] = {}
    had: dict[str, float] = {}
    for match in matches:
        visit = match.visit
        if visit.due_us > since_us or (match.at_us is not None and match.at_us > since_us):
            asked[visit.tenant] = asked.get(visit.tenant, 0.0) + visit.tokens
    for one in served:
        if one.at_us > since_us and one.tenant in asked:
            had[one.tenant] = had.get(one.tenant, 0.0) + one.tokens
    shares = fair_shares(list(asked.values()), [1.0] * len(asked), sum(had.values()))
    return [had.get(name, 0.0) / share for name, share in zip(asked, shares, strict=True) if share]


def _waits(matches: Sequence[Match], kind: str) -> list[int]:
    return [match.wait_us for match in matches if match.visit.tenant.startswith(kind)]
