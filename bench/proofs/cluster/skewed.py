"""All demand at one node of two: only what is shared lets it use the whole quota, so the provider's log shows when.

A node that hears nothing of the others has half of the quota: from the moment on at which 93 % of it are used in any
three seconds again, all is well. That moment is found to within 0.4 s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.figures import Figure, below, exactly, told
from bench.proofs.cluster.stage import Stage, heard
from bench.proofs.fleet import Quota
from bench.proofs.quota.used import tenants
from bench.proofs.traffic import Show, play, punctual
from tidegate.judge import log as judge
from tidegate.load.crowd import Member
from tidegate.load.visits import Visit

QUOTA: Final = Quota(accounts=2)
CROWD: Final = tenants(QUOTA, 3)
SETTLED_S: Final = 40.0  # what full buckets gave is used by then: 30 s at three times the quota
AFTER_S: Final = 15.0
_WELL: Final = 93.0  # in each span: of its 48 calls two may fall into the next one
_SPAN_US: Final = 3_000_000

Deed = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to the shared state for `lasts_s`, and how it is undone. `restore` None: it heals by itself."""

    name: str
    strike: Deed
    lasts_s: float = 0.0
    restore: Deed | None = None
    soon_s: float = 1.0  # all is to be well so soon after it was undone


@dataclass(frozen=True, slots=True)
class Moments:
    """Of one fault, in seconds after the books were emptied."""

    struck_s: float
    healed_s: float
    ended_s: float


@dataclass(slots=True)
class Run:
    """What was played."""

    visits: list[Visit]
    faults: list[tuple[Fault, Moments]]


async def _carry_out(stage: Stage, fault: Fault) -> Moments:
    clock = asyncio.get_running_loop().time
    struck = clock()
    await fault.strike()
    await asyncio.sleep(fault.lasts_s)
    if fault.restore is not None:
        await fault.restore()
    healed = clock()
    await asyncio.sleep(AFTER_S)
    return Moments(struck - stage.began, healed - stage.began, clock() - stage.began)


def run(stage: Stage, faults: Sequence[Fault], members: Sequence[Member] = CROWD) -> Run:
    """One fault after the other, under the load."""
    found = Run([], [])

    async def all_of_them() -> None:
        await asyncio.sleep(SETTLED_S)
        for fault in faults:
            found.faults.append((fault, await _carry_out(stage, fault)))

    length = SETTLED_S + sum(fault.lasts_s + AFTER_S for fault in faults) + 5
    stage.empty_books()
    found.visits = play([Show(stage.nodes[0].url, members, length)], [all_of_them()])[0]
    return found


def figures(stage: Stage, played: Run) -> list[Figure]:
    """Over-admission in the whole run, and for each fault what was used during it and how soon all was well."""
    over, ledger = stage.over(), stage.ledger()
    name = stage.plan.name
    found = [
        exactly(f"{name}: tokens over the limit in any window", over, 0, heard("clients", played.visits)),
        exactly(f"{name}: avoidable 429s", ledger["avoidable"], 0, f"{ledger['throttled']:,} 429s"),
    ]
    for fault, at in played.faults:
        since = stage.began_us + int(at.healed_s * 1e6)
        until = stage.began_us + int(at.ended_s * 1e6)
        well = judge.normal_after(stage.log, stage.quota.per_second, since, until, _WELL, _SPAN_US)
        found.append(below(f"{fault.name}: all is well again after", well, fault.soon_s, "s"))
        if at.healed_s - at.struck_s > 1:
            share = stage.used(at.struck_s + 1, at.healed_s)
            found.append(told(f"{fault.name}: quota used meanwhile, by one node of two", f"{share:.0f} %"))
    return [*found, punctual(name, played.visits)]
