"""One dimension of a quota, followed by what the provider shows of it."""

import msgspec
import pytest

from tests.line.scenes import MINUTE, PROFILE
from tidegate.line.mirror import Mirror
from tidegate.policy.headers import Seen
from tidegate.policy.window import SlidingLog
from tidegate.testing.clock import SECOND

START = 10 * MINUTE


def mirror(configured: int = 0, window: str = "continuous", jitter_us: int = 0) -> Mirror:
    return Mirror(configured, msgspec.structs.replace(PROFILE, window=window, jitter_us=jitter_us), START)


def limit_of(held: Mirror) -> int:
    return held.allowances[0].limit if held.allowances else 0


@pytest.mark.parametrize(
    ("configured", "shown", "limit"),
    [(0, 0, 0), (100, 0, 100), (0, 50, 50), (100, 50, 50), (100, 200, 100), (100, 100, 100)],
)
def test_the_smaller_of_what_is_configured_and_shown(configured: int, shown: int, limit: int) -> None:
    """Either may be unknown; both unknown is no limit at all."""
    held = mirror(configured)
    if shown:
        held.learn(Seen(shown, shown), START)
    assert held.limit == limit == limit_of(held)
    assert held.left(START) == (limit or -1)


def test_learning_tells_what_is_new() -> None:
    """The first word, and any other."""
    held = mirror()
    assert held.learn(Seen(100, 90), START)
    assert not held.learn(Seen(100, 80), START)
    assert held.learn(Seen(50, 40), START)
    assert not held.learn(None, START)
    assert held.limit == 50


def test_the_first_word_tells_what_is_left_too() -> None:
    """A later one changes the limit only: what is left is watched."""
    held = mirror()
    held.learn(Seen(100, 30), START)
    assert held.left(START) == 30
    held.learn(Seen(200, 10), START)
    assert held.left(START) == 30


def test_what_others_spent_is_taken_and_told() -> None:
    """Once for all who were in flight then."""
    held = mirror(10_000)
    held.learn(Seen(10_000, 10_000), START)
    assert held.missing(b"9000", 10_000, 0, START, START) == 1_000
    assert held.missing(b"9000", 10_000, 0, START, START) == 0
    assert held.missing(b"8000", 10_000, 0, START, START) == 1_000
    assert held.booked == 2_000
    assert held.left(START) == 8_000


@pytest.mark.parametrize("left", [None, b"", b"-1", b"x", b"9999", b"10000", b"11000", b"9900"])
def test_nothing_is_missing(left: bytes | None) -> None:
    """No word, nonsense, noise, or more than we thought."""
    held = mirror(10_000)
    held.learn(Seen(10_000, 10_000), START)
    assert held.missing(left, 10_000, 0, START, START) == 0
    assert held.left(START) == 10_000


def test_our_own_margin_is_nobodys_use() -> None:
    """The mirror is shallower than the provider's bucket by the jitter; that difference is no deficit, nor credit."""
    held = mirror(60_000, jitter_us=SECOND)
    held.learn(Seen(60_000, 60_000), START)
    assert held.left(START) == 59_000
    assert held.missing(b"60000", 59_000, 0, START, START) == 0
    assert held.missing(b"58000", 59_000, 0, START, START) == 2_000


@pytest.mark.parametrize("before", ["unseen", "not the minute's", "less than shown"])
def test_what_cannot_be_compared_is_not(before: str) -> None:
    """Another limit than ours, or none shown: its remainder says nothing of our mirror."""
    held = mirror(10_000)
    if before == "not the minute's":
        held.learn(Seen(10_000, 9_000), START)
        held.learn(None, START)
    elif before == "less than shown":
        held.learn(Seen(20_000, 9_000), START)
    assert held.missing(b"5000", 10_000, 0, START, START) == 0


def test_a_call_older_than_the_mirror_lowers_it_only() -> None:
    """What it saw, and the refill since it was sent, is the most there can be."""
    held = mirror()
    now = START + 10 * SECOND
    held.learn(Seen(60_000, 50_000), now)
    assert held.missing(b"20000", -1, 0, START, now) == 20_000
    assert held.left(now) == 30_000
    assert held.missing(b"40000", -1, 0, START, now) == 0
    assert held.left(now) == 30_000


def test_a_quantised_limit_is_held_by_the_second() -> None:
    """And its published minute is not compared with it."""
    held = mirror(60_000, "quantised")
    assert limit_of(held) == 1_000
    held.learn(Seen(30_000, 5), START)
    assert limit_of(held) == 500
    assert held.missing(b"5", 500, 0, START, START) == 0


def test_a_reload_keeps_what_is_left() -> None:
    """With the same shape, with another, and when the limit goes and comes back."""
    held = mirror(60_000)
    held.allowances[0].take(20_000, START)
    held.reconfigure(50_000, PROFILE, START)
    assert (held.limit, held.left(START)) == (50_000, 40_000)
    held.reconfigure(50_000, msgspec.structs.replace(PROFILE, window="sliding"), START)
    assert isinstance(held.allowances[0], SlidingLog)
    assert held.left(START) == 40_000
    held.reconfigure(0, PROFILE, START)
    assert held.left(START) == -1


@pytest.mark.parametrize(("left", "at", "expected"), [(None, 0, 60_000), (10_000, START - 20 * SECOND, 30_000)])
def test_an_earlier_run_is_continued(left: int | None, at: int, expected: int) -> None:
    """Its limit, and where it knew a level, that and the refill since."""
    held = mirror()
    held.recall(60_000, left, at, START)
    assert held.left(START) == expected
