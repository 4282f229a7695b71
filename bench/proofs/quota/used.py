"""How much of the provider's quota is used, and with how many avoidable 429s: judged by the provider's ledger."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.figures import Figure, at_least, at_most, exactly
from bench.proofs.fleet import CALL, TPM, Fleet, Policy, Quota, fleet
from bench.proofs.steps import Context, Row, Step
from bench.proofs.traffic import Show, outcome, play, punctual
from tidegate.load.crowd import Member
from tidegate.load.visits import Visit

WARM_SECONDS = 75  # the bucket begins full, and a sliding window shows its first echo only then
_DEADLINE_MS = 30_000
_RESTART_GRACE_S = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One quota and what of it must be used, in per cent."""

    name: str
    quota: Quota
    least: float
    avoidable: float = 0.0  # so many per cent of the calls at most
    policy: Policy = field(default_factory=Policy)
    call: int = CALL
    note: str = ""

    def seconds(self, context: Context) -> int:
        """How long the judged part lasts."""
        return 60 if context.quick else 600


def tenants(quota: Quota, offered: float, count: int = 20, tokens: int = CALL, **fields: Any) -> list[Member]:
    """So many equal tenants that together offer `offered` times the quota."""
    rate = offered * quota.per_second / tokens / count
    fields = {"deadline_ms": _DEADLINE_MS} | fields
    return [Member(f"tenant-{n}", f"tg-tenant-{n:04d}", rate, tokens, **fields) for n in range(count)]


def fixed_bound(call: int = CALL, tpm: int = TPM, jitter_s: float = Policy().jitter_ms / 1_000) -> float:
    """Per cent of a window of unknown phase that can at most be used without a 429: a call and the jitter are lost."""
    return 100 * (1 - call / tpm) / (1 + jitter_s / 60)


