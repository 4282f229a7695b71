"""Feishu and Lark: custom bots of a group (自定义机器人), signed, with interactive cards.

Source: open.feishu.cn/document, "自定义机器人使用指南" (as of 2026-11): HMAC-SHA256 over nothing, keyed with the
timestamp in seconds, a line feed and the secret, in base64, in the body beside the timestamp; 100 messages a minute and
5 a second; 20 KB; answers have a `code`. Lark is the same at open.larksuite.com.
"""

import hmac
from base64 import b64encode
from typing import Any, Final

import msgspec

from tidegate.alerts.channels.mentions import ALL
from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.post import Answer, Request
from tidegate.alerts.channels.spoken import Spoken
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.channels.verdicts import Verdict, number_of, refused
from tidegate.alerts.formats import how_many
from tidegate.alerts.texts import Paragraph, Text, compose
from tidegate.model.alerts import CRITICAL, RESOLVED, TEST, AlertChannel, AlertSettings, Notice
from tidegate.ports import Clock

PER_MINUTE: Final = 100
PER_SECOND: Final = 5
MOST_BYTES: Final = 20_000
_ROOM: Final = 500  # for the signature, and what holds the rest together
_PAUSE_US: Final = 60_000_000
_BAD: Final = 9499  # a body that is wrong, or too many: told apart by its words
_TOO_MANY: Final = Verdict("more than 100 messages in a minute or 5 in a second", "", _PAUSE_US, final=False)

KNOWN: Final = {
    _BAD: Verdict("the message is malformed or too long"),
    2200: Verdict("Feishu is out of order", "", None, final=False),
    11232: _TOO_MANY,
    11246: Verdict("the card is not as it should be"),
    11247: Verdict("Feishu is out of order", "", None, final=False),
    19001: Verdict("there is no bot with this token", "copy the webhook's address anew into `url`"),
    19002: Verdict("the message is malformed"),
    19021: Verdict(
        "the bot did not accept the signature",
        "set `secret` to the one of 签名校验 in its settings, and check this machine's clock",
    ),
    19022: Verdict("this machine's address is not among the bot's", "add it in its settings"),
    19024: Verdict("the bot's keyword is not in the message", "set `keyword` to the one in its settings"),
}


class Feishu:
    """`Speaker`."""

    __slots__ = ("_channel", "_settings")

    def __init__(self, channel: AlertChannel, settings: AlertSettings) -> None:
        self._channel = channel
        self._settings = settings

    def requests(self, notice: Notice, wall_us: int) -> list[Request]:
        channel = self._channel
        text = compose(notice, self._settings, channel.language, channel.keyword)
        called = () if notice.state == RESOLVED else channel.mentions
        body: dict[str, Any] = {"msg_type": "interactive", "card": _card(text, called)}
        if channel.secret:
            seconds = wall_us // 1_000_000
            body = {"timestamp": str(seconds), "sign": signature(channel.secret, seconds), **body}
        return [Request(channel.url, msgspec.json.encode(body))]

    def judge(self, answer: Answer) -> None:
        number, words = number_of(answer)
        if number == _BAD and "too many" in words.lower():
            raise refused(number, {_BAD: _TOO_MANY})
        if number:
            raise refused(number, KNOWN)


def open_feishu(channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust) -> Spoken:
    """The row of the table."""
    pace = Pace(channel.per_minute or PER_MINUTE, PER_SECOND)
    return Spoken(channel, Feishu(channel, settings), pace, clock, trust)


def signature(secret: str, timestamp_s: int) -> str:
    """What goes into `sign`."""
    return b64encode(hmac.digest(f"{timestamp_s}\n{secret}".encode(), b"", "sha256")).decode()


def _card(text: Text, called: tuple[str, ...]) -> dict[str, Any]:
    """Only what is called is markdown; all else is plain, so that nothing has to be escaped."""
    words = text.words
    first = [*text.remarks, f"{words.gate}{words.colon}{text.gate}"]
    alerts = [_plain(_lines(alert, text)) for alert in text.alerts]
    last = _ending(text, called)
    room = MOST_BYTES - _ROOM - _size([_plain(first), *last, words.more]) - len(text.title.encode())
    count = how_many((_size(alert) + 1 for alert in alerts), room)
    left = len(alerts) - count + text.more
    more = [_plain([words.more.format(count=left)])] if left else []
    return {
        "config": {"wide_screen_mode": True},
        "header": {"title": {"tag": "plain_text", "content": text.title}, "template": _colour(text)},
        "elements": [_plain(first), *alerts[:count], *more, *last],
    }


def _lines(alert: Paragraph, text: Text) -> list[str]:
    rows = [f"{name}{text.words.colon}{value}" for name, value in alert.rows]
    return rows if text.single else [alert.head, *rows]


def _ending(text: Text, called: tuple[str, ...]) -> list[dict[str, Any]]:
    words = text.words
    found = [_plain([f"{words.deed}{words.colon}{' '.join(text.deeds)}"])] if text.deeds else []
    if called:
        names = " ".join(f"<at id={'all' if one == ALL else one}></at>" for one in called)
        found.append({"tag": "div", "text": {"tag": "lark_md", "content": names}})
    if text.link:
        label = {"tag": "plain_text", "content": words.link}
        button = {"tag": "button", "text": label, "url": text.link, "type": "default"}
        found.append({"tag": "action", "actions": [button]})
    return found


def _plain(lines: list[str]) -> dict[str, Any]:
    return {"tag": "div", "text": {"tag": "plain_text", "content": "\n".join(lines)}}


def _colour(text: Text) -> str:
    if text.state == RESOLVED:
        return "green"
    if text.state == TEST:
        return "blue"
    return "red" if text.severity == CRITICAL else "orange"


def _size(item: object) -> int:
    return len(msgspec.json.encode(item))
