"""How long answers take, learnt."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.pace import STALL_US, Pace

SECOND = 1_000_000


def learnt(*durations: int) -> Pace:
    pace = Pace()
    for duration in durations:
        pace.learn(duration)
    return pace


def test_nothing_learnt_is_no_time() -> None:
    """A call is not refused for an experience that nobody has."""
    assert Pace().upper_us == 0


def test_one_answer_is_an_experience() -> None:
    """Exactly as long."""
    assert learnt(3 * SECOND).upper_us == 3 * SECOND


@given(st.integers(1, 10**9), st.integers(1, 200))
def test_equal_answers_have_their_own_length(duration: int, count: int) -> None:
    """No spread, no margin."""
    assert abs(learnt(*[duration] * count).upper_us - duration) <= 1


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=100))
def test_it_stays_within_what_was_seen_and_its_spread(durations: list[int]) -> None:
    """Never below the shortest, never beyond the longest by more than four times the whole spread and a stall."""
    upper = learnt(*durations).upper_us
    low, high = min(durations), max(durations)
    assert low - 1 <= upper <= high + 4 * (high - low) + min(STALL_US, high - low) + 1


def test_it_follows_a_provider_that_slows_down() -> None:
    """Within a few dozen answers."""
    assert learnt(*[SECOND] * 50, *[10 * SECOND] * 50).upper_us > 9 * SECOND
    assert learnt(*[10 * SECOND] * 50, *[SECOND] * 100).upper_us < 3 * SECOND


def test_a_stall_is_remembered_for_a_while_and_never_more_than_that() -> None:
    """Among equal answers one that is late by a moment counts in full, by seconds no more than `STALL_US` for long."""
    equal = [20_000] * 200
    assert learnt(*equal, 120_000, *equal[:50]).upper_us >= 105_000
    assert learnt(*equal, 5 * SECOND, *equal).upper_us <= 20_000 + STALL_US + 10_000
    assert learnt(*equal, 120_000, *equal * 150).upper_us < 21_000


def test_a_long_wait_leaves_more() -> None:
    """Less than a hundredth of the time that is left, and nothing of one that has passed."""
    assert learnt(SECOND).needed(128 * SECOND) == 2 * SECOND
    assert Pace().needed(30 * SECOND) == 234_375
    assert learnt(SECOND).needed(-5) == SECOND
