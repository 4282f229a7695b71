"""Of many outlets the right one is found without asking all; `test_outlets` judges it by a scan."""

from collections import deque

import pytest

from tidegate.model.outcome import Reason
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import Health
from tidegate.policy.queue.index import HEAL_US, Index
from tidegate.policy.queue.outlet import UNTOLD, Cap, Outlet, Tally
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.prefixes import Prefixes
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.window import SlidingLog

SECOND = 1_000_000
CHARGE = Charge(1_000)


class Endless:
    """Requests without end that count how often they are asked."""

    asked = 0
    limit = depth = 1_000_000

    def rate(self) -> float:
        return 1e6

    def wait(self, cost: int, now: int, ahead: int = 0) -> int:
        Endless.asked += 1
        return 0

    def has(self, cost: int, now: int) -> bool:
        Endless.asked += 1
        return True

    def take(self, cost: int, now: int) -> None:
        pass


def index(*outlets: Outlet) -> Index:
    tally = Tally()
    for outlet in outlets:
        outlet.join(tally)
    made = Index(outlets, tally, lambda: made.heard())  # noqa: PLW0108 - there is none yet
    made.catch_up(0)
    return made


def bucket(name: str, tpm: int = 60_000, rpm: int = 0, **shared: object) -> Outlet:
    requests = (Bucket(rpm, 0), Endless()) if rpm else (Endless(),)
    return Outlet(name, Quota(requests, (Bucket(tpm, 0),)), **shared)  # type: ignore[arg-type]


def drained(count: int) -> list[Outlet]:
    """Number `n` has nothing left, and n milliseconds of debt."""
    outlets = [bucket(f"o{number}") for number in range(count)]
    for number, outlet in enumerate(outlets):
        outlet.quota.tokens[0].take(60_000 + number, 0)
    return outlets


@pytest.mark.parametrize("cost", [1, 500, 30_000, 60_000])
def test_the_first_to_have_it_is_found_by_asking_few(cost: int) -> None:
    """Of a thousand, whatever the cost."""
    outlets = drained(1_000)
    made = index(*reversed(outlets))
    Endless.asked = 0
    wait, found = made.find(Charge(cost), 0, 0)
    assert found is outlets[0]
    assert wait == cost * 1_000
    assert Endless.asked < 20


