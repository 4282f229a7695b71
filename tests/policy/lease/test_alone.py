"""A worker by itself keeps to its share, and to that of a limit that changes under it, as a region's part does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.cluster import BUCKET, FREE, LOG
from tidegate.policy.lease.alone import Alone

SECOND = 1_000_000
MINUTE = 60 * SECOND


def test_a_bucket_refills_by_the_limit_in_force() -> None:
    """What it held stays, as far as it fits."""
    alone = Alone(BUCKET, 60_000, MINUTE, 0, FREE // 2, (), 0)
    assert not alone.has(20_000, 0)
    assert alone.left(10 * SECOND) == 5_000
    alone.resize(12_000, 10 * SECOND)
    assert alone.left(10 * SECOND) == 5_000
    assert alone.left(20 * SECOND) == 6_000
    alone.resize(2_000, 20 * SECOND)
    assert alone.left(20 * SECOND) == 1_000


@pytest.mark.parametrize("kind", [BUCKET, LOG])
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2_000), st.sampled_from([0, 0, 1_000, 6_000])), max_size=60)
)
def test_after_a_limit_shrank_no_window_holds_more_than_the_share_of_it(
    kind: int, steps: list[tuple[int, int, int]]
) -> None:
    """From a window after the change on, whatever was asked for before. A bucket has its depth besides."""
    limit, now, spent, since = 6_000, 0, list[tuple[int, int]](), 0
    alone = Alone(kind, limit, MINUTE, 0, FREE // 2, (), 0)
    for seconds, cost, resized in steps:
        now += seconds * SECOND
        if resized:
            since = now if resized < limit else since
            limit = resized
            alone.resize(limit, now)
        if alone.has(cost, now):
            alone.take(cost, now)
            spent.append((now, cost))
        if now - since >= MINUTE:
            within = sum(units for at, units in spent if at > now - MINUTE)
            assert within <= limit // 2 * (2 if kind == BUCKET else 1)
