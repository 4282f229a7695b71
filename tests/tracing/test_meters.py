"""Counters of workers as OpenTelemetry's metrics."""

from tidegate.observe.meters import REASONS, LaneGauge, LaneMeter, PoolGauge, Tally
from tidegate.tracing import names
from tidegate.tracing.makers import maker
from tidegate.tracing.meters import Meter, Seen, Totals

MAKERS = {"openai": maker("azure", "https://llm.example/v1")}


def seen(worker: int, throttled: int, incarnation: int = 1) -> Seen:
    lane = LaneMeter("openai/main/gpt-4o", failed=[throttled if name == "rate" else 0 for name in REASONS])
    gauge = LaneGauge("openai/main/gpt-4o", 10, 100, -1, -1)
    pool = PoolGauge("openai", "gpt-4o", {"paid": 4}, 0, 0)
    tallies = [Tally("p", "queue_full", 2), Tally("p", "fallback", 9)]
    return Seen(worker, incarnation, [lane], tallies, [gauge], [pool])


def of(meters: list[Meter], name: str) -> Meter:
    (found,) = [meter for meter in meters if meter.name == name]
    return found


def test_workers_are_added_up() -> None:
    """One row for each set of labels, whichever worker counted; levels stay each worker's own."""
    meters = Totals().meters([seen(0, 10), seen(1, 5)], MAKERS)
    lane = (
        (names.PROVIDER, "azure.ai.openai"), (names.UPSTREAM, "openai"), (names.SCOPE, "main"),
        (names.REQUEST_MODEL, "gpt-4o"),
    )  # fmt: skip
    assert of(meters, names.THROTTLED).numbers == {lane: 15}
    assert list(of(meters, names.REFUSED).numbers.values()) == [4], "a fallback is no refusal"
    assert list(of(meters, names.QUOTA_LEFT).numbers.values()) == [10, 10]
    assert list(of(meters, names.WAITING).numbers.values()) == [8]


def test_a_worker_that_begins_anew_takes_nothing_back() -> None:
    """What its process before had counted stays counted; otherwise sums would fall."""
    totals = Totals()
    totals.meters([seen(0, 10)], MAKERS)
    again = totals.meters([seen(0, 3, incarnation=2)], MAKERS)
    assert list(of(again, names.THROTTLED).numbers.values()) == [13]
    assert list(of(totals.meters([seen(0, 4, incarnation=2)], MAKERS), names.THROTTLED).numbers.values()) == [14]
