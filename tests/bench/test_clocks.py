"""What a clock tells of somebody else's questions."""

from random import Random

import pytest

from bench.proofs.caching.clocks import Seen


def noise(seed: int, faster: float, count: int = 400) -> Seen:
    luck = Random(seed)
    new = [1_000 + luck.expovariate(0.01) for _ in range(count)]
    return Seen([1_000 - faster + luck.expovariate(0.01) for _ in range(count)], new)


def test_nothing_is_guessed_where_nothing_differs() -> None:
    """A half is right, and so large a difference is no rare one."""
    seen = noise(1, 0)
    assert 0.43 < seen.guessed < 0.57
    assert abs(seen.faster_us) < 20
    assert seen.chance() > 0.01


@pytest.mark.parametrize("faster", [60, -60])
def test_what_differs_is_seen(faster: float) -> None:
    """In either direction, though each single wait tells little."""
    seen = noise(2, faster)
    assert (seen.guessed > 0.6) == (faster > 0)
    assert (seen.guessed < 0.4) == (faster < 0)
    assert seen.faster_us == pytest.approx(faster, abs=30)
    assert seen.chance() < 0.001


def test_ties_are_no_knowledge() -> None:
    """Equal waits count half."""
    assert Seen([5.0, 5.0], [5.0, 5.0]).guessed == 0.5
    assert Seen([5.0, 4.0], [5.0, 5.0]).guessed == 0.75


def test_one_stall_decides_nothing() -> None:
    """Whatever one wait was, it counts as the longest of the others."""
    seen = noise(3, 0)
    seen.new[7] += 1e7
    assert seen.chance() > 0.01
