"""The thread that keeps the ledger, for which nobody waits; whatever fails in it is tried again.

It opens the database, brings its schema up to date, takes the journals, and lets go of what is too old.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tidegate.control.board import Board
from tidegate.control.database import Database
from tidegate.control.declared import Declaration
from tidegate.control.leader import alone
from tidegate.control.priority import give_way
from tidegate.control.trends import TrendKeeper
from tidegate.model.entitlements import LedgerSettings
from tidegate.observe.log import Log

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tidegate.store.engine import Begin
    from tidegate.store.ingest import Ingest

_IDLE: Final = 0.25
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 15.0
_SAY_AGAIN: Final = 60.0
_LOOK: Final = 1.0  # how often the journals' sizes are looked at
_TIDY: Final = 3_600.0
_DAY: Final = 86_400


class Ledger:
    """Runs until the process ends; how it stands is `board.ledger`. `engine` may be read from any thread."""

    def __init__(
        self,
        state_dir: Path,
        declaration: Declaration,
        board: Board,
        log: Log,
        lead: "Callable[[], Begin | None]" = alone,
        database: Database | None = None,
    ) -> None:
        """`lead`: how what is done once for all nodes is begun, None = by another node.

        `database`: where all others find it open.
        """
        self._lead = lead
        self._board = board
        self._database = Database() if database is None else database
        self._state_dir = state_dir
        self._declaration = declaration
        self._log = log
        self._settings: LedgerSettings | None = None
        self._ingest: Ingest | None = None
        self._wait = _FIRST_WAIT
        self._trends = TrendKeeper()
        self._said = self._looked = self._tidied = -_TIDY

    @property
    def engine(self) -> "Engine | None":
        """The open database, once its schema is that of this version."""
        return self._database.engine

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="ledger", daemon=True).start()

    def _run(self) -> None:
        while not self._declaration.now.version:  # nobody has said yet where the database is
            time.sleep(0.02)
        urgent = True  # until the database is open the admin API waits for it
        while True:
            try:
                self.turn()
                if urgent:
                    urgent = False
                    give_way()
                pause = 0.0 if self._ingest is not None and self._ingest.behind else _IDLE
            except Exception as error:  # noqa: BLE001 - of a driver or a disk; calls are safe in the journal meanwhile
                pause = self._failed(error)
            time.sleep(pause)

    def turn(self) -> bool:
        """One piece of each journal; False when nothing was new. Raises whatever fails."""
        settings = self._declaration.now.ledger
        if self._ingest is None or self._settings is None or settings.database != self._settings.database:
            self._ingest = self._opened(settings)
        self._settings = settings
        more = self._ingest.step()
        self._worked()
        now = time.monotonic()
        if now - self._looked >= _LOOK:
            self._looked = now
            self._look(self._ingest, settings)
        if not more and now - self._tidied >= _TIDY and (begin := self._lead()) is not None:
            self._tidied = now
            self._tidy(settings, begin)
        if self.engine is not None and self._trends.due(now) and (begin := self._lead()) is not None:
            self._trends.note(self.engine, self._board.views(), int(time.time()), begin)
        return more

    def _opened(self, settings: LedgerSettings) -> "Ingest":
        # Here, in the thread: the admin port listens before a second of imports is over.
        from tidegate.store.engine import open_engine, shown  # noqa: PLC0415
        from tidegate.store.ingest import Ingest  # noqa: PLC0415
        from tidegate.store.upgrade import upgrade  # noqa: PLC0415

        self._database.engine, old = None, self.engine
        if old is not None:
            old.dispose()
        engine = open_engine(settings.database, self._state_dir)
        try:
            before, now = upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
        if before != now:
            self._log.info("the database's schema was brought up to date", database=shown(engine), schema=now)
        self._database.engine = engine
        self._trends = TrendKeeper()
        return Ingest(engine, self._state_dir, self._log)

    def _worked(self) -> None:
        self._wait = _FIRST_WAIT
        if self._board.ledger.up:
            return
        if self._board.ledger.failing_since:
            self._log.info(
                "the ledger's database works again", seconds=round(time.time() - self._board.ledger.failing_since)
            )
        self._board.ledger = replace(self._board.ledger, up=True, problem="", failing_since=0.0)

    def _failed(self, error: Exception) -> float:
        """Note it, say it now and then, and return the seconds until the next try."""
        problem = _plain(error)
        since = self._board.ledger.failing_since or time.time()
        now = time.monotonic()
        if self._board.ledger.up or not self._board.ledger.failing_since or now - self._said >= _SAY_AGAIN:
            self._said = now
            self._log.error("the ledger's database does not take records; the journal keeps them", problem=problem)
        self._board.ledger = replace(self._board.ledger, up=False, problem=problem, failing_since=since)
        if self.engine is not None:
            self.engine.dispose()  # what a connection was in the middle of is nobody's
        self._look(self._ingest, self._declaration.now.ledger)
        pause, self._wait = self._wait, min(self._wait * 2, _LONGEST_WAIT)
        return pause

    def _look(self, ingest: "Ingest | None", settings: LedgerSettings) -> None:
        from tidegate.store.ingest import untaken  # noqa: PLC0415

        try:
            journals = untaken(self._state_dir) if ingest is None else ingest.standings()
        except OSError:
            return
        lag = sum(journal.lag_bytes for journal in journals)
        alarm = lag > settings.alarm_bytes
        if alarm and not self._board.ledger.alarm:
            self._log.error("more of the journal than `ledger.alarm_bytes` is not in the database", bytes=lag)
        elif self._board.ledger.alarm and not alarm:
            self._log.info("the journal is in the database but for a little", bytes=lag)
        self._board.ledger = replace(self._board.ledger, journals=journals, alarm=alarm)

    def _tidy(self, settings: LedgerSettings, begin: "Begin") -> None:
        from tidegate.store import partitions  # noqa: PLC0415
        from tidegate.store.duties import Deposed  # noqa: PLC0415

        engine, today = self.engine, int(time.time()) // _DAY
        if engine is None or settings.keep_days <= 0:
            return
        try:
            gone = partitions.drop_before(engine, today - settings.keep_days, begin)
            partitions.ahead(engine, today, begin)
            self._trends.tidy(engine, settings, int(time.time()), begin)
        except Deposed:
            return  # another node sees to it
        if gone:
            self._log.info("old calls left the database", days=settings.keep_days, dropped=gone)


def _plain(error: Exception) -> str:
    """The driver's own words, on one line and without the statement and its values."""
    text = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    return " ".join(text.split())[:300]
