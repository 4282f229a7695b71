"""The gate's own policy objects for a scenario: scheduler, outlets with their mirrors, dispatcher."""

from collections.abc import Iterable, Sequence
from random import Random

from tidegate.model.snapshot import Limits, Profile
from tidegate.policy.failure.health import Health
from tidegate.policy.pick.headroom import Headroom
from tidegate.policy.queue.dispatcher import Dispatcher, Rules
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.schedule.make import make
from tidegate.simulate.provider import Account
from tidegate.simulate.scenario import Discipline, Pool
from tidegate.simulate.sight import Sight


def sights(accounts: Iterable[Account], settings: Pool, now: int, *, drained: bool) -> list[Sight]:
    """The gate's view of some accounts."""
    overload = Health()
    profile = Profile(
        name="simulated",
        dialect="",
        dated="",
        source="",
        charge=settings.charge,
        settles=settings.settles,
        window=settings.window,
        jitter_us=int(settings.jitter_ms * 1_000),
    )
    return [
        Sight(
            account.name,
            Limits(account.meter.limits.rpm, account.meter.limits.tpm),
            profile,
            overload,
            now,
            drained=drained,
        )
        for account in accounts
    ]


def dispatcher(
    lanes: Sequence[Sight], settings: Pool, discipline: Discipline, random: Random, now: int, *, tiered: bool
) -> Dispatcher:
    """A dispatcher over these outlets."""
    rules = Rules(settings.max_waiting, tiered=tiered)
    return Dispatcher(Outlets(lanes, Headroom()), make(discipline), random.random, rules, now)
