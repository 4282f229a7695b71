"""Any of the services that the library apprise knows, by one of its URLs.

It is used in a process of its own for each message (`apprise_child.py`): that can be killed when a service never
answers, and the gate carries neither the library nor what it logs.
"""

import os
import sys
from importlib.util import find_spec
from typing import Final

import msgspec

from tidegate.alerts.channels import apprise_child as child
from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.run import inherited, run
from tidegate.alerts.channels.spoken import paced
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.alerts.formats import plain
from tidegate.alerts.texts import compose
from tidegate.model.alerts import CRITICAL, RESOLVED, TEST, AlertChannel, AlertSettings, Notice
from tidegate.ports import Clock

PER_MINUTE: Final = 20
MISSING: Final = 'apprise is not installed; pip install "tidegate[apprise]"'
_LIBRARY: Final = "apprise"
_MOST: Final = 4_000
_NEEDED: Final = (
    "PYTHONPATH", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
_FAILED: Final = {
    child.NO_LIBRARY: (MISSING, True),
    child.BAD_URL: ("apprise knows no such URL; check `url`", True),
    child.NOT_TAKEN: ("the service did not take the message; `apprise -vv` with the same URL tells more", False),
}


class Apprise:
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
        if find_spec(_LIBRARY) is None:
            raise NotSent(MISSING, final=True)
        await paced(self._pace, clock, channel.timeout_us)
        text = compose(notice, self._settings, channel.language)
        message = child.Message(channel.url, text.title, plain(text, _MOST), _kind(notice))
        words = (sys.executable, "-P", "-m", child.__name__)  # -P: nothing of the folder it is in
        ended = await run(words, msgspec.json.encode(message), inherited(os.environ, _NEEDED), clock, until)
        if ended.status:
            why, final = _FAILED.get(ended.status, (f"apprise ended with {ended.status}", False))
            raise NotSent(why, final=final)


def open_apprise(channel: AlertChannel, settings: AlertSettings, clock: Clock, _trust: Trust) -> Apprise:
    """The row of the table."""
    return Apprise(channel, settings, clock)


def _kind(notice: Notice) -> str:
    """What apprise calls it."""
    if notice.state in (RESOLVED, TEST):
        return "success" if notice.state == RESOLVED else "info"
    return "failure" if notice.severity == CRITICAL else "warning"
