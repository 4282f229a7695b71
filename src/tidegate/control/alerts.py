"""The watch of alerts within the control process. It is imported when the admin port listens: it takes a second."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tidegate.control.board import Board
from tidegate.control.declared import Declaration
from tidegate.control.trends import limits_in_force
from tidegate.control.windows import StandingWatch
from tidegate.model.measures import Sample
from tidegate.observe.log import Log
from tidegate.observe.samples import samples
from tidegate.ports import Clock

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from tidegate.alerts.face import Channel
    from tidegate.alerts.watch import Watch
    from tidegate.model.alerts import AlertChannel, AlertSettings
    from tidegate.store.engine import Begin
    from tidegate.store.outlook import OutlookKeeper

Source = Callable[["Connection", int], Iterable[Sample]]


class Seen(NamedTuple):
    """Where the watch looks."""

    declaration: Declaration
    board: Board
    standing: StandingWatch


class Alerts:
    """One for the process. `sources`: what only the database knows, each asked for itself every few seconds."""

    __slots__ = ("_clock", "_engine_of", "_lead", "_log", "_outlooks", "_seen", "_sources", "_state_dir")

    def __init__(
        self,
        state_dir: Path,
        engine_of: "Callable[[], Engine | None]",
        seen: Seen,
        lead: "Callable[[], Begin | None]",
        log: Log,
        clock: Clock,
        sources: Sequence[Source] = (),
    ) -> None:
        """`lead`: how what is done once for all nodes is begun, None = by another node."""
        self._state_dir = state_dir
        self._engine_of = engine_of
        self._seen = seen
        self._lead = lead
        self._log = log
        self._clock = clock
        self._sources = sources
        self._outlooks: OutlookKeeper | None = None

    async def run(self) -> None:
        """Watch until it is cancelled."""
        while not self._seen.declaration.now.version:  # nobody has said yet who is told of what
            await self._clock.sleep(100_000)
        watch = await asyncio.to_thread(self._watch)
        await watch.run()

    def _watch(self) -> "Watch":
        from tidegate.alerts.channels.table import open_channel  # noqa: PLC0415
        from tidegate.alerts.channels.trust import Trust  # noqa: PLC0415
        from tidegate.alerts.database import AlertDatabase  # noqa: PLC0415
        from tidegate.alerts.watch import Surroundings, Watch  # noqa: PLC0415

        trust = Trust()

        def opened(channel: "AlertChannel", settings: "AlertSettings") -> "Channel":
            return open_channel(channel, settings, self._clock, trust)

        around = Surroundings(lambda: self._seen.declaration.now.alerts, self._seen.standing.standing, samples, opened)
        database = AlertDatabase(self._engine_of, self._lead, self._more)
        return Watch(around, database, self._state_dir, self._clock, self._log, self._seen.board.show_alerts)

    def _more(self, engine: "Engine", wall: int) -> Iterator[Sample]:
        """One source that fails leaves the others as they are."""
        found: list[Sample] = []
        for source in (self._outlook, *self._sources):
            try:
                with engine.connect() as connection:
                    found += source(connection, wall)
            except Exception as error:  # noqa: BLE001 - of a driver
                self._log.warning("something that alerts look at cannot be read", problem=type(error).__name__)
        self._seen.board.sampled = wall, found
        return iter(found)

    def _outlook(self, connection: "Connection", wall: int) -> Iterable[Sample]:
        from tidegate.store.outlook import OutlookKeeper  # noqa: PLC0415

        if self._outlooks is None:
            self._outlooks = OutlookKeeper()
        return self._outlooks.samples(connection, wall, limits_in_force(self._seen.board.views()))
