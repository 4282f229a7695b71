"""The kinds of channels: one row each."""

from collections.abc import Callable, Mapping
from typing import Final

from tidegate.alerts.channels.apprise import open_apprise
from tidegate.alerts.channels.command import open_command
from tidegate.alerts.channels.dingtalk import open_dingtalk
from tidegate.alerts.channels.feishu import open_feishu
from tidegate.alerts.channels.mail import open_mail
from tidegate.alerts.channels.slack import open_slack
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.channels.webhook import open_webhook
from tidegate.alerts.channels.wecom import open_wecom
from tidegate.alerts.face import Channel
from tidegate.model.alerts import AlertChannel, AlertSettings
from tidegate.ports import Clock

OPENERS: Final[Mapping[str, Callable[[AlertChannel, AlertSettings, Clock, Trust], Channel]]] = {
    "dingtalk": open_dingtalk,
    "wecom": open_wecom,
    "feishu": open_feishu,
    "slack": open_slack,
    "webhook": open_webhook,
    "email": open_mail,
    "command": open_command,
    "apprise": open_apprise,
}


def open_channel(channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust | None = None) -> Channel:
    """The channel as it is configured. Connects to nothing yet; `send` says what is wrong with it.

    `trust` is loaded once, when the first channel needs it: give all channels the same.
    """
    return OPENERS[channel.kind](channel, settings, clock, trust or Trust())
