"""The metrics page, read back by Prometheus' own parser."""

import os
from collections import Counter

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from tests.journal.facts import FixedClock, record
from tidegate.control.board import Board, Standing
from tidegate.control.metrics.exposition import render
from tidegate.model.belief import Belief
from tidegate.model.outcome import Reason
from tidegate.model.reply import Unexplained
from tidegate.model.waits import wait_slot
from tidegate.observe.meters import AccountGauge, KeyGauge, LaneGauge, PoolGauge, Report
from tidegate.observe.observer import Observer

CALL = {"worker": "0", "plan": "chat", "model": "gpt-4o", "provider": "openai", "scope": "main"}
LANE = {"worker": "0", "provider": "openai", "scope": "main", "model": "gpt-4o"}
change = msgspec.structs.replace


def page(observer: Observer, standing: Standing | None = None) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples of the page by name and labels."""
    board = Board()
    for report in observer.reports(worker=0, pid=1):
        board.take(msgspec.msgpack.decode(msgspec.msgpack.encode(report), type=Report))
    text = render(board.views(), standing or Standing(), {"control": os.getpid(), "gone": 0}).decode()
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in samples, f"{key} twice"
            samples[key] = sample.value
    return samples


def at(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def test_calls_tokens_and_durations() -> None:
    """What the observer counted is on the page, and the histograms' counts are the calls."""
    observer = Observer(FixedClock())
    observer.finished(change(record(1), attempts=3, queued_us=30_000, streamed=True))
    observer.finished(change(record(2), status=429, estimated=True))
    samples = page(observer)
    assert samples["tidegate_calls_total", at(**CALL, status="2xx")] == 1
    assert samples["tidegate_calls_total", at(**CALL, status="4xx")] == 1
    assert samples["tidegate_tokens_total", at(**CALL, kind="prompt")] == 120
    assert samples["tidegate_tokens_total", at(**CALL, kind="charged")] == 200
    assert samples["tidegate_retries_total", at(**CALL)] == 2
    assert samples["tidegate_streamed_calls_total", at(**CALL)] == 1
    assert samples["tidegate_estimated_calls_total", at(**CALL)] == 1
    assert samples["tidegate_wait_seconds_bucket", at(**CALL, le="0.025")] == 1
    assert samples["tidegate_wait_seconds_bucket", at(**CALL, le="0.05")] == 2
    assert samples["tidegate_wait_seconds_count", at(**CALL)] == 2
    assert samples["tidegate_wait_seconds_sum", at(**CALL)] == 0.03
    assert samples["tidegate_call_seconds_bucket", at(**CALL, le="+Inf")] == 2
    assert samples["token_usage_rate", at(model="gpt-4o")] == 200 / 60


def test_attempts_and_the_providers_429s() -> None:
    """By lane and by what they came to; refusals and fallbacks by plan."""
    observer = Observer(FixedClock())
    for reason in (None, Reason.RATE, Reason.RATE, Reason.OVERLOAD):
        observer.attempt("openai/main/gpt-4o", reason)
    observer.refused("chat", "over_quota", "vip")
    observer.refused("chat", "upstream", "vip")
    observer.fell_back("chat")
    observer.moved("chat")
    samples = page(observer)
    assert samples["tidegate_attempts_total", at(**LANE, result="answered")] == 1
    assert samples["tidegate_attempts_total", at(**LANE, result="rate")] == 2
    assert samples["tidegate_attempts_total", at(**LANE, result="overload")] == 1
    assert samples["tidegate_provider_throttled_total", at(**LANE)] == 2
    assert samples["tidegate_refusals_total", at(worker="0", plan="chat", kind="over_quota", tier="vip")] == 1
    assert samples["tidegate_moved_calls_total", at(worker="0", plan="chat")] == 1
    assert samples["tidegate_throttled_total", at(worker="0", origin="gate")] == 1
    assert samples["tidegate_throttled_total", at(worker="0", origin="provider")] == 2
    assert samples["tidegate_fallbacks_total", at(worker="0", plan="chat")] == 1


def test_gauges_of_a_lane() -> None:
    """Health and quota as they stand; a limit that does not exist has no sample."""
    lane = LaneGauge("openai/main/org/model", 900, 1_000, -1, -1, open=False)
    samples = page(Observer(FixedClock(), lambda: [lane]))
    labels = LANE | {"model": "org/model"}
    assert samples["tidegate_lane_open", at(**labels)] == 0
    assert samples["tidegate_quota_left", at(**labels, unit="tokens")] == 900
    assert samples["tidegate_quota_limit", at(**labels, unit="tokens")] == 1_000
    assert ("tidegate_quota_limit", at(**labels, unit="requests")) not in samples


