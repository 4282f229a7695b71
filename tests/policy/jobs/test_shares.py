"""How many places one tenant may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.jobs.shares import may_take, places


def taken(total: int, tenants: int) -> list[int]:
    """Each takes what he may, in turn, until nobody may any more."""
    held = [0] * tenants
    while may := [place for place, count in enumerate(held) if may_take(count, total - sum(held))]:
        held[min(may, key=held.__getitem__)] += 1
    return held


@pytest.mark.parametrize("concurrency", range(1, 200))
def test_who_is_alone_has_what_was_set(concurrency: int) -> None:
    """And a place at least stays for another."""
    assert taken(places(concurrency), 1) == [concurrency]
    assert concurrency < places(concurrency) <= concurrency + concurrency // 3 + 1


@given(st.integers(1, 300), st.integers(1, 50))
def test_who_has_none_finds_one(total: int, tenants: int) -> None:
    """They come to the same, and a place stays free for another, where there are four for each."""
    held = taken(total, tenants)
    assert sum(held) <= total
    assert max(held) <= min(held) + 1
    if total >= 4 * tenants:
        assert min(held) >= 1
        assert sum(held) < total
