"""Three hosts and Redis in namespaces of their own, links cut and restored in turns: nothing goes over in any split."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from bench.figures import Figure, exactly, told
from bench.proofs.cluster.hosts import PROVIDER, Host, Network, network
from bench.proofs.cluster.stage import Plan, Stage, heard, stage
from bench.proofs.fleet import Quota
from bench.proofs.quota.used import tenants
from bench.proofs.steps import Context, Row
from bench.proofs.traffic import play, punctual
from harness.servers.redis import REDIS, Server

_WINDOWS: Final = ("continuous", "sliding")
_OFFERED: Final = 3.0
_CALM_S: Final = 6.0
_WARM_S: Final = 20.0


def splits(context: Context, row: Row) -> None:
    """Each host alone, two of them, Redis from all; the provider is reached by every side at all times."""
    lasts = 8.0 if context.quick else 30.0
    row.commands.append(f"ip netns × 4, a bridge; tidegate serve on three, redis-server on one; {lasts:.0f} s a split")
    quotas = [Quota(accounts=2, window=window) for window in _WINDOWS]
    with network(4) as net, contextlib.ExitStack() as stack:
        hosts, store = net.hosts[:3], net.hosts[3]
        server = Server(REDIS, "--bind", store.near, store.far, host=store.far, via=store.via)
        stack.callback(server.close)
        url = f"redis://{store.near}:{server.port}/0"
        runs = [stack.enter_context(_stage(context, quota, url, hosts)) for quota in quotas]
        ways = _ways(hosts, store)
        for run in runs:
            run.empty_books()
        length = _WARM_S + sum(lasts + _CALM_S for _ in ways) + 2
        shows = [run.shows(tenants(run.quota, _OFFERED), length) for run in runs]
        marks: list[tuple[str, float, float]] = []
        played = iter(play([show for group in shows for show in group], [_split(net, ways, lasts, marks)]))
        for run, group in zip(runs, shows, strict=True):
            visits = [visit for _ in group for visit in next(played)]
            row.figures += _figures(run, marks, heard("clients", visits))
            row.figures.append(punctual(run.quota.window, visits))


def _stage(context: Context, quota: Quota, url: str, hosts: Sequence[Host]) -> contextlib.AbstractContextManager[Stage]:
    places = tuple(host.place for host in hosts)
    plan = Plan(f"splits-{quota.window}", (1, 1, 1), quota, url=url, places=places, provider_host=PROVIDER)
    return stage(context.work, plan, tenants(quota, _OFFERED))


def _ways(hosts: Sequence[Host], store: Host) -> list[tuple[str, tuple[Host, ...]]]:
    """Who is cut from the bridge: each host, two at a time, and Redis."""
    alone = [(f"host {host.number} | rest", (host,)) for host in hosts]
    return [*alone, ("hosts 1, 2 | host 3, Redis", tuple(hosts[:2])), ("Redis | all hosts", (store,))]


async def _split(
    net: Network, ways: list[tuple[str, tuple[Host, ...]]], lasts: float, marks: list[tuple[str, float, float]]
) -> None:
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(_WARM_S)
    for name, cut in ways:
        began = clock()
        await asyncio.to_thread(net.cut, *cut)
        await asyncio.sleep(lasts)
        await asyncio.to_thread(net.restore, *cut)
        marks.append((name, began, clock()))
        await asyncio.sleep(_CALM_S)


def _figures(run: Stage, marks: Sequence[tuple[str, float, float]], note: str) -> list[Figure]:
    over, window = run.over(), run.quota.window
    ledger = run.ledger()
    found = [
        exactly(f"{window}: tokens over the limit in any window, all splits", over, 0, note),
        exactly(f"{window}: avoidable 429s", ledger["avoidable"], 0, f"{ledger['throttled']:,} 429s"),
    ]
    for name, began, ended in marks:
        used = run.used(began - run.began + 1, ended - run.began)
        found.append(told(f"{window}, {name}: quota used meanwhile", f"{used:.0f} %"))
    return found
