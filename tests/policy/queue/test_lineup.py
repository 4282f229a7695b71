"""How the lanes of a pool stood: what each had left, and why it could not serve."""

import pytest

from tidegate.model.outcome import Reason
from tidegate.model.story import AWAY, BUSY, COOLING, DRAINED, LARGE, OPEN, PROBING, SHORT, LaneSeen
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.drain import Drain
from tidegate.policy.pick import STRATEGIES, make
from tidegate.policy.queue.lineup import MOST_LANES, lineup, stands
from tidegate.policy.queue.outlet import Cap, Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.quota.average import Average
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.outputs import Outputs
from tidegate.policy.quota.quota import Charge, Quota

SECOND = 1_000_000
CALL = Charge(1_000, 1_000)


def outlet(name: str = "o/a/m", rpm: int = 60, tpm: int = 60_000, **more: object) -> Outlet:
    quota = Quota((Bucket(rpm, 0),) if rpm else (), (Bucket(tpm, 0),) if tpm else ())
    return Outlet(name, quota, **more)  # type: ignore[arg-type]


def refused(*, probed: bool = False) -> Outlet:
    one = outlet()
    one.breaker.fail(Reason.RATE, one.breaker.epochs, 0, 0, 12 * SECOND)
    if probed:
        one.breaker.enter()
    return one


def drained() -> Outlet:
    drain = Drain()
    one = outlet(breaker=Breaker(drain=drain))
    drain.put(on=True)
    return one


def full() -> Outlet:
    one = outlet(cap=Cap(1))
    one.take(CALL, 0)
    return one


def away() -> Outlet:
    one = full()
    one.cap.shut = True
    return one


def spent() -> Outlet:
    one = outlet()
    one.take(Charge(60_000), 0)
    return one


@pytest.mark.parametrize(
    ("one", "state", "wait"),
    [
        (outlet(), OPEN, 0),
        (outlet(rpm=0, tpm=0), OPEN, 0),
        (spent(), SHORT, SECOND),
        (refused(), COOLING, 12 * SECOND),
        (refused(probed=True), PROBING, 0),
        (drained(), DRAINED, 0),
        (full(), BUSY, 0),
        (away(), AWAY, 0),
    ],
)
def test_why_a_lane_cannot_serve(one: Outlet, state: str, wait: int) -> None:
    """In a word, with the time until it can where one is known."""
    assert stands(one, CALL, 0, 0) == (state, wait)
    assert one.fits(CALL, 0) is (state == OPEN)


def test_a_call_above_a_firm_limit_never_passes() -> None:
    """It is too large, which is not a wait."""
    one = outlet(tpm=500)
    one.quota.tokens[0].firm_until = SECOND
    assert stands(one, CALL, 0, 0) == (LARGE, 0)


def test_what_a_lower_tier_leaves_for_others_is_not_there_for_it() -> None:
    """As `fits` has it."""
    one = outlet()
    one.take(CALL, 0)
    assert stands(one, CALL, 59_500, 0)[0] == SHORT
    assert stands(one, CALL, 0, 0)[0] == OPEN


def test_what_each_had_left_of_what() -> None:
    """Of the limit with the least; 0 of 0 where there is none. Debt is negative."""
    rich, poor, free = outlet("o/rich/m"), outlet("o/poor/m"), outlet("plain", rpm=0, tpm=0)
    poor.take(Charge(61_000), 0)
    free.outputs = Outputs((Bucket(900, 0),), Average())
    free.outputs.take(100, 0)
    first, second, third = lineup([rich, poor, free], make("headroom"), CALL, 0, 0)
    assert first == LaneSeen("rich", OPEN, 0, 60, 60, 60_000, 60_000, calls=0, score=983)
    assert (second.scope, second.state, second.requests, second.tokens, second.calls) == ("poor", SHORT, 59, -1_000, 1)
    assert (third.scope, third.request_limit, third.token_limit, third.outputs, third.output_limit) == (
        "plain", 0, 0, 800, 900,
    )  # fmt: skip


def test_of_several_limits_the_scarcest_is_told() -> None:
    """Whichever comes first."""
    for sizes in ((900, 500), (500, 900)):
        one = Outlet("o/a/m", Quota((), tuple(Bucket(size, 0) for size in sizes)))
        (seen,) = lineup([one], make("headroom"), Charge(1), 0, 0)
        assert (seen.tokens, seen.token_limit) == (500, 500)


def test_of_many_a_few_are_told_and_the_one_that_was_taken() -> None:
    """Whatever the size of the pool."""
    many = [outlet(f"o/{number}/m") for number in range(100)]
    told = [one.scope for one in lineup(many, make("headroom"), CALL, 0, 0, many[77])]
    assert (len(told), told[0], told[-1]) == (MOST_LANES, "0", "77")
    assert [one.scope for one in lineup(many, make("headroom"), CALL, 0, 0, many[3])][-1] == "7"


@pytest.mark.parametrize(
    ("rule", "scores"),
    [
        ("headroom", (983, 966)),
        ("least_loaded", (0, 1_000)),
        ("weighted", (1_000, 3_000)),
        ("affinity", (0, 500)),
    ],
)
def test_each_rule_tells_what_it_compares(rule: str, scores: tuple[int, int]) -> None:
    """By the name that the configuration gives it."""
    idle, laden = outlet("o/idle/m"), outlet("o/laden/m", weight_milli=3_000)
    outlets = Outlets([idle, laden], make(rule))
    laden.take(CALL, 0)
    assert outlets.rule == rule
    assert tuple(one.score for one in outlets.lineup(CALL, 0, 0, None)) == scores


def test_every_strategy_has_its_name() -> None:
    """The one by which it is configured."""
    assert [make(name).name for name in STRATEGIES] == list(STRATEGIES)


def test_of_a_crowd_some_are_told() -> None:
    """Twenty at once, and then twenty a second: the rest of a crowd would cost more than it tells."""
    pool = Outlets([outlet("o/a/m"), outlet("o/b/m")], make("headroom"))
    assert [bool(pool.lineup(CALL, 0, 0, None)) for _ in range(22)] == [True] * 20 + [False] * 2
    told = [now for now in range(0, SECOND, 1_000) if pool.lineup(CALL, 0, now, None)]
    assert told == [*range(50_000, SECOND, 50_000)]
    assert sum(bool(pool.lineup(CALL, 0, 5 * SECOND, None)) for _ in range(30)) == 20
