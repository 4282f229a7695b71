"""The sliding rate against a plain list of what happened."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.observe.rates import SlidingRate

SECOND = 1_000_000
EVENTS = st.lists(st.tuples(st.integers(0, 25 * SECOND), st.integers(0, 10_000)), max_size=60)


@given(events=EVENTS, later=st.integers(0, 130 * SECOND))
def test_it_equals_the_sum_of_the_last_minute(events: list[tuple[int, int]], later: int) -> None:
    """The rate is everything since the start of the sixtieth whole second before now, over that time."""
    rate, now, happened = SlidingRate(), 0, []
    for pause, amount in events:
        now += pause
        rate.add(amount, now)
        happened.append((now, amount))
    now += later
    first_second = now // SECOND - 60
    expected = sum(amount for at, amount in happened if at // SECOND >= first_second)
    assert rate.per_second(now) == expected / (60 + now % SECOND / SECOND)


def test_a_steady_flow_shows_its_own_rate() -> None:
    """2,500 tokens in each second read as 2,500 a second once a minute has passed."""
    rate = SlidingRate()
    for second in range(200):
        rate.add(2_500, second * SECOND)
    assert rate.per_second(200 * SECOND) == 2_500


def test_silence_of_a_minute_reads_zero_and_time_never_goes_back() -> None:
    """What happened more than a minute ago is gone; an older `now` is taken as the newest."""
    rate = SlidingRate()
    rate.add(600, 90 * SECOND)
    rate.add(60, 10 * SECOND)
    assert rate.per_second(90 * SECOND) == 11
    assert rate.per_second(151 * SECOND) == 0
