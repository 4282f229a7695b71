"""The gate's own policy objects for a scenario: scheduler, outlets with their mirrors, desk."""

from collections.abc import Iterable
from random import Random

from tidegate.policy.allowance import Allowance
from tidegate.policy.breaker import Breaker
from tidegate.policy.desk import Desk, Rules
from tidegate.policy.health import Health
from tidegate.policy.outlet import Outlet
from tidegate.policy.outlets import Outlets
from tidegate.policy.pick.headroom import Headroom
from tidegate.policy.quota import Quota, allowance, mirrored
from tidegate.policy.schedule.make import make
from tidegate.simulate.provider import Account, Reply
from tidegate.simulate.scenario import Discipline, Pool


def outlets(accounts: Iterable[Account], settings: Pool, now: int, *, drained: bool) -> list[Outlet]:
    """The gate's view of some accounts. `drained`: nobody knows what is left, so nothing is."""
    jitter_us, model = int(settings.jitter_ms * 1_000), Health()

    def mirror(limit: int) -> Allowance:
        made = allowance(limit, now, window=settings.window, jitter_us=jitter_us)
        if drained:
            made.restore(0, now, now)
        return made

    return [
        Outlet(
            account.name,
            Quota((mirror(account.meter.limits.rpm),), (mirror(account.meter.limits.tpm),)),
            Breaker(model=model),
        )
        for account in accounts
    ]


def desk(
    lanes: list[Outlet], settings: Pool, discipline: Discipline, random: Random, now: int, *, tiered: bool
) -> Desk:
    """A desk over these outlets."""
    rules = Rules(settings.max_waiting, tiered=tiered)
    return Desk(Outlets(lanes, Headroom()), make(discipline), random.random, rules, now)


def follow(outlet: Outlet, reply: Reply, window: str, now: int) -> bool:
    """Take over the limits that a reply shows. True when they are others than before."""
    changed = False
    for allowed, shown in ((outlet.quota.requests, reply.limits.rpm), (outlet.quota.tokens, reply.limits.tpm)):
        limit = mirrored(shown, window)
        if allowed and allowed[0].limit != limit:
            allowed[0].resize(limit, now)
            changed = True
    return changed
