"""Three regions with a Redis each and one quota, divided between them in etcd: moved with the load, cut in every way.

The judge is the provider's log, which is one for all regions. What may be used at a moment is by the parts of that
moment: the sum over regions of the smaller of what a region is asked for and its part of the quota.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from bench.figures import Figure, at_least, exactly, told
from bench.nodes import Node
from bench.proofs.cluster.proxy import Proxy
from bench.proofs.cluster.stage import Plan, Stage, heard
from bench.proofs.fleet import Policy, Quota, provider, settings
from bench.proofs.quota.used import tenants
from bench.proofs.steps import Context, Row
from bench.proofs.traffic import Show, play, punctual
from harness import cpu
from harness.servers.etcd import Etcd
from harness.servers.redis import VALKEY, Server
from tidegate.load.crowd import Member

NAMES: Final = ("ap", "eu", "us")
LEASE_S: Final = 3.0
FLOOR: Final = 5.0  # per cent
_HEAVY: Final = 2.0  # times the whole quota, at one region
_LIGHT: Final = 0.1
_SETTLE_S: Final = 25.0  # of an act: what is not looked at, since parts are moving
_LEAST: Final = 97.0  # per cent of what the parts allow
_PROCESS: Final = "tidegate.regions"
_QUOTA: Final = Quota(accounts=1)


@dataclass(slots=True)
class World:
    """Everything that runs."""

    stage: Stage
    etcd: Etcd
    links: list[Proxy]
    parts: list[tuple[float, list[float]]] = field(default_factory=list)  # seconds after the start, share of each

    def freeze(self, number: int, *, thaw: bool = False) -> None:
        """The process that keeps a region's part."""
        for pid in cpu.tree(self.stage.nodes[number].pid):
            if _PROCESS in cpu.command(pid):
                os.kill(pid, signal.SIGCONT if thaw else signal.SIGSTOP)

    async def watch(self, seconds: float) -> None:
        """Write down twice a second what each region may spend, as it says itself."""
        loop = asyncio.get_running_loop()
        for _ in range(int(seconds * 2)):
            await asyncio.sleep(0.5)
            at = loop.time() - self.stage.began
            self.parts.append((at, [_share(node.home / "state" / "regions.json") for node in self.stage.nodes]))


@dataclass(frozen=True, slots=True)
class Act:
    """The load of `seconds` at one region, light elsewhere, and what is done to the links meanwhile."""

    name: str
    heavy: int
    seconds: float
    cut: Callable[[World], None] | None = None
    heal: Callable[[World], None] | None = None
    cut_s: float = LEASE_S * 3


def regions(context: Context, row: Row) -> None:
    """The row."""
    row.commands.append("tidegate serve (3 regions × 1 worker), one etcd, three Valkeys, one quota")
    long = 45.0 if context.quick else 75.0
    acts = [
        Act("load at the first region", 0, long),
        Act("load moves to the second", 1, long),
        Act("etcd is stopped", 1, long, lambda w: w.etcd.freeze(), lambda w: w.etcd.thaw()),
        Act("the busy region's link is cut", 1, long, lambda w: w.links[1].cut(), lambda w: w.links[1].restore()),
        Act("idle regions' links are cut", 1, long, lambda w: _cut(w, 0, 2), lambda w: _restore(w, 0, 2)),
        Act("the process that keeps the part is stopped", 2, long, lambda w: w.freeze(2),
            lambda w: w.freeze(2, thaw=True)),
        Act("all is well again", 0, long),
    ]  # fmt: skip
    with _world(context.work) as world:
        world.stage.empty_books()
        ends, began = [], 0.0
        visits = []
        for act in acts:
            done = _played(world, act)
            visits += done
            ends.append((act, began, world.parts[-1][0]))
            began = world.parts[-1][0]
        row.figures += _figures(world, ends)
        row.figures.append(punctual("regions", visits))
        row.figures.append(told("clients", heard("clients", visits)))


def _cut(world: World, *numbers: int) -> None:
    for number in numbers:
        world.links[number].cut()


