"""Gemini's endpoint in OpenAI's dialect: no rate-limit headers, and errors in Google's form, in an array.

Its 429s carry `QuotaFailure` (which quota) and `RetryInfo` (when). For a day's quota the time is a lie: `19s`, as it
was seen at the real one. A wrong key is a 400. Source: ai.google.dev/gemini-api/docs/rate-limits and /openai (November
2026); google.rpc error details.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tidegate.twin.calls import Call
from tidegate.twin.faults import Told
from tidegate.twin.meter import Quota, Refusal
from tidegate.twin.openai import OpenAI
from tidegate.twin.problems import Problem
from tidegate.twin.windows import NEVER
from tidegate.wire.exchange import Exchange

_TYPES: Final = "type.googleapis.com/google.rpc."
_METRICS: Final = "generativelanguage.googleapis.com/"
_EXCEEDED: Final = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
_STATES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
REQUESTS_A_MINUTE: Final = "GenerateRequestsPerMinutePerProjectPerModel"
TOKENS_A_MINUTE: Final = "GenerateContentInputTokensPerModelPerMinute"
REQUESTS_A_DAY: Final = "GenerateRequestsPerDayPerProjectPerModel"
_LIE: Final = "19s"  # of the day's quota
FAULTS: Final = {
    "429": Told(429, _EXCEEDED, code=REQUESTS_A_MINUTE),
    "insufficient_quota": Told(429, _EXCEEDED),
    "day_quota": Told(429, _EXCEEDED, code=REQUESTS_A_DAY),
    "401": Told(400, "API key not valid. Please pass a valid API key."),
    "403": Told(403, "Permission denied: the consumer has been suspended."),
    "500": Told(500, "An internal error has occurred. Please retry."),
    "503": Told(503, "The model is overloaded. Please try again later."),
    "504": Told(504, "Deadline expired before operation could complete."),
}


class Gemini(OpenAI):
    """Gemini in OpenAI's clothes."""

    name: str = "gemini"
    prefix: str = "/gemini/v1beta/openai"
    faults: Mapping[str, Told] = FAULTS

    def key(self, exchange: Exchange) -> str:
        """See `Dialect`."""
        return super().key(exchange) or (exchange.header(b"x-goog-api-key") or b"").decode("latin-1")

    def stranger(self, key: str) -> Problem:
        """See `Dialect`."""
        return Problem(400, "API key not valid. Please pass a valid API key." if key else "Missing API key.")

    def identity(self, call: Call, took_ms: int) -> bytes:
        """See `Dialect`."""
        return f"server-timing: gfet4t7; dur={took_ms}\r\n".encode()

    def limits(self, quota: Quota, now: int, epoch: int, refusal: Refusal | None) -> bytes:
        """See `Dialect`: none."""
        return b""

    def retry(self, refusal: Refusal) -> bytes:
        """See `Dialect`: none; the body tells."""
        return b""

    def limited(self, refusal: Refusal, call: Call) -> bytes:
        """See `Dialect`."""
        if refusal.period == "day":
            quota, delay = REQUESTS_A_DAY, _LIE
        else:
            quota = REQUESTS_A_MINUTE if refusal.unit == "requests" else TOKENS_A_MINUTE
            delay = "" if refusal.wait == NEVER else _duration(refusal.wait)
        return _body(429, _EXCEEDED, _details(quota, call.model, refusal.limit, delay))

    def error(self, problem: Problem, request_id: str) -> bytes:
        """See `Dialect`. A 429 on command names its quota by the problem's code."""
        details: list[dict[str, Any]] = []
        if problem.status == 429 and problem.code:
            delay = _LIE if problem.code == REQUESTS_A_DAY else "27s"
            details = _details(problem.code, "gemini-2.5-flash", 10, delay)
        return _body(problem.status, problem.message, details)


def _body(status: int, message: str, details: list[dict[str, Any]]) -> bytes:
    state = _STATES.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    error = {"code": status, "message": message, "status": state} | ({"details": details} if details else {})
    return msgspec.json.encode([{"error": error}])


def _details(quota: str, model: str, limit: int, delay: str) -> list[dict[str, Any]]:
    metric = "generate_content_input_token_count" if quota == TOKENS_A_MINUTE else "generate_requests_per_model"
    violation = {
        "quotaMetric": _METRICS + metric,
        "quotaId": quota,
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(limit),
    }
    rows: list[dict[str, Any]] = [{"@type": _TYPES + "QuotaFailure", "violations": [violation]}]
    if delay:
        rows.append({"@type": _TYPES + "RetryInfo", "retryDelay": delay})
    return rows


def _duration(wait: int) -> str:
    """Microseconds as Google writes a duration, rounded up to milliseconds: `27s`, `3.700s`."""
    seconds, millis = divmod(-(-wait // 1_000), 1_000)
    return f"{seconds}.{millis:03d}s" if millis else f"{seconds}s"
