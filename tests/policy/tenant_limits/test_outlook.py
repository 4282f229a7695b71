"""What calls come to, learnt."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.tenant_limits import outlook
from tidegate.policy.tenant_limits.outlook import SAMPLES, YOUNG, Outlook, Outlooks, further


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=100))
def test_the_upper_one_is_hardly_exceeded(produced: list[int]) -> None:
    """Calls that exceed it make a tenth of the last tokens at most; half of them stay at or below what is usual."""
    produced = produced[: len(produced) // 4 * 4] if len(produced) > SAMPLES else produced
    seen = Outlook()
    for tokens in produced:
        seen.learn(tokens)
        seen.upper()  # from 32 on it is looked up every four calls
    last = produced[-SAMPLES:]
    assert sum(tokens for tokens in last if tokens > seen.upper()) * 10 <= sum(last)
    assert seen.upper() in last
    assert sum(tokens < seen.usual() for tokens in last) * 2 <= len(last)
    assert sum(tokens > seen.usual() for tokens in last) * 2 <= len(last)
    assert seen.upper() >= seen.usual()


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=SAMPLES), st.integers(0, 12_000))
def test_an_answer_that_goes_on(produced: list[int], now: int) -> None:
    """Is like those that went on as far; where none has, it takes a quarter more."""
    seen = Outlook()
    for tokens in produced:
        seen.learn(tokens)
    above = [tokens for tokens in produced if tokens > now]
    assert seen.beyond(now) > now
    if above:
        assert seen.beyond(now) in above
    else:
        assert seen.beyond(now) == further(None, now) == now + now // 4 + 16


def test_those_that_are_seen_in_flight_are_longer() -> None:
    """One in ten calls says a hundred times as much: of those in flight eleven in twelve are such, in mid-answer."""
    seen = Outlook()
    seen.learn(0)
    assert seen.halfway() == 0
    seen = Outlook()
    for tokens in [10] * 27 + [1_000] * 3:
        seen.learn(tokens)
    assert seen.halfway() == (27 * 100 + 3 * 1_000_000) // (2 * 3_270)


def test_a_young_key_is_like_everybody_else() -> None:
    """Until eight of its calls were seen; before eight of anybody's, nothing is known."""
    known = Outlooks()
    for _ in range(YOUNG):
        assert known.of("new", "m") is None
        known.learn("old", "m", 100)
    everybody = known.of("new", "m")
    assert everybody is not None
    assert everybody.upper() == 100
    for _ in range(YOUNG):
        known.learn("new", "m", 7)
    own = known.of("new", "m")
    assert own is not None
    assert own.upper() == 7
    assert known.of("new", "other") is None


def test_what_was_not_used_for_longest_goes() -> None:
    """Memory is bounded, whoever calls whatever."""
    known = Outlooks()
    for number in range(outlook.MAX_PAIRS):
        known.learn(f"key-{number}", "m", 1)
    known.learn("key-0", "m", 1)
    known.learn("one more", "m", 1)
    assert len(known) == outlook.MAX_PAIRS
    for _ in range(YOUNG - 2):
        known.learn("key-0", "m", 5)
    own = known.of("key-0", "m")
    assert own is not None
    assert own.count == YOUNG
