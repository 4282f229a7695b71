"""What every discipline has: the twin, the clients of each replica, and crowds that are the same for every gateway."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from tidegate.judge.client import Client, Headers
from tidegate.judge.play import Show, perform
from tidegate.judge.provider import Provider
from tidegate.judge.setup import KEYS, PATIENCE_S, REVOCABLE, Setup
from tidegate.load.crowd import Member, arrivals
from tidegate.load.visits import Manners, Visit
from tidegate.ports import Clock

WARM_S: Final = 60  # the provider's bucket begins full; so long nothing is judged but the limit


@dataclass(frozen=True, slots=True)
class Options:
    """The gateway under judgement, and how thoroughly it is judged. `keys`: one for each tenant it can tell apart."""

    gates: tuple[str, ...]
    keys: tuple[str, ...] = KEYS
    revocable: str = REVOCABLE
    headers: Headers = field(default_factory=Headers)
    quick: bool = False
    length: float = 1.0  # of every load but its warm-up; anything else is a rehearsal
    seed: int = 1
    usage_urls: tuple[str, ...] = ()
    usage_metrics: tuple[str, ...] = ()
    revoke_command: str = ""
    restart_command: str = ""

    def seconds(self, quick: int, full: int) -> int:
        """How long something lasts."""
        return max(1, round(self.length * (quick if self.quick else full)))


@dataclass(slots=True)
class Played:
    """A crowd's visits, when it began (monotonic microseconds), and a digest of what was offered."""

    visits: list[Visit]
    began_us: int
    arrivals: str


@dataclass(slots=True)
class Arena:
    """One session. `late_us`: by how much the referee's own clients were late, each."""

    options: Options
    setup: Setup
    provider: Provider
    clock: Clock
    clients: Sequence[Client]
    direct: Client
    late_us: list[int] = field(default_factory=list)
    _rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    async def strike(self, name: str, rules: Iterable[dict[str, Any]]) -> None:
        """The faults of one discipline; those of others stay."""
        self._rules[name] = list(rules)
        await self.provider.faults([rule for some in self._rules.values() for rule in some])

    async def play(self, model: str, members: Sequence[Member], seconds: float, **manners: Any) -> Played:
        """A crowd before all replicas, its calls dealt to them in turn; until the last has ended."""
        options, count = self.options, len(self.options.gates)
        usual: dict[str, Any] = {"patience_us": PATIENCE_S * 1_000_000, "seed": options.seed}
        shared = Manners(
            model=model, headers=options.headers.of(model), dialect=self.setup.dialect, **(usual | manners)
        )
        began = self.clock.now()
        shows = [
            Show(url, members, seconds, options.seed, shared, (number, count))
            for number, url in enumerate(options.gates)
        ]
        visits = [one for some in await asyncio.gather(*(perform(show) for show in shows)) for one in some]
        self.late_us += [visit.tries[0].sent_us - visit.due_us for visit in visits]
        return Played(visits, began, digest(members, seconds, options.seed))


def digest(members: Sequence[Member], seconds: float, seed: int) -> str:
    """Of the calls that a crowd makes, in order: who, when, how many tokens. Two sessions with one digest are alike."""
    found = sha256()
    count = 0
    for call in arrivals(members, seconds, seed):
        found.update(f"{call.at_us},{call.user},{call.tokens}\n".encode())
        count += 1
    return f"{count:,} calls, sha256 {found.hexdigest()[:16]}"
