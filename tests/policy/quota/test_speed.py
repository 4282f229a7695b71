"""How many tokens an answer has by now."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.speed import Speed


def taught(start_us: int, pace_us: int, lengths: list[int]) -> Speed:
    speed = Speed()
    for tokens in lengths:
        speed.learn(tokens, start_us + pace_us * tokens)
    return speed


def test_who_knows_nothing_says_nothing() -> None:
    """Before the first complete answer there is no guess."""
    assert Speed().made(1_000_000, 100) == 0


@given(
    st.integers(0, 2_000_000), st.integers(100, 50_000),
    st.lists(st.integers(1, 2_000), min_size=5, max_size=60), st.integers(0, 1_500),
)  # fmt: skip
def test_steady_answers_are_told_to_the_token(start: int, pace: int, lengths: list[int], made: int) -> None:
    """Answers that last `start + n × pace`, of different lengths: what is made by then is found."""
    if max(lengths[-20:]) < 2 * min(lengths[-20:]):
        lengths = [*lengths, 1_000, 10]
    found = taught(start, pace, lengths).made(start + made * pace, 0)
    assert abs(found - made) <= 1 + made // 100


def test_answers_of_one_length_have_a_mean_rate() -> None:
    """Without any spread the time to the first token cannot be told from the rest."""
    assert taught(0, 1_000, [100] * 10).made(50_000, 0) == 50


def test_no_answer_is_longer_than_it_may_be_nor_shorter_than_nothing() -> None:
    """`max_tokens` bounds the guess, and before the first token there is none."""
    speed = taught(500_000, 1_000, [10, 1_000, 300, 20])
    assert speed.made(10_000_000, 64) == 64
    assert speed.made(100_000, 64) == 0


def test_an_instant_answer_does_not_divide_by_nothing() -> None:
    """Answers without any duration."""
    assert taught(0, 0, [5, 5]).made(100, 0) == 0
