"""Who is told of what, and when: groups, waits, repeats, escalation, silences, recovery.

A group is what one channel hears of together. What it was told is noted with the message, so that no change is told
twice, and whatever was told to be on is told to be over. Everything is bounded: groups of a route and channel, items of
a message; alerts by the judge.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tidegate.model.alert_state import Alert, Group, Told
from tidegate.model.alerts import (
    CRITICAL,
    ESCALATED,
    FIRING,
    REPEATED,
    RESOLVED,
    WORSE,
    AlertRoute,
    AlertSettings,
    AlertSilence,
    Notice,
)
from tidegate.model.measures import Labels
from tidegate.policy.alerts.judge import digest
from tidegate.policy.alerts.match import RULE, in_force, matches, silenced
from tidegate.policy.alerts.message import message
from tidegate.policy.alerts.threshold import RANK

MOST_GROUPS: Final = 100  # of one route and channel; what comes beyond is told together
_OTHERS: Final = (("", "others"),)


class Outgoing(NamedTuple):
    """A message and who gets it."""

    channel: str
    notice: Notice


class _News(NamedTuple):
    """What a group was not told."""

    on: list[Alert]
    worse: list[Alert]
    over: list[Alert]

    @property
    def any(self) -> bool:
        return bool(self.on or self.worse or self.over)


class Groups:
    """All groups. `changed` are those to be kept, by key, None = gone; the caller empties it."""

    __slots__ = ("_held", "_members", "_routes", "_silences", "_sizes", "_touched", "changed", "groups")

    def __init__(self, settings: AlertSettings, groups: Iterable[Group], alerts: Iterable[Alert]) -> None:
        """Groups of routes and channels that are no more are let go of; nobody is told of that."""
        names = tuple(channel.name for channel in settings.channels)
        self._routes = settings.routes or ((AlertRoute(names),) if names else ())
        known = set(names)
        self.groups: dict[str, Group] = {}
        self.changed: dict[str, Group | None] = {}
        self._members: dict[str, dict[str, Alert]] = {}
        self._held: dict[str, set[str]] = {}  # alert -> groups
        self._sizes: dict[tuple[int, str], int] = {}
        self._silences: tuple[AlertSilence, ...] = ()
        self._touched: set[str] = set()
        for group in groups:
            if group.route < len(self._routes) and group.channel in known:
                self._add(group)
            else:
                self.changed[group.key] = None
        self._rejoin({alert.id: alert for alert in alerts})

    def step(self, touched: Iterable[Alert], silences: Iterable[AlertSilence], now: int) -> list[Outgoing]:
        """Everything that is to be told at this moment. O(touched × routes + groups + members of groups with news)."""
        for alert in touched:
            self._place(alert)
        holding = in_force(silences, now)
        if holding != self._silences:
            self._silences = holding
            self._touched |= self.groups.keys()
        self._escalate(now)
        told = [out for key in self._due(now) for out in self._tell(self.groups[key], now)]
        for group in list(self.groups.values()):
            told += self._repeat(group, now)
        self._tidy(now)
        return told

    def holds(self, alert: Alert) -> bool:
        """Has anybody still to be told of it?"""
        return bool(self._held.get(alert.id))

    def is_silenced(self, alert: Alert) -> bool:
        """As of the last step."""
        return silenced(self._silences, alert.rule, alert.labels)

    def _rejoin(self, alerts: dict[str, Alert]) -> None:
        """Those that a group was told of, and those that fire, are its members again."""
        for group in self.groups.values():
            for name in list(group.told):
                if name in alerts:
                    self._join(group, alerts[name])
                else:
                    del group.told[name]
                    self.changed[group.key] = group
        for alert in alerts.values():
            self._place(alert)

    def _place(self, alert: Alert) -> None:
        if alert.fires:
            hearing = self._hearing(alert)
            for number, channel in self._targets(alert):
                if channel not in hearing:
                    self._join(self._group(number, channel, alert), alert)
        self._touched |= self._held.get(alert.id, set())

    def _hearing(self, alert: Alert) -> set[str]:
        """Channels that hear of it already, by whatever route."""
        return {self.groups[key].channel for key in self._held.get(alert.id, ())}

    def _targets(self, alert: Alert) -> Iterator[tuple[int, str]]:
        """Each channel once: the first route that names it decides how it is told."""
        seen: set[str] = set()
        for number, route in enumerate(self._routes):
            if _takes(route, alert):
                for channel in route.channels:
                    if channel not in seen:
                        seen.add(channel)
                        yield number, channel

    def _group(self, number: int, channel: str, alert: Alert, *, escalated: bool = False) -> Group:
        names, labels = self._routes[number].group_by, dict(alert.labels)
        values: Labels = tuple((name, alert.rule if name == RULE else labels.get(name, "")) for name in names)
        key = _key(number, channel, values, escalated)
        if key not in self.groups and self._sizes.get((number, channel), 0) >= MOST_GROUPS:
            values = _OTHERS
            key = _key(number, channel, values, escalated)
        if key not in self.groups:
            self._add(Group(key, channel, number, values, escalated))
        return self.groups[key]

    def _add(self, group: Group) -> None:
        self.groups[group.key] = group
        self._members[group.key] = {}
        place = (group.route, group.channel)
        self._sizes[place] = self._sizes.get(place, 0) + 1

    def _join(self, group: Group, alert: Alert) -> None:
        self._members[group.key][alert.id] = alert
        self._held.setdefault(alert.id, set()).add(group.key)
        self._touched.add(group.key)

    def _leave(self, group: Group, alert: str) -> None:
        self._members[group.key].pop(alert, None)
        held = self._held.get(alert, set())
        held.discard(group.key)
        if not held:
            self._held.pop(alert, None)

    def _news(self, group: Group) -> _News:
        """What it has to hear; those that are over and of which it never heard leave it."""
        news = _News([], [], [])
        for alert in list(self._members[group.key].values()):
            told = group.told.get(alert.id)
            if told is None and not self._wants(group, alert):
                self._leave(group, alert.id)
            elif self.is_silenced(alert):
                continue
            elif told is None:
                news.on.append(alert)
            elif not alert.fires:
                news.over.append(alert)
            elif RANK[alert.severity] > RANK[told.severity]:
                news.worse.append(alert)
        return news

    def _wants(self, group: Group, alert: Alert) -> bool:
        """Has somebody who never heard of it still to hear?"""
        return alert.fires and (not alert.taken_us if group.escalated else _takes(self._routes[group.route], alert))

    def _due(self, now: int) -> list[str]:
        """Groups whose waiting is over. Who has news begins to wait, who has none any more ends it."""
        for key in self._touched & self.groups.keys():
            group = self.groups[key]
            news = self._news(group)
            if news.any != bool(group.opened_us):
                group.opened_us = now if news.any else 0
                self.changed[key] = group
        self._touched = set()
        return [key for key, group in self.groups.items() if group.opened_us and now >= self._moment(group)]

    def _moment(self, group: Group) -> int:
        """When it is told. What is critical and not known as such is told soon, the rest not too often."""
        route = self._routes[group.route]
        soon = group.opened_us + route.group_wait_us
        later = max(soon, group.last_us + route.group_interval_us) if group.last_us else soon
        if later == soon:
            return soon
        worst = any(told.severity == CRITICAL for told in group.told.values())
        news = self._news(group)
        urgent = not worst and any(alert.severity == CRITICAL for alert in (*news.on, *news.worse))
        return soon if urgent else later

    def _tell(self, group: Group, now: int) -> Iterator[Outgoing]:
        news = self._news(group)
        first = ESCALATED if group.escalated else FIRING
        for state, alerts in ((WORSE, news.worse), (first, news.on), (RESOLVED, news.over)):
            if alerts and (state != RESOLVED or self._routes[group.route].recovery):
                yield Outgoing(group.channel, message(group.key, state, alerts, now))
                group.last_us = now
        for alert in (*news.on, *news.worse):
            told = group.told.get(alert.id)
            group.told[alert.id] = Told(alert.severity, now if told is None else told.at_us)
        for alert in news.over:
            group.told.pop(alert.id, None)
            self._leave(group, alert.id)
        group.opened_us = 0
        self.changed[group.key] = group

    def _open(self, group: Group) -> Iterator[Alert]:
        """What it was told of, goes on, and nobody has taken."""
        members = self._members[group.key]
        for name in group.told:
            alert = members.get(name)
            if alert is not None and alert.fires and not alert.taken_us and not self.is_silenced(alert):
                yield alert

    def _repeat(self, group: Group, now: int) -> Iterator[Outgoing]:
        every = self._routes[group.route].repeat_us
        if every and group.told and not group.opened_us and now - group.last_us >= every:
            alerts = list(self._open(group))
            group.last_us = now
            self.changed[group.key] = group
            if alerts:
                yield Outgoing(group.channel, message(group.key, REPEATED, alerts, now))

    def _escalate(self, now: int) -> None:
        """What was told so long ago and nobody has taken is somebody else's too."""
        for group in [group for group in self.groups.values() if group.told and not group.escalated]:
            route = self._routes[group.route]
            if not route.escalate_us:
                continue
            for alert in self._open(group):
                if now - group.told[alert.id].at_us >= route.escalate_us:
                    self._hand_on(group.route, alert)

    def _hand_on(self, number: int, alert: Alert) -> None:
        hearing = self._hearing(alert)
        for channel in self._routes[number].escalate_to:
            if channel not in hearing:
                self._join(self._group(number, channel, alert, escalated=True), alert)

    def _tidy(self, now: int) -> None:
        """An empty group is kept until it may be told again at once."""
        for key, group in list(self.groups.items()):
            interval = self._routes[group.route].group_interval_us
            if not group.told and not self._members[key] and now - group.last_us >= interval:
                del self.groups[key], self._members[key]
                self._sizes[group.route, group.channel] -= 1
                self.changed[key] = None


def _takes(route: AlertRoute, alert: Alert) -> bool:
    if alert.severity not in route.severities or (route.rules and alert.rule not in route.rules):
        return False
    return matches(route.match, alert.labels, alert.rule)


def _key(number: int, channel: str, values: Labels, escalated: bool) -> str:
    return digest(str(number), channel, str(int(escalated)), *(word for pair in values for word in pair))
