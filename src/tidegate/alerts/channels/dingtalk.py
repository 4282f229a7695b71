"""DingTalk: custom robots of a group (自定义机器人), signed, with markdown.

Sources: open.dingtalk.com, "自定义机器人接入" and "自定义机器人安全设置" (as of 2026-11): HMAC-SHA256 over the
timestamp in milliseconds, a line feed and the secret, keyed with the secret, in base64, percent-encoded into the query;
20 messages a minute, who sends more is shut out for 10 minutes; 20,000 bytes; answers are 200 with `errcode`.
"""

import hmac
from base64 import b64encode
from typing import Final
from urllib.parse import quote

import msgspec

from tidegate.alerts.channels.mentions import ALL, is_number
from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.post import Answer, Request
from tidegate.alerts.channels.spoken import Spoken
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.channels.verdicts import Verdict, number_of, refused
from tidegate.alerts.face import NotSent
from tidegate.alerts.formats import dingtalk, in_json
from tidegate.alerts.texts import compose
from tidegate.model.alerts import RESOLVED, AlertChannel, AlertSettings, Notice
from tidegate.ports import Clock

PER_MINUTE: Final = 20
MOST_BYTES: Final = 20_000
_ROOM: Final = 1_000  # for what stands around the text
_BAN_US: Final = 600_000_000

_TOO_FAST: Final = Verdict("more than 20 messages in a minute", "", _BAN_US, final=False)
_UNSAFE: Final = Verdict("DingTalk does not let this text through", "see the labels of the alert")
KNOWN: Final = {
    -1: Verdict("DingTalk is busy", "", None, final=False),
    130101: _TOO_FAST,
    410100: _TOO_FAST,
    300001: Verdict("there is no robot with this token", "copy the webhook's address anew into `url`"),
    400101: Verdict("there is no robot with this token", "copy the webhook's address anew into `url`"),
    400013: Verdict("the group is dissolved", "make a robot in another group"),
    400102: Verdict("the robot is switched off", "switch it on in the group's settings"),
    400106: Verdict("the robot is gone", "make another one and copy its address into `url`"),
    40035: Verdict("a parameter is missing or wrong", "check that `url` is the whole address"),
    43004: Verdict("the content type was changed on the way", "check the proxy in between"),
    460101: Verdict("the message is too long"),
    430101: _UNSAFE,
    430102: _UNSAFE,
    430103: _UNSAFE,
    430104: _UNSAFE,
}
_SECURITY: Final = 310000
_REASONS: Final = (  # of that number there are four, told apart by their words
    (("keyword", "关键词"), "the robot's keyword is not in the message", "set `keyword` to the one in its settings"),
    (("whitelist", "白名单"), "this machine's address is not among the robot's", "add it in its settings"),
    (("timestamp", "时间戳过期"), "the clocks differ by more than an hour", "set this machine's clock"),
)


class DingTalk:
    """`Speaker`."""

    __slots__ = ("_channel", "_settings")

    def __init__(self, channel: AlertChannel, settings: AlertSettings) -> None:
        self._channel = channel
        self._settings = settings

    def requests(self, notice: Notice, wall_us: int) -> list[Request]:
        channel = self._channel
        text = compose(notice, self._settings, channel.language, channel.keyword)
        called = () if notice.state == RESOLVED else channel.mentions
        mentions = " ".join(f"@{one}" for one in called if one != ALL)
        numbers = [one for one in called if is_number(one)]
        others = [one for one in called if one != ALL and not is_number(one)]
        body = msgspec.json.encode({
            "msgtype": "markdown",
            "markdown": {"title": text.title, "text": dingtalk(text, _room(text.title, called), mentions)},
            "at": {"atMobiles": numbers, "atUserIds": others, "isAtAll": ALL in called},
        })  # fmt: skip
        return [Request(_signed(channel, wall_us // 1_000), body)]

    def judge(self, answer: Answer) -> None:
        number, words = number_of(answer)
        if number == _SECURITY:
            raise _unsafe(words)
        if number:
            raise refused(number, KNOWN)


def open_dingtalk(channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust) -> Spoken:
    """The row of the table."""
    pace = Pace(channel.per_minute or PER_MINUTE)
    return Spoken(channel, DingTalk(channel, settings), pace, clock, trust)


def signature(secret: str, timestamp_ms: int) -> str:
    """What goes into `sign`, before it is percent-encoded."""
    signed = f"{timestamp_ms}\n{secret}".encode()
    return b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def _room(title: str, called: tuple[str, ...]) -> int:
    """For the text, of what the whole may be: title and names stand beside it."""
    return MOST_BYTES - _ROOM - in_json(title) - sum(in_json(one) + 4 for one in called)


def _signed(channel: AlertChannel, timestamp_ms: int) -> str:
    if not channel.secret:
        return channel.url
    sign = quote(signature(channel.secret, timestamp_ms), safe="")
    mark = "&" if "?" in channel.url else "?"
    return f"{channel.url}{mark}timestamp={timestamp_ms}&sign={sign}"


def _unsafe(words: str) -> NotSent:
    lowered = words.lower()
    how = f"refused it with code {_SECURITY}"
    for marks, meaning, remedy in _REASONS:
        if any(mark in lowered for mark in marks) and "签名" not in words:
            return NotSent(f"{how}: {meaning}; {remedy}", final=True)
    remedy = "set `secret` to what stands below 加签 in its settings (SEC…), and check this machine's clock"
    return NotSent(f"{how}: the robot did not accept the signature; {remedy}", final=True)
