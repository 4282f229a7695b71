"""Limits learnt and held against a provider in virtual time, as the twin judges it: minutes in a second."""

from collections.abc import Callable
from random import Random

import pytest

from tests.line.world import RPM, World, minutes
from tidegate.testing.clock import SECOND
from tidegate.twin.settings import Limits

TPM = 1_000_000
GHOST = 300


def mixed(rng: Random) -> int:
    """Costs as different as in real traffic."""
    return int(min(30_000, max(20, rng.lognormvariate(6.5, 1.2))))


def short(_: Random) -> int:
    return 2_000


COSTS = pytest.mark.parametrize("cost", [short, mixed], ids=["2k", "mixed"])


@COSTS
@pytest.mark.parametrize(("delay", "think"), [((5, 250), (20, 200)), ((0, 2), (1, 5)), ((5, 250), (500, 10_000))])
def test_alone_all_is_used_and_nothing_refused(
    cost: Callable[[Random], int], delay: tuple[int, int], think: tuple[int, int]
) -> None:
    """Whatever calls and replies overtake each other: the mirror thinks of nobody else."""
    world = World(TPM, cost=cost, delay_ms=delay, think_ms=think).run(60)
    got = list(minutes(world, 2))
    assert sum(tokens for tokens, _ in got) >= 0.99 * 2 * TPM
    assert sum(refused for _, refused in got) == 0
    assert world.mirror.booked <= TPM // 100


