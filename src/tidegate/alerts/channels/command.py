"""A program of the operator's, such as a script that asks for more quota: the notice as JSON, and in variables.

No shell is between: `command` is a list of words. Of the gate's environment it gets PATH, HOME and LANG.
"""

import os
from typing import Any, Final

import msgspec

from tidegate.alerts.channels.machine import data
from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.run import inherited, run
from tidegate.alerts.channels.spoken import paced
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.alerts.texts import clean
from tidegate.model.alerts import AlertChannel, AlertSettings, Notice
from tidegate.ports import Clock

PER_MINUTE: Final = 30
_PREFIX: Final = "TIDEGATE_ALERT_"
_LONGEST: Final = 1_000


class Command:
    """`face.Channel`."""

    __slots__ = ("_channel", "_clock", "_pace", "_settings")

    def __init__(self, channel: AlertChannel, settings: AlertSettings, clock: Clock) -> None:
        self._channel = channel
        self._settings = settings
        self._clock = clock
        self._pace = Pace(channel.per_minute or PER_MINUTE)

    async def send(self, notice: Notice) -> None:
        """As `face.Channel.send`."""
        channel, clock = self._channel, self._clock
        until = clock.now() + channel.timeout_us
        await paced(self._pace, clock, channel.timeout_us)
        told = data(notice, self._settings, channel.language)
        environ = inherited(os.environ) | _variables(told, channel.name)
        ended = await run(channel.command, msgspec.json.encode(told), environ, clock, until)
        if ended.status:
            how = f"by signal {-ended.status}" if ended.status < 0 else f"with {ended.status}"
            said = f": {ended.complaint}" if ended.complaint else ""
            raise NotSent(f"the command ended {how}{said}")


def open_command(channel: AlertChannel, settings: AlertSettings, clock: Clock, _trust: Trust) -> Command:
    """The row of the table."""
    return Command(channel, settings, clock)


def _variables(told: dict[str, Any], channel: str) -> dict[str, str]:
    """What scripts without JSON need; of several alerts the first. Labels: `TIDEGATE_ALERT_LABEL_MODEL` and so on."""
    found = {name: told[name] for name in ("id", "state", "severity", "gate", "title", "link")}
    found |= {"channel": channel, "count": len(told["alerts"]) + told["more"]}
    if told["alerts"]:
        first = told["alerts"][0]
        found |= {name: first[name] for name in ("rule", "metric", "value", "threshold")}
        found |= {f"label_{name}": value for name, value in first["labels"].items() if name.isidentifier()}
    return {_PREFIX + name.upper(): clean(str(value), _LONGEST) for name, value in found.items()}
