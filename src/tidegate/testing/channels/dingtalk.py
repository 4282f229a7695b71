"""DingTalk's custom robot, after open.dingtalk.com, "自定义机器人接入" and "自定义机器人安全设置" (as of 2026-11).

Signed with the timestamp in milliseconds, at most an hour off; 20,000 bytes; 20 messages a minute, else none for 10.
"""

import base64
import hashlib
import hmac
from typing import Any

from tidegate.testing.channels.rates import Rate
from tidegate.testing.channels.records import Asked, Kept, Refusal, Taken, decoded, in_json

_HOUR_MS = 3_600_000
_SECURITY = 310000
_FIELDS = {"msgtype", "markdown", "text", "at"}


class DingTalk:
    """`Imitation`."""

    name = "dingtalk"

    def __init__(self, token: str, secret: str = "", keyword: str = "") -> None:
        self.path = f"/robot/send?access_token={token}"
        self._token = token
        self._secret = secret
        self._keyword = keyword
        self._rate = Rate(20, 60, ban_s=600)

    def take(self, asked: Asked, now_s: float) -> Taken:
        try:
            message = decoded(
                asked, Refusal(43004, "invalid http header Content-Type"), Refusal(40035, "缺少参数 json")
            )
            self._admit(asked, now_s)
            title, text = self._read(message, len(asked.body))
        except Refusal as refusal:
            return Taken(in_json(200, {"errcode": refusal.code, "errmsg": refusal.words}))
        return Taken(in_json(200, {"errcode": 0, "errmsg": "ok"}), Kept(self.name, now_s, title, text, message))

    def _admit(self, asked: Asked, now_s: float) -> None:
        if asked.query.get("access_token") != self._token:
            raise Refusal(300001, "token is not exist")
        if self._secret:
            self._signed(asked, now_s)
        if not self._rate.passes(now_s):
            raise Refusal(130101, "send too fast, exceed 20 times per minute")

    def _signed(self, asked: Asked, now_s: float) -> None:
        timestamp = asked.query.get("timestamp", "")
        if not timestamp.isdigit() or abs(int(timestamp) - now_s * 1_000) > _HOUR_MS:
            raise Refusal(_SECURITY, "invalid timestamp, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]")
        signed = hmac.new(self._secret.encode(), f"{timestamp}\n{self._secret}".encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(base64.b64encode(signed).decode(), asked.query.get("sign", "")):
            raise Refusal(_SECURITY, "sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]")

    def _read(self, message: dict[str, Any], size: int) -> tuple[str, str]:
        if size > 20_000:
            raise Refusal(460101, "message too long, exceed 20000 bytes")
        if message.get("msgtype") != "markdown":
            raise Refusal(400105, "unsupported msgtype")
        inner = message.get("markdown")
        title, text = (inner.get("title"), inner.get("text")) if isinstance(inner, dict) else (None, None)
        if not (isinstance(title, str) and title and isinstance(text, str) and text) or set(message) - _FIELDS:
            raise Refusal(40035, "缺少参数 markdown")
        if self._keyword and self._keyword not in title + text:
            raise Refusal(
                _SECURITY, "keywords not in content, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"
            )
        _called(message.get("at", {}), text)
        return title, text


def _called(at: Any, text: str) -> None:
    """Who is called has to stand in the text too."""
    names = [*at.get("atMobiles", []), *at.get("atUserIds", [])] if isinstance(at, dict) else [0]
    if not all(isinstance(name, str) and f"@{name}" in text for name in names):
        raise Refusal(40035, "不合法的参数 at")
    if not isinstance(at.get("isAtAll", False), bool):
        raise Refusal(40035, "不合法的参数 isAtAll")