def test_calls_in_turn_ask_few() -> None:
    """A thousand outlets serve three thousand waiting calls, each with a handful of questions."""
    outlets = drained(1_000)
    made, now, flying = index(*outlets), 0, deque[tuple[Outlet, Charge, int]]()
    Endless.asked = 0
    for number in range(3_000):
        charge = Charge([500, 1_000, 4_000][number % 3])
        wait, found = made.find(charge, 0, now)
        assert found is not None
        now += wait
        found.take(charge, now)
        flying.append((found, charge, now))
        if number >= 500:
            one, ended, taken_at = flying.popleft()
            one.settle(ended.tokens, ended.tokens // 2, taken_at, now)
    assert Endless.asked < 3_000 * 8 + (1 + now // HEAL_US) * 1_000


def test_a_refund_brings_it_forward() -> None:
    """The end of a call is noticed without anybody telling."""
    one, two = drained(2)
    made = index(one, two)
    two.take(Charge(30_000), 0)
    assert made.find(CHARGE, 0, 0) == (SECOND, one)
    two.settle(30_000, 0, 0, 0)
    two.quota.correct(-5_000, 0, 0)
    made.changed(two)
    assert made.find(CHARGE, 0, 0) == (0, two)


def test_closed_ones_are_parked_and_come_back() -> None:
    """At the time that the provider named; a probe's outcome, however it comes, is heard of."""
    health = Health()
    one = bucket("one", breaker=Breaker(None, health))
    other = Breaker(None, health)
    made = index(one)
    one.breaker.listen(made.heard)
    other.fail(Reason.OVERLOAD, other.epochs, 0, 0, 2 * SECOND)
    assert made.find(CHARGE, 0, 0) == (2 * SECOND, one)
    assert (made.parked, made.ready) == (1, [])
    probe = other.enter()
    assert probe
    assert made.find(CHARGE, 0, 2 * SECOND)[0] == UNTOLD
    other.succeed(other.epochs)
    assert made.find(CHARGE, 0, 2 * SECOND) == (0, one)
    assert (made.parked, made.ready) == (0, [one])


def test_a_cap_is_heard_of() -> None:
    """Another model's call of the scope ended."""
    cap = Cap(1)
    one, other = bucket("one", cap=cap), bucket("other", cap=cap)
    made = index(one)
    other.take(CHARGE, 0)
    assert made.find(CHARGE, 0, 0)[0] == UNTOLD
    assert made.parked == 1
    other.keep(CHARGE.tokens)
    assert made.find(CHARGE, 0, 0) == (0, one)


def test_scarce_requests_park() -> None:
    """Tokens are plenty: the first request decides, and few are asked."""
    outlets = [bucket(f"o{number}", rpm=60) for number in range(500)]
    for number, outlet in enumerate(outlets):
        outlet.quota.requests[0].take(60 + number // 100, 0)
    made = index(*reversed(outlets))
    wait, found = made.find(CHARGE, 0, 0)
    assert wait == SECOND
    assert found in outlets[:100]
    assert made.parked == 500
    Endless.asked = 0
    made.find(CHARGE, 0, 10)
    assert Endless.asked < 10


def test_sizes_and_misfits_are_compared() -> None:
    """Small and large buckets, logs and what has no limit: the soonest of all."""
    small, large = bucket("small", 6_000), bucket("large", 600_000)
    log = Outlet("log", Quota((), (SlidingLog(60_000, window_us=60 * SECOND),)))
    for outlet, tokens in ((small, 6_000), (large, 601_000), (log, 60_000)):
        outlet.quota.tokens[0].take(tokens, 0)
    made = index(small, large, log)
    assert made.find(Charge(10), 0, 0) == (100_000, small)
    assert made.find(Charge(5_000), 0, 0) == (600_000, large)
    assert made.find(Charge(700_000, 700_000), 0, 0) == (NEVER, None)
    free = Outlet("free", Quota())
    assert index(small, large, log, free).find(Charge(700_000), 0, 0) == (0, free)


def test_what_nobody_told_is_found_in_the_end() -> None:
    """A limit that grew behind its back counts after `HEAL_US` at the latest, at once when it was told."""
    outlets = drained(20)
    made = index(*outlets)
    last = outlets[-1]
    last.quota.tokens[0].resize(6_000_000, 0)
    assert made.find(Charge(2_000), 0, 0)[1] is outlets[0]
    made.renew()
    assert made.find(Charge(2_000), 0, 0)[1] is last
    last.quota.tokens = ()
    assert made.find(Charge(2_000), 0, HEAL_US) == (0, last)


def test_the_heaps_do_not_grow() -> None:
    """However often calls end."""
    outlets = drained(5)
    made = index(*outlets)
    for step in range(1_000):
        outlet = outlets[step % 5]
        outlet.take(CHARGE, step)
        made.find(CHARGE, 0, step)
        outlet.settle(1_000, 900, step, step)
        made.find(CHARGE, 0, step)
    assert all(len(size.heap) <= 4 * 5 + 1 for size in made._sizes.values())
    assert len(made._parked_heap) <= 5


def test_where_a_prompt_is_cached_is_found() -> None:
    """Though others are full sooner: there it needs to be less full. By the time at which it can serve."""
    outlets = drained(20)
    ring = index(*outlets)
    for number, cached in ((7, 500), (15, 900)):
        outlets[number].prefixes = Prefixes()
        outlets[number].prefixes.learn(3, cached, 0)  # type: ignore[union-attr]
    assert ring.find(Charge(1_000, 0, 3), 0, 0) == (115_000, outlets[15])
    assert ring.find(Charge(1_000, 0, 4), 0, 0) == (1_000_000, outlets[0])
