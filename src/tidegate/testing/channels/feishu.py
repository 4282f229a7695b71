"""Feishu's custom bot, after open.feishu.cn/document, "自定义机器人使用指南" (as of 2026-11).

Signed with the timestamp in seconds, at most an hour off; 20 KB; 100 messages a minute and 5 a second.
"""

import base64
import hashlib
import hmac
from typing import Any

from tidegate.testing.channels.rates import Rate
from tidegate.testing.channels.records import Asked, Kept, Refusal, Taken, decoded, in_json

_HOUR_S = 3_600
_TAGS = {"div", "hr", "action", "note", "markdown"}
_TEXTS = {"plain_text", "lark_md"}


class Feishu:
    """`Imitation`."""

    name = "feishu"

    def __init__(self, token: str, secret: str = "", keyword: str = "") -> None:
        self.path = f"/open-apis/bot/v2/hook/{token}"
        self._secret = secret
        self._keyword = keyword
        self._rates = (Rate(100, 60), Rate(5, 1))

    def take(self, asked: Asked, now_s: float) -> Taken:
        try:
            if asked.path != self.path:
                raise Refusal(19001, "param invalid: incoming webhook access token invalid")
            if sum(rate.passes(now_s) for rate in self._rates) < len(self._rates):  # each of them counts
                raise Refusal(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
            bad = Refusal(9499, "Bad Request")
            if len(asked.body) > 20_000:
                raise bad
            message = decoded(asked, bad, bad)
            self._signed(message, now_s)
            title, text = self._read(message)
        except Refusal as refusal:
            return Taken(in_json(200, {"code": refusal.code, "msg": refusal.words, "data": {}}))
        said = {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}
        return Taken(in_json(200, said), Kept(self.name, now_s, title, text, message))

    def _signed(self, message: dict[str, Any], now_s: float) -> None:
        if not self._secret:
            return
        timestamp, sign = message.get("timestamp"), message.get("sign")
        late = Refusal(19021, "sign match fail or timestamp is not within one hour from current time")
        if not (isinstance(timestamp, str) and timestamp.isdigit() and isinstance(sign, str)):
            raise late
        wanted = hmac.new(f"{timestamp}\n{self._secret}".encode(), b"", hashlib.sha256).digest()
        if abs(int(timestamp) - now_s) > _HOUR_S or not hmac.compare_digest(base64.b64encode(wanted).decode(), sign):
            raise late

    def _read(self, message: dict[str, Any]) -> tuple[str, str]:
        if message.get("msg_type") != "interactive":
            raise Refusal(19002, "params error, msg_type need")
        card = message.get("card")
        title, lines = _card(card if isinstance(card, dict) else {})
        if self._keyword and self._keyword not in title + lines:
            raise Refusal(19024, "Key Words Not Found")
        return title, lines


def _card(card: dict[str, Any]) -> tuple[str, str]:
    """Its title and texts."""
    bad = Refusal(11246, "card content error")
    header, elements = card.get("header"), card.get("elements")
    if not isinstance(header, dict) or not isinstance(elements, list) or not elements:
        raise bad
    texts = [_text(element.get("text"), bad) for element in elements if _known(element, bad) and "text" in element]
    return _text(header.get("title"), bad), "\n".join(texts)


def _known(element: Any, bad: Refusal) -> bool:
    if not isinstance(element, dict) or element.get("tag") not in _TAGS:
        raise bad
    return True


def _text(text: Any, bad: Refusal) -> str:
    content = text.get("content") if isinstance(text, dict) and text.get("tag") in _TEXTS else None
    if not isinstance(content, str) or not content:
        raise bad
    return content
