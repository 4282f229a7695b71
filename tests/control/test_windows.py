"""The watch that keeps the windows: what it takes from the board, what it remembers, and the page."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.observe.test_windows import calls, gauge, lane
from tidegate.control.board import Board, JobsStanding, LedgerStanding, Standing
from tidegate.control.declared import Declaration, Declared
from tidegate.control.metrics.exposition import render
from tidegate.control.windows import FILE, StandingWatch
from tidegate.jobs.records import Depth
from tidegate.model.alerts import AlertRule, AlertSettings
from tidegate.model.cluster import ClusterSettings
from tidegate.model.jobs import DEAD, DONE
from tidegate.model.measures import METRICS, Sample
from tidegate.observe.meters import JournalMeter, PoolGauge, Report, Tally
from tidegate.store.standing import JournalStanding
from tidegate.supervisor.messages import WorkerState

SECOND = 1_000_000
RULES = (AlertRule("wait", "queue_wait_ms", 200, 500), AlertRule("off", "keys_dead", 1, enabled=False))
DECLARED = Declared(cluster=ClusterSettings(node="one"), alerts=AlertSettings(rules=RULES))
POOL = PoolGauge("p", "gpt-4o", {"vip": 1}, 0, 0, left=3, waited_us=600_000, waiting_us=200_000)
Page = dict[tuple[str, tuple[str, ...]], float]


class Scene:
    """A watch on a board, and its clocks."""

    def __init__(self, state_dir: Path) -> None:
        self.wall, self.second = 1_000 * SECOND, 100
        self.state_dir = state_dir
        self.board = Board()
        self.watch = self.another()

    def another(self) -> StandingWatch:
        return StandingWatch(self.board, Declaration(DECLARED), self.state_dir, lambda: self.wall)

    def turn(self, *reports: Report, after: int = 1) -> None:
        for report in reports:
            self.board.take(report)
        self.second += after
        self.wall += after * SECOND
        self.watch.turn(self.second)

    def busy(self) -> None:
        """A second with a bit of everything."""
        tallies = [Tally("chat", "over_quota", 2, "free"), Tally("chat", "moved", 1)]
        self.turn(
            Report(
                0, self.wall, 1, last=True, calls=[calls(9, 1, tokens=600)], lanes=[lane(9, 1)], tallies=tallies,
                gauges=[gauge((500, 10))], pools=[POOL],
            )
        )  # fmt: skip

    def samples(self) -> dict[str, float]:
        """Those that have one value."""
        return {sample.metric: sample.value for sample in self.watch.samples()}

    def page(self) -> Page:
        text = render(self.board.views(), Standing(), {}, seen=self.watch.look()).decode()
        families = text_string_to_metric_families(text)
        return {
            (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }


def test_what_the_board_was_told(tmp_path: Path) -> None:
    """Its reports are taken once; how supervisor, ledger and jobs stand is looked at."""
    scene = Scene(tmp_path)
    scene.board.jobs = JobsStanding((), (Depth("embedded", DEAD, 2), Depth("embedded", DONE, 9)), 0)
    scene.busy()
    down = WorkerState(0, "", 1, False, 1, 0, 0, "", "")
    scene.board.standing = Standing(ready=True, restarts=4, workers=(down,))
    scene.board.jobs = JobsStanding((), (Depth("embedded", DEAD, 5),), 0)
    journals = (JournalStanding("a", lag_bytes=3), JournalStanding("b", lag_bytes=4))
    scene.board.ledger = LedgerStanding(failing_since=1.0, journals=journals)
    scene.turn()
    scene.turn(after=2)
    samples = scene.samples()
    assert (len(scene.board.recent), scene.watch.standing().node) == (0, "one")
    assert (samples["error_rate_percent"], samples["fallback_rate_percent"]) == (10.0, 10.0)
    assert (samples["token_utilisation_percent"], samples["queue_wait_ms"]) == (50.0, 200.0)
    assert (samples["workers_down"], samples["worker_restarts"], samples["jobs_dead_per_hour"]) == (1.0, 4.0, 3.0)
    assert (samples["journal_behind_bytes"], samples["database_down_seconds"]) == (7.0, 2.0)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """From what any worker says of its journal, until it is well or the worker is gone."""
    scene = Scene(tmp_path)
    full, well = JournalMeter(failing=True), JournalMeter()
    seen = []
    for first, second in ((well, well), (well, full), (well, full), (full, well), (well, well), (full, well)):
        scene.turn(*(Report(each, scene.wall, 7, last=True, journal=one) for each, one in enumerate((first, second))))
        seen.append(scene.samples()["journal_failing_seconds"])
    assert seen == [0.0, 0.0, 1.0, 2.0, 0.0, 0.0]
    scene.turn()
    assert scene.samples()["journal_failing_seconds"] == 1.0
    scene.board.gone(0)
    scene.turn()
    assert scene.samples()["journal_failing_seconds"] == 0.0


def test_what_was_dropped_counts_once(tmp_path: Path) -> None:
    """Too many reports for a thread that was held: workers' next words are where they begin."""
    scene = Scene(tmp_path)
    scene.busy()
    reports = [Report(0, 1_000 * SECOND, 1, last=True, calls=[calls(50)]) for _ in range(1_001)]
    scene.turn(*reports)
    scene.turn(Report(0, 1_000 * SECOND, 1, last=True, calls=[calls(51)]))
    assert scene.watch.standing().plans[0].calls == 11


