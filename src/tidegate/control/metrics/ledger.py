"""The ledger's part of the metrics page."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tidegate.control.board import LedgerStanding, WorkerView


def ledger_metrics(standing: LedgerStanding) -> Iterator[Metric]:
    """Whether the database takes records, and how far each journal has been taken."""
    yield GaugeMetricFamily("tidegate_ledger_up", "1 while the database takes records", value=standing.up)
    yield GaugeMetricFamily("tidegate_ledger_alarm", "1 while more than alarm_bytes wait for it", value=standing.alarm)
    labels = ["journal"]
    lag = GaugeMetricFamily("tidegate_ledger_lag_bytes", "Journal that is not in the database", labels=labels)
    segment = GaugeMetricFamily("tidegate_ledger_segment", "The segment that is being taken", labels=labels)
    calls = CounterMetricFamily("tidegate_ledger_calls", "Calls in the database, of this journal", labels=labels)
    damaged = CounterMetricFamily("tidegate_ledger_damaged_records", "Records that cannot be read", labels=labels)
    missed = CounterMetricFamily(
        "tidegate_ledger_missed_segments", "Segments deleted before they were in the database", labels=labels
    )
    for journal in standing.journals:
        at = [journal.name]
        lag.add_metric(at, journal.lag_bytes)
        segment.add_metric(at, journal.segment)
        calls.add_metric(at, journal.taken_calls)
        damaged.add_metric(at, journal.damaged_records)
        missed.add_metric(at, journal.missed_segments)
    yield from (lag, segment, calls, damaged, missed)


def journal_metrics(views: list[WorkerView]) -> Iterator[Metric]:
    """What workers could not write into their journals."""
    labels = ["worker"]
    failing = GaugeMetricFamily("tidegate_journal_failing", "1 while a journal cannot be written", labels=labels)
    kept = GaugeMetricFamily("tidegate_journal_kept_records", "Records in memory, for a disk to take", labels=labels)
    failures = CounterMetricFamily("tidegate_journal_failures", "What could not be written at once", labels=labels)
    dropped = CounterMetricFamily("tidegate_journal_dropped_records", "Records that nobody has", labels=labels)
    intents = CounterMetricFamily("tidegate_journal_unwritten_intents", "Attempts without an intent", labels=labels)
    unread = CounterMetricFamily(
        "tidegate_journal_deleted_unread_segments", "Segments that went before they were taken", labels=labels
    )
    bodies = CounterMetricFamily("tidegate_bodies_kept", "Calls of which the bodies were kept", labels=labels)
    lost = CounterMetricFamily("tidegate_bodies_dropped", "Calls of which they should have been", labels=labels)
    for view in views:
        at, meter = [str(view.worker)], view.journal
        failing.add_metric(at, meter.failing)
        kept.add_metric(at, meter.kept)
        failures.add_metric(at, meter.failures)
        dropped.add_metric(at, meter.dropped)
        intents.add_metric(at, meter.unwritten_intents)
        unread.add_metric(at, meter.deleted_unread)
        bodies.add_metric(at, meter.kept_bodies)
        lost.add_metric(at, meter.dropped_bodies)
    yield from (failing, kept, failures, dropped, intents, unread, bodies, lost)
