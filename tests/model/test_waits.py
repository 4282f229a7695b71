"""Waits in slots."""

import pytest

from tidegate.model.waits import quantile_ms, slot_ms, wait_slot


def test_slots_follow_each_other_without_a_gap() -> None:
    """Every millisecond is in one slot, longer waits never in an earlier one, and a slot ends where the next begins."""
    slots = [wait_slot(ms) for ms in range(100_000)]
    assert slots == sorted(slots)
    assert set(slots) == set(range(slots[-1] + 1))
    assert all(wait_slot(slot_ms(slot)) == slot and wait_slot(slot_ms(slot) + 1) == slot + 1 for slot in set(slots))


@pytest.mark.parametrize("ms", [0, 1, 7, 8, 63, 1_000, 59_999, 86_400_000])
def test_what_is_told_is_close(ms: int) -> None:
    """The end of a slot is no shorter than any wait in it, and at most a fifth longer."""
    assert ms <= slot_ms(wait_slot(ms)) <= ms * 1.2 + 1


@pytest.mark.parametrize(
    ("waits", "permille", "ms"),
    [({}, 500, 0), ({3: 1}, 500, 3), ({0: 50, 5: 49, 6: 1}, 500, 0), ({0: 50, 5: 49, 6: 1}, 990, 5), ({6: 1}, 1, 6)],
)
def test_quantiles(waits: dict[int, int], permille: int, ms: int) -> None:
    """Of all that are counted, the one at that rank; nothing where nobody waited."""
    assert quantile_ms(waits, permille) == ms
