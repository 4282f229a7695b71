"""The published windows: exact tables, and what they never admit whatever arrives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.twin.windows import (
    MINUTE,
    NEVER,
    SECOND,
    SHAPES,
    Continuous,
    Fixed,
    Quantised,
    Sliding,
    Window,
    make,
)

LIMITS = st.sampled_from([1, 7, 59, 60, 600, 3_000, 150_000, 10**12])
STEPS = st.lists(
    st.tuples(st.integers(0, MINUTE // 2) | st.sampled_from([0, 1, SECOND, MINUTE - 1, MINUTE]), st.floats(0, 1.2)),
    min_size=1,
    max_size=25,
)
FEW = settings(max_examples=30)  # an example plays a whole trace


def played(window: Window, steps: list[tuple[int, float]]) -> list[tuple[int, int]]:
    """Offer costs as shares of the limit, step after step; return (time, cost) of the admitted ones."""
    now, admitted = 0, []
    for step, share in steps:
        now += step
        cost = max(1, int(window.limit * share))
        if window.wait(cost, now) == 0:
            window.charge(cost, now)
            admitted.append((now, cost))
    return admitted


@FEW
@given(LIMITS, STEPS)
def test_continuous_never_admits_more_than_depth_and_refill(limit, steps):
    """In every interval of length t at most limit + limit·t/minute is admitted, exactly."""
    admitted = played(Continuous(limit, MINUTE, 0), steps)
    for first, (start, _) in enumerate(admitted):
        total = 0
        for at, cost in admitted[first:]:
            total += cost
            assert total * MINUTE <= limit * MINUTE + limit * (at - start)


@FEW
@given(LIMITS, STEPS)
def test_sliding_never_admits_more_than_the_limit_in_any_minute(limit, steps):
    """Every half-open interval of a minute holds at most the limit."""
    admitted = played(Sliding(limit, MINUTE), steps)
    for end, _ in admitted:
        assert sum(cost for at, cost in admitted if end - MINUTE < at <= end) <= limit


@FEW
@given(LIMITS, STEPS)
def test_aligned_fixed_never_admits_more_than_the_limit_in_a_clock_minute(limit, steps):
    """Each minute of the clock holds at most the limit."""
    totals: dict[int, int] = {}
    for at, cost in played(Fixed(limit, MINUTE, 0, aligned=True), steps):
        totals[at // MINUTE] = totals.get(at // MINUTE, 0) + cost
    assert all(total <= limit for total in totals.values())


@FEW
@given(LIMITS, STEPS)
def test_quantised_never_admits_more_than_its_part_in_a_second(limit, steps):
    """Each aligned second (or, below one a second, each width/limit) holds at most its part."""
    quantum = SECOND if limit >= 60 else MINUTE // limit
    part = max(1, limit // 60)
    totals: dict[int, int] = {}
    for at, cost in played(Quantised(limit, MINUTE, 0), [(step, share / 60) for step, share in steps]):
        totals[at // quantum] = totals.get(at // quantum, 0) + cost
    assert all(total <= part for total in totals.values())


@FEW
@given(st.sampled_from(SHAPES), LIMITS, STEPS, st.floats(0, 1.2))
def test_wait_is_exact(shape, limit, steps, share):
    """After `wait` microseconds the cost passes, one microsecond earlier it does not; `NEVER` means never."""
    window = make(shape, limit, MINUTE, 0)
    played(window, steps)
    now = sum(step for step, _ in steps)
    cost = max(1, int(limit * share))
    wait = window.wait(cost, now)
    if wait == NEVER:
        assert window.wait(cost, now + 10 * MINUTE) == NEVER
    elif wait:
        assert window.wait(cost, now + wait - 1) == 1
        assert window.wait(cost, now + wait) == 0


@FEW
@given(st.sampled_from(SHAPES), LIMITS, STEPS)
def test_remaining_and_reset_tell_the_truth(shape, limit, steps):
    """What remains could be charged at once (a second's part of it when quantised); after `reset` all of it."""
    window = make(shape, limit, MINUTE, 0)
    played(window, steps)
    now = sum(step for step, _ in steps)
    remaining = window.remaining(now)
    assert 0 <= remaining <= limit
    if shape != "quantised" and remaining:
        assert window.wait(remaining, now) == 0
    later = now + window.reset(now)
    assert window.remaining(later) == limit


@FEW
@given(st.sampled_from(SHAPES), LIMITS, STEPS)
def test_a_whole_refund_undoes_a_charge(shape, limit, steps):
    """Charge and refund at the same time leave what remained before."""
    window = make(shape, limit, MINUTE, 0)
    played(window, steps)
    now = sum(step for step, _ in steps)
    before = window.remaining(now), window.reset(now)
    window.charge(limit, now)
    window.refund(limit, now, now)
    assert (window.remaining(now), window.reset(now)) == before


@pytest.mark.parametrize(
    ("limit", "used", "remaining", "reset"),
    [
        (60_000, 55_212, 4_788, 55_212_000),
        (500, 1, 499, 120_000),
        (5_000, 1, 4_999, 12_000),
        (150_000, 150_000, 0, MINUTE),
    ],
)
def test_continuous_resets_as_real_samples_do(limit, used, remaining, reset):
    """Time to full is used/limit of a minute, as providers' headers show it."""
    window = Continuous(limit, MINUTE, 0)
    window.charge(used, 0)
    assert (remaining, reset) == (window.remaining(0), window.reset(0))


def test_fixed_begins_with_the_first_charge():
    """An idle window has no phase: the next charge sets it."""
    window = Fixed(10, MINUTE, 0)
    window.charge(10, 90 * SECOND)
    assert window.wait(1, 100 * SECOND) == 50 * SECOND
    assert window.wait(1, 150 * SECOND) == 0


def test_quantised_reports_the_minute_and_enforces_the_second():
    """At 6,000 a minute 100 pass in a second, while the headers still show 5,900."""
    window = Quantised(6_000, MINUTE, 0)
    window.charge(100, 0)
    assert window.remaining(0) == 5_900
    assert window.wait(1, 0) == SECOND
    assert window.wait(100, SECOND) == 0
    assert window.wait(101, SECOND) == NEVER


@pytest.mark.parametrize("shape", SHAPES)
def test_a_lower_limit_binds_at_once(shape):
    """After a cut of the limit nothing above it remains, and a cost above it never passes."""
    window = make(shape, 6_000, MINUTE, 0)
    window.relimit(600, 0)
    assert window.remaining(0) == 600
    assert window.wait(601, 0) == NEVER


@pytest.mark.parametrize("shape", ["continuous", "fixed", "sliding"])
def test_a_higher_limit_does_not_forget(shape):
    """What was used stays used when the limit rises."""
    window = make(shape, 600, MINUTE, 0)
    window.charge(600, 0)
    window.relimit(1_200, 0)
    assert window.remaining(0) == (0 if shape == "continuous" else 600)


def test_a_refund_of_an_expired_charge_gives_nothing():
    """A charge of the last period is gone already; its refund does not enlarge this one."""
    for window in (Fixed(10, MINUTE, 0), Sliding(10, MINUTE)):
        window.charge(4, 0)
        window.charge(3, MINUTE)
        window.refund(4, 0, MINUTE)
        assert window.remaining(MINUTE) == 7


def test_sliding_forgets_what_it_does_not_need():
    """Ten thousand charges over many minutes leave only the entries of the last one."""
    window = Sliding(10**9, MINUTE)
    for index in range(10_000):
        window.charge(1, index * SECOND)
    assert window.remaining(9_999 * SECOND) == 10**9 - 60
    assert len(window._times) < 2_200


def test_an_unknown_shape_is_named():
    """The error lists what there is."""
    with pytest.raises(ValueError, match="continuous, fixed, sliding, quantised"):
        make("leaky", 1, MINUTE, 0)


@settings(max_examples=20)
@given(st.integers(1, 10**12))
def test_limits_up_to_a_trillion_stay_exact(limit):
    """One token costs the same at 10^12 as at 60: nothing is rounded away."""
    window = Continuous(limit, MINUTE, 0)
    window.charge(limit, 0)
    assert window.wait(1, 0) == -(-MINUTE // limit)