def test_what_goes_on_outlives_the_process(tmp_path: Path) -> None:
    """A limit that is seen again began when the process before saw it; a file that is broken tells nothing."""
    scene = Scene(tmp_path)
    scene.busy()
    scene.wall += 20 * SECOND
    scene.watch = scene.another()
    scene.turn(Report(0, 1, 1, last=True, pools=[POOL]))
    assert scene.samples()["limited_seconds"] == 21.0
    (tmp_path / FILE).write_bytes(b"{")
    scene.watch = scene.another()
    scene.turn(Report(0, 1, 1, last=True, pools=[POOL]))
    assert scene.samples()["limited_seconds"] == 0.0


def test_a_disk_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    """What could not be kept is known all the same."""
    scene = Scene(tmp_path / "gone")
    scene.busy()
    assert scene.samples()["limited_seconds"] == 0.0


def test_the_page(tmp_path: Path) -> None:
    """Windows by name, what was used of quotas, what alerts look at and their thresholds."""
    scene = Scene(tmp_path)
    scene.busy()
    page = scene.page()
    assert page["tidegate_window_calls_per_second", ("chat", "10s")] == 1.0
    assert page["tidegate_window_tokens_per_second", ("chat", "1m")] == 10.0
    assert page["tidegate_window_error_percent", ("chat", "1h")] == 10.0
    assert page["tidegate_window_refusal_percent", ("chat", "5m")] == 20.0
    assert page["tidegate_window_moved_percent", ("chat", "1s")] == 10.0
    lane_5m = ("gpt-4o", "openai", "main", "tokens", "5m")
    assert page["tidegate_window_quota_per_minute", lane_5m] == 100.0
    assert page["tidegate_window_throttled", ("gpt-4o", "openai", "main", "1m")] == 1.0
    assert page["tidegate_window_queue_wait_seconds", ("gpt-4o", "p", "1m")] == 0.2
    assert page["tidegate_quota_used", ("gpt-4o", "openai", "main", "requests")] == 10.0
    limits = {key[1]: value for key, value in page.items() if key[0] == "tidegate_quota_in_force"}
    assert limits == {("gpt-4o", "openai", "main", "tokens"): 1_000.0}
    assert page["tidegate_measure_queue_wait_ms", ("gpt-4o", "p")] == 200.0
    thresholds = {key[1]: value for key, value in page.items() if key[0] == "tidegate_alert_threshold"}
    assert thresholds == {("queue_wait_ms", "wait", "critical"): 500.0, ("queue_wait_ms", "wait", "warning"): 200.0}


def test_what_only_the_database_knows(tmp_path: Path) -> None:
    """Where this process asks it, for all nodes; not when it has not for a while."""
    scene = Scene(tmp_path)
    scene.board.sampled = scene.wall, [Sample("drill_failed", (("plan", "chat"), ("target", "o/m")), 1.0)]
    assert scene.page()["tidegate_measure_drill_failed", ("chat", "o/m")] == 1.0
    scene.wall += 30 * SECOND
    assert ("tidegate_measure_drill_failed", ("chat", "o/m")) not in scene.page()


def test_every_metric_of_rules_has_its_family(tmp_path: Path) -> None:
    """Without a sample too: a rule of Prometheus that names it names something."""
    scene = Scene(tmp_path)
    text = render([], Standing(), {}, seen=scene.watch.look()).decode()
    assert {name for name in METRICS if f"# TYPE tidegate_measure_{name} gauge" in text} == METRICS.keys()
    assert "tidegate_measure" not in render([], Standing(), {}).decode()
