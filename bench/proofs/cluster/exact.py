"""Exact over workers and nodes: nothing over the limit, all of it used, fair between tenants wherever they call."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

from bench.figures import Figure, at_least, at_most, exactly, told
from bench.proofs.cluster.stage import Plan, Stage, heard, kept, stage
from bench.proofs.fleet import Policy, Quota
from bench.proofs.quota.fairness import LARGEST
from bench.proofs.quota.used import WARM_SECONDS, tenants
from bench.proofs.steps import Context, Row, Step
from bench.proofs.traffic import Show, outcome, play, punctual
from harness.servers.redis import REDIS, Server
from tidegate.judge.justice import backlogs, widest_gap
from tidegate.judge.served import admissions, matched
from tidegate.load.crowd import Member
from tidegate.load.report import percentiles
from tidegate.load.visits import Visit

WINDOWS: Final = ("continuous", "sliding", "fixed")
SHAPES: Final = ((1,), (2,), (4,), (8,), (2, 2, 2))
_OFFERED: Final = 3.0
_GAP: Final = 3  # largest calls: the bound of 2/9
_VIP_MS: Final = 65  # of 2/9
_SETTLED_S: Final = 60
_UNSMOOTHED: Final = {"defaults": {"smoothing": {"delay_ms": 0}}}


def named(shape: Sequence[int]) -> str:
    """`4 workers`, `3 nodes × 2 workers`."""
    workers = f"{shape[0]} worker{'s' if shape[0] > 1 else ''}"
    return f"{len(shape)} nodes × {workers}" if len(shape) > 1 else workers


@contextlib.contextmanager
def shared(shape: Sequence[int]) -> Iterator[str]:
    """The URL of what nodes share: one node needs none."""
    if len(shape) == 1:
        yield ""
        return
    server = Server(REDIS)
    try:
        yield server.url
    finally:
        server.close()


def exact(shape: tuple[int, ...], *, kills: bool = False, windows: Sequence[str] = WINDOWS) -> Step:
    """A step that runs the windows side by side, each with a provider and gates of its own."""

    def step(context: Context, row: Row) -> None:
        watched = 60 if context.quick else 300
        row.commands.append(f"tidegate serve ({named(shape)}), 3× offered, {', '.join(windows)}; {watched} s")
        length = WARM_SECONDS + watched + 2
        with contextlib.ExitStack() as stack:
            url = stack.enter_context(shared(shape))
            runs = [stack.enter_context(_stage(context, shape, window, url)) for window in windows]
            for run in runs:
                run.empty_books()
            shows = [run.shows(_crowd(run.quota), length) for run in runs]
            beside = [run.kill_workers(length) for run in runs] if kills else []
            played = iter(play([show for group in shows for show in group], beside))
            for run, group in zip(runs, shows, strict=True):
                visits = [visit for _ in group for visit in next(played)]
                row.figures += _figures(run, shape, visits, watched, kills=kills)

    step.__name__ = f"exact over {named(shape)}"
    return step


def _stage(context: Context, shape: tuple[int, ...], window: str, url: str) -> contextlib.AbstractContextManager[Stage]:
    quota = Quota(accounts=2, window=window)
    plan = Plan(f"{window}-{named(shape)}", shape, quota, url=url)
    return stage(context.work, plan, _crowd(quota))


def _crowd(quota: Quota) -> list[Member]:
    return tenants(quota, _OFFERED)


def _figures(run: Stage, shape: tuple[int, ...], visits: list[Visit], watched: int, *, kills: bool) -> list[Figure]:
    label = f"{named(shape)}{', kill -9 every 5 s' if kills else ''}, {run.quota.window}"
    figures = kept(run, label, watched)
    lost = outcome(visits).failed
    if kills:
        figures.append(told(f"{label}: calls lost with their worker", f"{lost:,}", heard("clients", visits)))
    else:
        figures.append(exactly(f"{label}: calls lost", lost, 0, heard("clients", visits)))
    return [*figures, punctual(label, visits)]


def fair(context: Context, row: Row) -> None:
    """Tenants that are pinned to different nodes, one of whom floods; and the same over the workers of one node."""
    seconds = 150 if context.quick else 400
    row.commands.append(
        f"tidegate serve (2 nodes × 1 worker; 4 workers), a flood beside 24 steady tenants, {seconds} s"
    )
    quota, policy = Quota(accounts=2), Policy(extra=_UNSMOOTHED)
    members = _flooded()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(shared((1, 1)))
        pinned = stack.enter_context(stage(context.work, Plan("fair-pinned", (1, 1), quota, policy, url), members))
        mixed = stack.enter_context(stage(context.work, Plan("fair-mixed", (4,), quota, policy), members))
        for run in (pinned, mixed):
            run.empty_books()
        halves = [Show(node.url, members[number::2], seconds) for number, node in enumerate(pinned.nodes)]
        first, second, third = play([*halves, Show(mixed.nodes[0].url, members, seconds)])
        row.figures += _gaps(pinned, "tenants pinned to one of 2 nodes", first + second, members)
        row.figures += _gaps(mixed, "tenants over 4 workers", third, members)


def _flooded() -> list[Member]:
    def some(kind: str, count: int, rate: float) -> list[Member]:
        return [Member(f"{kind}-{n}", f"tg-{kind}-{n:03d}", rate, 2_000, 0.5, deadline_ms=30_000) for n in range(count)]

    return [*some("flood", 1, 50.0), *some("steady", 24, 1.0)]


def _gaps(run: Stage, label: str, visits: list[Visit], members: Sequence[Member]) -> list[Figure]:
    over = run.over()
    served = admissions(run.log)
    matches, twice = matched(visits, served)
    settled = run.began_us + _SETTLED_S * 1_000_000
    gaps = widest_gap(backlogs(matches, settled), served, {member.name: 1.0 for member in members})
    note = f"between {' and '.join(gaps.between)} at {gaps.at_us / 1e6 - run.began:.0f} s; largest call {LARGEST:,}"
    return [
        at_most(f"{label}: widest gap, all intervals", gaps.widest / LARGEST, _GAP, "calls", note),
        exactly(f"{label}: tokens over the limit in any window", over, 0, heard("clients", visits)),
        exactly(f"{label}: calls served twice", twice, 0),
        punctual(label, visits),
    ]


def ranked(context: Context, row: Row) -> None:
    """Free calls three times the quota on one node; a few of a VIP on another one."""
    seconds = 60 if context.quick else 300
    row.commands.append(f"tidegate serve (2 nodes × 1 worker), free calls 3× on one, a vip on the other, {seconds} s")
    quota = Quota()
    free = tenants(quota, _OFFERED)
    vip = Member("gold", "tg-vip", 2.0, deadline_ms=30_000, tier="vip")
    with shared((1, 1)) as url, stage(context.work, Plan("ranked", (1, 1), quota, url=url), [*free, vip]) as run:
        run.empty_books()
        shows = [Show(run.nodes[0].url, free, seconds), Show(run.nodes[1].url, [vip], seconds)]
        crowd, ours = play(shows)
        over = run.over()
        matches, _ = matched(ours, admissions(run.log))
        waits = percentiles(match.wait_us for match in matches if match.visit.due_us > run.began_us + 20_000_000)
        seen = outcome(ours)
        row.figures += [
            at_most("a vip's wait for quota, behind free calls of another node: p99", waits.p99, _VIP_MS, "ms",
                    f"p50 {waits.p50:.1f} ms, {seen.calls} calls; {heard('free', crowd)}"),
            at_least("a vip's calls answered", 100 * seen.share, 100, "%"),
            exactly("tokens over the limit in any window", over, 0),
            punctual("vip", ours),
        ]  # fmt: skip
