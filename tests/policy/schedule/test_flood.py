"""One tenant floods at a hundred times the rate of 50 steady ones, and 50 rare ones come now and then."""

from dataclasses import dataclass, field
from itertools import combinations
from random import Random

import pytest

from tests.policy.schedule.crowd import SECOND
from tidegate.model.tenant import FREE, Tenant
from tidegate.policy.schedule.face import Scheduler, Ticket
from tidegate.policy.schedule.make import make

RATE = 66_667  # tokens a second: 4 M a minute
LARGEST = 3_000
MINUTE = 60 * SECOND
LENGTH = 3 * MINUTE
STEADY = [f"steady{at}" for at in range(50)]
RARE = [f"rare{at}" for at in range(50)]


@dataclass
class Flood:
    """What was served to whom, how long rare tenants waited, and the worst gap between steady tenants."""

    served: dict[str, int] = field(default_factory=dict)
    waits: list[int] = field(default_factory=list)
    gap: int = 0

    def jain(self) -> float:
        amounts = [self.served.get(name, 0) for name in ["flood", *STEADY]]
        return sum(amounts) ** 2 / (len(amounts) * sum(amount * amount for amount in amounts))

    def p99(self) -> float:
        return sorted(self.waits)[len(self.waits) * 99 // 100] / SECOND


def arrivals(chance: Random) -> list[Ticket]:
    """Steady tenants ask for 1.5 times what there is, the flood for three times, the rare each a call in 30 s."""
    pause = dict.fromkeys(STEADY, 50 * 2000 * SECOND // (RATE * 3 // 2))
    pause["flood"] = pause[STEADY[0]] // 100
    pause |= dict.fromkeys(RARE, 30 * SECOND)
    found = []
    for name, mean in pause.items():
        tenant, at = Tenant(name, FREE), chance.randrange(mean)
        while at < LENGTH:
            found.append(Ticket(tenant, chance.randint(1_000, LARGEST), at))
            at += round(mean * chance.uniform(0.5, 1.5))
    return sorted(found, key=lambda ticket: ticket.arrived)


def play(scheduler: Scheduler) -> Flood:
    """One server that takes a call's tokens at `RATE`; steady tenants are compared from the first half minute on."""
    seen = Flood()
    coming = arrivals(Random(7))
    now, at = 0, 0
    rows = dict.fromkeys(STEADY[:10], 0)
    low = dict.fromkeys(combinations(rows, 2), 0)
    high = dict(low)
    while now < LENGTH:
        while at < len(coming) and coming[at].arrived <= now:
            scheduler.push(coming[at], coming[at].arrived)
            at += 1
        if not len(scheduler):
            now = coming[at].arrived
            continue
        ticket = scheduler.pop(now)
        name = ticket.tenant.name
        if now > MINUTE // 2:
            seen.served[name] = seen.served.get(name, 0) + ticket.cost
            if name.startswith("rare"):
                seen.waits.append(now - ticket.arrived)
            if name in rows:
                rows[name] += ticket.cost
                for pair in low:
                    low[pair] = min(low[pair], rows[pair[0]] - rows[pair[1]])
                    high[pair] = max(high[pair], rows[pair[0]] - rows[pair[1]])
        now += ticket.cost * SECOND // RATE
    seen.gap = max(high[pair] - low[pair] for pair in low)
    return seen


@pytest.fixture(scope="module")
def dynamic() -> Flood:
    return play(make("dynamic"))


def test_the_flood_and_the_steady_share_alike(dynamic: Flood) -> None:
    """Jain's index over the flood and the 50 steady tenants is at least 0.999, where arrival order gives 0.04."""
    assert dynamic.jain() >= 0.999
    assert play(make("fifo")).jain() < 0.1


def test_steady_tenants_stay_within_the_bound(dynamic: Flood) -> None:
    """The gap of service over all intervals is at most 3 largest calls."""
    assert dynamic.gap <= 2.125 * LARGEST


def test_rare_tenants_wait_for_a_call_or_two(dynamic: Flood) -> None:
    """Their 99th percentile is below four calls' time, where arrival order makes them wait for half a minute."""
    assert dynamic.p99() <= 4 * LARGEST / RATE
    assert play(make("fifo")).p99() > 30


def test_turns_by_call_are_even_only_in_calls() -> None:
    """`round_robin` bounds calls: a rare tenant waits for one of each of the 51."""
    seen = play(make("round_robin"))
    assert seen.jain() >= 0.99
    assert 4 * LARGEST / RATE < seen.p99() <= 60 * LARGEST / RATE
