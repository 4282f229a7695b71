"""How long an answer takes."""

from tidegate.policy.pace import Pace


def test_nothing_learnt_costs_nothing() -> None:
    """Before the first answer only the wait counts."""
    assert Pace().upper_us == 0


def test_steady_answers_are_expected_to_the_microsecond() -> None:
    """Without deviation the mean is the answer."""
    pace = Pace()
    for _ in range(50):
        pace.learn(2_000_000)
    assert pace.upper_us == 2_000_000


def test_it_covers_most_of_what_varies_and_follows_a_change() -> None:
    """Mean and two deviations; after a few dozen answers of another kind, theirs."""
    pace = Pace()
    for number in range(200):
        pace.learn(1_000_000 + number % 11 * 100_000)
    assert 1_900_000 <= pace.upper_us <= 2_300_000
    for _ in range(200):
        pace.learn(100_000)
    assert pace.upper_us < 150_000
