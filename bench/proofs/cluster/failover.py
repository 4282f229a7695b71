"""A primary that is killed: its replica takes its place. What that can cost, and what it cost."""

import asyncio
import statistics
from collections.abc import Callable
from typing import Final

import redis

from bench.figures import Figure, at_most, exactly, told
from bench.proofs.cluster import skewed
from bench.proofs.cluster.stage import Plan, Stage, heard, stage
from bench.proofs.fleet import Quota
from bench.proofs.quota.used import tenants
from bench.proofs.steps import Context, Row
from harness.servers.cluster import TIMEOUT_MS, Slots
from harness.servers.sentinel import DOWN_MS, Sentinels
from tidegate.judge import log as judge

_SCOPES: Final = 12  # over three primaries: each has some
_ELECTED_S: Final = 30.0


def sentinel(context: Context, row: Row) -> None:
    """Both nodes find the new primary by the sentinels."""
    row.commands.append("redis-server --sentinel × 3, a primary and a replica; kill -9 of the primary under load")
    lags: list[int] = []
    with Sentinels() as servers:
        plan = Plan("sentinel", (1, 1), skewed.QUOTA, url=servers.url)
        with stage(context.work, plan, skewed.CROWD) as run:

            async def strike() -> None:
                for _ in range(20):
                    lags.append(await asyncio.to_thread(servers.lag_bytes))
                    await asyncio.sleep(0.02)
                servers.primary.kill()
                await _until(lambda: servers.leader() == servers.replica.port)

            fault = skewed.Fault("primary killed, replica elected", strike, soon_s=5)
            played = skewed.run(run, [fault])
            row.figures += _bounded(run, skewed.figures(run, played), lags)
            at = played.faults[0][1]
            elected = f"{at.healed_s - at.struck_s - 0.4:.1f} s"
            row.figures.append(told("sentinels named another primary after", elected, f"down-after {DOWN_MS} ms"))
            row.figures.append(_meanwhile(run, at.struck_s, at.ended_s))


def _bounded(run: Stage, figures: list[Figure], lags: list[int]) -> list[Figure]:
    """Over-admission is held against the stated bound: what was admitted within the replication lag."""
    over = judge.over(run.log, run.quota.window, run.quota.tpm)
    lag = statistics.median(lags) if lags else 0
    second = round(run.quota.tpm / 60)
    note = f"bound: what a quota gives in the lag; the replica was {lag:.0f} bytes behind (median), at most {max(lags)}"
    first = at_most("primary killed: tokens over the limit, worst account", over, second, "tokens", note)
    return [first, *figures[1:]]


def _meanwhile(run: Stage, first_s: float, last_s: float) -> Figure:
    """The least that was used in any second of the failure."""
    seconds = [run.used(first_s + at, first_s + at + 1) for at in range(int(last_s - first_s) - 1)]
    return told("least used in a second of it", f"{min(seconds, default=0):.0f} %")


def slots(context: Context, row: Row) -> None:
    """Twelve scopes over three primaries, one of which is killed: the others' scopes do not notice."""
    row.commands.append("redis-server --cluster-enabled yes, 3 + 3; kill -9 of a primary under load, 12 scopes")
    quota = Quota(accounts=_SCOPES, tpm=600_000)
    crowd = tenants(quota, 3)
    with Slots() as servers:
        plan = Plan("redis-cluster", (1, 1), quota, url=servers.url)
        with stage(context.work, plan, crowd) as run:
            row.figures.append(told("scopes on each primary", _spread(servers)))

            async def strike() -> None:
                servers.nodes[0].kill()
                await asyncio.sleep(TIMEOUT_MS / 1_000)
                await _until(lambda: len(servers.primaries()) == 3 and servers.whole())

            fault = skewed.Fault("a primary of three killed, its replica elected", strike, soon_s=5)
            played = skewed.run(run, [fault], crowd)
            row.figures += skewed.figures(run, played)
            at = played.faults[0][1]
            row.figures.append(told("slots served again after", f"{at.healed_s - at.struck_s:.1f} s"))
            row.figures.append(_meanwhile(run, at.struck_s, at.ended_s))
            row.figures.append(exactly("accounts that were used", len(judge.attempts(run.log)), _SCOPES,
                                       heard("clients", played.visits)))  # fmt: skip


def _spread(servers: Slots) -> str:
    return ", ".join(f"{one.command('DBSIZE')} keys" for one in servers.primaries())


async def _until(true: Callable[[], bool]) -> None:
    clock = asyncio.get_running_loop().time
    limit = clock() + _ELECTED_S
    while clock() < limit:
        try:
            if await asyncio.to_thread(true):
                return
        except (redis.RedisError, OSError):
            pass
        await asyncio.sleep(0.05)