@COSTS
@pytest.mark.parametrize("seed", [1, 2])
def test_what_others_leave_is_used(cost: Callable[[Random], int], seed: int) -> None:
    """Three tenths are used behind our back: of the rest 98 %, and of a thousand calls not one is refused."""
    world = World(TPM, ghost=GHOST, cost=cost, seed=seed).run(60)
    start = world.second
    got = list(minutes(world, 4))
    assert sum(tokens for tokens, _ in got) >= 0.98 * 4 * (TPM * (1_000 - GHOST) // 1_000)
    assert world.books.refusals(start, world.second) * 1_000 <= world.books.calls(start, world.second)
    others = world.mirror.belief(world.now).others
    assert 0.8 * GHOST <= others * 1_000 / TPM <= 1.2 * GHOST


@pytest.mark.parametrize(("on", "period"), [(1, 2), (3, 10)])
def test_others_that_come_in_bursts(on: int, period: int) -> None:
    """The same three tenths at once every few seconds: hardly a call in three hundred is refused."""
    world = World(TPM)
    each = TPM * GHOST // 1_000 * period // (60 * 10 * on)
    for step in range(3_000):
        if step % (10 * period) < 10 * on and not world.meter.quota.tokens.wait(each, world.now):
            world.burst(each)
        world.run(0.1)
    assert world.books.tokens(60, 300) >= 0.95 * 4 * (TPM * (1_000 - GHOST) // 1_000)
    assert world.books.refusals(60, 300) * 300 <= world.books.calls(60, 300)


def test_others_that_leave_are_forgotten() -> None:
    """Two minutes later all of the quota is used again, and almost nothing is kept back."""
    world = World(TPM)
    for step in range(2_400):
        if step < 1_200:
            world.burst(TPM * GHOST // 1_000 // 600)
        world.run(0.1)
    ((tokens, refused),) = minutes(world, 1)
    assert (tokens >= 0.99 * TPM, refused) == (True, 0)
    assert world.mirror.belief(world.now).others < TPM // 100


@COSTS
@pytest.mark.parametrize("window", ["continuous", "sliding"])
@pytest.mark.parametrize("factor", [500, 2_000], ids=["halved", "doubled"])
def test_a_limit_that_changes_without_a_word(cost: Callable[[Random], int], window: str, factor: int) -> None:
    """Two windows later all of the new one is used; what was refused was sent before any reply could show it."""
    world = World(TPM, configured=2 * TPM, window=window, cost=cost).run(90)
    start = world.second
    world.meter.relimit(Limits(RPM, TPM * factor // 1_000), world.now)
    world.run(120)
    assert world.books.refusals(start, world.second, "avoidable", "ghost") == 0
    assert world.mirror.limit == TPM * factor // 1_000
    got = list(minutes(world, 3))
    full = 0.99 if window == "continuous" else 0.97
    assert sum(tokens for tokens, _ in got) >= full * 3 * TPM * factor / 1_000
    assert sum(refused for _, refused in got) == 0


def stalled(longest_ms: int) -> list[tuple[int, int]]:
    """Every few seconds nothing gets through for up to so long."""
    rng = Random(4)
    return [(start, start + rng.randrange(longest_ms) * 1_000) for start in range(3 * SECOND, 900 * SECOND, 4 * SECOND)]


@pytest.mark.parametrize(
    ("window", "jitter", "longest", "least"),
    [("sliding", 100, 900, 99), ("fixed", 100, 900, 99), ("quantised", 5, 300, 98)],
)
def test_a_busy_machine_costs_no_refusal(window: str, jitter: int, longest: int, least: int) -> None:
    """Calls that arrive later than the jitter allows for leave the provider's window later, and the log knows it."""
    world = World(
        TPM, window=window, jitter_us=jitter * 1_000, cost=lambda _: 2_080, delay_ms=(1, 4), think_ms=(20, 40),
        stalls=stalled(longest),
    )  # fmt: skip
    world.every_us = 60 * SECOND * 2_080 // (3 * TPM)
    got = list(minutes(world, 4))
    assert sum(tokens for tokens, _ in got) * 100 >= least * 4 * TPM
    assert sum(refused for _, refused in got) == 0
    assert world.mirror.booked == 0


@pytest.mark.parametrize("late_ms", [40, 70, 100, 150, 300])
def test_a_first_call_that_is_late_costs_no_refusal(late_ms: int) -> None:
    """A full bucket refills nothing until it arrives: that is noticed however little it is beside the limit."""
    world = World(TPM, jitter_us=25_000, cost=lambda _: 2_080, delay_ms=(1, 4), stalls=[(0, late_ms * 1_000)])
    world.every_us = 60 * SECOND * 2_080 // (3 * TPM)
    assert sum(refused for _, refused in minutes(world, 2)) == 0


def lying(rng: Random, share: float, **lie: bytes) -> Callable[[int, dict[str, bytes]], dict[str, bytes]]:
    return lambda _, shown: {**shown, **lie} if rng.random() < share else shown


@pytest.mark.parametrize(
    ("share", "lie"),
    [
        (0.05, {"limit": b"50000", "left": b"100"}),
        (0.5, {"left": b"-1"}),
        (0.2, {"limit": b"0"}),
        (0.2, {"limit": b"1500000", "left": b"43244", "reset": b"23h18m29.144s"}),
    ],
    ids=["a lower limit now and then", "nothing left", "no limit", "the day's"],
)
def test_headers_that_lie_cost_little(share: float, lie: dict[str, bytes]) -> None:
    """The configured limit is used all the same, and nothing is refused for it."""
    world = World(TPM, says=lying(Random(3), share, **lie)).run(120)
    got = list(minutes(world, 3))
    assert sum(tokens for tokens, _ in got) >= 0.97 * 3 * TPM
    assert sum(refused for _, refused in got) == 0


def test_a_provider_that_shows_nothing() -> None:
    """Its limit is found by its refusals: nine tenths of it are used, and hardly a call in two hundred is refused."""
    world = World(TPM, configured=0, says=lambda *_: {})
    world.most_in_flight = 100
    world.run(600)
    start = world.second
    got = list(minutes(world, 10))
    assert sum(tokens for tokens, _ in got) >= 0.9 * 10 * TPM
    assert world.books.refusals(start, world.second) * 200 <= world.books.calls(start, world.second)


def test_a_restart_goes_on_where_the_quota_stands() -> None:
    """The mirror continues from the last level and belief: nothing is refused, nothing is wasted."""
    world = World(TPM, configured=2 * TPM).run(90)
    belief, left, at = world.mirror.belief(world.now), world.mirror.left(world.now), world.now
    world.paused = lambda now: now < at + 3 * SECOND
    world.run(3)
    world.restart(belief, left, at)
    start = world.second
    (tokens, refused), *_ = minutes(world, 1)
    assert world.mirror.limit == TPM
    assert tokens >= 0.99 * TPM
    assert refused == 0
    assert start > 90
