"""A provider, a shared state and several gates before it, under load; and the figures that every scene has."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.figures import Figure, at_least, exactly
from bench.nodes import Node, nodes
from bench.proofs.fleet import Books, Policy, Quota, provider, settings
from bench.proofs.quota.used import WARM_SECONDS
from bench.proofs.traffic import Show, outcome
from harness.node import Place
from tidegate.judge import log as judge
from tidegate.load.crowd import Member
from tidegate.load.visits import Visit

USED: Final = 98.0
KILL_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is set up: one gate for each number of `shape`, with so many workers."""

    name: str
    shape: tuple[int, ...]
    quota: Quota = field(default_factory=lambda: Quota(accounts=2))
    policy: Policy = field(default_factory=Policy)
    url: str = ""  # of the shared state, "" = each node's own
    places: tuple[Place, ...] = ()
    provider_host: str = "127.0.0.1"
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """For names of files, and the prefix of this plan's keys."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name)


@dataclass(slots=True)
class Stage(Books):
    """All of it, running."""

    plan: Plan
    nodes: list[Node]
    log: list[list[Any]] = field(default_factory=list)

    @property
    def began_us(self) -> int:
        """When the books were emptied."""
        return int(self.began * 1e6)

    def shows(self, members: Sequence[Member], seconds: float) -> list[Show]:
        """The crowd before all nodes alike: each has its part of every tenant's calls."""
        part = [_part(one, 1 / len(self.nodes)) for one in members]
        return [Show(node.url, part, seconds, seed=number) for number, node in enumerate(self.nodes, 1)]

    async def kill_workers(self, seconds: float) -> None:
        """SIGKILL to a random worker of a random node, every few seconds."""
        luck, loop = Random(7), asyncio.get_running_loop()
        for _ in range(int(seconds / KILL_EVERY_S)):
            await asyncio.sleep(KILL_EVERY_S)
            await loop.run_in_executor(None, luck.choice(self.nodes).kill_worker, luck)

    def over(self) -> int:
        """Tokens over the limit in any window, by the provider's log, which is read once more."""
        self.log = self.events()
        return judge.over(self.log, self.quota.window, self.quota.tpm)

    def used(self, first_s: float, last_s: float) -> float:
        """Per cent of the quota that was charged between two moments after the books were emptied. After `over`."""
        first, last = self.began_us + int(first_s * 1e6), self.began_us + int(last_s * 1e6)
        return judge.share(self.log, self.quota.per_second, first, last)


def _part(one: Member, share: float) -> Member:
    return Member(
        one.name, one.key, one.rate * share, one.tokens, one.spread, one.on_s, one.off_s, one.deadline_ms, one.tier
    )


@contextlib.contextmanager
def stage(work: Path, plan: Plan, members: Sequence[Member]) -> Iterator[Stage]:
    """Twin and gates until the end of the block. Raises `NotReady`."""
    with provider(work, plan.quota, plan.tag, plan.provider_host) as twin:
        url = twin.url.replace("127.0.0.1", plan.provider_host)
        full = settings(url, plan.quota, plan.policy, members) | dict(plan.more)
        if plan.url:
            full["cluster"] = {"url": plan.url, "prefix": plan.tag} | full.get("cluster", {})
        with nodes(work, plan.tag, full, plan.shape, plan.places) as started:
            yield Stage(plan.quota, twin, plan, started)


def kept(run: Stage, label: str, seconds: float, least: float = USED) -> list[Figure]:
    """The promises about the provider's quota, over `seconds` after the warm-up."""
    ledger, over = run.ledger(), run.over()
    note = f"{ledger['served']:,} served, {ledger['throttled']:,} 429s"
    used = run.used(WARM_SECONDS, WARM_SECONDS + seconds)
    return [
        exactly(f"{label}: tokens over the limit in any window", over, 0, note),
        exactly(f"{label}: avoidable 429s", ledger["avoidable"], 0),
        at_least(f"{label}: quota used in {seconds:.0f} s", used, least, "%"),
    ]


def heard(label: str, visits: Sequence[Visit]) -> str:
    """What came of the calls for their clients, for a note."""
    seen = outcome(visits)
    return (
        f"{label}: {seen.calls:,} calls, {seen.answered:,} answered, {seen.refused:,} refused, {seen.failed:,} failed "
        f"{seen.example}"
    )
