"""Faults on command: which calls they hit, and what is done to them. Pure; randomness is an argument.

A rule matches a call, may skip the first ones, hits with a probability and a bounded number of times. The first rule
that hits decides. `POST /twin/faults` replaces all rules.
"""

from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from tidegate.twin.calls import Call


class Told(NamedTuple):
    """An error on command."""

    status: int
    message: str
    kind: str = ""
    code: str | None = None


REPLIES: Final[dict[str, Told]] = {  # in OpenAI's words; a dialect that has others states them
    "429": Told(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded"),
    "insufficient_quota": Told(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "spend_limit": Told(
        429, "Your project has reached its spend limit.", "insufficient_quota", "project_spend_limit_exceeded"
    ),
    "usage_limit": Told(
        429, "Your organization has reached its usage limit.", "insufficient_quota", "organization_usage_limit_exceeded"
    ),
    "401": Told(401, "Incorrect API key provided: it was revoked.", "invalid_request_error", "invalid_api_key"),
    "403": Told(403, "Your project does not have access to this model.", "invalid_request_error", "access_terminated"),
    "500": Told(500, "The server had an error while processing your request.", "server_error"),
    "502": Told(502, "Bad gateway.", "server_error"),
    "503": Told(503, "The engine is currently overloaded, please try again later.", "server_error"),
    "504": Told(504, "Gateway timeout.", "server_error"),
    "slow_down": Told(503, "Slow Down", "server_error", "slow_down"),
    "capacity": Told(429, "Resource Unavailable", "server_error", "resource_unavailable"),
    "day_quota": Told(429, "Rate limit reached for requests per day (RPD)", "requests", "rate_limit_exceeded"),
    "529": Told(529, "Overloaded", "overloaded_error"),
    "content_filter": Told(
        400,
        "The response was filtered due to the prompt triggering the content management policy. Please modify your "
        "prompt and retry.",
        "invalid_request_error",
        "content_filter",
    ),
    "status": Told(500, "Injected.", "server_error"),
}
PLACES: Final = (
    "before_head",
    "head",
    "after_head",
    "first_event",
    "role",
    "content",
    "arguments",
    "finish",
    "end",
)
BEFORE: Final = frozenset({"close", "reset"})  # instead of a reply
BODY: Final = frozenset({"cut", "reset", "stall", "malformed_chunk", "malformed_json", "error_event", "wrong_length"})
AMONG: Final = frozenset({"slow", "headers", "azure"})  # the call goes on
KINDS: Final = tuple(sorted({*REPLIES, *BEFORE, *BODY, *AMONG, "refuse"}))


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """Which calls: every stated field must match; `path` matches the end of the path."""

    provider: str | None = None  # openai, anthropic, azure, dashscope, gemini
    model: str | None = None
    key: str | None = None
    path: str | None = None
    stream: bool | None = None


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """One rule, as it is posted. `hits` counts what it did."""

    fault: str
    match: Match = msgspec.field(default_factory=Match)
    count: int | None = None  # hit so many calls, then never again
    probability: float | None = None
    skip: int = 0  # let so many matching calls pass first
    status: int | None = None  # of a reply
    message: str | None = None
    type: str | None = None
    code: str | None = None
    body: Any = None  # instead of the documented error body: text, or JSON
    headers: dict[str, str] = msgspec.field(default_factory=dict)  # verbatim; an empty value removes the line
    retry_after: str | int | float | None = None  # verbatim
    retry_after_ms: str | int | float | None = None  # verbatim
    retry_after_date: float | None = None  # an HTTP date so many seconds from now
    ms: float | None = None  # of slow, stall (None = for ever) and refuse
    after_bytes: int | None = None  # of the body; None = before it, and a stall or reset before the reply
    at: str | None = None  # a place in the reply instead: one of `PLACES`
    by: int = 1  # of wrong_length: so many bytes more are promised than come; negative: fewer
    rst: bool = False  # a cut by RST instead of a clean FIN
    charged: bool = False  # the call is charged although the fault replaces its reply
    hits: int = 0

    def told(self, usual: Told) -> Told:
        """What a fault that is a reply says: the usual, but for what the rule states."""
        return Told(
            self.status or usual.status, self.message or usual.message, self.type or usual.kind, self.code or usual.code
        )  # fmt: skip

    def verbatim(self) -> bytes | None:
        """The body that the rule states."""
        if self.body is None:
            return None
        return self.body.encode() if isinstance(self.body, str) else msgspec.json.encode(self.body)

    @property
    def within(self) -> bool:
        """Whether a place within the reply is stated."""
        return self.after_bytes is not None or self.at is not None

    @property
    def replaces(self) -> bool:
        """Whether there is no ordinary reply at all."""
        return self.fault in REPLIES or (self.fault in BEFORE and not self.within)

    @property
    def spoils(self) -> bool:
        """Whether the fault strikes within the reply."""
        return self.fault in BODY and (self.within or self.fault not in {"reset", "stall"})


class Faults:
    """The rules in force."""

    __slots__ = ("_rng", "rules")

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.rules: tuple[Rule, ...] = ()

    def hit(self, call: Call) -> Rule | None:
        """The rule that strikes this call, if one does. O(rules)."""
        for rule in self.rules:
            if _matches(rule.match, call) and self._strikes(rule):
                rule.hits += 1
                return rule
        return None

    def _strikes(self, rule: Rule) -> bool:
        if rule.skip > 0:
            rule.skip -= 1
            return False
        if rule.count is not None and rule.hits >= rule.count:
            return False
        return rule.probability is None or self._rng.random() < rule.probability


def _matches(match: Match, call: Call) -> bool:
    return (
        (match.provider is None or match.provider == call.provider)
        and (match.model is None or match.model == call.model)
        and (match.key is None or match.key == call.key)
        and (match.path is None or call.path.endswith(match.path))
        and (match.stream is None or match.stream == call.stream)
    )


class _Posted(msgspec.Struct, forbid_unknown_fields=True):
    rules: list[Rule]


def parse(raw: bytes) -> tuple[Rule, ...]:
    """The rules of a posted list, object with `rules`, or single rule. Raises `ValueError` that names the field."""
    try:
        rules = _decoded(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    for index, rule in enumerate(rules):
        _check(rule, f"[{index}]")
    return rules


def _decoded(raw: bytes) -> tuple[Rule, ...]:
    start = raw.lstrip()[:1]
    if start == b"[":
        return tuple(msgspec.json.decode(raw, type=list[Rule]))
    if start == b"{" and "rules" in msgspec.json.decode(raw, type=dict[str, Any]):
        return tuple(msgspec.json.decode(raw, type=_Posted).rules)
    return (msgspec.json.decode(raw, type=Rule),)


def _check(rule: Rule, where: str) -> None:
    if rule.fault not in KINDS:
        raise ValueError(f"{where}.fault: unknown fault {rule.fault!r}; one of {', '.join(KINDS)}")
    if rule.probability is not None and not 0 <= rule.probability <= 1:
        raise ValueError(f"{where}.probability: {rule.probability} is not between 0 and 1")
    if rule.status is not None and not 200 <= rule.status <= 599:
        raise ValueError(f"{where}.status: {rule.status} is no final HTTP status (200 to 599)")
    for name in ("count", "skip", "ms", "after_bytes"):
        value = getattr(rule, name)
        if value is not None and value < 0:
            raise ValueError(f"{where}.{name}: {value} is negative")
    if rule.at is not None:
        _check_place(rule, where)
    if rule.fault == "wrong_length" and not rule.by:
        raise ValueError(f"{where}.by: 0 is the right length")
    if rule.fault in {"slow", "refuse"} and rule.ms is None:
        raise ValueError(f"{where}.ms: required by the fault {rule.fault!r}")
    if rule.fault == "headers" and not rule.headers:
        raise ValueError(f"{where}.headers: required by the fault 'headers'")
    for name, text in rule.headers.items():
        if not name or ":" in name or not _sendable(name + text):
            raise ValueError(f"{where}.headers: {name!r} is no header that can be sent")
    for name in ("retry_after", "retry_after_ms"):
        if not _sendable(str(getattr(rule, name))):
            raise ValueError(f"{where}.{name}: a header has one line")


def _check_place(rule: Rule, where: str) -> None:
    if rule.at not in PLACES:
        raise ValueError(f"{where}.at: unknown place {rule.at!r}; one of {', '.join(PLACES)}")
    if rule.fault not in BODY or rule.fault == "wrong_length":
        raise ValueError(f"{where}.at: the fault {rule.fault!r} has no place")
    if rule.after_bytes is not None:
        raise ValueError(f"{where}.at: state it or after_bytes, not both")
    if rule.at in {"before_head", "head"} and (rule.fault not in {"cut", "reset", "stall"} or rule.ms is not None):
        raise ValueError(f"{where}.at: in a head there is a cut, a reset, or a stall without an end")


def _sendable(text: str) -> bool:
    return "\r" not in text and "\n" not in text
