"""What holds for everything that can be spent, whatever its shape."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.allowance import NEVER, Allowance
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.window import SlidingLog

MINUTE = 60_000_000
Make = Callable[[int], Allowance]
SHAPES: dict[str, Make] = {
    "bucket": lambda limit: Bucket(limit, 0),
    "bucket with jitter": lambda limit: Bucket(limit, 0, jitter_us=250_000),
    "log": lambda limit: SlidingLog(limit, window_us=MINUTE),
    "log with jitter": lambda limit: SlidingLog(limit, window_us=MINUTE, jitter_us=250_000),
}
shapes = pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES.keys())


@shapes
def test_a_new_one_is_full(make: Make) -> None:
    """Its depth is left, nothing has to be waited for, and it never holds more than its limit."""
    allowed = make(1_000)
    assert allowed.limit == 1_000
    assert allowed.left(0) == allowed.depth <= 1_000
    assert allowed.view(0).reset_us == 0
    assert allowed.wait(1_000, 0) == 0
    assert allowed.wait(1_001, 0) == NEVER


@shapes
@given(
    st.lists(
        st.tuples(st.integers(0, MINUTE), st.integers(1, 1_000), st.integers(0, 1_000), st.booleans()), max_size=30
    )
)
def test_has_and_wait_agree_and_the_wait_suffices(make: Make, steps: list[tuple[int, int, int, bool]]) -> None:
    """`has` is `wait == 0`; after `wait` it can be taken; what is ahead only lengthens it; a give-back only helps."""
    allowed, now = make(1_000), 0
    for pause, cost, ahead, back in steps:
        now += pause
        wait = allowed.wait(cost, now)
        assert allowed.has(cost, now) == (wait == 0)
        assert allowed.wait(cost, now, ahead) >= wait
        if wait == 0:
            left = allowed.left(now)
            allowed.take(cost, now)
            assert allowed.left(now) == left - cost
            if back:
                allowed.correct(-cost, now, now)
                assert allowed.left(now) == left
    now += allowed.wait(700, now)
    assert allowed.has(700, now)


@shapes
def test_full_in_is_when_nothing_is_missing(make: Make) -> None:
    """A microsecond earlier something still is."""
    allowed = make(60)
    allowed.take(40, 0)
    full = allowed.view(0).reset_us
    assert full > 0
    assert allowed.view(full - 1).reset_us == 1
    assert allowed.view(full).reset_us == 0
    assert allowed.left(full) == allowed.depth


@shapes
def test_a_cost_of_nothing_passes_unless_in_debt(make: Make) -> None:
    """What is forwarded as it is costs no tokens; a debt holds even that."""
    allowed = make(60)
    allowed.take(60, 0)
    allowed.take(0, 0)
    allowed.take(10, 0)
    assert not allowed.has(0, 0)
    assert allowed.has(0, MINUTE + 1_000_000)
