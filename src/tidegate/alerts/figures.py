"""How the alerts stand, for the metrics page."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class ChannelFigures:
    """Messages of one channel since this process began; `waiting` is of this moment and of all."""

    sent: int = 0
    failed: int = 0  # given up
    retried: int = 0
    repeated: int = 0  # sent again since whoever had claimed them died: they may have been told twice
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class AlertsStanding:
    """Replaced as a whole, so any thread may read it."""

    judges: bool = False  # this process, for all nodes
    kept: bool = False  # the database took the last state
    judged_us: int = 0  # wall clock, 0 = never
    firing: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by rule and severity
    pending: int = 0
    silenced: int = 0  # of those that fire
    dropped: Mapping[str, int] = field(default_factory=dict)  # label sets without room, by rule
    channels: Mapping[str, ChannelFigures] = field(default_factory=dict)
