"""Notices to tell, and channels of a stand to tell them to."""

from collections.abc import Sequence

from tidegate.alerts.channels.table import open_channel
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.clock import SystemClock
from tidegate.model.alerts import CRITICAL, FIRING, AlertChannel, AlertItem, AlertSettings, Notice
from tidegate.ports import Clock

SECOND = 1_000_000
AT = 1_795_400_000 * SECOND  # 2026-11-23, 02:13:20 in UTC
SETTINGS = AlertSettings(zone="Asia/Shanghai", gate="prod-gate", link="https://gate.example/admin")
LIMITED = AlertItem("limited_seconds", "limited_seconds", CRITICAL, (("model", "gpt-4o"),), 300, 300, AT - 300 * SECOND)
ROBOTS = ("dingtalk", "wecom", "feishu", "slack", "webhook")
SERVED = (*ROBOTS, "email", "apprise")


def notice(
    state: str = FIRING, items: Sequence[AlertItem] = (LIMITED,), *, named: str = "n1", at: int = AT, more: int = 0
) -> Notice:
    return Notice(named, state, CRITICAL, at, tuple(items), more)


async def told(
    channel: AlertChannel, what: Notice | None = None, clock: Clock | None = None, trust: Trust | None = None
) -> NotSent | None:
    """What became of it; None: it was taken."""
    clock = clock or SystemClock()
    try:
        await open_channel(channel, SETTINGS, clock, trust).send(what or notice())
    except NotSent as error:
        return error
    return None
