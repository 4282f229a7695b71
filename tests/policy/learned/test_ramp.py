"""After a rate that rose too fast."""

from tidegate.policy.learned.ramp import HOLD_US, LEAST, STEP_US, Ramp

MINUTE = 60_000_000


def test_the_rate_of_before_is_held_and_grows_slowly() -> None:
    """A quarter of an hour; then a tenth a minute, until it binds nothing."""
    ramp = Ramp(60, 600, 0)
    assert ramp.limit == 60
    assert ramp.grow(600, HOLD_US - 1)
    assert ramp.limit == 60
    assert ramp.grow(600, HOLD_US)
    assert ramp.limit == 66
    now = HOLD_US
    while ramp.grow(600, now):
        now += STEP_US
    assert 20 * MINUTE < now - HOLD_US < 30 * MINUTE


def test_calls_go_out_evenly() -> None:
    """No burst: at most a few seconds' worth at once."""
    bucket = Ramp(600, 6_000, 0).bucket
    sent = 0
    while bucket.has(1, 0):
        bucket.take(1, 0)
        sent += 1
    assert 0 < sent <= 50
    assert bucket.wait(1, 0) == 100_000


def test_without_a_rate_before_it_is_half_of_the_last() -> None:
    """A gate that has just started, or was slowing down already."""
    assert Ramp(0, 600, 0).limit == 300
    assert Ramp(900, 600, 0).limit == 300


def test_who_hardly_called_has_no_slope_to_hold() -> None:
    """One call a second always goes, however often it was refused."""
    ramp = Ramp(0, 2, 0)
    assert ramp.limit == LEAST
    ramp.again(1, 2)
    assert ramp.limit == LEAST
    assert ramp.bucket.has(5, 2)


def test_another_one_halves_and_holds_anew() -> None:
    """Those in flight count once."""
    ramp = Ramp(600, 6_000, 10)
    ramp.again(10, 20)
    assert ramp.limit == 600
    ramp.again(11, MINUTE)
    assert ramp.limit == 300
    ramp.grow(0, HOLD_US + 30_000_000)
    assert ramp.limit == 300
    ramp.grow(0, HOLD_US + MINUTE)
    assert ramp.limit == 330


def test_it_ends_where_no_limit_is_known_too() -> None:
    """Far above what was refused."""
    ramp, now = Ramp(60, 600, 0), HOLD_US
    while ramp.grow(0, now):
        now += STEP_US
    assert ramp.limit >= 2_400