def _restore(world: World, *numbers: int) -> None:
    for number in numbers:
        world.links[number].restore()


def _crowd(number: int, offered: float) -> list[Member]:
    return [
        Member(f"{NAMES[number]}-{one.name}", one.key, one.rate, one.tokens, deadline_ms=5_000)
        for one in tenants(_QUOTA, offered, count=5)
    ]


def _played(world: World, act: Act) -> list[Any]:
    shows = [
        Show(node.url, _crowd(number, _HEAVY if number == act.heavy else _LIGHT), act.seconds, seed=number + 1)
        for number, node in enumerate(world.stage.nodes)
    ]
    beside = [world.watch(act.seconds)]
    if act.cut is not None and act.heal is not None:
        beside.append(_strike(world, act.cut, act.heal, act.cut_s))
    return [visit for visits in play(shows, beside) for visit in visits]


async def _strike(world: World, cut: Callable[[World], None], heal: Callable[[World], None], seconds: float) -> None:
    await asyncio.sleep(2)
    cut(world)
    await asyncio.sleep(seconds)
    heal(world)


def _figures(world: World, acts: Sequence[tuple[Act, float, float]]) -> list[Figure]:
    stage = world.stage
    over, ledger = stage.over(), stage.ledger()
    found = [
        exactly("three regions, every split: tokens over the limit in any window", over, 0),
        exactly("three regions: avoidable 429s", ledger["avoidable"], 0, f"{ledger['throttled']:,} 429s"),
    ]
    for act, first, last in acts:
        begun = first + _SETTLE_S
        used = stage.used(begun, last)
        allowed = 100 * _allowed(world, act.heavy, begun, last)
        found.append(
            at_least(f"{act.name}: of what the parts allow, used", 100 * used / allowed, _LEAST, "%",
                     f"{used:.1f} % of the quota, parts allow {allowed:.1f} %")
        )  # fmt: skip
    return found


def _allowed(world: World, heavy: int, first: float, last: float) -> float:
    """The mean of Σ min(demand, part)."""
    rows = [shares for at, shares in world.parts if first <= at < last]
    wanted = [_HEAVY if number == heavy else _LIGHT for number in range(len(NAMES))]
    sums = [sum(min(want, share) for want, share in zip(wanted, shares, strict=True)) for shares in rows]
    return sum(sums) / max(1, len(sums))


def _share(file: Path) -> float:
    """Of a process that does not write any more the workers have the floor once the lease has ended."""
    try:
        if time.time() - file.stat().st_mtime > LEASE_S:
            return FLOOR / 100
        parts = json.loads(file.read_bytes())["parts_ppm"].values()
    except (OSError, ValueError):
        return 0.0
    return min(parts, default=0) / 1e6


@contextlib.contextmanager
def _world(work: Path) -> Iterator[World]:
    """All of it until the end of the block. Raises `NotReady`."""
    with contextlib.ExitStack() as stack:
        etcd = Etcd()
        stack.callback(etcd.close)
        twin = stack.enter_context(provider(work, _QUOTA, "regions"))
        nodes, links = [], []
        for number, name in enumerate(NAMES):
            link = stack.enter_context(Proxy(cast(Server, etcd)))  # it has a port and a folder
            own = Server(VALKEY)
            stack.callback(own.close)
            shared = {
                "name": name, "all": list(NAMES), "store": f"etcd+http://127.0.0.1:{link.port}",
                "floor_percent": FLOOR, "lease_seconds": LEASE_S, "rebalance_seconds": 0.3, "timeout_ms": 500,
            }  # fmt: skip
            full = settings(twin.url, _QUOTA, Policy(), _crowd(number, 1.0))
            node = Node(work / f"region-{name}-{link.port}", full | {"regions": shared, "cluster": {"url": own.url}})
            stack.callback(node.stop)
            node.start()
            nodes.append(node)
            links.append(link)
        yield World(Stage(_QUOTA, twin, Plan("regions", (1, 1, 1), _QUOTA), nodes), etcd, links)
