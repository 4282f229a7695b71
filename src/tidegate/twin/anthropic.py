"""Anthropic's dialect: messages, and what is told of them in headers and errors.

Source: docs.anthropic.com/en/api/errors and /rate-limits (November 2026).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from tidegate.twin import problems
from tidegate.twin.answers import Answer
from tidegate.twin.anthropic_requests import Parser
from tidegate.twin.anthropic_script import MessageScript, error_body
from tidegate.twin.asks import Ask
from tidegate.twin.calls import Call
from tidegate.twin.dialect import Script
from tidegate.twin.faults import Told
from tidegate.twin.governed import counted
from tidegate.twin.meter import Quota, Refusal
from tidegate.twin.openai import bearer
from tidegate.twin.problems import Problem
from tidegate.twin.replies import Replies
from tidegate.twin.settings import Model
from tidegate.twin.state import State
from tidegate.twin.windows import NEVER, SECOND, Window
from tidegate.wire.exchange import Exchange

PREFIX: Final = "/anthropic/v1"
MESSAGES: Final = "/messages"
COUNT: Final = "/messages/count_tokens"
_ROUNDED: Final = 1_000  # tokens that remain are told to the nearest thousand
_UNITS: Final = {"requests": "requests", "tokens": "input tokens", "output": "output tokens"}
_KINDS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_KNOWN_KINDS: Final = frozenset({*_KINDS.values(), "api_error"}) - {"invalid_request_error"}
_OVER: Final = "This request would exceed your organization's rate limit"
FAULTS: Final = {
    "429": Told(429, f"{_OVER} of 50 requests per minute.", "rate_limit_error"),
    "day_quota": Told(429, f"{_OVER} of 1,000,000 input tokens per day.", "rate_limit_error"),
    "insufficient_quota": Told(
        400,
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
        "purchase credits.",
        "invalid_request_error",
    ),
    "spend_limit": Told(
        429, "Your organization has reached its spend limit.", "rate_limit_error", "enforced_spend_limit_reached"
    ),
    "usage_limit": Told(
        400, "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."
    ),
    "401": Told(401, "invalid x-api-key", "authentication_error"),
    "403": Told(403, "Your API key does not have permission to use the specified resource.", "permission_error"),
    "500": Told(500, "Internal server error", "api_error"),
    "502": Told(502, "Bad gateway", "api_error"),
    "503": Told(503, "Service unavailable", "api_error"),
    "504": Told(504, "Request timed out", "timeout_error"),
    "slow_down": Told(
        429,
        "This request would exceed your organization's maximum usage increase rate for input tokens per minute. "
        "Please scale up your input tokens usage more gradually to maintain a stable rate.",
        "rate_limit_error",
    ),
    "content_filter": Told(400, "Output blocked by content filtering policy", "invalid_request_error"),
    "capacity": Told(529, "Overloaded", "overloaded_error"),
}


class Anthropic:
    """The governed endpoint and the words of this dialect."""

    name: str = "anthropic"
    scope: str = ""
    faults: Mapping[str, Told] = FAULTS

    def __init__(self, models: tuple[Model, ...]) -> None:
        self._parser = Parser(models)

    def endpoint(self, exchange: Exchange) -> str:
        """See `Dialect`. A call must say which version of the API it speaks."""
        path = exchange.path.decode("latin-1")
        if not path.startswith(PREFIX + "/"):
            raise Problem(404, "Not Found")
        return path[len(PREFIX) :]

    def key(self, exchange: Exchange) -> str:
        """See `Dialect`."""
        value = exchange.header(b"x-api-key") or b""
        return value.strip().decode("latin-1") or bearer(exchange)

    def stranger(self, key: str) -> Problem:
        """See `Dialect`."""
        return Problem(401, "invalid x-api-key" if key else "x-api-key header is required")

    def ask(self, exchange: Exchange, endpoint: str) -> Ask | None:
        """See `Dialect`."""
        if not exchange.header(b"anthropic-version"):
            raise Problem(400, "anthropic-version: header is required")
        if endpoint != MESSAGES or exchange.method != b"POST":
            return None
        return self._parser.message(exchange.body)

    def script(self, call: Call, ask: Ask, answer: Answer, created: int) -> Script:
        """See `Dialect`."""
        return MessageScript(call, answer)

    def identity(self, call: Call, took_ms: int) -> bytes:
        """See `Dialect`."""
        return f"request-id: {call.request_id}\r\nanthropic-organization-id: {call.organisation or 'none'}\r\n".encode()

    def limits(self, quota: Quota, now: int, epoch: int, refusal: Refusal | None) -> bytes:
        """See `Dialect`. `tokens` is the sum of input and output, as documented where no workspace limit applies."""
        requests, both = quota.requests, [quota.tokens, *([quota.output] if quota.output is not None else ())]
        rows = [("requests", requests.limit, requests.remaining(now), _moment(requests, now, epoch))]
        names = ("input-tokens", "output-tokens")
        rows += [
            (name, one.limit, _nearest(one.remaining(now)), _moment(one, now, epoch))
            for name, one in zip(names, both, strict=False)
        ]
        whole = sum(one.limit for one in both), _nearest(sum(one.remaining(now) for one in both))
        rows.append(("tokens", *whole, max(row[3] for row in rows[1:])))
        return "".join([_lines(*row) for row in rows]).encode()

    def retry(self, refusal: Refusal) -> bytes:
        """See `Dialect`: whole seconds, rounded up. Where no waiting helps, none."""
        if refusal.wait == NEVER:
            return b"x-should-retry: false\r\n"
        return b"retry-after: %d\r\nx-should-retry: true\r\n" % -(-refusal.wait // SECOND)

    def limited(self, refusal: Refusal, call: Call) -> bytes:
        """See `Dialect`."""
        period = "day" if refusal.period == "day" else "minute"
        text = (
            f"{_OVER} of {refusal.limit:,} {_UNITS[refusal.unit]} per {period} (org: {call.organisation}, model: "
            f"{call.model}). Please reduce the prompt length or the maximum tokens requested, or try again later."
        )
        return error_body("rate_limit_error", text, call.request_id)

    def error(self, problem: Problem, request_id: str) -> bytes:
        """See `Dialect`. The kind is the status's own, unless the problem names one of this dialect."""
        usual = _KINDS.get(problem.status, "invalid_request_error" if problem.status < 500 else "api_error")
        kind = problem.kind if problem.kind in _KNOWN_KINDS else usual
        return error_body(kind, problem.message, request_id, problem.code)


