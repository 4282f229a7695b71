"""Whether a kept answer is good enough for a call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.cached import CacheEntry, Cost, Labels
from tidegate.policy.caching.directives import Directives, directives
from tidegate.policy.caching.freshness import FRESH, GONE, STALE, state

S = 1_000_000
BORN = 1_000 * S


def entry(fresh_s: int = 100, stale_s: int = 0) -> CacheEntry:
    until = BORN + fresh_s * S
    labels = Labels("n", "p/m", "s")
    return CacheEntry(
        b"k" * 32, "chat", "openai", b"{}", False, (), labels, Cost(), 1, BORN, until, until + stale_s * S
    )


@pytest.mark.parametrize(
    ("header", "age_s", "expected"),
    [
        (b"", 0, FRESH),
        (b"", 99, FRESH),
        (b"", 100, STALE),
        (b"", 149, STALE),
        (b"", 150, GONE),
        (b"", -10, FRESH),  # of another host's clock
        (b"no-cache", 0, GONE),
        (b"no-cache, stale-if-error=20", 19, STALE),
        (b"no-cache, stale-if-error=20", 20, GONE),
        (b"max-age=10", 9, FRESH),
        (b"max-age=10", 10, GONE),
        (b"max-age=0", 0, GONE),
        (b"max-age=10, stale-if-error=30", 39, STALE),
        (b"max-age=10, stale-if-error=30", 40, GONE),
        (b"max-age=500", 99, FRESH),
        (b"max-age=500", 100, STALE),
        (b"stale-if-error=0", 99, FRESH),
        (b"stale-if-error=0", 100, GONE),
        (b"stale-if-error=10", 109, STALE),
        (b"stale-if-error=10", 110, GONE),
        (b"stale-if-error=9999", 149, STALE),
        (b"stale-if-error=9999", 150, GONE),
        (b"max-stale=20", 119, FRESH),
        (b"max-stale=20", 120, STALE),
        (b"max-stale", 149, FRESH),
        (b"max-stale", 150, GONE),
        (b"max-age=10, max-stale=5", 14, FRESH),
        (b"max-age=10, max-stale=5", 15, GONE),
        (b"no-cache, max-stale", 0, GONE),
        (b"no-store", 50, FRESH),
    ],
)
def test_an_answer_of_a_hundred_seconds_that_is_kept_for_fifty_more(header: bytes, age_s: int, expected: int) -> None:
    """By what the client says: stricter than the configuration at will, laxer only while it is kept."""
    assert state(entry(100, 50), BORN + age_s * S, directives(header, None)) == expected


def test_kept_no_longer_than_it_is_fresh() -> None:
    """A configuration without staleness has none, and one that says less than nothing has none either."""
    assert state(entry(100), BORN + 100 * S, Directives()) == GONE
    assert state(entry(100, -50), BORN + 99 * S, Directives()) == FRESH


DIRECTIVE = st.sampled_from([b"no-cache", b"max-age=%d", b"max-stale=%d", b"max-stale", b"stale-if-error=%d"])
HEADER = st.lists(
    st.builds(lambda form, n: form % n if b"%" in form else form, DIRECTIVE, st.integers(0, 300)), max_size=3
)


@given(header=HEADER, fresh=st.integers(0, 200), stale=st.integers(0, 200), age=st.integers(0, 500))
def test_it_only_grows_worse(header: list[bytes], fresh: int, stale: int, age: int) -> None:
    """With age an answer becomes stale and then is gone, never better; and beyond what is kept it is nothing."""
    asked, kept = directives(b",".join(header), None), entry(fresh, stale)
    now = state(kept, BORN + age * S, asked)
    assert state(kept, BORN + (age + 1) * S, asked) <= now
    assert age < fresh + stale or now == GONE
