"""Counters of workers as OpenTelemetry's metrics."""

from tidegate.observe.meters import REASONS, CallMeter, Histogram, LaneGauge, LaneMeter, PoolGauge, Tally
from tidegate.tracing import names
from tidegate.tracing.meters import Meter, Seen, Totals


def seen(worker: int, tokens: int, incarnation: int = 1) -> Seen:
    call = CallMeter("p", "gpt-4o", "openai", "main", prompt_tokens=tokens, completion_tokens=2)
    call.duration = Histogram([1] + [0] * (len(call.duration.counts) - 1), 500)
    lane = LaneMeter("openai/main/gpt-4o", failed=[3 if name == "rate" else 0 for name in REASONS])
    gauge = LaneGauge("openai/main/gpt-4o", 10, 100, -1, -1)
    pool = PoolGauge("openai", "gpt-4o", {"paid": 4}, 0, 0)
    tallies = [Tally("p", "queue_full", 2), Tally("p", "fallback", 9)]
    return Seen(worker, incarnation, [call], [lane], tallies, [gauge], [pool])


def of(meters: list[Meter], name: str) -> Meter:
    (found,) = [meter for meter in meters if meter.name == name]
    return found


def test_workers_are_added_up() -> None:
    """One row for each set of labels, whichever worker counted; levels stay each worker's own."""
    meters = Totals().meters([seen(0, 10), seen(1, 5)])
    assert list(of(meters, names.USED_INPUT).numbers.values()) == [15]
    assert list(of(meters, names.THROTTLED).numbers.values()) == [6]
    assert list(of(meters, names.REFUSED).numbers.values()) == [4], "a fallback is no refusal"
    ((counts, total),) = of(meters, names.DURATION).histograms.values()
    assert (counts[0], sum(counts), total) == (2, 2, 1_000)
    assert list(of(meters, names.QUOTA_LEFT).numbers.values()) == [10, 10]
    assert list(of(meters, names.WAITING).numbers.values()) == [8]


def test_a_worker_that_begins_anew_takes_nothing_back() -> None:
    """What its process before had counted stays counted; otherwise sums would fall."""
    totals = Totals()
    totals.meters([seen(0, 10)])
    again = totals.meters([seen(0, 3, incarnation=2)])
    assert list(of(again, names.USED_INPUT).numbers.values()) == [13]
    assert list(of(totals.meters([seen(0, 4, incarnation=2)]), names.USED_INPUT).numbers.values()) == [14]
