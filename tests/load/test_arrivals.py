"""Made-up arrivals follow their rate."""

from itertools import takewhile

import pytest

from tidegate.load.arrivals import Rush, poisson_rows
from tidegate.load.trace import TraceRow

RUSH = Rush(calm=2.0, busy=20.0, period_s=10.0, busy_s=3.0)


@pytest.fixture(scope="module")
def rows() -> list[TraceRow]:
    return list(takewhile(lambda row: row.at_us < 1_000_000_000, poisson_rows(RUSH, 1)))


def in_rush(row: TraceRow) -> bool:
    return row.at_us % 10_000_000 < 3_000_000


@pytest.mark.parametrize(("at_us", "rate"), [(0, 20.0), (2_999_999, 20.0), (3_000_000, 2.0), (10_000_000, 20.0)])
def test_rate(at_us: int, rate: float) -> None:
    """Each period begins with its rush."""
    assert RUSH.rate(at_us) == rate


def test_opening() -> None:
    """The first rush may be longer than the others."""
    rush = Rush(calm=1.0, busy=9.0, period_s=10.0, busy_s=2.0, opening_s=5.0)
    assert [rush.rate(second * 1_000_000) for second in (1, 4, 5, 11, 14)] == [9.0, 9.0, 1.0, 9.0, 1.0]


def test_counts(rows: list[TraceRow]) -> None:
    """Over 1,000 s some 6,000 calls come in the rushes and 1,400 between them."""
    rush = sum(in_rush(row) for row in rows)
    assert rush == pytest.approx(6_000, rel=0.06)
    assert len(rows) - rush == pytest.approx(1_400, rel=0.1)


def test_order_and_sizes(rows: list[TraceRow]) -> None:
    """Moments ascend; sizes average to what was asked, and none is empty."""
    assert rows == sorted(rows, key=lambda row: row.at_us)
    assert sum(row.context_tokens for row in rows) / len(rows) == pytest.approx(600, rel=0.06)
    assert sum(row.generated_tokens for row in rows) / len(rows) == pytest.approx(120, rel=0.06)
    assert min(min(row.context_tokens, row.generated_tokens) for row in rows) >= 1


def test_seeded(rows: list[TraceRow]) -> None:
    """The same seed gives the same arrivals."""
    assert [row for row, _ in zip(poisson_rows(RUSH, 1), range(20), strict=False)] == rows[:20]
    assert next(poisson_rows(RUSH, 2)) != rows[0]
