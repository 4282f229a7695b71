"""DashScope's dialect: OpenAI's, without rate-limit headers and with refusals in words of its own.

"You exceeded your current quota" is a limit of tokens a minute here, and OpenAI's words for an empty purse. Source:
alibabacloud.com, Model Studio, "Rate limits" and "Error codes" (November 2026).
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from tidegate.twin.calls import Call
from tidegate.twin.faults import Told
from tidegate.twin.meter import Quota, Refusal
from tidegate.twin.openai import OpenAI
from tidegate.twin.problems import Problem

RATE: Final = Told(429, "Requests rate limit exceeded, please try again later.", "Throttling", "Throttling.RateQuota")
ALLOCATION: Final = Told(
    429, "Allocated quota exceeded, please increase your quota limit.", "Throttling", "Throttling.AllocationQuota"
)
FAULTS: Final = {
    "429": Told(429, "You exceeded your current requests list.", "limit_requests", "limit_requests"),
    "insufficient_quota": Told(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "slow_down": Told(
        429,
        "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale "
        "requests more smoothly over time.",
        "Throttling",
        "Throttling.BurstRate",
    ),
    "spend_limit": Told(
        400, "Access denied, please make sure your account is in good standing.", "Arrearage", "Arrearage"
    ),
    "usage_limit": Told(
        403,
        "The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, "
        "please disable the 'use free tier only' mode in the management console.",
        "AllocationQuota.FreeTierOnly",
        "AllocationQuota.FreeTierOnly",
    ),
    "401": Told(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    "500": Told(500, "An internal error has occured, please try again later.", "InternalError", "InternalError"),
    "503": Told(503, "Model is overloaded, please try again later.", "ModelServingError", "ModelServingError"),
}


class DashScope(OpenAI):
    """Qwen in OpenAI's clothes; it thinks aloud."""

    name: str = "dashscope"
    prefix: str = "/dashscope/compatible-mode/v1"
    faults: Mapping[str, Told] = FAULTS
    thinks_aloud: bool = True

    def identity(self, call: Call, took_ms: int) -> bytes:
        """See `Dialect`."""
        return f"x-request-id: {call.request_id}\r\nreq-cost-time: {took_ms}\r\n".encode()

    def limits(self, quota: Quota, now: int, epoch: int, refusal: Refusal | None) -> bytes:
        """See `Dialect`: none."""
        return b""

    def retry(self, refusal: Refusal) -> bytes:
        """See `Dialect`: none."""
        return b""

    def limited(self, refusal: Refusal, call: Call) -> bytes:
        """See `Dialect`."""
        told = RATE if refusal.unit == "requests" else ALLOCATION
        return self.error(Problem(told.status, told.message, kind=told.kind, code=told.code), call.request_id)

    def error(self, problem: Problem, request_id: str) -> bytes:
        """See `Dialect`."""
        error = {"message": problem.message, "type": problem.kind, "param": problem.param, "code": problem.code}
        return msgspec.json.encode({"error": error, "request_id": request_id})
