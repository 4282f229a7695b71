"""Slack's incoming webhook, after docs.slack.dev: its page, "Rate limits", and Block Kit's reference (as of 2026-11).

One message a second; headers of 150 characters, sections of 3,000, 50 blocks; answers in plain text.
"""

from typing import Any

from tidegate.testing.channels.rates import Rate
from tidegate.testing.channels.records import Asked, Kept, Refusal, Said, Taken, decoded

_PLAIN = "text/plain; charset=utf-8"
_LONGEST = {"header": 150, "section": 3_000}


class Slack:
    """`Imitation`."""

    name = "slack"

    def __init__(self, token: str) -> None:
        self.path = f"/services/T0000/B0000/{token}"
        self._rate = Rate(1, 1)

    def take(self, asked: Asked, now_s: float) -> Taken:
        try:
            if asked.path != self.path:
                raise Refusal("no_service", status=404)
            if not self._rate.passes(now_s):
                return Taken(Said(429, b"rate_limited", _PLAIN, (("Retry-After", "1"),)))
            bad = Refusal("invalid_payload", status=400)
            message = decoded(asked, bad, bad)
            text = _blocks(message)
        except Refusal as refusal:
            return Taken(Said(refusal.status, str(refusal.code).encode(), _PLAIN))
        return Taken(Said(200, b"ok", _PLAIN), Kept(self.name, now_s, message["text"], text, message))


def _blocks(message: dict[str, Any]) -> str:
    """The texts of its blocks."""
    bad = Refusal("invalid_blocks", status=400)
    if not isinstance(message.get("text"), str) or not message["text"]:
        raise Refusal("no_text", status=400)
    blocks = message.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > 50:
        raise bad
    return "\n".join(_block(block, bad) for block in blocks)


def _block(block: Any, bad: Refusal) -> str:
    kind = block.get("type") if isinstance(block, dict) else None
    text = block.get("text") if kind in _LONGEST else None
    if not isinstance(text, dict) or set(block) != {"type", "text"}:
        raise bad
    content = text.get("text")
    allowed = {"plain_text"} if kind == "header" else {"plain_text", "mrkdwn"}
    if text.get("type") not in allowed or not isinstance(content, str) or not 0 < len(content) <= _LONGEST[str(kind)]:
        raise bad
    return content
