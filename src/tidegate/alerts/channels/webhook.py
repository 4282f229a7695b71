"""Anybody who takes webhooks: signed JSON as Standard Webhooks 1.0 has it (github.com/standard-webhooks)."""

import base64
import binascii
from typing import Final

from tidegate.alerts.channels.machine import event
from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.post import Answer, Request
from tidegate.alerts.channels.spoken import Spoken
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.model.alerts import AlertChannel, AlertSettings, Notice
from tidegate.policy.jobs.webhooks import headers
from tidegate.ports import Clock

PER_MINUTE: Final = 300
_PREFIX: Final = "whsec_"
_REMEDIES: Final = {
    401: "give the receiver the same `secret`",
    403: "give the receiver the same `secret`",
    404: "correct the path in `url`",
}


class Webhook:
    """`Speaker`."""

    __slots__ = ("_channel", "_settings")

    def __init__(self, channel: AlertChannel, settings: AlertSettings) -> None:
        self._channel = channel
        self._settings = settings

    def requests(self, notice: Notice, wall_us: int) -> list[Request]:
        channel = self._channel
        body = event(notice, self._settings, channel.language)
        signed = headers(notice.id, wall_us // 1_000_000, body, key(channel.secret))
        return [Request(channel.url, body, signed)]

    def judge(self, answer: Answer) -> None:
        status = answer.status
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise NotSent(
                f"answered with a redirect ({status}), which is not followed; write where it leads into `url`"
            )
        if status == 410:
            raise NotSent("wants no more messages (410)", final=True)
        remedy = _REMEDIES.get(status)
        raise NotSent(f"refused it with status {status}" + (f"; {remedy}" if remedy else ""))


def key(secret: str) -> bytes:
    """What is signed with, of `whsec_` and base64. Raises `NotSent`, without it."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise NotSent("`secret` is not whsec_ and base64", final=True) from None


def open_webhook(channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust) -> Spoken:
    """The row of the table."""
    return Spoken(channel, Webhook(channel, settings), Pace(channel.per_minute or PER_MINUTE), clock, trust)
