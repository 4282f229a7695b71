"""The board as Prometheus text. Imported only when somebody asks: prometheus-client costs 0.1 s."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from tidegate import __version__
from tidegate.control.board import JobsStanding, LedgerStanding, Standing, WorkerView
from tidegate.control.metrics.alerts import alert_metrics
from tidegate.control.metrics.cache import cache_metrics
from tidegate.control.metrics.cluster import cluster_metrics
from tidegate.control.metrics.jobs import jobs_metrics
from tidegate.control.metrics.ledger import journal_metrics, ledger_metrics
from tidegate.control.metrics.queues import queue_metrics
from tidegate.control.metrics.refusals import refusal_metrics
from tidegate.control.metrics.spend import spend_metrics
from tidegate.control.metrics.telemetry import telemetry_metrics
from tidegate.control.metrics.windows import Seen, window_metrics
from tidegate.control.metrics.workers import worker_metrics
from tidegate.observe.meters import BOUNDS_US, REASONS, CallMeter, Histogram, LaneGauge

if TYPE_CHECKING:
    from tidegate.alerts.figures import AlertsStanding
    from tidegate.tracing.sender import Figures

_CALL = ["worker", "plan", "model", "provider", "scope"]
_LANE = ["worker", "provider", "scope", "model"]
_CLASSES = ("lost", "1xx", "2xx", "3xx", "4xx", "5xx")
_LE = [f"{bound / 1e6:g}" for bound in BOUNDS_US] + ["+Inf"]


def render(
    views: list[WorkerView],
    standing: Standing,
    pids: dict[str, int],
    ledger: LedgerStanding | None = None,
    jobs: JobsStanding | None = None,
    seen: Seen | None = None,
    alerts: "AlertsStanding | None" = None,
    telemetry: "Figures | None" = None,
) -> bytes:
    """The text of `/metrics`. `pids` are the processes whose memory is shown. Slow with many series: use a thread."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(views, standing, pids, ledger or LedgerStanding(), jobs, seen, alerts, telemetry))
    return generate_latest(registry)


class _Page(Collector):
    def __init__(
        self,
        views: list[WorkerView],
        standing: Standing,
        pids: dict[str, int],
        ledger: LedgerStanding,
        jobs: JobsStanding | None,
        seen: Seen | None,
        alerts: "AlertsStanding | None",
        telemetry: "Figures | None",
    ) -> None:
        self._telemetry = telemetry
        self._alerts = alerts
        self._seen = seen
        self._jobs = jobs
        self._ledger = ledger
        self._views = views
        self._standing = standing
        self._pids = pids

    def collect(self) -> Iterable[Metric]:
        yield from _gate(self._standing, self._pids)
        yield from _calls(self._views)
        yield from _histograms(self._views)
        yield from _attempts(self._views)
        yield from refusal_metrics(self._views)
        yield from _keys(self._views)
        yield _unexplained(self._views)
        yield from queue_metrics(self._views)
        yield from _gauges(self._views)
        yield _drained(self._views)
        yield _rates(self._views)
        yield from window_metrics(self._seen)
        yield from ledger_metrics(self._ledger)
        yield from journal_metrics(self._views)
        yield from spend_metrics(self._views)
        yield from cache_metrics(self._views)
        yield from cluster_metrics(self._views)
        yield from jobs_metrics(self._jobs)
        yield from alert_metrics(self._alerts)
        yield from telemetry_metrics(self._telemetry)
        yield from worker_metrics(self._standing.workers, self._pids)


def _gate(standing: Standing, pids: dict[str, int]) -> Iterator[Metric]:
    yield InfoMetricFamily("tidegate_build", "The running version", value={"version": __version__})
    yield GaugeMetricFamily("tidegate_ready", "1 while calls are accepted", value=standing.ready)
    yield GaugeMetricFamily("tidegate_draining", "1 while the gate drains", value=standing.draining)
    yield GaugeMetricFamily("tidegate_config_version", "Which load is in force", value=standing.version)
    yield CounterMetricFamily("tidegate_worker_restarts", "Workers started again", value=standing.restarts)
    memory = GaugeMetricFamily("tidegate_resident_memory_bytes", "Resident memory by process", labels=["process"])
    for process, pid in pids.items():
        resident = _resident(pid)
        if resident:
            memory.add_metric([process], resident)
    yield memory


