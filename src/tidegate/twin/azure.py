"""Azure OpenAI's dialect: deployments in the path, counters of a minute, and headers that are not to be trusted.

A 429 for tokens says `retry-after-ms: 0`, `retry-after: 1` and `x-ratelimit-reset-tokens: 0` while the window is
exhausted, as it was measured at the real one. Source: learn.microsoft.com, "Manage Azure OpenAI quota" and the REST
reference (November 2026).
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from tidegate.twin.answers import Answer
from tidegate.twin.asks import Ask
from tidegate.twin.calls import Call
from tidegate.twin.customs import AZURE
from tidegate.twin.dialect import Script
from tidegate.twin.faults import Told
from tidegate.twin.meter import Quota, Refusal
from tidegate.twin.openai import OpenAI, bearer
from tidegate.twin.problems import Problem
from tidegate.twin.scripts import Script as ChatScript
from tidegate.twin.windows import MINUTE, NEVER, SECOND, Window
from tidegate.wire.exchange import Exchange

DEPLOYMENTS: Final = "/azure/openai/deployments/"
OWN: Final = "azure"  # the kind of problems that have a code and a message only
MANAGED: Final = "management"  # the kind of those that API Management in front of it answers
_DEPLOYMENT_NOT_FOUND: Final = (
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
    "please wait a moment and try again."
)
_DENIED: Final = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
_OVER: Final = (
    "Requests to the {operation} Operation under Azure OpenAI API have exceeded {unit} rate limit of your current "
    "OpenAI S0 pricing tier. Please retry after {seconds} seconds."
)
_BUSY: Final = (
    "The system is currently experiencing high demand and cannot process your request. Your request exceeds the "
    "maximum usage size allowed during peak load."
)
_FILTERED: Final = (
    b'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":'
    b'[{"prompt_index":0,"content_filter_results":{}}]}\n\n'
)
FAULTS: Final = {
    "429": Told(429, _OVER.format(operation="ChatCompletions_Create", unit="call", seconds=1), OWN, "429"),
    "capacity": Told(429, _BUSY, OWN, "429"),
    "401": Told(401, _DENIED, OWN, "401"),
    "403": Told(403, "Out of call volume quota. Quota will be replenished in 00:12:34.", MANAGED),
    "500": Told(500, "The server had an error while processing your request. Sorry about that!", OWN, "500"),
    "503": Told(503, _BUSY, OWN, "503"),
}


class AzureScript(ChatScript):
    """A chat whose stream begins with an event that has no choices: what the filter found."""

    __slots__ = ()

    def opening(self) -> bytes:
        """See `Script`."""
        return _FILTERED + super().opening()


class Azure(OpenAI):
    """What is deployed, under both forms of its paths."""

    name: str = "azure"
    scope: str = AZURE
    prefix: str = "/azure/openai/v1"
    faults: Mapping[str, Told] = FAULTS

    def endpoint(self, exchange: Exchange) -> str:
        """See `Dialect`. A path with a deployment demands `api-version`."""
        path = exchange.path.decode("latin-1")
        if not path.startswith(DEPLOYMENTS):
            return super().endpoint(exchange)
        _, _, rest = path.removeprefix(DEPLOYMENTS).partition("/")
        if not rest or b"api-version=" not in exchange.query:
            raise Problem(404, "Resource not found", kind=OWN, code="404")
        return "/" + rest

    def key(self, exchange: Exchange) -> str:
        """See `Dialect`."""
        value = exchange.header(b"api-key") or b""
        return value.strip().decode("latin-1") or bearer(exchange)

    def stranger(self, key: str) -> Problem:
        """See `Dialect`."""
        return Problem(401, _DENIED, kind=OWN, code="401")

    def ask(self, exchange: Exchange, endpoint: str) -> Ask | None:
        """See `Dialect`."""
        try:
            return super().ask(exchange, endpoint)
        except Problem as problem:
            if problem.status == 404:
                raise Problem(404, _DEPLOYMENT_NOT_FOUND, kind=OWN, code="DeploymentNotFound") from None
            raise

    def model(self, exchange: Exchange) -> str:
        """The deployment that a path names; empty where it names none."""
        path = exchange.path.decode("latin-1")
        return path.removeprefix(DEPLOYMENTS).partition("/")[0] if path.startswith(DEPLOYMENTS) else ""

    def chat(self, call: Call, ask: Ask, answer: Answer, created: int) -> Script:
        """See `OpenAI`."""
        name = b"chatcmpl-%b" % call.request_id[4:].encode()
        return AzureScript(
            answer, name, created, call.model, call.prompt_tokens, chat=True, include_usage=ask.include_usage,
            cached_tokens=call.cached_tokens,
        )  # fmt: skip

    def identity(self, call: Call, took_ms: int) -> bytes:
        """See `Dialect`."""
        return (
            f"x-request-id: {call.request_id}\r\napim-request-id: {call.request_id}\r\nx-ms-region: Twin\r\n"
            f"azureml-model-session: d-{took_ms}\r\n"
        ).encode()

    def limits(self, quota: Quota, now: int, epoch: int, refusal: Refusal | None) -> bytes:
        """See `Dialect`. Resets are whole seconds; that of the tokens is 0 exactly when it matters."""
        lie = refusal is not None and refusal.unit == "tokens"
        told = [
            _lines("requests", quota.requests, now, quota.requests_period_s),
            _lines("tokens", quota.tokens, now, MINUTE // SECOND, lie=lie),
        ]
        if refusal is not None:
            told.append(f"x-ratelimit-type: {refusal.unit}\r\n")
        return "".join(told).encode()

    def retry(self, refusal: Refusal) -> bytes:
        """See `Dialect`: true for requests, a lie for tokens."""
        if refusal.unit == "tokens":
            return b"retry-after: 1\r\nretry-after-ms: 0\r\n"
        seconds = _seconds(refusal.wait)
        return b"retry-after: %d\r\nretry-after-ms: %d\r\n" % (seconds, -(-refusal.wait // 1_000))

    def limited(self, refusal: Refusal, call: Call) -> bytes:
        """See `Dialect`."""
        unit = "token" if refusal.unit == "tokens" else "call"
        seconds = 1 if unit == "token" else _seconds(refusal.wait)
        operation = "Embeddings_Create" if call.path.endswith("/embeddings") else "ChatCompletions_Create"
        text = _OVER.format(operation=operation, unit=unit, seconds=seconds)
        return _body(text, "429")

    def error(self, problem: Problem, request_id: str) -> bytes:
        """See `Dialect`."""
        if problem.kind == MANAGED:
            return msgspec.json.encode({"statusCode": problem.status, "message": problem.message})
        if problem.kind == OWN:
            return _body(problem.message, problem.code or str(problem.status))
        return problem.body


def _body(message: str, code: str) -> bytes:
    return msgspec.json.encode({"error": {"code": code, "message": message}})


def _seconds(wait: int) -> int:
    return 60 if wait == NEVER else -(-wait // SECOND)


def _lines(unit: str, window: Window, now: int, period_s: int, *, lie: bool = False) -> str:
    reset = 0 if lie else _seconds(window.reset(now))
    return (
        f"x-ratelimit-limit-{unit}: {window.limit}\r\nx-ratelimit-remaining-{unit}: {window.remaining(now)}\r\n"
        f"x-ratelimit-reset-{unit}: {reset}\r\nx-ratelimit-renewalperiod-{unit}: {period_s}\r\n"
    )
