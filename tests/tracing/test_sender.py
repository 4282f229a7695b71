"""What is sent of the journals: each call at least once, whoever dies or does not listen."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.journal.facts import FixedClock
from tests.journal.hits import hit, said
from tests.tracing.test_spans import MAKERS, record
from tidegate.journal.journal import Journal
from tidegate.model.snapshot import JournalSettings
from tidegate.model.telemetry import TelemetrySettings
from tidegate.tracing import names
from tidegate.tracing.meters import Meter
from tidegate.tracing.sender import Declared, Figures, Sender
from tidegate.tracing.spans import Span

ALL = TelemetrySettings(endpoint="http://collector:4318", sample_permille=1_000)
SECOND = 1_000_000


class Collector:
    """Takes what it is sent while it is up."""

    def __init__(self) -> None:
        self.up = True
        self.calls: list[str] = []
        self.rounds: list[int] = []
        self.closed = 0
        self.metrics: dict[str, Meter] = {}

    @property
    def counted(self) -> int:
        """Calls in the metrics."""
        return sum(sum(counts) for counts, _ in self.metrics[names.SERVED].histograms.values())

    def spans(self, spans: Iterable[Span]) -> bool:
        if self.up:
            self.calls += [str(span.attributes["tidegate.call"]) for span in spans if span.server]
        return self.up

    def meters(self, meters: Iterable[Meter], begin_us: int, now_us: int) -> bool:
        self.rounds += [now_us] if self.up else []
        self.metrics = {meter.name: meter for meter in meters}
        return self.up

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    (tmp_path / "journal").mkdir()
    opened = Journal(tmp_path / "journal", JournalSettings(segment_bytes=65_536), FixedClock())
    yield opened
    opened.close()


class Lines:
    """What was logged."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, event: str, **_fields: object) -> None:
        self.said.append(event)

    def error(self, event: str, **fields: object) -> None:
        self.said.append(f"{event} {fields}")


class Node:
    """A control process of this state directory."""

    def __init__(self, place: Path, collector: Collector, settings: TelemetrySettings = ALL) -> None:
        self.settings = settings
        self.log = Lines()
        self.opened: list[TelemetrySettings] = []
        self.figures = Figures()

        def open_exporter(settings: TelemetrySettings, _instance: str) -> Collector:
            self.opened.append(settings)
            return collector

        self.sender = Sender(
            place,
            lambda: Declared(self.settings, MAKERS),
            list,
            self.log,
            lambda: 0,
            "n",
            self.show,
            open_exporter,
        )

    def show(self, figures: Figures) -> None:
        self.figures = figures


def test_what_the_cache_answered_is_sent_too(tmp_path: Path, journal: Journal) -> None:
    """But for a stale answer, of which the span of its call tells; sampled and counted as calls are."""
    collector = Collector()
    node = Node(tmp_path, collector)
    assert node.sender.turn(0)
    journal.append(said(hit(2), hit(3, layer="stale")))
    assert node.sender.turn(ALL.metrics_every_us)
    assert (collector.calls, collector.counted) == (["2"], 1)
    node.settings = TelemetrySettings(endpoint="http://collector:4318", sample_permille=0)
    journal.append(said(hit(4)))
    assert node.sender.turn(2 * ALL.metrics_every_us)
    assert (collector.calls, node.figures.calls_unsampled, collector.counted) == (["2"], 1, 2)


def test_each_call_from_the_first_look_on(tmp_path: Path, journal: Journal) -> None:
    """What was there before is not sent; what comes is, once, over restarts of this process."""
    collector = Collector()
    journal.append(record(call_id=1))
    node = Node(tmp_path, collector)
    assert node.sender.turn(0)
    journal.append(record(call_id=2))
    journal.append(record(call_id=3, status=503))
    assert node.sender.turn(1)
    assert node.sender.turn(2)
    assert collector.calls == ["2", "3"]
    journal.append(record(call_id=4))
    Node(tmp_path, collector).sender.turn(3)
    assert collector.calls == ["2", "3", "4"]
    assert (node.figures.spans_sent, node.figures.up) == (4, True)


def test_a_collector_that_is_away_loses_nothing(tmp_path: Path, journal: Journal) -> None:
    """It is said once, and once more when it is back."""
    collector = Collector()
    node = Node(tmp_path, collector)
    node.sender.turn(0)
    collector.up = False
    journal.append(record(call_id=1))
    assert not node.sender.turn(1)
    assert not node.sender.turn(2)
    assert (node.figures.failures, node.figures.up) == (2, False)
    collector.up = True
    assert node.sender.turn(3)
    assert collector.calls == ["1"]
    assert len(node.log.said) == 2
    assert node.log.said[1] == "telemetry is taken again"


def test_what_is_not_among_the_share_is_counted(tmp_path: Path, journal: Journal) -> None:
    """And what failed is sent in any case."""
    collector = Collector()
    node = Node(tmp_path, collector, TelemetrySettings(endpoint="http://collector", sample_permille=0))
    node.sender.turn(0)
    journal.append(record(call_id=1))
    journal.append(record(call_id=2, status=429))
    node.sender.turn(1)
    assert (collector.calls, node.figures.calls_unsampled) == (["2"], 1)


def test_metrics_as_often_as_is_asked(tmp_path: Path, journal: Journal) -> None:
    """And not at all where they are not wanted."""
    collector = Collector()
    node = Node(tmp_path, collector, TelemetrySettings(endpoint="http://collector", metrics_every_us=10 * SECOND))
    for second in range(10, 35, 5):
        node.sender.turn(second * SECOND)
    assert collector.rounds == [10 * SECOND, 20 * SECOND, 30 * SECOND]
    node.settings = TelemetrySettings(endpoint="http://collector", metrics=False)
    node.sender.turn(60 * SECOND)
    assert len(collector.rounds) == 3


def test_metrics_have_each_call_once(tmp_path: Path, journal: Journal) -> None:
    """Sampled or not; and once though its spans had to be sent again, as the collector did not take them."""
    collector = Collector()
    settings = TelemetrySettings(endpoint="http://collector", sample_permille=0, metrics_every_us=SECOND)
    node = Node(tmp_path, collector, settings)
    node.sender.turn(0)
    journal.append(record(call_id=1))
    journal.append(record(call_id=2, status=503))
    collector.up = False
    assert not node.sender.turn(SECOND)
    collector.up = True
    assert node.sender.turn(2 * SECOND)
    assert node.sender.turn(3 * SECOND)
    assert (collector.calls, collector.counted) == (["2"], 2)


def test_it_follows_the_configuration(tmp_path: Path, journal: Journal) -> None:
    """Nothing is opened without an endpoint; another one is opened anew."""
    collector = Collector()
    node = Node(tmp_path, collector, TelemetrySettings())
    node.sender.turn(0)
    assert node.opened == []
    node.settings = ALL
    node.sender.turn(1)
    node.settings = TelemetrySettings(endpoint="http://other")
    node.sender.turn(2)
    assert [one.endpoint for one in node.opened] == ["http://collector:4318", "http://other"]
    assert collector.closed == 1


def test_without_the_extra_it_is_said(tmp_path: Path, journal: Journal) -> None:
    """With the remedy; and nothing fails."""
    node = Node(tmp_path, Collector())

    def missing(_settings: TelemetrySettings, _instance: str) -> Collector:
        raise ImportError("opentelemetry")

    node.sender._open = missing
    assert node.sender.turn(0)
    assert "install tidegate[otel]" in node.log.said[0]
