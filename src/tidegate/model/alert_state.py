"""What is known of alerts from one look to the next: kept in the database, changed by `policy/alerts/` only.

Moments are microseconds since 1970, 0 = it has not happened.
"""

from typing import Final

import msgspec

from tidegate.model.measures import Labels

PENDING: Final = "pending"  # beyond its threshold, not yet for long enough
FIRING: Final = "firing"
CLEARING: Final = "clearing"  # on the other side, not yet for long enough
RESOLVED: Final = "resolved"  # over, and not everybody has been told

MILDER: Final = "milder"  # what was critical is a warning now: noted, and not told
TAKEN: Final = "taken"


class Alert(msgspec.Struct):
    """A rule and one of the label sets of its metric, while there is something to say of it."""

    id: str
    rule: str
    metric: str
    labels: Labels
    stage: str  # PENDING | FIRING | CLEARING | RESOLVED
    severity: str
    value: float
    threshold: float
    since_us: int  # beyond its threshold
    seen_us: int  # the last sample
    critical_us: int = 0  # beyond the critical one since
    calm_us: int = 0  # on the other side of what it clears at since
    milder_us: int = 0  # on the other side of what a critical one clears at since
    fired_us: int = 0
    resolved_us: int = 0
    taken_us: int = 0  # somebody has taken it: it is not repeated and goes no further
    taken_by: str = ""

    @property
    def fires(self) -> bool:
        """Is it on, as far as anybody is told?"""
        return self.stage in {FIRING, CLEARING}


class Told(msgspec.Struct, array_like=True):
    """That one alert is on was told, as this severe."""

    severity: str
    at_us: int


class Group(msgspec.Struct):
    """Alerts that one channel hears of together, and what it was told of them."""

    key: str
    channel: str
    route: int  # which of the settings'
    values: Labels  # by what they are together
    escalated: bool = False
    told: dict[str, Told] = {}  # by the alerts' ids
    opened_us: int = 0  # since when there is something to tell
    last_us: int = 0  # the last message


class AlertEvent(msgspec.Struct, frozen=True):
    """What became of an alert, for the history."""

    id: str
    at_us: int
    alert: str
    change: str  # FIRING | WORSE | MILDER | RESOLVED | TAKEN
    rule: str
    metric: str
    severity: str
    labels: Labels
    value: float
    threshold: float
    by: str = ""
