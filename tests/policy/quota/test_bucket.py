"""The bucket against exact fractions: never a token too many, never one lost to rounding."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.bucket import WINDOW_US, Bucket, tick_us

SECOND = 1_000_000
LIMITS = st.sampled_from([1, 2, 3, 7, 60, 999, 3_000, 150_000, 2_000_000, 10**8, 10**9, 10**12])
JITTERS = st.sampled_from([0, 1, 7, 250_000, 1_000_000, 59_000_000])


class Exact:
    """What a bucket is by definition, in fractions of tokens, ticking as the bucket does."""

    def __init__(self, limit: int, now: int, jitter_us: int = 0, window_us: int = WINDOW_US) -> None:
        self.tick = tick_us(limit, window_us)
        window = window_us // self.tick
        self.rate = Fraction(limit, window)
        self.capacity = self.rate * (window - -(-jitter_us // self.tick))
        self.level = self.capacity
        self.at = now // self.tick

    def refill(self, now: int) -> Fraction:
        self.level = min(self.capacity, self.level + (now // self.tick - self.at) * self.rate)
        self.at = now // self.tick
        return self.level


@given(LIMITS, JITTERS, st.integers(0, 10**9), st.data())
def test_it_is_the_exact_bucket(limit: int, jitter: int, now: int, data: st.DataObject) -> None:
    """Whatever is taken, corrected and asked, what is left is what fractions say: nothing is rounded, nothing lost."""
    bucket, exact = Bucket(limit, now, jitter_us=jitter), Exact(limit, now, jitter)
    for _ in range(data.draw(st.integers(1, 12))):
        now += data.draw(st.one_of(st.integers(0, 50), st.integers(0, 2 * WINDOW_US)))
        cost = data.draw(st.integers(0, limit))
        before = exact.refill(now)
        assert bucket.left(now) == before.numerator // before.denominator
        wait = bucket.wait(cost, now)
        assert bucket.has(cost, now) == (wait == 0)
        if wait == 0:
            bucket.take(cost, now)
            exact.level -= cost
        delta = data.draw(st.integers(-cost, cost))
        bucket.correct(delta, now, now)
        exact.level = min(exact.capacity, exact.level - delta)


@given(LIMITS, JITTERS, st.lists(st.tuples(st.integers(0, WINDOW_US), st.integers(0, 100)), max_size=40))
def test_no_interval_admits_more_than_it_promises(limit: int, jitter: int, steps: list[tuple[int, int]]) -> None:
    """Over any interval of T ticks at most limit × (window − jitter) + limit × T, a token being `window` units."""
    bucket = Bucket(limit, 0, jitter_us=jitter)
    tick = tick_us(limit, WINDOW_US)
    window, depth = WINDOW_US // tick, bucket.depth
    capacity = limit * (window - -(-jitter // tick))
    now, admitted = 0, [(0, 0)]
    for pause, percent in steps:
        now += pause
        cost = depth * percent // 100
        if bucket.has(cost, now):
            bucket.take(cost, now)
            admitted.append((now // tick, cost))
    for first in range(len(admitted)):
        total = 0
        for at, cost in admitted[first:]:
            total += cost
            assert total * window <= capacity + limit * (at - admitted[first][0])


@given(st.sampled_from([160, 3_000, 150_000, 10**9, 10**12]), st.data())
def test_what_was_really_spent_keeps_the_promise_too(limit: int, data: st.DataObject) -> None:
    """Calls reserved high and settled low, a quarter of the bucket in flight: what they really cost stays within it."""
    bucket, tick = Bucket(limit, 0), tick_us(limit, WINDOW_US)
    window, now = WINDOW_US // tick, 0
    open_calls: list[tuple[int, int]] = []
    spent: list[tuple[int, int]] = []

    def settle(share: float) -> None:
        taken_at, reserved = open_calls.pop(0)
        real = int(reserved * share)
        bucket.correct(real - reserved, taken_at, now)
        spent.append((taken_at // tick, real))

    bursts = st.tuples(st.integers(0, WINDOW_US), st.integers(1, 30), st.lists(st.floats(0, 1), max_size=6))
    for pause, calls, settled in data.draw(st.lists(bursts, min_size=1, max_size=8)):
        now += pause
        for _ in range(calls):
            if bucket.has(limit // 16, now):
                bucket.take(limit // 16, now)
                open_calls.append((now, limit // 16))
            if len(open_calls) == 4:
                settle(0.9)
        for share in settled[: len(open_calls)]:
            settle(share)
    spent = sorted(spent + [(at // tick, cost) for at, cost in open_calls])
    for first in range(len(spent)):
        total = 0
        for at, cost in spent[first:]:
            total += cost
            assert total * window <= limit * window + limit * (at - spent[first][0])


@given(LIMITS, JITTERS, st.integers(0, 10**7), st.data())
def test_the_wait_is_exact(limit: int, jitter: int, now: int, data: st.DataObject) -> None:
    """After the wait it can be taken, one tick earlier it cannot."""
    bucket, tick = Bucket(limit, now, jitter_us=jitter), tick_us(limit, WINDOW_US)
    bucket.take(data.draw(st.integers(0, 3 * limit)), now)
    now += data.draw(st.integers(0, WINDOW_US))
    cost = data.draw(st.integers(1, limit))
    wait = bucket.wait(cost, now)
    if wait:
        assert bucket.wait(cost, now + wait - tick) > 0
        assert not bucket.has(cost, now + wait - tick)
    assert bucket.wait(cost, now + wait) == 0
    assert bucket.has(cost, now + wait)


@given(st.sampled_from([1, 7, 60, 3_000, 150_000]), st.lists(st.integers(0, 10**6), max_size=30))
def test_asking_changes_nothing(limit: int, pauses: list[int]) -> None:
    """A bucket that is asked at every moment is left with what one that was never asked has."""
    asked, unasked = Bucket(limit, 0), Bucket(limit, 0)
    asked.take(limit, 0)
    unasked.take(limit, 0)
    now = 0
    for pause in pauses:
        now += pause
        asked.left(now), asked.wait(1, now), asked.view(now).reset_us, asked.has(1, now)
    assert asked.wait(limit, now) == unasked.wait(limit, now)
    assert asked.left(now) == unasked.left(now)


@given(LIMITS, st.lists(st.integers(1, 10), min_size=1, max_size=8))
def test_a_queue_is_served_when_it_was_told(limit: int, costs: list[int]) -> None:
    """`ahead` is what stands before: each of a queue goes at the time predicted when it joined.

    Exactly, but for the part of a tick that a brim-full bucket cannot hold, once for each call of the whole limit.
    """
    bucket, tick = Bucket(limit, 0), tick_us(limit, WINDOW_US)
    bucket.take(limit, 0)
    costs = [min(cost, limit) for cost in costs]
    ahead, told = 0, []
    for cost in costs:
        told.append(bucket.wait(cost, 0, ahead))
        ahead += cost
    for cost, at in zip(costs, told, strict=True):
        assert bucket.wait(cost, at) <= tick * costs.count(limit)
        bucket.take(cost, at)


def test_what_exceeds_the_limit_never_passes() -> None:
    """A cost above the limit is refused for ever, at any level."""
    bucket = Bucket(100, 0)
    assert bucket.wait(101, 0) == NEVER
    assert not bucket.has(101, 0)
    assert bucket.wait(100, 0) == 0


def test_a_cost_between_depth_and_limit_takes_a_full_bucket_and_leaves_a_debt() -> None:
    """Jitter makes the bucket shallower than the limit; a call of the whole limit still passes, alone."""
    bucket = Bucket(60_000, 0, jitter_us=SECOND)
    assert bucket.depth == 59_000
    bucket.take(1, 0)
    assert bucket.wait(60_000, 0) == SECOND // 1_000
    assert not bucket.has(60_000, 999)
    assert bucket.has(60_000, 1_000)
    bucket.take(60_000, 1_000)
    assert bucket.left(1_000) == -1_000
    assert bucket.wait(1, 1_000) == SECOND + 1_000


def test_debt_is_paid_by_the_refill() -> None:
    """What was taken beyond the level is missing later, to the microsecond."""
    bucket = Bucket(60, 0)
    bucket.take(90, 0)
    assert bucket.left(0) == -30
    assert bucket.wait(1, 0) == 31 * SECOND
    assert bucket.view(0).reset_us == 90 * SECOND
    assert bucket.left(29 * SECOND) == -1
    assert bucket.left(31 * SECOND) == 1


def test_a_correction_gives_back_what_still_stands() -> None:
    """While the bucket is low, all of it; never more than there is room for."""
    bucket = Bucket(60, 0)
    bucket.take(55, 0)
    bucket.correct(-30, 0, 10 * SECOND)
    assert bucket.left(10 * SECOND) == 45
    bucket = Bucket(60, 0)
    bucket.take(60, 0)
    bucket.correct(-60, 0, 40 * SECOND)
    assert bucket.left(40 * SECOND) == 60
    assert bucket.view(40 * SECOND).reset_us == 0


def test_a_correction_of_what_has_flowed_in_again_gives_nothing_back() -> None:
    """The bucket was full since: the provider has forgotten that call, and a burst has used what came instead.

    Ten a minute. Four are taken and never sent; a minute later ten are, and then it is known that the four were not.
    """
    bucket = Bucket(10, 0)
    bucket.take(4, 0)
    bucket.take(10, 60 * SECOND)
    bucket.correct(-4, 0, 60 * SECOND)
    assert bucket.left(60 * SECOND) == 0
    bucket.correct(4, 0, 60 * SECOND)
    assert bucket.left(60 * SECOND) == -4


def test_a_clock_that_goes_back_refills_nothing() -> None:
    """An earlier `now` is treated as the latest seen one."""
    bucket = Bucket(60, 100 * SECOND)
    bucket.take(60, 100 * SECOND)
    assert bucket.left(0) == 0
    assert bucket.left(101 * SECOND) == 1


@pytest.mark.parametrize(("left", "age", "expected"), [(10, 5, 15), (0, 0, 0), (-5, 10, 5), (55, 30, 60), (99, 0, 60)])
def test_restore_continues_from_an_earlier_moment(left: int, age: int, expected: int) -> None:
    """What was left some seconds ago, and the refill since, up to the depth."""
    bucket = Bucket(60, 100 * SECOND)
    bucket.restore(left, (100 - age) * SECOND, 100 * SECOND)
    assert bucket.left(100 * SECOND) == expected


@given(LIMITS, LIMITS, JITTERS, st.data())
def test_a_new_limit_keeps_what_was_left(old: int, new: int, jitter: int, data: st.DataObject) -> None:
    """What was left stays left as far as it fits, and from then on the new limit refills and bounds."""
    bucket = Bucket(old, 0, jitter_us=jitter)
    bucket.take(data.draw(st.integers(0, 2 * old)), 0)
    now = data.draw(st.integers(0, WINDOW_US))
    left = bucket.left(now)
    bucket.resize(new, now)
    assert bucket.limit == new
    assert bucket.left(now) == min(left, bucket.depth)
    fresh = Bucket(new, now, jitter_us=jitter)
    assert bucket.left(now + 3 * WINDOW_US) <= fresh.left(now)
    assert bucket.depth == fresh.depth


@pytest.mark.parametrize("limit", [1, 150_000, 10**8, 10**9, 10**12, 10**15, 10**18])
def test_every_limit_stays_exact_in_a_double(limit: int) -> None:
    """Ticks grow coarser with the limit, and even an absurd one has a window to divide by."""
    tick = tick_us(limit, WINDOW_US)
    assert WINDOW_US % tick == 0
    assert tick < WINDOW_US
    if limit <= 10**12:
        assert limit * (WINDOW_US // tick) < 2**53
    bucket = Bucket(limit, 0, jitter_us=250_000)
    assert min(limit - 1, 1) <= bucket.depth <= limit
    assert bucket.wait(limit, 0) == 0
    bucket.take(limit, 0)
    assert bucket.wait(1, 0) > 0


def test_a_short_window_bursts_and_refills() -> None:
    """`bucket_capacity: 100` with 5 a second: a hundred at once, then one each 200 ms."""
    bucket = Bucket(100, 0, window_us=20 * SECOND)
    assert bucket.wait(100, 0) == 0
    bucket.take(100, 0)
    assert bucket.wait(1, 0) == 200_000
    assert bucket.wait(1, 0, ahead=4) == SECOND


def test_what_is_used_of_it() -> None:
    """What it lacks, rounded up; nothing when full, its limit in debt, less as time goes."""
    bucket = Bucket(600, 0, jitter_us=1_000_000)
    assert bucket.used(0) == 0
    bucket.take(300, 0)
    assert (bucket.used(0), bucket.used(1_000_000), bucket.used(60_000_000)) == (300, 290, 0)
    bucket.take(5_000, 60_000_000)
    assert bucket.used(60_000_000) == 600
