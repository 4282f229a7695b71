"""What the provider's log says of a cluster, read from logs that were written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.judge import log as judge
from tidegate.judge.log import Attempt
from tidegate.units import MINUTE_US

SECOND = 1_000_000
LIMIT = 600


def at(second: float, tokens: int, key: str = "a", label: str = "") -> list[object]:
    return [int(second * SECOND), key, "gpt-4o", "", tokens, label]


@pytest.mark.parametrize(
    ("rows", "beyond"),
    [
        ([], 0),
        ([at(1, 600)], 0),
        ([at(1, 600), at(1.1, 1)], 0),
        ([at(1, 600), at(1.1, 2)], 1),
        ([at(1, 600), at(61, 600)], 0),
        ([at(1, 600), at(31, 400, label="tokens")], 100),
        ([at(1, 600), at(31, 200), at(32, 200)], 90),
        ([at(1, 600), at(1, 600, key="b")], 0),
        ([at(1, 600), at(2, 600, key="b"), at(3, 600, key="b")], 590),
    ],
)
def test_a_bucket_begins_full_and_refused_attempts_count(rows: list[list[object]], beyond: int) -> None:
    """Ten tokens come back in a second; the worst account is told, in whole tokens, rounded up."""
    assert judge.over(rows, "continuous", LIMIT) == beyond


@pytest.mark.parametrize(
    ("rows", "beyond"),
    [
        ([], 0),
        ([at(1, 600), at(61, 600)], 0),
        ([at(1, 600), at(60.999999, 1)], 1),
        ([at(1, 300), at(30, 300), at(61, 300), at(89, 300), at(89.5, 5)], 305),
    ],
)
def test_of_a_window_the_worst_stretch_counts(rows: list[list[object]], beyond: int) -> None:
    """A minute is over when it is over, to the microsecond."""
    assert judge.over(rows, "sliding", LIMIT) == judge.over(rows, "fixed", LIMIT) == beyond


@given(st.lists(st.tuples(st.integers(0, 200 * SECOND), st.integers(1, 900)), max_size=30))
def test_a_window_is_as_if_looked_at_from_every_call(calls: list[tuple[int, int]]) -> None:
    """The running sum is the sum."""
    rows = [Attempt(when, tokens, admitted=True) for when, tokens in sorted(calls)]
    sums = [sum(one.tokens for one in rows if last.at_us - MINUTE_US < one.at_us <= last.at_us) for last in rows]
    # of calls at one moment the last one sees all of them
    assert judge.over_window(rows, LIMIT) == max(0, max(sums, default=0) - LIMIT)


def test_what_was_used_is_what_was_admitted_then() -> None:
    """Of the quota's seconds between two moments, the first included."""
    rows = [at(1, 10), at(2, 10), at(3, 10, label="tokens"), at(4, 10)]
    assert judge.share(rows, 5, 1 * SECOND, 4 * SECOND) == pytest.approx(100 * 20 / 15)


def test_requests_are_a_bucket_of_their_own() -> None:
    """Whatever they cost."""
    assert judge.over_requests([at(1, 10**9) for _ in range(62)], 60) == 2


def test_all_is_well_from_the_last_second_that_was_not() -> None:
    """Nine tenths of the quota in each second from then on; never, where the last one is not."""
    full = [at(second / 10, 10) for second in range(200)]
    gap = [row for row in full if not 5 * SECOND <= row[0] < 8 * SECOND]  # type: ignore[operator]
    assert judge.normal_after(full, 100, 0, 20 * SECOND, 90, SECOND) == 0
    assert judge.normal_after(gap, 100, 5 * SECOND, 20 * SECOND, 90, SECOND) == pytest.approx(2.9, abs=0.11)
    assert judge.normal_after(full, 100, 0, 25 * SECOND, 90, SECOND) == 25
