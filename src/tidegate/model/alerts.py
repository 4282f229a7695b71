"""Alerts: what is watched, who is told, and what they are told. Records of the snapshot, and what channels are handed.

Units are those of `model/snapshot.py`; moments are microseconds since 1970.
"""

from typing import Any, Final

import msgspec

from tidegate.model.measures import Labels
from tidegate.model.record import Record

WARNING: Final = "warning"
CRITICAL: Final = "critical"

FIRING: Final = "firing"
WORSE: Final = "worse"  # what was a warning is critical now
REPEATED: Final = "repeated"  # it goes on, and nobody has taken it
ESCALATED: Final = "escalated"  # to somebody else, since nobody has taken it
RESOLVED: Final = "resolved"
TEST: Final = "test"

KINDS: Final = ("dingtalk", "wecom", "feishu", "slack", "webhook", "email", "command", "apprise")
LANGUAGES: Final = ("en", "zh")


class AlertRule(Record, frozen=True):
    """One metric is watched, each of its label sets by itself. Thresholds are in its unit; None = not stated."""

    name: str
    metric: str  # of `measures.METRICS`
    warning: float | None = None
    critical: float | None = None
    below: bool = False  # it fires when the value is at or below the threshold, not at or above
    match: dict[str, str] = {}  # only samples with these labels; `*` at the end stands for any rest
    for_us: int = 0  # beyond the threshold without a pause, before it fires
    clear_permille: int = 900  # of the threshold; it ends only on the other side of that (below: 1,000,000 ÷ this)
    clear_us: int = 60_000_000  # on the other side for so long
    enabled: bool = True


class AlertChannel(Record, frozen=True):
    """Somebody who can be told. Which fields a kind uses, `docs/alerts.md` says."""

    name: str
    kind: str  # of KINDS
    url: str = ""  # with its token, if it has one: a secret; e-mail: smtp://, smtps:// or smtp+plain://[user@]host:port
    secret: str = ""  # what it is signed with; e-mail: the password
    keyword: str = ""  # which every message has to hold, where the channel's maker asks for one
    proxy: str = ""  # http://[user:password@]host:port, already resolved against NO_PROXY
    language: str = ""  # of LANGUAGES; "" = as `AlertSettings.language`
    mentions: tuple[str, ...] = ()  # telephone numbers, user ids or `all`, as the channel has them
    sender: str = ""  # e-mail
    receivers: tuple[str, ...] = ()  # e-mail
    command: tuple[str, ...] = ()
    per_minute: int = 0  # messages, 0 = as the channel's maker allows
    timeout_us: int = 10_000_000

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"AlertChannel({self.name!r}, {self.kind!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same."""
        return [("name", self.name), ("kind", self.kind)]


class AlertRoute(Record, frozen=True):
    """Which alerts go where. All routes that match are taken; the built-in one takes all to all channels."""

    channels: tuple[str, ...]
    severities: tuple[str, ...] = (WARNING, CRITICAL)
    rules: tuple[str, ...] = ()  # () = all
    match: dict[str, str] = {}
    group_by: tuple[str, ...] = ("rule",)  # "rule" or names of labels: alerts that agree in these are one message
    group_wait_us: int = 5_000_000  # before the first message of a group, for others that come with it
    group_interval_us: int = 60_000_000  # between messages about changes of a group
    repeat_us: int = 14_400_000_000  # 0 = never
    escalate_us: int = 0  # nobody has taken it for so long; 0 = never
    escalate_to: tuple[str, ...] = ()  # channels
    recovery: bool = True  # say when it is over


class AlertSilence(Record, frozen=True):
    """Matching alerts are not told between these moments; they are shown as silenced."""

    match: dict[str, str]  # labels, and `rule`
    from_us: int
    until_us: int
    why: str = ""
    id: str = ""  # of one made at run time
    by: str = ""  # who made it


class AlertSettings(Record, frozen=True):
    """All of it. Rules include the built-in ones that the file does not switch off."""

    rules: tuple[AlertRule, ...] = ()
    channels: tuple[AlertChannel, ...] = ()
    routes: tuple[AlertRoute, ...] = ()
    silences: tuple[AlertSilence, ...] = ()
    language: str = "en"
    zone: str = "UTC"
    gate: str = "tidegate"  # how messages call this gate
    link: str = ""  # to the admin pages, "" = none
    look_us: int = 1_000_000  # how often rules are judged
    missing_us: int = 30_000_000  # what nobody measures any more is over after so long
    give_up_us: int = 3_600_000_000  # a message that nobody takes is given up after so long


class AlertItem(msgspec.Struct, frozen=True):
    """One alert as a message tells it."""

    rule: str
    metric: str
    severity: str
    labels: Labels
    value: float
    threshold: float
    since_us: int
    resolved: bool = False


class Notice(msgspec.Struct, frozen=True):
    """One message to one channel. `id` stays the same when it is sent again, so that receivers can tell."""

    id: str
    state: str  # FIRING | WORSE | REPEATED | ESCALATED | RESOLVED | TEST
    severity: str  # the worst of its items
    at_us: int
    items: tuple[AlertItem, ...]
    more: int = 0  # alerts of the group beyond `items`
