"""WeCom: robots of a group (企业微信群机器人), with markdown.

Source: developer.work.weixin.qq.com/document/path/91770, "群机器人配置说明" (as of 2026-11): the key stands in the
address and nothing is signed; 20 messages a minute; markdown of 4,096 bytes, in which `<@userid>` calls a member;
telephone numbers and everybody can be called by a text only, so that is a second message; answers are 200 with
`errcode`.
"""

from typing import Final

import msgspec

from tidegate.alerts.channels.mentions import ALL, is_number
from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.post import Answer, Request
from tidegate.alerts.channels.spoken import Spoken
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.channels.verdicts import Verdict, number_of, refused
from tidegate.alerts.formats import cut, wecom
from tidegate.alerts.texts import compose
from tidegate.model.alerts import RESOLVED, AlertChannel, AlertSettings, Notice
from tidegate.ports import Clock

PER_MINUTE: Final = 20
MOST_BYTES: Final = 4_096
_MOST_TEXT: Final = 2_048
_PAUSE_US: Final = 60_000_000

KNOWN: Final = {
    -1: Verdict("WeCom is busy", "", None, final=False),
    45009: Verdict("more than 20 messages in a minute", "", _PAUSE_US, final=False),
    45033: Verdict("too many at the same time", "", _PAUSE_US, final=False),
    93000: Verdict("there is no robot with this key", "copy the webhook's address anew into `url`"),
    93008: Verdict("the robot is not in this group any more", "add it again and copy its address into `url`"),
    40058: Verdict("a parameter is wrong, or the message too long"),
    45002: Verdict("the message is too long"),
    40008: Verdict("this robot takes no markdown", "use a robot of a group"),
}


class WeCom:
    """`Speaker`."""

    __slots__ = ("_channel", "_settings")

    def __init__(self, channel: AlertChannel, settings: AlertSettings) -> None:
        self._channel = channel
        self._settings = settings

    def requests(self, notice: Notice, wall_us: int) -> list[Request]:
        channel = self._channel
        text = compose(notice, self._settings, channel.language)
        called = () if notice.state == RESOLVED else channel.mentions
        members = " ".join(f"<@{one}>" for one in called if one != ALL and not is_number(one))
        content = wecom(text, MOST_BYTES, members)
        found = [self._request({"msgtype": "markdown", "markdown": {"content": content}})]
        numbers = [one for one in called if is_number(one)]
        if numbers or ALL in called:
            everybody = ["@all"] if ALL in called else []
            call = {"content": cut(text.title, _MOST_TEXT), "mentioned_list": everybody}
            found.append(self._request({"msgtype": "text", "text": {**call, "mentioned_mobile_list": numbers}}))
        return found

    def judge(self, answer: Answer) -> None:
        number, _ = number_of(answer)
        if number:
            raise refused(number, KNOWN)

    def _request(self, body: object) -> Request:
        return Request(self._channel.url, msgspec.json.encode(body))


def open_wecom(channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust) -> Spoken:
    """The row of the table."""
    return Spoken(channel, WeCom(channel, settings), Pace(channel.per_minute or PER_MINUTE), clock, trust)
