"""WeCom's robot of a group, after developer.work.weixin.qq.com/document/path/91770, "群机器人配置说明" (as of 2026-11).

Markdown of 4,096 bytes, text of 2,048, which alone calls telephone numbers; 20 messages a minute.
"""

import re
from typing import Any

from tidegate.testing.channels.rates import Rate
from tidegate.testing.channels.records import Asked, Kept, Refusal, Taken, decoded, in_json

_TAG = re.compile(r"</?font[^>]*>")
_LONGEST = {"markdown": 4_096, "text": 2_048}
_FIELDS = {"markdown": {"content"}, "text": {"content", "mentioned_list", "mentioned_mobile_list"}}


class WeCom:
    """`Imitation`."""

    name = "wecom"

    def __init__(self, key: str) -> None:
        self.path = f"/cgi-bin/webhook/send?key={key}"
        self._key = key
        self._rate = Rate(20, 60)

    def take(self, asked: Asked, now_s: float) -> Taken:
        try:
            if asked.query.get("key") != self._key:
                raise Refusal(93000, "invalid webhook url, hint: [1700000000], from ip: 127.0.0.1")
            if not self._rate.passes(now_s):
                raise Refusal(45009, "api freq out of limit, hint: [1700000000], from ip: 127.0.0.1")
            bad = Refusal(40058, "invalid Request Parameter, hint: [1700000000]")
            message = decoded(asked, bad, bad)
            text = _content(message)
        except Refusal as refusal:
            return Taken(in_json(200, {"errcode": refusal.code, "errmsg": refusal.words}))
        title = _TAG.sub("", text.lstrip("# ").partition("\n")[0])
        return Taken(in_json(200, {"errcode": 0, "errmsg": "ok"}), Kept(self.name, now_s, title, text, message))


def _content(message: dict[str, Any]) -> str:
    kind = message.get("msgtype")
    if kind not in _LONGEST or set(message) != {"msgtype", kind}:
        raise Refusal(40008, "invalid message type")
    inner = message[kind]
    content = inner.get("content") if isinstance(inner, dict) else None
    if not isinstance(content, str) or not content:
        raise Refusal(44004, "content is empty")
    if set(inner) - _FIELDS[kind]:
        raise Refusal(40058, "invalid Request Parameter")
    if len(content.encode()) > _LONGEST[kind]:
        raise Refusal(40058, f"{kind}.content exceed max length {_LONGEST[kind]}. invalid Request Parameter")
    return content
