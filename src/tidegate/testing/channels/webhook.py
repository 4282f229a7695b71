"""Anybody who takes Standard Webhooks 1.0 (github.com/standard-webhooks, as of 2026-11), and one for apprise's `json://`.

The signature covers id, timestamp and body; a timestamp may be five minutes off; an id that is known is taken once.
"""

import base64
import hashlib
import hmac
from collections import OrderedDict

from tidegate.testing.channels.records import Asked, Kept, Refusal, Said, Taken, decoded

_TOLERANCE_S = 300
_REMEMBERED = 10_000


class Webhook:
    """`Imitation`. `again`: how often something came that was known."""

    name = "webhook"
    path = "/hooks/alerts"

    def __init__(self, secret: str) -> None:
        self._secret = base64.b64decode(secret.removeprefix("whsec_"))
        self._known: OrderedDict[str, None] = OrderedDict()
        self.again = 0

    def take(self, asked: Asked, now_s: float) -> Taken:
        try:
            bad = Refusal("bad_request", status=400)
            message = decoded(asked, bad, bad)
            named = self._verified(asked, now_s)
            if not isinstance(message.get("type"), str) or not isinstance(message.get("data"), dict):
                raise bad
        except Refusal as refusal:
            return Taken(Said(refusal.status, str(refusal.code).encode(), "text/plain"))
        if named in self._known:
            self.again += 1
            return Taken(Said(204, b""))
        self._known[named] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        data = message["data"]
        title, text = str(data.get("title", "")), str(data.get("text", ""))
        return Taken(Said(204, b""), Kept(self.name, now_s, title, text, message))

    def _verified(self, asked: Asked, now_s: float) -> str:
        named, timestamp = asked.headers.get("webhook-id", ""), asked.headers.get("webhook-timestamp", "")
        if not named or not timestamp.isdigit() or abs(int(timestamp) - now_s) > _TOLERANCE_S:
            raise Refusal("bad_timestamp", status=400)
        signed = b".".join((named.encode(), timestamp.encode(), asked.body))
        wanted = "v1," + base64.b64encode(hmac.new(self._secret, signed, hashlib.sha256).digest()).decode()
        given = asked.headers.get("webhook-signature", "").split()
        if not any(hmac.compare_digest(wanted, one) for one in given):
            raise Refusal("bad_signature", status=401)
        return named


class AppriseJson:
    """`Imitation` of what apprise's `json://` posts to."""

    name = "apprise"
    path = "/apprise"

    def take(self, asked: Asked, now_s: float) -> Taken:
        try:
            bad = Refusal("bad_request", status=400)
            message = decoded(asked, bad, bad)
        except Refusal as refusal:
            return Taken(Said(refusal.status, str(refusal.code).encode(), "text/plain"))
        title, text = str(message.get("title", "")), str(message.get("message", ""))
        return Taken(Said(200, b"{}"), Kept(self.name, now_s, title, text, message))