def _nearest(tokens: int) -> int:
    return (tokens + _ROUNDED // 2) // _ROUNDED * _ROUNDED


def _moment(window: Window, now: int, epoch: int) -> str:
    """When a window will be full again, RFC 3339, rounded up to seconds."""
    seconds = -(-(now + epoch + window.reset(now)) // SECOND)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(name: str, limit: int, remaining: int, reset: str) -> str:
    start = f"anthropic-ratelimit-{name}"
    return f"{start}-limit: {limit}\r\n{start}-remaining: {remaining}\r\n{start}-reset: {reset}\r\n"


class AnthropicAside:
    """Models, and the counting of tokens."""

    __slots__ = ("_models", "_parser", "_replies", "_state")

    def __init__(self, state: State, replies: Replies, models: tuple[Model, ...]) -> None:
        self._state = state
        self._replies = replies
        self._models = {model.name: model for model in models}
        self._parser = Parser(models)

    def answer(self, exchange: Exchange, call: Call, endpoint: str) -> None:
        """Answer a call that no quota governs. Raises `Problem`."""
        self._state.directory.ledger.stray.called()
        rule = self._state.faults.hit(call)
        if rule is not None and rule.replaces:
            call.fault = rule.fault
            self._replies.fault(exchange, call, rule, None)
            return
        try:
            body = self._body(exchange, call, endpoint)
        except Problem as problem:
            self._replies.problem(exchange, call, problem)
            return
        self._state.directory.ledger.stray.served()
        self._replies.send(exchange, call, 200, self._replies.head(call), msgspec.json.encode(body))

    def _body(self, exchange: Exchange, call: Call, endpoint: str) -> dict[str, object]:
        name = endpoint.removeprefix("/models/")
        if (call.method, endpoint) == ("POST", COUNT):
            return {"input_tokens": counted(self._state, self._parser.count(exchange.body))}
        if (call.method, endpoint) == ("GET", "/models"):
            rows = [_model(model) for model in self._models.values()]
            ids = list(self._models)
            ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
            return {"data": rows, "has_more": False} | ends
        if call.method == "GET" and name in self._models:
            return _model(self._models[name])
        if call.method == "GET" and name != endpoint:
            raise Problem(404, f"model: {name}")
        raise problems.unknown_url(call.method, call.path)


def _model(model: Model) -> dict[str, object]:
    shown = model.name.replace("-", " ").title()
    return {
        "type": "model",
        "id": model.name,
        "display_name": shown,
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": model.context,
    }