def second_bound(call: int = CALL, tpm: int = TPM, ghost: int = 0, jitter_s: float = 0.005) -> float:
    """Per cent of what is left of a quota by the second that can at most be used without a 429, its phase unknown.

    Whole calls only fit into a second, and a second of ours lasts for the jitter longer.
    """
    left = tpm // 60 - tpm * ghost // 6_000
    return 100 * (left // call * call) / (tpm / 60 * (1 - ghost / 100)) / (1 + jitter_s)


def used(per_second: Sequence[int], quota: Quota, first: int, last: int) -> float:
    """Per cent of what is left to us that was charged in the seconds [first, last)."""
    seconds = per_second[first:last]
    return 100 * sum(seconds) / max(1.0, quota.per_second * len(seconds))


_BY_SECOND = Policy(jitter_ms=5)  # of one second, jitter is a greater part
_SIX = 1_944  # tokens: six fit into what others leave of a second
FULL = (
    Case("continuous", Quota(), 99),
    Case("sliding", Quota(window="sliding"), 99),
    Case("fixed, phase unknown", Quota(window="fixed"), 0.99 * fixed_bound(), note=f"bound {fixed_bound():.2f} %; "),
)
SECONDS = (  # alone: milliseconds count here, and many programs on few cores make each other late
    Case("quantised", Quota(window="quantised"), 99, policy=_BY_SECOND, note=f"bound {second_bound():.2f} %; "),
)
GHOSTS = tuple(
    Case(f"{shape}, 30 % used by others", Quota(window=shape, ghost=30), 95, 0.1) for shape in ("continuous", "sliding")
)
GHOST_SECONDS = (
    Case(
        "quantised, 30 % used by others",
        Quota(window="quantised", ghost=30),
        95,
        0.1,
        _BY_SECOND,
        _SIX,
        f"bound {second_bound(_SIX, ghost=30):.2f} % where others take theirs first; ",
    ),
)


def side_by_side(cases: Sequence[Case]) -> Step:
    """A step that runs these cases at the same time, each with a twin and a gate of its own."""
    names = ", ".join(case.name.split(",")[0] for case in cases)

    def quota_used(context: Context, row: Row) -> None:
        row.commands.append(f"tidegate twin --window … and tidegate serve, 4 scopes of 1 M TPM, 3× offered: {names}")
        length = WARM_SECONDS + max(case.seconds(context) for case in cases) + 2
        crowds = [tenants(case.quota, 3, tokens=case.call) for case in cases]
        with contextlib.ExitStack() as stack:
            fleets = []
            for case, crowd in zip(cases, crowds, strict=True):
                ours = replace(case.quota)
                name = case.name.split(",")[0]
                fleets.append(stack.enter_context(fleet(context.work, ours, case.policy, crowd, name)))
            for one in fleets:
                one.empty_books()
            played = play([Show(one.gate.url, crowd, length) for one, crowd in zip(fleets, crowds, strict=True)])
            for case, one, visits in zip(cases, fleets, played, strict=True):
                row.figures += judged(case, one, visits, case.seconds(context))

    return quota_used


def judged(case: Case, one: Fleet, visits: list[Visit], seconds: int) -> list[Figure]:
    """The promises about one case."""
    ledger, seen = one.ledger(), outcome(visits)
    share = used(ledger["per_second"], case.quota, WARM_SECONDS, WARM_SECONDS + seconds)
    note = (
        f"{case.note}{ledger['served']:,} served, {ledger['throttled']:,} 429s; clients: {seen.answered:,} answered, "
    )
    note += f"{seen.refused:,} refused, {seen.failed:,} failed {seen.example}; {one.gate.refused}"
    avoidable = 100 * ledger["avoidable"] / max(1, ledger["calls"])
    return [
        at_least(f"{case.name}: quota charged in {seconds} s", share, case.least, "%", note),
        at_most(f"{case.name}: avoidable 429s", avoidable, case.avoidable, "%", f"{ledger['avoidable']:,} calls"),
        exactly(f"{case.name}: calls lost", seen.failed, 0),
        punctual(case.name, visits),
    ]


def shaken(context: Context, row: Row) -> None:
    """A restart, limits that halve and limits that double without a word, side by side under the same load."""
    row.commands += ["kill -9 of the gate under load, tidegate serve on the same state", "POST /twin/limits in mid-run"]
    watched = 60 if context.quick else 300
    with contextlib.ExitStack() as stack:
        runs = [_Shaken(name, factor, stack, context) for name, factor in _SHAKES.items()]
        for run in runs:
            run.one.empty_books()
        play([run.show(watched) for run in runs], [run.shake() for run in runs])
        for run in runs:
            row.figures += run.figures(watched)


class _Shaken:
    """One of the three: `factor` is what the provider's limits are multiplied by, 1 = the gate is restarted instead."""

    def __init__(self, name: str, factor: float, stack: contextlib.ExitStack, context: Context) -> None:
        self.name = name
        self.before = Quota()
        self.after = replace(self.before, tpm=int(TPM * factor))
        # a configured limit is an upper bound: for one that doubles, the gate is told of the larger one
        policy = Policy(told_tpm=max(self.before.tpm, self.after.tpm))
        self._crowd = tenants(self.before, 3 * max(1.0, factor))
        self.one = stack.enter_context(fleet(context.work, self.before, policy, self._crowd, name.replace(" ", "-")))
        self._back = 0.0

    def show(self, watched: int) -> Show:
        """Its load: until two windows after the change have passed and been watched."""
        return Show(self.one.gate.url, self._crowd, WARM_SECONDS + 120 + watched + 2)

    async def shake(self) -> None:
        """What happens once the load has settled."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(WARM_SECONDS)
        if self.after == self.before:
            await loop.run_in_executor(None, self.one.gate.stop, 0.0)
            await loop.run_in_executor(None, self.one.gate.start)
            self._back = loop.time()
        else:
            await loop.run_in_executor(None, self.one.provider.ask, "limits", {"tpm": self.after.tpm})

    def figures(self, watched: int) -> list[Figure]:
        """How much of the quota was used, and what it cost in 429s."""
        ledger, first, last = self.one.ledger(), WARM_SECONDS + 120, WARM_SECONDS + 120 + watched
        if self._back:
            first = int(self._back - self.one.began) + _RESTART_GRACE_S
            last = first + 60
        share = used(ledger["per_second"], self.after, first, last)
        before = used(ledger["per_second"], self.before, WARM_SECONDS - 30, WARM_SECONDS)
        note = f"{ledger['throttled']:,} 429s in all; before it {before:.1f} %; {self.one.gate.refused}"
        return [
            at_least(f"{self.name}: quota charged in {last - first} s", share, 99, "%", note),
            exactly(f"{self.name}: avoidable 429s", ledger["avoidable"], 0, f"{ledger['calls']:,} calls"),
        ]


_SHAKES = {
    "right after a restart": 1.0,
    "two windows after the limits halved": 0.5,
    "two windows after the limits doubled": 2.0,
}
