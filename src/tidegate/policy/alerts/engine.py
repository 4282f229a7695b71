"""Judge and groups together: samples in, messages and what has to be kept out. Pure: whoever keeps it says so."""

from collections.abc import Iterable
from typing import Final

from tidegate.model.alert_state import RESOLVED, TAKEN, Alert, AlertEvent, Group
from tidegate.model.alerts import AlertSettings, AlertSilence
from tidegate.model.measures import Sample
from tidegate.policy.alerts.groups import Groups, Outgoing
from tidegate.policy.alerts.judge import Judge, event_of

_KEEP_US: Final = 30_000_000  # how old the value of an alert may become where it is kept
_MOST_KEPT: Final = 200  # of such in a step


class Unsaved:
    """What was not kept yet; saving it twice does nothing more than once."""

    __slots__ = ("alerts", "events", "groups", "notices")

    def __init__(self) -> None:
        self.alerts: dict[str, Alert | None] = {}  # by id, None = gone
        self.groups: dict[str, Group | None] = {}  # by key
        self.events: list[AlertEvent] = []
        self.notices: list[Outgoing] = []

    @property
    def any(self) -> bool:
        """Is there anything?"""
        return bool(self.alerts or self.groups or self.events or self.notices)


class Engine:
    """The alerts of a gate. `unsaved` is taken by who keeps it, and put anew by `saved`."""

    __slots__ = ("_kept", "groups", "judge", "settings", "unsaved")

    def __init__(
        self, settings: AlertSettings, now: int, alerts: Iterable[Alert] = (), groups: Iterable[Group] = ()
    ) -> None:
        """With what was kept by who judged before."""
        known = list(alerts)
        self.settings = settings
        self.judge = Judge(settings, known, now)
        self.groups = Groups(settings, groups, known)
        self.unsaved = Unsaved()
        self._kept: dict[str, int] = {}

    def changed(self, settings: AlertSettings, now: int) -> "Engine":
        """The same alerts under other settings."""
        made = Engine(settings, now, self.judge.alerts.values(), self.groups.groups.values())
        made.unsaved, made._kept = self.unsaved, self._kept
        return made

    @property
    def alerts(self) -> list[Alert]:
        """All that there are."""
        return list(self.judge.alerts.values())

    def step(
        self, samples: Iterable[Sample], silences: Iterable[AlertSilence], now: int, *, whole: bool = True
    ) -> None:
        """One look; what comes of it is in `unsaved`. O(samples + alerts + groups).

        Not `whole`: what nobody measures may be measured where it cannot be heard of, and is not over.
        """
        judged = self.judge.judge(samples, now, whole=whole)
        for alert in judged.touched:
            self._keep(alert, now)
        unsaved = self.unsaved
        unsaved.events += judged.events
        unsaved.notices += self.groups.step(judged.touched, (*self.settings.silences, *silences), now)
        for alert in self.alerts:
            if alert.stage == RESOLVED and not self.groups.holds(alert):
                self.judge.forget(alert)
                self._kept.pop(alert.id, None)
                unsaved.alerts[alert.id] = None
        unsaved.groups |= self.groups.changed
        self.groups.changed = {}
        self._refresh(now)

    def take(self, name: str, by: str, at_us: int, now: int) -> None:
        """Somebody has taken it."""
        for alert in self.alerts:
            if alert.id == name and alert.fires and not alert.taken_us:
                alert.taken_us, alert.taken_by = at_us, by
                self._keep(alert, now)
                self.unsaved.events.append(event_of(alert, TAKEN, at_us, by))

    def saved(self) -> None:
        """What was unsaved is kept now."""
        self.unsaved = Unsaved()

    def _keep(self, alert: Alert, now: int) -> None:
        self.unsaved.alerts[alert.id] = alert
        self._kept[alert.id] = now

    def _refresh(self, now: int) -> None:
        """Values go on changing where nothing else does; they are kept now and then."""
        old = (alert for alert in self.alerts if now - self._kept.get(alert.id, 0) >= _KEEP_US)
        for _, alert in zip(range(_MOST_KEPT), old, strict=False):
            self._keep(alert, now)
