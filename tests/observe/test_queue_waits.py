"""Waits of the last minute, by queue and tier."""

from tidegate.observe.meters import PoolGauge, Report
from tidegate.observe.queue_waits import QueueWaits

KEY = ("p", "m", "vip")


def told(slots: dict[int, int], worker: int = 0, incarnation: int = 1) -> Report:
    """What a worker says it has counted ever."""
    return Report(worker, incarnation, 1, last=True, pools=[PoolGauge("p", "m", {}, 0, 0, waits={"vip": slots})])


def test_a_minute_of_all_workers() -> None:
    """What is new counts for a minute; the same told again is nothing new."""
    waits = QueueWaits()
    waits.take(told({3: 1}), known=True)
    waits.take(told({5: 1}, worker=1), known=True)
    waits.tick(100)
    assert waits.quantiles() == {KEY: (3, 5)}
    waits.take(told({3: 1}), known=True)
    waits.take(told({3: 1, 7: 3}), known=True)
    waits.tick(130)
    assert waits.quantiles() == {KEY: (7, 7)}
    waits.tick(160)
    assert waits.quantiles() == {KEY: (7, 7)}
    waits.tick(190)
    assert waits.quantiles() == {}


def test_where_counting_begins() -> None:
    """A worker that was there before is counted from its first word on; its successor from nothing."""
    waits = QueueWaits()
    waits.take(told({3: 900}), known=False)
    waits.tick(1)
    assert waits.quantiles() == {}
    waits.take(told({3: 901}), known=True)
    waits.take(told({4: 2}, incarnation=2), known=True)
    waits.tick(2)
    assert waits.quantiles() == {KEY: (4, 4)}


def test_a_queue_that_was_made_anew() -> None:
    """Its counts fall, and make no negative ones."""
    waits = QueueWaits()
    waits.take(told({3: 5}), known=True)
    waits.take(told({3: 2}), known=True)
    waits.tick(1)
    waits.tick(61)
    assert waits.quantiles() == {}
