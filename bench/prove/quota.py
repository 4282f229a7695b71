"""How much of the provider's quota is used, and with how many avoidable 429s: judged by the provider's ledger."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.figures import Figure, at_least, at_most, exactly, missing, told
from bench.prove.fleet import CALL, TPM, Fleet, Policy, Quota, fleet
from bench.prove.steps import Context, Row, Step
from bench.prove.traffic import Show, outcome, play
from tidegate.load.crowd import Member
from tidegate.load.visits import Visit

WARM_SECONDS = 75  # the bucket begins full, and a sliding window shows its first echo only then
_JITTER_S = 0.25  # of the gate's profile: the spread of the way to the provider's clock
_DEADLINE_MS = 30_000
_RESTART_GRACE_S = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One quota and what of it must be used, in per cent."""

    name: str
    quota: Quota
    least: float
    avoidable: float = 0.0  # so many per cent of the calls at most

    def seconds(self, context: Context) -> int:
        """How long the judged part lasts."""
        return 60 if context.quick else 600


def tenants(quota: Quota, offered: float, count: int = 20, tokens: int = CALL, **fields: Any) -> list[Member]:
    """So many equal tenants that together offer `offered` times the quota."""
    rate = offered * quota.per_second / tokens / count
    fields = {"deadline_ms": _DEADLINE_MS} | fields
    return [Member(f"tenant-{n}", f"tg-tenant-{n:04d}", rate, tokens, **fields) for n in range(count)]


def fixed_bound(call: int = CALL, tpm: int = TPM) -> float:
    """Per cent of a window of unknown phase that can be used without a 429 (`governance.md` 3.4, 2)."""
    return 100 * (1 - call / tpm) / (1 + _JITTER_S / 60)


def used(per_second: Sequence[int], quota: Quota, first: int, last: int) -> float:
    """Per cent of what is left to us that was charged in the seconds [first, last)."""
    seconds = per_second[first:last]
    return 100 * sum(seconds) / max(1.0, quota.per_second * len(seconds))


FULL = (
    Case("continuous", Quota(), 99),
    Case("sliding", Quota(window="sliding"), 99),
    Case("quantised", Quota(window="quantised"), 99),
    Case("fixed, phase unknown", Quota(window="fixed"), fixed_bound()),
)
GHOSTS = tuple(
    Case(f"{shape}, 30 % used by others", Quota(window=shape, ghost=30), 95, 0.1)
    for shape in ("continuous", "sliding", "quantised")
)


def side_by_side(cases: Sequence[Case]) -> Step:
    """A step that runs these cases at the same time, each with a twin and a gate of its own."""

    def quota_used(context: Context, row: Row) -> None:
        row.commands.append("tidegate twin --window … and tidegate serve, 4 scopes of 1 M TPM, 3× offered")
        length = WARM_SECONDS + max(case.seconds(context) for case in cases) + 2
        crowd = tenants(cases[0].quota, 3)
        with contextlib.ExitStack() as stack:
            fleets = []
            for case in cases:
                ours = replace(case.quota)
                name = case.name.split(",")[0]
                fleets.append(stack.enter_context(fleet(context.work, ours, Policy(), crowd, name)))
            for one in fleets:
                one.empty_books()
            played = play([Show(one.gate.url, crowd, length) for one in fleets])
            for case, one, visits in zip(cases, fleets, played, strict=True):
                row.figures += judged(case, one, visits, case.seconds(context))

    return quota_used


def judged(case: Case, one: Fleet, visits: list[Visit], seconds: int) -> list[Figure]:
    """The promises about one case."""
    ledger, seen = one.ledger(), outcome(visits)
    share = used(ledger["per_second"], case.quota, WARM_SECONDS, WARM_SECONDS + seconds)
    note = f"{ledger['served']:,} served, {ledger['throttled']:,} 429s; clients: {seen.answered:,} answered, "
    note += f"{seen.refused:,} refused, {seen.failed:,} failed {seen.example}; {one.gate.complaint}"
    avoidable = 100 * ledger["avoidable"] / max(1, ledger["calls"])
    return [
        at_least(f"{case.name}: quota charged in {seconds} s", share, case.least, "%", note),
        at_most(f"{case.name}: avoidable 429s", avoidable, case.avoidable, "%", f"{ledger['avoidable']:,} calls"),
        exactly(f"{case.name}: calls lost", seen.failed, 0),
    ]


def restarted(context: Context, row: Row) -> None:
    """Kill the whole gate under load, start it again on the same state, and look at the next minute."""
    row.commands.append("kill -9 of the gate under load, tidegate serve on the same state")
    quota, crowd = Quota(), tenants(Quota(), 3)
    with fleet(context.work, quota, Policy(), crowd, "restart") as one:
        one.empty_books()
        moments: list[float] = []
        play([Show(one.gate.url, crowd, WARM_SECONDS + 65)], [_restart(one, moments)])
        ledger = one.ledger()
        if not moments:
            row.figures.append(missing("after a restart", "≥ 99 %", "the gate did not come back"))
            return
        first = int(moments[1] - one.began) + _RESTART_GRACE_S
        share = used(ledger["per_second"], quota, first, first + 55)
        row.figures += [
            told("away for", f"{moments[1] - moments[0]:.2f} s", one.gate.complaint),
            at_least("right after a restart: quota charged in 55 s", share, 99, "%"),
            exactly("right after a restart: avoidable 429s", ledger["avoidable"], 0, f"{ledger['calls']:,} calls"),
        ]


async def _restart(one: Fleet, moments: list[float]) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(WARM_SECONDS)
    moments.append(loop.time())
    await loop.run_in_executor(None, one.gate.stop, 0.0)
    await loop.run_in_executor(None, one.gate.start)
    moments.append(loop.time())


def changed(factor: float) -> Step:
    """A step in which the provider multiplies its limits without a word, and two windows are left to learn it."""

    def limits_changed(context: Context, row: Row) -> None:
        name = "halved" if factor < 1 else "doubled"
        row.commands.append(f"POST /twin/limits in mid-run: {name}")
        quota = Quota()
        later = replace(quota, tpm=int(quota.tpm * factor))
        # a configured limit is an upper bound: for one that doubles, the gate is told of the larger one
        policy = Policy(told_tpm=max(quota.tpm, later.tpm))
        crowd = tenants(quota, 3 * max(1.0, factor))
        watched = 60 if context.quick else 300
        with fleet(context.work, quota, policy, crowd, name) as one:
            one.empty_books()
            show = Show(one.gate.url, crowd, WARM_SECONDS + 120 + watched + 2)
            play([show], [_change(one, later.tpm)])
            ledger = one.ledger()
            first = WARM_SECONDS + 120
            share = used(ledger["per_second"], later, first, first + watched)
            before = used(ledger["per_second"], quota, WARM_SECONDS - 30, WARM_SECONDS)
            note = f"{ledger['throttled']:,} 429s in all; before the change {before:.1f} %; {one.gate.complaint}"
            row.figures += [
                at_least(f"limits {name}: quota charged from two windows on", share, 99, "%", note),
                exactly(f"limits {name}: avoidable 429s", ledger["avoidable"], 0, f"{ledger['calls']:,} calls"),
            ]

    return limits_changed


def _change(one: Fleet, tpm: int) -> Coroutine[Any, Any, None]:
    async def change() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(WARM_SECONDS)
        await loop.run_in_executor(None, one.provider.ask, "limits", {"tpm": tpm})

    return change()
