"""The newest of what the workers and the supervisor told. Kept in memory, read by the admin port."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tidegate.model.measures import Sample
from tidegate.observe.live import Told
from tidegate.observe.meters import (
    AccountGauge,
    AnswersMeter,
    CallMeter,
    ClusterMeter,
    JournalMeter,
    LaneGauge,
    LaneMeter,
    PoolGauge,
    ProviderMeter,
    Report,
    ScopeMeter,
    SemanticMeter,
    SpendGauge,
    Tally,
)
from tidegate.store.standing import JournalStanding
from tidegate.supervisor.messages import WorkerState

if TYPE_CHECKING:
    from tidegate.alerts.figures import AlertsStanding
    from tidegate.jobs.records import Depth
    from tidegate.tracing.sender import Figures


_MOST_RECENT: Final = 1_000  # several seconds' worth of many workers


@dataclass(slots=True)
class WorkerView:
    """One worker's counters, cumulative since it started."""

    worker: int
    incarnation: int
    pid: int
    calls: dict[tuple[str, ...], CallMeter] = field(default_factory=dict)
    lanes: list[LaneMeter] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    gauges: list[LaneGauge] = field(default_factory=list)
    pools: list[PoolGauge] = field(default_factory=list)
    scopes: list[ScopeMeter] = field(default_factory=list)
    token_usage_rate: dict[str, float] = field(default_factory=dict)
    providers: list[ProviderMeter] = field(default_factory=list)
    journal: JournalMeter = field(default_factory=JournalMeter)
    spends: list[SpendGauge] = field(default_factory=list)
    answers: list[AnswersMeter] = field(default_factory=list)
    semantic: SemanticMeter | None = None
    cluster: ClusterMeter | None = None
    accounts: list[AccountGauge] = field(default_factory=list)


@dataclass(slots=True)
class Standing:
    """How the gate stands, as the supervisor says."""

    ready: bool = False
    draining: bool = False
    version: int = 0
    restarts: int = 0
    workers: tuple[WorkerState, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerStanding:
    """How the ledger stands; replaced as a whole, so any thread may read it."""

    up: bool = False  # the last that was asked of the database was done
    problem: str = ""
    failing_since: float = 0.0  # seconds since 1970, 0 = it is not
    alarm: bool = False  # more than `alarm_bytes` wait
    journals: tuple[JournalStanding, ...] = ()


@dataclass(frozen=True, slots=True)
class JobsStanding:
    """How many jobs there were at `wall_us` (microseconds since 1970): those that have not ended, and ends ever."""

    depths: "tuple[Depth, ...]"
    ended: "tuple[Depth, ...]"
    wall_us: int


class Board:
    """Takes reports and states; O(1) per series.

    Counters are kept as each worker tells them and labelled by worker, never summed up here: a worker that is started
    again shows as the counter reset that Prometheus knows how to read, and a control process that is started again
    shows the same figures as before, since it has none of its own to lose.
    """

    __slots__ = ("_views", "alerts", "dropped", "jobs", "ledger", "recent", "sampled", "standing", "telemetry")

    def __init__(self) -> None:
        self._views: dict[int, WorkerView] = {}
        self.recent: deque[Report] = deque()  # as they came, for `control/windows.py` to take
        self.dropped = False  # nobody took them for long
        self.sampled: tuple[int, Sequence[Sample]] = (0, ())  # what the database knew, and when it was asked
        self.standing = Standing()
        self.ledger = LedgerStanding()
        self.telemetry: Figures | None = None  # as jobs; None: nothing is sent
        self.alerts: AlertsStanding | None = None  # as jobs; None: nobody has judged yet
        self.jobs: JobsStanding | None = None  # replaced as a whole; None: there are none, or nobody can count them

    def take(self, report: Report) -> None:
        """One part of a worker's round."""
        if len(self.recent) >= _MOST_RECENT:
            self.dropped = True
            self.recent.clear()
        self.recent.append(report)
        view = self._views.get(report.worker)
        if view is None or view.incarnation != report.incarnation:
            view = self._views[report.worker] = WorkerView(report.worker, report.incarnation, report.pid)
        for meter in report.calls:
            view.calls[meter.plan, meter.model, meter.provider, meter.scope] = meter
        if report.last:
            view.lanes = report.lanes
            view.tallies = report.tallies
            view.gauges = report.gauges
            view.pools = report.pools
            view.scopes = report.scopes
            view.token_usage_rate = report.token_usage_rate
            view.providers = report.providers
            view.journal = report.journal
            view.spends = report.spends
            view.answers = report.answers
            view.semantic = report.semantic
            view.cluster = report.cluster
            view.accounts = report.accounts

    def show_telemetry(self, figures: "Figures") -> None:
        """What became of what is sent to a collector."""
        self.telemetry = figures

    def show_alerts(self, standing: "AlertsStanding") -> None:
        """How the alerts stand now."""
        self.alerts = standing

    def gone(self, worker: int) -> None:
        """A worker's connection ended: its counters stay, what it said of this moment does not."""
        view = self._views.get(worker)
        if view is not None:
            view.pid = 0
            view.gauges = []
            view.pools = []
            view.accounts = []
            view.token_usage_rate = {}

    def told(self) -> list[Told]:
        """What each worker says of this moment. For any thread. O(workers)."""
        return [
            Told(
                one.gauges,
                one.pools,
                one.answers,
                one.cluster,
                frozenset(f"{account.provider}/{account.scope}" for account in one.accounts if account.drained),
            )
            for one in list(self._views.values())
        ]

    @property
    def journal_failing(self) -> bool:
        """Some worker that is there cannot write its journal. For any thread. O(workers)."""
        return any(one.pid and one.journal.failing for one in list(self._views.values()))

    def views(self) -> list[WorkerView]:
        """All workers in order, copied as far as `take` changes them: safe to read in a thread."""
        return [
            WorkerView(
                view.worker,
                view.incarnation,
                view.pid,
                dict(view.calls),
                view.lanes,
                view.tallies,
                view.gauges,
                view.pools,
                view.scopes,
                view.token_usage_rate,
                view.providers,
                view.journal,
                view.spends,
                view.answers,
                view.semantic,
                view.cluster,
                view.accounts,
            )
            for _, view in sorted(self._views.items())
        ]
