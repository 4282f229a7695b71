"""A call's record as spans: the call itself, and one for each attempt. Pure.

The call's span is a server's, child of the span that its client named in `traceparent`; an attempt's is a client's, and
its id is what the provider was told. Steps of its story are events of the call's span. O(attempts + steps).
"""

from hashlib import blake2b
from typing import Final, NamedTuple

from tidegate.model import trace
from tidegate.model.facts import CallRecord, Try, tries_of
from tidegate.tracing import names

Value = str | int | float | bool

_FAILED: Final = 500
_LEFT: Final = 499
_OK: Final = range(200, 300)
_NANO: Final = 1_000_000_000


class Event(NamedTuple):
    """Something that happened within a span, at a moment in microseconds since 1970."""

    name: str
    at_us: int
    attributes: dict[str, Value]


class Span(NamedTuple):
    """One span. Ids are hexadecimal digits; moments are microseconds since 1970."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str  # "" = it has none
    server: bool  # else a client's
    begin_us: int
    end_us: int
    failed: str  # why, "" = it did not fail
    attributes: dict[str, Value]
    events: tuple[Event, ...] = ()


def spans_of(record: CallRecord, journal: str) -> list[Span]:
    """The spans of a call; `journal` is the identity of the journal that it stands in."""
    trace_id = trace.trace_id(record.trace) or _trace_id(record, journal)
    own = trace.span(record.call_id, 0)
    begin = record.at_us - record.duration_us
    operation = names.OPERATIONS.get(record.kind, "")
    events = tuple(
        Event(step.what, begin + step.after_us, _step(step.lasted_us, step.target, step.why, step.figures))
        for step in record.story
    )
    call = Span(
        f"{operation or 'call'} {record.model}".strip(), trace_id, own, trace.parent(record.trace), True, begin,
        record.at_us, _why(record.status), _told(record, operation), events,
    )  # fmt: skip
    attempts = enumerate(tries_of(record), 1)
    return [call, *(_attempt(one, number, record, call, operation) for number, one in attempts)]


def _trace_id(record: CallRecord, journal: str) -> str:
    """Of a call whose client named no trace: always the same, for the same record."""
    return blake2b(f"{journal}/{record.call_id}/{record.at_us}".encode(), digest_size=16).hexdigest()


def _why(status: int) -> str:
    """A server's span fails by what is its own fault (HTTP conventions: not by 4xx), or when its end was not seen."""
    if not status:
        return "lost"
    return str(status) if status >= _FAILED else ""


def _told(record: CallRecord, operation: str) -> dict[str, Value]:
    provider, _, rest = record.target.partition("/")
    scope, _, served = rest.partition("/")
    every: dict[str, Value] = {
        names.OPERATION: operation,
        names.PROVIDER: names.PROVIDERS.get(provider, provider),
        names.REQUEST_MODEL: record.model,
        names.RESPONSE_MODEL: served,
        names.FIRST_CHUNK: record.first_token_us / 1e6,
        names.INPUT_TOKENS: record.prompt_tokens,
        names.OUTPUT_TOKENS: record.completion_tokens,
        names.CACHE_READ: record.cached_tokens,
        names.CACHE_CREATION: record.written_tokens,
        names.ERROR_TYPE: _why(record.status) or ("cancelled" if record.status == _LEFT else ""),
        names.NAMESPACE: record.tenant,
        names.USER: record.user,
        names.KEY: record.client,
        names.TIER: record.tier,
        names.PLAN: record.plan,
        names.TAG: record.tag,
        names.SCOPE: scope,
        names.JOB: record.job,
        names.DEGRADED: record.degraded,
        names.CACHE: record.cache,
        names.ATTEMPTS: record.attempts,
        names.QUEUED: record.queued_us / 1e6,
        names.WAITED: record.waited_us / 1e6,
        names.CHARGED: record.charged_tokens,
        names.COST: record.cost_nano / _NANO,
        names.ESTIMATED: record.estimated,
    }
    told = {name: value for name, value in every.items() if value not in ("", 0, False)}
    return {**told, names.STATUS_CODE: record.status, names.CALL: str(record.call_id)}


def _attempt(one: Try, number: int, record: CallRecord, call: Span, operation: str) -> Span:
    provider, _, rest = one.target.partition("/")
    scope, _, model = rest.partition("/")
    failed = one.reason or ("" if one.status in _OK or not one.status else str(one.status))
    every: dict[str, Value] = {
        names.OPERATION: operation,
        names.PROVIDER: names.PROVIDERS.get(provider, provider),
        names.REQUEST_MODEL: model,
        names.FIRST_CHUNK: one.first_byte_us / 1e6,
        names.INPUT_TOKENS: one.prompt_tokens,
        names.OUTPUT_TOKENS: one.completion_tokens,
        names.CACHE_READ: one.cached_tokens,
        names.CACHE_CREATION: one.written_tokens,
        names.ERROR_TYPE: failed,
        names.STATUS_CODE: one.status,
        names.RESEND_COUNT: number - 1,
        names.SCOPE: scope,
        names.ACCOUNT: one.account or record.account,
        names.CHARGED: one.charged_tokens,
        names.COST: one.cost_nano / _NANO,
        names.ESTIMATED: one.estimated,
    }
    every.update({f"http.response.header.{name}": value for name, value in one.headers})
    attributes = {name: value for name, value in every.items() if value not in ("", 0, False)}
    span_id = one.span or trace.span(record.call_id, number)
    end = max(one.at_us, min(one.at_us + one.duration_us, record.at_us))
    name = f"{operation or 'call'} {model}".strip()
    return Span(name, call.trace_id, span_id, call.span_id, False, one.at_us, end, failed, attributes)


def _step(lasted_us: int, target: str, why: str, figures: tuple[tuple[str, int | str], ...]) -> dict[str, Value]:
    told: dict[str, Value] = {"lasted": lasted_us / 1e6, "target": target, "why": why, **dict(figures)}
    return {f"tidegate.{name}": value for name, value in told.items() if value not in ("", 0)}
