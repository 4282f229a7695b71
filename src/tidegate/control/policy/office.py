"""What the API of the policy stands on: the desk, its history, and dry runs; and the watch that notes other changes."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tidegate.control.admin.problems import Refused, refused
from tidegate.control.policy.desk import PolicyDesk, Ways
from tidegate.control.policy.history import History
from tidegate.control.policy.trial import Trials
from tidegate.observe.log import Log

if TYPE_CHECKING:
    from sqlalchemy import Engine

_LOOK_SECONDS: Final = 2.0
_FIRST_SECONDS: Final = 5.0  # a gate that starts has more urgent things to do


class PolicyOffice(NamedTuple):
    """One for the process."""

    desk: PolicyDesk
    history: History
    trials: Trials


def policy_office(
    state_dir: Path, ways: Ways, engine_of: "Callable[[], Engine | None]", wall: Callable[[], int]
) -> PolicyOffice:
    """`wall` tells microseconds since 1970."""

    def engine() -> "Engine":
        found = engine_of()
        if found is None:
            raise refused(503, "ledger.database", "the database cannot be used now", "see the log of control")
        return found

    desk = PolicyDesk(state_dir, ways)
    return PolicyOffice(desk, History(desk, engine, wall), Trials(state_dir))


class PolicyWatch:
    """Notes in the history what was changed outside of the gate, seconds later. Trouble is logged once."""

    __slots__ = ("_log", "_office", "_ready", "_seen", "_trouble")

    def __init__(self, office: PolicyOffice, ready: Callable[[], bool], log: Log) -> None:
        """`ready`: can the database be asked?"""
        self._office = office
        self._ready = ready
        self._log = log
        self._seen: tuple[int, str] = (-1, "")
        self._trouble = ""

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        threading.Thread(target=self._run, name="policies", daemon=True).start()

    def look(self) -> None:
        """What was in force twice in a row is noted: an API that changes it keeps it by itself, meanwhile."""
        try:
            if self._office.desk.changing:
                return
            now = self._office.desk.current()
            seen, self._seen = self._seen, (self._office.desk.ways.version(), now.digest)
            if seen == self._seen and self._ready() and self._office.history.note(now):
                self._log.info("the configuration was changed outside of the gate", version=seen[0])
            self._trouble = ""
        except Exception as error:  # noqa: BLE001 - the database's, the file's, the editor's: it is tried again
            trouble = str(error) if isinstance(error, Refused) else type(error).__name__
            if trouble != self._trouble:
                self._trouble = trouble
                self._log.warning("what is in force cannot be noted in the policy's history", problem=trouble)

    def _run(self) -> None:
        time.sleep(_FIRST_SECONDS)
        while True:
            self.look()
            time.sleep(_LOOK_SECONDS)
