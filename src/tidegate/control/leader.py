"""Is this control process the one that does what is done once for all nodes? Renewed by a thread of its own.

The lease is a row of the database in which the work is done (`store/duties.py`), not of Redis: a write and the check of
its fence are one transaction there, so that two cannot work at a time whatever was frozen, and what is lost with Redis
leaves the cluster its leader. Where each node has a database of its own, each leads itself.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from tidegate.control.priority import give_way
from tidegate.observe.log import Log

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tidegate.store.duties import DutyLease
    from tidegate.store.engine import Begin

DUTY: Final = "leader"
_RENEW_SECONDS: Final = 3.0
_SOON_SECONDS: Final = 0.25
_LEASE_US: Final = 10_000_000  # without a word for so long another one leads


def alone() -> "Begin | None":
    """Of a process that shares its database with nobody."""
    from tidegate.store.engine import writing  # noqa: PLC0415 - the database's imports

    return writing


class Among(NamedTuple):
    """How this process stands among those of the other nodes."""

    lead: "Callable[[], Begin | None]" = alone  # how what is done once for all is begun, None = by another node
    ring: Callable[[], None] = lambda: None  # the others have something to follow; for any thread, never waits


class Leader:
    """`begin` may be asked by any thread. `engine_of`: the database, None while it is away."""

    __slots__ = ("_engine_of", "_held", "_holder", "_log", "_now", "_until")

    def __init__(
        self,
        engine_of: "Callable[[], Engine | None]",
        node: str,
        log: Log,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`node`: as the others know it."""
        self._engine_of = engine_of
        self._holder = f"{node[:120]}/{secrets.token_hex(8)}"
        self._log = log
        self._now = now
        self._held: DutyLease | None = None
        self._until = 0.0

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="leader", daemon=True).start()

    def _run(self) -> None:
        give_way()
        while True:
            self.look()
            time.sleep(_RENEW_SECONDS if self._engine_of() is not None else _SOON_SECONDS)

    @property
    def leads(self) -> bool:
        """Does this one lead, as far as is known here? A frozen process may be wrong: so `begin` checks."""
        return self._held is not None and self._now() < self._until

    def begin(self) -> "Begin | None":
        """How a transaction is begun that only the leader may make; None: another one leads, or nobody yet."""
        held = self._held
        return None if held is None or not self.leads else held.writing

    def look(self) -> None:
        """Renew the lease, or take it when it is free. Trouble is no leadership, and is tried again."""
        engine = self._engine_of()
        if engine is None:
            return
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - the database's imports

        from tidegate.store import duties  # noqa: PLC0415
        from tidegate.store.engine import is_sqlite  # noqa: PLC0415

        asked, led = self._now(), self.leads
        try:
            self._held = duties.claim(engine, DUTY, self._holder, _LEASE_US)
        except SQLAlchemyError:
            return  # the ledger says that the database is away; the lease runs out by itself
        self._until = asked + _LEASE_US / 1e6
        if led != self.leads and not is_sqlite(engine):
            self._log.info("this node leads: what is done once for all is its" if self.leads else "another node leads")