def test_what_is_out_of_service() -> None:
    """Scopes, and single keys; what is in service has no sample."""
    keys = [KeyGauge("0123abcd", "drained"), KeyGauge("4567cdef", "dead")]
    told = [AccountGauge("openai", "main", drained=False, keys=keys), AccountGauge("openai", "spare", drained=True)]
    samples = page(Observer(FixedClock(), accounts=lambda: told))
    found = {labels for name, labels in samples if name == "tidegate_account_drained"}
    account = {"worker": "0", "provider": "openai"}
    assert found == {at(**account, scope="main", key="0123abcd"), at(**account, scope="spare", key="")}


def test_queues_of_a_pool() -> None:
    """By pool, model and tier; how long, and how many places are kept."""
    queue = PoolGauge("main", "org/model", {"vip": 2, "free": 0}, 1_500_000, 3, left=7, waited_us=2_500_000, refused=4)
    samples = page(Observer(FixedClock(), pools=lambda: [queue]))
    labels = {"worker": "0", "pool": "main", "model": "org/model"}
    assert samples["tidegate_queue_calls", at(**labels, tier="vip")] == 2
    assert samples["tidegate_queue_calls", at(**labels, tier="free")] == 0
    assert samples["tidegate_queue_oldest_seconds", at(**labels)] == 1.5
    assert samples["tidegate_appointments", at(**labels)] == 3
    assert samples["tidegate_queue_left_total", at(**labels)] == 7
    assert samples["tidegate_queue_waited_seconds_total", at(**labels)] == 2.5
    assert samples["tidegate_queue_refused_total", at(**labels)] == 4


def test_how_long_calls_had_to_wait_by_tier() -> None:
    """Every wait is on its side of each bound, to the millisecond; their sum is told to an eighth."""
    waited = {"vip": [0, 15, 16, 200, 511, 512, 200_000], "free": [3_000] * 5}
    counts = {tier: dict(Counter(map(wait_slot, found))) for tier, found in waited.items()}
    samples = page(Observer(FixedClock(), pools=lambda: [PoolGauge("main", "gpt-4o", {}, 0, 0, waits=counts)]))
    labels = {"worker": "0", "pool": "main", "model": "gpt-4o"}
    name = "tidegate_queue_wait_seconds"
    for tier, found in waited.items():
        for le in ("0.016", "0.128", "0.256", "0.512", "1.024", "2.048", "4.096", "131.072", "+Inf"):
            inside = sum(wait < float(le) * 1_000 for wait in found)
            assert samples[f"{name}_bucket", at(**labels, tier=tier, le=le)] == inside, (tier, le)
        assert samples[f"{name}_count", at(**labels, tier=tier)] == len(found)
        total = sum(found) / 1_000
        assert abs(samples[f"{name}_sum", at(**labels, tier=tier)] - total) <= total / 8
    assert len([key for key in samples if key[0] == f"{name}_bucket"]) == 2 * 15


def test_keys_that_left() -> None:
    """By scope."""
    observer = Observer(FixedClock())
    observer.key_retired("openai/main/gpt-4o", "0a1b2c3d", 9)
    observer.key_restored("openai/main/gpt-4o", "0a1b2c3d")
    samples = page(observer)
    labels = at(worker="0", provider="openai", scope="main")
    assert samples["tidegate_keys_retired_total", labels] == 1
    assert samples["tidegate_keys_restored_total", labels] == 1


def test_refusals_that_no_row_explains() -> None:
    """By provider."""
    observer = Observer(FixedClock())
    observer.unexplained("openai/main/gpt-4o", Unexplained(418, "c", "t", "m"))
    assert page(observer)["tidegate_unexplained_refusals_total", at(worker="0", provider="openai")] == 1


def test_what_is_believed_of_a_lanes_limits() -> None:
    """Shown and learnt limits by their source, what others spend, and the trust in headers; only what there is."""
    requests, tokens = Belief(), Belief(shown=900, learnt=800, trust=750, others=120, limit=800, source="refusals")
    lane = LaneGauge("openai/main/gpt-4o", 700, 800, -1, -1, True, requests, tokens)
    samples = page(Observer(FixedClock(), lambda: [lane]))
    assert samples["tidegate_limit_known", at(**LANE, unit="tokens", source="headers")] == 900
    assert samples["tidegate_limit_known", at(**LANE, unit="tokens", source="refusals")] == 800
    assert samples["tidegate_quota_others", at(**LANE, unit="tokens")] == 120
    assert samples["tidegate_headers_trust", at(**LANE, unit="tokens")] == 0.75
    assert ("tidegate_quota_others", at(**LANE, unit="requests")) not in samples


def test_the_gate_itself() -> None:
    """State, version and memory; a process that is gone has none."""
    samples = page(Observer(FixedClock()), Standing(ready=True, draining=False, version=4, restarts=2))
    assert samples["tidegate_ready", at()] == 1
    assert samples["tidegate_config_version", at()] == 4
    assert samples["tidegate_worker_restarts_total", at()] == 2
    assert samples["tidegate_resident_memory_bytes", at(process="control")] > 1_000_000
    assert ("tidegate_resident_memory_bytes", at(process="gone")) not in samples
