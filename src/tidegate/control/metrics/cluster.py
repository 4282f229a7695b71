"""How workers stand to the state that they share, on the metrics page."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from tidegate.control.board import WorkerView
from tidegate.observe.meters import BOUNDS_US

_MODES: Final = ("joining", "shared", "local", "closed", "open")
_COUNTERS: Final = (
    ("exchanges", "exchanges", "Exchanges of shared limits that were begun"),
    ("exchange_failures", "failures", "Of these, those without an answer"),
    ("exchanges_late", "late", "Of these, those that came too late and did nothing"),
    ("funds_restored", "lost", "Answers of a server that had lost a limit's state: it was put back"),
    ("beats", "beats", "Beats that were sent"),
    ("beats_failed", "beats_failed", "Of these, those without an answer, or too late"),
    ("mode_changes", "changes", "How often a worker's mode has changed"),
    ("commands", "commands", "Commands sent to Redis or Valkey, whatever for"),
)


def cluster_metrics(views: list[WorkerView]) -> Iterator[Metric]:
    """Nothing where no worker shares anything."""
    shared = [(str(view.worker), view.cluster) for view in views if view.cluster is not None]
    if not shared:
        return
    mode = GaugeMetricFamily("tidegate_cluster_mode", "1 for the worker's mode", labels=["worker", "mode"])
    members = GaugeMetricFamily("tidegate_cluster_members", "Workers that it heard of last", labels=["worker"])
    share = GaugeMetricFamily(
        "tidegate_cluster_share", "Its part of each limit while it hears nothing, 0 to 1", labels=["worker"]
    )
    funds = GaugeMetricFamily("tidegate_cluster_funds", "Shared limits that it spends from", labels=["worker"])
    for worker, meter in shared:
        for one in _MODES:
            mode.add_metric([worker, one], one == meter.mode)
        members.add_metric([worker], meter.members)
        share.add_metric([worker], meter.share_ppm / 1e6)
        funds.add_metric([worker], meter.funds)
    yield from (mode, members, share, funds)
    for name, field, words in _COUNTERS:
        counter = CounterMetricFamily(f"tidegate_cluster_{name}", words, labels=["worker"])
        for worker, meter in shared:
            counter.add_metric([worker], getattr(meter, field))
        yield counter
    yield _latency(views)


def _latency(views: list[WorkerView]) -> Metric:
    family = HistogramMetricFamily(
        "tidegate_cluster_exchange_seconds", "Exchanges that were answered", labels=["worker"]
    )
    bounds = [*(f"{bound / 1e6:g}" for bound in BOUNDS_US), "+Inf"]
    for view in views:
        if view.cluster is None:
            continue
        count, buckets = 0, []
        for bound, inside in zip(bounds, view.cluster.latency.counts, strict=True):
            count += inside
            buckets.append((bound, float(count)))
        family.add_metric([str(view.worker)], buckets, view.cluster.latency.total_us / 1e6)
    return family
