"""A watch over samples that a test sets, channels that a test watches, and a database that a test takes away."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from harness.wait import until
from tidegate.alerts.database import AlertDatabase
from tidegate.alerts.face import NotSent
from tidegate.alerts.figures import AlertsStanding
from tidegate.alerts.watch import Surroundings, Watch
from tidegate.model.alerts import AlertChannel, AlertRoute, AlertRule, AlertSettings, Notice
from tidegate.model.measures import Sample
from tidegate.model.standing import NodeStanding
from tidegate.observe.log import Log
from tidegate.store import alert_outbox
from tidegate.store.alert_outbox import Row
from tidegate.store.engine import Begin, open_engine, writing
from tidegate.store.upgrade import upgrade
from tidegate.testing.clock import ManualClock

SECOND = 1_000_000
RULES = (
    AlertRule("restarts", "worker_restarts", 3, 10, clear_us=2 * SECOND),
    AlertRule("database", "database_down_seconds", 5, clear_us=2 * SECOND),
    AlertRule("disk", "journal_failing_seconds", 5, clear_us=2 * SECOND),
)


class Heard:
    """A channel: what it took; `trouble` is raised while there is any, `deaf` makes it hang."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.trouble: NotSent | None = None
        self.deaf: asyncio.Event | None = None
        self.tries = 0

    async def send(self, notice: Notice) -> None:
        self.tries += 1
        if self.deaf is not None:
            await self.deaf.wait()
        if self.trouble is not None:
            raise self.trouble
        self.notices.append(notice)

    @property
    def states(self) -> list[str]:
        return [notice.state for notice in self.notices]


class Lines(Log):
    """A log that is kept."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__("control")
        self.lines: list[str] = []

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        self.lines.append(f"{level}: {event}")


class Stage:
    """What all nodes share: clock, database, channels, samples."""

    def __init__(self, folder: Path, engine: Engine | None = None, channels: Sequence[str] = ("a", "b")) -> None:
        self.folder = folder
        self.engine: Engine | None = engine or open_engine("", folder)
        if engine is None:
            upgrade(self.engine)
        self.base = self.engine
        self.clock = ManualClock()
        self.log = Lines()
        self.samples: list[Sample] = []
        self.heard = {name: Heard() for name in channels}
        self.settings = AlertSettings(
            RULES,
            tuple(AlertChannel(name, "webhook") for name in channels),
            (AlertRoute(tuple(channels), group_wait_us=0, group_interval_us=0),),
            missing_us=60 * SECOND,
        )

    def restarts(self, value: float, node: str = "n1") -> None:
        """That is what is measured from now on."""
        self.samples = [Sample("worker_restarts", (("node", node),), value)]

    def rows(self) -> list[Row]:
        assert self.base is not None
        with self.base.connect() as connection:
            return alert_outbox.rows(connection)

    def waits(self) -> int:
        assert self.base is not None
        with self.base.connect() as connection:
            return sum(alert_outbox.waiting(connection).values())


class Node:
    """One control process; leaving the block is its sudden death."""

    def __init__(self, stage: Stage, name: str = "n1", lead: Callable[[], Begin | None] = lambda: writing) -> None:
        self.stage = stage
        self.name = name
        self.shown = AlertsStanding()
        folder = stage.folder / name
        folder.mkdir(exist_ok=True)
        around = Surroundings(
            lambda: stage.settings,
            lambda: NodeStanding(name, stage.clock.wall()),
            lambda _standings: stage.samples,
            lambda channel, _settings: stage.heard[channel.name],
        )
        self.database = AlertDatabase(lambda: stage.engine, lead)
        self.watch = Watch(around, self.database, folder, stage.clock, stage.log, self._show)

    def _show(self, standing: AlertsStanding) -> None:
        self.shown = standing

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, task in self.watch._senders.values():
            task.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    async def look(self, times: int = 1, seconds: float = 1) -> None:
        """Time passes and it looks, so many times; what could be sent was sent."""
        for _ in range(times):
            self.stage.clock.stall(round(seconds * SECOND))
            self.watch._follow(self.stage.settings, self._tasks)
            await self.watch.look()
            await until(self._quiet, "senders")

    def _quiet(self) -> bool:
        """Every sender has seen what there was."""
        senders = [sender for sender, _ in self.watch._senders.values()]
        return all(sender.idle or self.stage.heard[sender.name].deaf is not None for sender in senders)

    def states(self) -> dict[str, list[str]]:
        return {name: heard.states for name, heard in self.stage.heard.items()}


def toggled(yes: Callable[[], bool], deposed: Callable[[], bool] = lambda: False) -> Callable[[], Begin | None]:
    """Who leads while it is said so; who believes to lead and does not, is told with its first transaction."""

    def lead() -> Begin | None:
        if deposed():
            return _refused
        return writing if yes() else None

    return lead


@contextmanager
def _refusing() -> Iterator[Connection]:
    from tidegate.store.duties import Deposed

    raise Deposed
    yield  # pragma: no cover


def _refused(_engine: Engine) -> AbstractContextManager[Connection]:
    return _refusing()
