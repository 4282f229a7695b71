"""The metrics of jobs: how many wait and run, since when, and how many have ended how."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tidegate.control.board import JobsStanding
from tidegate.model.jobs import ENDS, shown


def jobs_metrics(standing: JobsStanding | None) -> Iterator[Metric]:
    """Nothing while there are no jobs, or nobody can count them."""
    if standing is None:
        return
    depth = GaugeMetricFamily("tidegate_jobs", "Jobs that have not ended", labels=["backend", "state"])
    oldest = GaugeMetricFamily("tidegate_jobs_oldest_seconds", "Age of the oldest of them", labels=["backend", "state"])
    ended = CounterMetricFamily("tidegate_jobs_ended", "Jobs by how they ended", labels=["backend", "state"])
    for one in standing.depths:
        at = [shown(one.backend), one.state]
        depth.add_metric(at, one.jobs)
        oldest.add_metric(at, max(0, standing.wall_us - one.oldest_us) / 1e6 if one.oldest_us else 0)
    for one in standing.ended:
        if one.state in ENDS:
            ended.add_metric([shown(one.backend), one.state], one.jobs)
    yield from (depth, oldest, ended)
