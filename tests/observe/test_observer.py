"""The observer counts exactly what it is told, in bounded memory."""

import json

import msgspec
import pytest

from tests.journal.facts import FixedClock, record
from tidegate.model.outcome import Reason
from tidegate.model.reply import Unexplained
from tidegate.observe.log import Log
from tidegate.observe.meters import BOUNDS_US, OTHER, REASONS, LaneGauge, PoolGauge, Report
from tidegate.observe.observer import MAX_SERIES, Observer

change = msgspec.structs.replace


def whole(observer: Observer) -> Report:
    """All parts of one round, through the wire format."""
    parts = [
        msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=Report) for part in observer.reports(worker=0, pid=7)
    ]
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    return msgspec.structs.replace(parts[-1], calls=[meter for part in parts for meter in part.calls])


def test_calls_are_counted_by_plan_model_and_target() -> None:
    """Classes of status, tokens, retries and durations land in the series of their labels, and nowhere else."""
    observer = Observer(FixedClock())
    observer.finished(change(record(1), attempts=3, queued_us=20_000, waited_us=5_001, streamed=True))
    observer.finished(change(record(2), status=429, target="", estimated=True, first_byte_us=0))
    first, second = whole(observer).calls
    assert (first.plan, first.model, first.provider, first.scope) == ("chat", "gpt-4o", "openai", "main")
    assert first.by_class == [0, 0, 1, 0, 0, 0]
    assert (first.retried, first.streamed, first.estimated) == (2, 1, 0)
    assert (first.prompt_tokens, first.completion_tokens, first.charged_tokens) == (60, 40, 100)
    assert (first.queued.total_us, sum(first.queued.counts), first.queued.counts[5]) == (25_001, 1, 1)
    assert (first.duration.total_us, first.duration.counts[1]) == (2_000, 1)
    assert (second.provider, second.scope, second.by_class[4], second.estimated) == ("", "", 1, 1)
    assert sum(second.queued.counts) == sum(second.first_byte.counts) == 0


def test_a_duration_lands_in_the_bucket_whose_bound_it_does_not_exceed() -> None:
    """Bounds are inclusive, as Prometheus' `le` is; what is longer than all goes to the last."""
    observer = Observer(FixedClock())
    for number, bound in enumerate((*BOUNDS_US, BOUNDS_US[-1] + 1)):
        observer.finished(change(record(number), duration_us=bound))
    (meter,) = whole(observer).calls
    assert meter.duration.counts == [1] * (len(BOUNDS_US) + 1)


def test_attempts_are_counted_by_lane_and_reason() -> None:
    """The provider's 429s are the attempts that failed for `rate`."""
    observer = Observer(FixedClock())
    for reason in (None, None, Reason.RATE, Reason.TOO_LARGE):
        observer.attempt("openai/main/gpt-4o", reason)
    (lane,) = whole(observer).lanes
    assert (lane.lane, lane.answered) == ("openai/main/gpt-4o", 2)
    assert dict(zip(REASONS, lane.failed, strict=True)) == {
        **dict.fromkeys(REASONS, 0),
        "rate": 1,
        "too_large": 1,
    }


def test_refusals_and_fallbacks_are_tallied_by_plan() -> None:
    """One tally per plan, word and tier."""
    observer = Observer(FixedClock())
    observer.refused("chat", "over_quota", "vip")
    observer.refused("chat", "over_quota", "free")
    observer.refused("chat", "over_quota", "vip")
    observer.fell_back("chat")
    observer.moved("chat")
    assert [(tally.plan, tally.what, tally.tier, tally.count) for tally in whole(observer).tallies] == [
        ("chat", "over_quota", "vip", 2),
        ("chat", "over_quota", "free", 1),
        ("chat", "fallback", "", 1),
        ("chat", "moved", "", 1),
    ]


def test_labels_are_bounded_and_no_count_is_lost() -> None:
    """Model names come from clients: beyond the cap they share one series called other."""
    observer = Observer(FixedClock())
    for number in range(MAX_SERIES + 50):
        observer.finished(change(record(number), model=f"model-{number}"))
        observer.attempt(f"openai/main/model-{number}", None)
        observer.refused(f"model-{number}", "unknown_model")
    report = whole(observer)
    assert len(report.calls) == len(report.lanes) == len(report.tallies) == MAX_SERIES + 1
    assert (report.calls[-1].model, report.calls[-1].by_class[2]) == (OTHER, 50)
    assert (report.lanes[-1].lane, report.lanes[-1].answered) == (OTHER, 50)
    assert (report.tallies[-1].plan, report.tallies[-1].count) == (OTHER, 50)


def test_the_token_rate_of_a_model_is_over_the_last_minute() -> None:
    """All plans and targets of a model together; counted at each report."""
    clock = FixedClock()
    observer = Observer(clock)
    observer.finished(record(1))
    observer.finished(change(record(2), target="openai/other/gpt-4o"))
    observer.finished(change(record(3), model="gpt-3.5-turbo", prompt_tokens=540))
    rates = whole(observer).token_usage_rate
    assert rates == {"gpt-4o": 200 / 60, "gpt-3.5-turbo": 580 / 60}
    clock.advance(61_000_000)
    assert set(whole(observer).token_usage_rate.values()) == {0.0}


def test_gauges_are_asked_for_at_each_report() -> None:
    """They are the lanes' state at that moment, not a sum."""
    lane = LaneGauge("openai/main/gpt-4o", 900, 1_000, 5, 10)
    observer = Observer(FixedClock(), lambda: [lane])
    assert whole(observer).gauges == [lane]
    lane.level_tokens = 0
    assert whole(observer).gauges[0].level_tokens == 0


def test_queues_are_asked_for_too_and_bounded() -> None:
    """Models are named by callers: beyond the cap queues are not shown."""
    queue = PoolGauge("main", "gpt-4o", {"vip": 2}, 1_500_000, 3)
    assert whole(Observer(FixedClock(), pools=lambda: [queue])).pools == [queue]
    assert len(whole(Observer(FixedClock(), pools=lambda: [queue] * (MAX_SERIES + 1))).pools) == MAX_SERIES


def test_keys_that_leave_and_return_are_counted_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    """By scope, whatever the model; the log has the digest and never the key."""
    observer = Observer(FixedClock(), log=Log("worker-0"))
    observer.key_retired("openai/main/org/model", "0a1b2c3d", 9)
    observer.key_retired("openai/main/gpt-4o", "4e5f6071", 8)
    observer.key_restored("openai/main/gpt-4o", "0a1b2c3d")
    (scope,) = whole(observer).scopes
    assert (scope.scope, scope.retired, scope.restored) == ("openai/main", 2, 1)
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["level"], line["scope"], line["key"]) for line in told] == [
        ("warning", "openai/main", "0a1b2c3d"),
        ("warning", "openai/main", "4e5f6071"),
        ("info", "openai/main", "0a1b2c3d"),
    ]
    assert [line.get("left") for line in told] == [9, 8, None]


def test_what_no_row_explains_is_counted_by_provider(capfd: pytest.CaptureFixture[str]) -> None:
    """Each time; told once an hour."""
    observer = Observer(FixedClock(), log=Log("worker-0"))
    for lane in ("openai/main/gpt-4o", "openai/other/org/model", "azure/main/gpt-4o"):
        observer.unexplained(lane, Unexplained(418, "c", "t", "m"))
    assert [(meter.provider, meter.unexplained) for meter in whole(observer).providers] == [("openai", 2), ("azure", 1)]
    told = [json.loads(line)["provider"] for line in capfd.readouterr().err.splitlines()]
    assert told == ["openai", "azure"]