def _resident(pid: int) -> int:
    """Bytes, 0 where the system does not tell."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * 4_096


def _calls(views: list[WorkerView]) -> Iterator[Metric]:
    calls = CounterMetricFamily("tidegate_calls", "Calls by class of the status sent", labels=[*_CALL, "status"])
    tokens = CounterMetricFamily("tidegate_tokens", "Tokens: as billed, and as charged", labels=[*_CALL, "kind"])
    streamed = CounterMetricFamily("tidegate_streamed_calls", "Calls answered as a stream", labels=_CALL)
    estimated = CounterMetricFamily("tidegate_estimated_calls", "Calls whose usage is our estimate", labels=_CALL)
    retries = CounterMetricFamily("tidegate_retries", "Attempts beyond a call's first", labels=_CALL)
    for labels, meter in _meters(views):
        for status, count in zip(_CLASSES, meter.by_class, strict=True):
            if count:
                calls.add_metric([*labels, status], count)
        for kind in ("prompt", "completion", "cached", "charged"):
            tokens.add_metric([*labels, kind], getattr(meter, f"{kind}_tokens"))
        streamed.add_metric(labels, meter.streamed)
        estimated.add_metric(labels, meter.estimated)
        retries.add_metric(labels, meter.retried)
    yield from (calls, tokens, streamed, estimated, retries)


def _histograms(views: list[WorkerView]) -> Iterator[Metric]:
    wait = HistogramMetricFamily("tidegate_wait_seconds", "Waiting for quota or for a retry", labels=_CALL)
    first = HistogramMetricFamily("tidegate_first_byte_seconds", "Until the first byte of the answer", labels=_CALL)
    duration = HistogramMetricFamily("tidegate_call_seconds", "Whole calls", labels=_CALL)
    for labels, meter in _meters(views):
        at_once = sum(meter.by_class) - sum(meter.queued.counts)
        _add(wait, labels, meter.queued, at_once)
        _add(first, labels, meter.first_byte)
        _add(duration, labels, meter.duration)
    yield from (wait, first, duration)


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Histogram, in_first: int = 0) -> None:
    count, buckets = in_first, []
    for bound, inside in zip(_LE, histogram.counts, strict=True):
        count += inside
        buckets.append((bound, float(count)))
    family.add_metric(labels, buckets, histogram.total_us / 1e6)


def _attempts(views: list[WorkerView]) -> Iterator[Metric]:
    attempts = CounterMetricFamily("tidegate_attempts", "Attempts by what they came to", labels=[*_LANE, "result"])
    throttled = CounterMetricFamily("tidegate_provider_throttled", "429s from the provider", labels=_LANE)
    rate = REASONS.index("rate")
    for view in views:
        for lane in view.lanes:
            labels = _lane_labels(view, lane.lane)
            attempts.add_metric([*labels, "answered"], lane.answered)
            for reason, count in zip(REASONS, lane.failed, strict=True):
                if count:
                    attempts.add_metric([*labels, reason], count)
            throttled.add_metric(labels, lane.failed[rate])
    yield from (attempts, throttled)


def _keys(views: list[WorkerView]) -> Iterator[Metric]:
    labels = ["worker", "provider", "scope"]
    retired = CounterMetricFamily("tidegate_keys_retired", "Keys that the provider refused", labels=labels)
    restored = CounterMetricFamily("tidegate_keys_restored", "Of these, keys that it answered again", labels=labels)
    for view in views:
        for meter in view.scopes:
            provider, _, scope = meter.scope.partition("/")
            retired.add_metric([str(view.worker), provider, scope], meter.retired)
            restored.add_metric([str(view.worker), provider, scope], meter.restored)
    yield from (retired, restored)


def _unexplained(views: list[WorkerView]) -> Metric:
    family = CounterMetricFamily(
        "tidegate_unexplained_refusals", "Refusals that no row of a profile explains", labels=["worker", "provider"]
    )
    for view in views:
        for meter in view.providers:
            family.add_metric([str(view.worker), meter.provider], meter.unexplained)
    return family


def _gauges(views: list[WorkerView]) -> Iterator[Metric]:
    is_open = GaugeMetricFamily("tidegate_lane_open", "0 while refused lately: closed but for a probe", labels=_LANE)
    left = GaugeMetricFamily("tidegate_quota_left", "What the quota's mirror holds", labels=[*_LANE, "unit"])
    limit = GaugeMetricFamily("tidegate_quota_limit", "The quota per minute", labels=[*_LANE, "unit"])
    beliefs = _Beliefs()
    for view in views:
        for gauge in view.gauges:
            labels = _lane_labels(view, gauge.lane)
            is_open.add_metric(labels, gauge.open)
            for unit, holds, allowed in (
                ("tokens", gauge.level_tokens, gauge.limit_tokens),
                ("requests", gauge.level_requests, gauge.limit_requests),
            ):
                if allowed >= 0:
                    left.add_metric([*labels, unit], holds)
                    limit.add_metric([*labels, unit], allowed)
            beliefs.add(labels, gauge)
    yield from (is_open, left, limit, *beliefs.families)


def _drained(views: list[WorkerView]) -> Metric:
    labels = ["worker", "provider", "scope", "key"]
    family = GaugeMetricFamily("tidegate_account_drained", "1 while an operator has it out of service", labels=labels)
    for view in views:
        for account in view.accounts:
            at = [str(view.worker), account.provider, account.scope]
            if account.drained:
                family.add_metric([*at, ""], 1)
            for key in account.keys:
                if key.state == "drained":
                    family.add_metric([*at, key.fingerprint], 1)
    return family


class _Beliefs:
    """What is known of the limits, and from where."""

    def __init__(self) -> None:
        units = [*_LANE, "unit"]
        self._known = GaugeMetricFamily(
            "tidegate_limit_known", "A limit per minute by its source", labels=[*units, "source"]
        )
        self._others = GaugeMetricFamily("tidegate_quota_others", "What others spend a minute", labels=units)
        self._trust = GaugeMetricFamily(
            "tidegate_headers_trust", "Trust in the rate-limit headers, 0 to 1", labels=units
        )
        self.families = (self._known, self._others, self._trust)

    def add(self, labels: list[str], gauge: LaneGauge) -> None:
        """One lane's; only what there is."""
        for unit, belief in (("tokens", gauge.tokens), ("requests", gauge.requests)):
            for source, limit in (("headers", belief.shown), ("refusals", belief.learnt)):
                if limit:
                    self._known.add_metric([*labels, unit, source], limit)
            if belief.limit:
                self._others.add_metric([*labels, unit], belief.others)
                self._trust.add_metric([*labels, unit], belief.trust / 1_000)


def _rates(views: list[WorkerView]) -> Metric:
    total: dict[str, float] = {}
    for view in views:
        for model, rate in view.token_usage_rate.items():
            total[model] = total.get(model, 0.0) + rate
    family = GaugeMetricFamily("token_usage_rate", "Tokens a second over the last minute", labels=["model"])
    for model, rate in total.items():
        family.add_metric([model], rate)
    return family


def _meters(views: list[WorkerView]) -> Iterator[tuple[list[str], CallMeter]]:
    for view in views:
        for labels, meter in view.calls.items():
            yield [str(view.worker), *labels], meter


def _lane_labels(view: WorkerView, lane: str) -> list[str]:
    provider, _, rest = lane.partition("/")
    scope, _, model = rest.partition("/")
    return [str(view.worker), provider, scope, model or lane]
