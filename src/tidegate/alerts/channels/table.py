"""The kinds of channels: one row each."""

from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import Channel
from tidegate.model.alerts import AlertChannel, AlertSettings
from tidegate.ports import Clock


def open_channel(channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust | None = None) -> Channel:
    """The channel as it is configured. Connects to nothing yet, and never fails: `send` does.

    `trust` is loaded once, when the first channel needs it: give all channels the same.
    """
    raise NotImplementedError
