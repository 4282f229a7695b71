"""Each node watches its database and its journals by itself: an alert about them may not be kept there.

What was told is kept in a file of the state directory, so that a control process that is started again meanwhile does
not say it a second time.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from tidegate.model.alert_state import Alert, AlertEvent, Group
from tidegate.model.alerts import AlertSettings
from tidegate.model.measures import Sample
from tidegate.policy.alerts.engine import Engine
from tidegate.policy.alerts.groups import Outgoing

FILE: Final = "alerts-own.json"
METRICS: Final = frozenset({"database_down_seconds", "journal_failing_seconds"})
_MOST_EVENTS: Final = 1_000


class _Kept(msgspec.Struct):
    """What stands in the file."""

    alerts: list[Alert]
    groups: list[Group]


class OwnWatch:
    """Rules about this node's database and journals. `events` wait for it; who keeps them empties the list."""

    __slots__ = ("_engine", "_path", "events")

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._engine: Engine | None = None
        self.events: list[AlertEvent] = []

    @property
    def alerts(self) -> list[Alert]:
        """Those that there are."""
        return [] if self._engine is None else self._engine.alerts

    def look(self, settings: AlertSettings, samples: Iterable[Sample], now: int) -> list[Outgoing]:
        """What is to be told now."""
        engine = self._under(mine(settings), now)
        engine.step(samples, (), now)
        unsaved = engine.unsaved
        if unsaved.any:
            engine.saved()
            self.events = [*self.events, *unsaved.events][-_MOST_EVENTS:]
            self._write(_Kept(engine.alerts, list(engine.groups.groups.values())))
        return unsaved.notices

    def _under(self, settings: AlertSettings, now: int) -> Engine:
        if self._engine is None:
            kept = self._read()
            self._engine = Engine(settings, now, kept.alerts, kept.groups)
        elif self._engine.settings != settings:
            self._engine = self._engine.changed(settings, now)
        return self._engine

    def _read(self) -> _Kept:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            return _Kept([], [])

    def _write(self, kept: _Kept) -> None:
        """A disk that does not take it costs the next process its memory, and nobody a message."""
        new = self._path.with_name(FILE + ".new")
        with contextlib.suppress(OSError):
            new.write_bytes(msgspec.json.encode(kept))
            new.replace(self._path)


def mine(settings: AlertSettings) -> AlertSettings:
    """What a node judges by itself."""
    return msgspec.structs.replace(settings, rules=tuple(rule for rule in settings.rules if rule.metric in METRICS))


def others(settings: AlertSettings) -> AlertSettings:
    """What is judged once for all nodes."""
    return msgspec.structs.replace(settings, rules=tuple(rule for rule in settings.rules if rule.metric not in METRICS))
