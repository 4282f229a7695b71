"""What a cluster's proofs read from their own log of calls."""

import pytest

from bench.nodes import WORKER_BIT, worker_of
from bench.proofs.cluster import load

SECOND = 1_000_000


def test_calm_is_after_the_last_bad_span() -> None:
    """A refused or a late call disturbs its tenth of a second."""
    calls = [load.Call(at_us, at_us + 1_000, 200) for at_us in range(0, 2 * SECOND, 10_000)]
    assert load.calm_after(calls, 0, 30) == 0
    late = [*calls, load.Call(500_000, 600_000, 200)]
    assert load.calm_after(late, 0, 30) == 0.6
    assert load.calm_after([*calls, load.Call(710_000, 711_000, 503)], 0, 30) == pytest.approx(0.8)
    assert load.calm_after(late, 600_000, 30) == 0


def test_an_id_names_the_worker() -> None:
    """Above bit 53; a reply without one names nobody."""
    assert worker_of({"x-request-id": f"req_{(3 << WORKER_BIT) + 17:x}"}) == 3
    assert worker_of({}) == -1
