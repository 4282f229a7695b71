"""Bars of one character, and spans in words."""

import pytest

from tidegate.cli.spark import moments, pooled, span, spark


def test_a_bar_is_full_where_the_quota_is() -> None:
    """Nothing is a dot, more than all is a full bar, little is not nothing."""
    assert spark([0, 0.001, 0.5, 0.99, 1, 7], 1) == "·▁▅███"
    assert spark([1], 0) == "·"
    assert spark([], 1) == ""


@pytest.mark.parametrize(
    ("values", "most", "found"),
    [([1, 2], 3, [1, 2]), ([1, 9, 2, 3], 2, [9, 3]), ([5, 1, 1, 1, 8], 3, [5, 1, 8]), ([], 3, [])],
)
def test_many_steps_keep_their_peaks(values: list[float], most: int, found: list[float]) -> None:
    """Of neighbours the highest."""
    assert pooled(values, most) == found


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "now"), (40, "40 s"), (700, "12 min"), (12_600, "3.5 h"), (172_799, "48.0 h"), (181_440, "2.1 days")],
)
def test_a_span_is_told_in_one_unit(seconds: float, words: str) -> None:
    """To about a tenth."""
    assert span(seconds) == words


def test_moments_are_read_as_the_gate_writes_them() -> None:
    """With its Z."""
    assert moments("2026-09-21T14:13:20Z") == 1_790_000_000
