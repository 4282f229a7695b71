"""How often channels of alerts may be tried by hand: by what the alerts themselves leave of the makers' limits.

The alerts take four fifths of a limit in a minute at most (`alerts/channels/pace.py`). Tests have the rest
of the strictest maker's: one at a time, and another one 20 s later.
"""

from collections.abc import Iterable
from typing import Final

from tidegate.alerts.channels.pace import Pace
from tidegate.model.alerts import AlertChannel
from tidegate.units import MINUTE_US

PER_MINUTE: Final = 5  # as `Pace` takes it
_LONGEST_US: Final = 10 * MINUTE_US  # whatever a channel asks for


class Trying:
    """One for the process, used on its event loop. It knows the configured channels, and no others."""

    __slots__ = ("_paces",)

    def __init__(self) -> None:
        self._paces: dict[str, tuple[str, Pace]] = {}  # by name, with the address

    def take(self, channel: AlertChannel, channels: Iterable[AlertChannel], now: int) -> int:
        """The channel's turn is taken and 0 told, or so many microseconds until it comes. `channels`: all of them."""
        known = {one.name: one.url for one in channels}
        self._paces = {name: kept for name, kept in self._paces.items() if known.get(name) == kept[0]}
        pace = self._pace(channel)
        wait = pace.wait(now)
        if not wait:
            pace.take(now)
        return wait

    def shut(self, channel: AlertChannel, wait_us: int, now: int) -> None:
        """It has said that it takes nothing for so long."""
        self._pace(channel).shut(now + min(wait_us, _LONGEST_US))

    def _pace(self, channel: AlertChannel) -> Pace:
        kept = self._paces.get(channel.name)
        if kept is None:
            kept = self._paces[channel.name] = (channel.url, Pace(min(PER_MINUTE, channel.per_minute or PER_MINUTE)))
        return kept[1]
