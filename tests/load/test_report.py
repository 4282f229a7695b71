"""The arithmetic of the report."""

import pytest

from tidegate.load.outcome import CallResult, Ending
from tidegate.load.report import Failures, Percentiles, percentiles, summarise


def result(index: int, ending: Ending, **fields: object) -> CallResult:
    made = CallResult(index, index * 1_000_000, 100, 20, streamed=bool(fields.pop("streamed", False)), ending=ending)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], Percentiles(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)),
        ([5_000], Percentiles(1, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0)),
        ([3_000, 1_000], Percentiles(2, 2.0, 1.0, 3.0, 3.0, 3.0, 3.0)),
        (range(1_000, 1_001_000, 1_000), Percentiles(1_000, 500.5, 500.0, 900.0, 990.0, 999.0, 1_000.0)),
    ],
)
def test_percentiles(times: list[int], expected: Percentiles) -> None:
    """The nearest rank: the smallest time that so many permille do not exceed, in milliseconds."""
    assert percentiles(times) == expected


def test_counts() -> None:
    """Every call is in exactly one of four counts."""
    report = summarise(
        [
            result(0, Ending.ANSWERED, done_us=2_000, streamed=True, first_byte_us=1_000, target="a/b/c"),
            result(1, Ending.ANSWERED, done_us=4_000, target="a/b/c", first_byte_us=4_000, waited_us=3_000),
            result(2, Ending.REFUSED, done_us=500, status=429, kind="http 429 rate", retry_after="2"),
            result(3, Ending.FAILED, kind="broken off", message="first"),
            result(4, Ending.FAILED, kind="broken off", message="second"),
            result(5, Ending.OPEN, late_us=7_000),
        ]
    )
    assert (report.sent, report.answered, report.refused, report.failed, report.unanswered) == (6, 2, 1, 2, 1)
    assert report.failures == {"broken off": Failures(2, "first")}
    assert report.answered_by == {"a/b/c": 2}
    assert report.seconds == 5.0
    assert report.streamed == 1
    assert (report.latency.count, report.latency.max) == (2, 4.0)
    assert (report.first_byte.count, report.first_byte.max) == (1, 1.0)
    assert (report.waited.count, report.waited.max) == (1, 3.0)
    assert report.refused_after.max == 0.5
    assert report.lateness.max == 7.0


def test_refusals_in_order() -> None:
    """Refusals come in the order of their calls, each with what it was told and when."""
    report = summarise(
        [
            result(8, Ending.REFUSED, status=429, kind="http 429"),
            result(3, Ending.REFUSED, status=429, kind="http 429 rate", retry_after_ms="1500", done_us=250_000),
        ]
    )
    first, second = report.refusals
    assert (first.index, first.code, first.retry_after_ms, first.at_s, first.after_ms) == (3, "rate", "1500", 3.25, 250)
    assert (second.index, second.code, second.retry_after_ms) == (8, "", "")


def test_nothing_at_all() -> None:
    """A run without calls has a report, too."""
    assert summarise([]).sent == 0
