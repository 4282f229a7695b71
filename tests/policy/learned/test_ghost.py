"""What others spend, and what to keep back for it."""

import pytest

from tidegate.policy.learned.ghost import HALF_US, MOST_PERMILLE, Ghost

SECOND = 1_000_000


def haunted(rate: int, every_us: int, delay_us: int, seconds: int = 60) -> tuple[Ghost, int]:
    """Others spend `rate` a second, which replies tell `delay_us` later; and the time."""
    ghost, now = Ghost(), 0
    for _ in range(seconds * SECOND // every_us):
        now += every_us
        ghost.spent(rate * every_us // SECOND, delay_us, now)
    return ghost, now


@pytest.mark.parametrize("every_ms", [10, 200, 1_000])
def test_the_rate_is_found(every_ms: int) -> None:
    """However often replies come."""
    ghost, now = haunted(5_000, every_ms * 1_000, 100_000)
    assert 0.95 * 300_000 <= ghost.per_minute(now) <= 1.05 * 300_000


@pytest.mark.parametrize("delay_ms", [50, 500, 5_000])
def test_the_reserve_covers_what_cannot_be_known_yet(delay_ms: int) -> None:
    """What they spend until we hear of it, at least; never more than a part of the limit."""
    ghost, now = haunted(5_000, 100_000, delay_ms * 1_000)
    reserve = ghost.reserve(1_000_000, now)
    assert 5 * delay_ms + 500 <= reserve <= 12 * delay_ms + 2_000
    assert ghost.reserve(1_000, now) <= MOST_PERMILLE


def test_a_ghost_that_leaves_is_forgotten() -> None:
    """Its rate halves; the reserve fades too."""
    ghost, now = haunted(5_000, 100_000, 200_000)
    before, rate = ghost.reserve(1_000_000, now), ghost.per_minute(now)
    assert ghost.per_minute(now + HALF_US) == pytest.approx(rate / 2, abs=1)
    assert ghost.reserve(1_000_000, now + 12 * HALF_US) < before // 10
    assert Ghost(600, now).per_minute(now) == 600
