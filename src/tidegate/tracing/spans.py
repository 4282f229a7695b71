"""A call's record as spans: the call itself, and one for each attempt. Pure.

The call's span is a server's, child of the span that its client named in `traceparent`; an attempt's is a client's, and
its id is what the provider was told. Steps of its story are events of the call's span. O(attempts + steps).

Attributes are those of an inference span, as far as a record tells them:
https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-spans.md. `gen_ai.response.model`
is the model that was asked of the provider; what its reply calls itself, and why it stopped, stands in no record.
"""

from hashlib import blake2b
from typing import Final, NamedTuple

from tidegate.model import trace
from tidegate.model.facts import CallRecord, Hit, Try, tries_of
from tidegate.tracing import makers as known
from tidegate.tracing import names
from tidegate.tracing.makers import Makers

Value = str | int | float | bool

_FAILED: Final = 500
_WRONG: Final = 400
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


def spans_of(record: CallRecord, journal: str, makers: Makers) -> list[Span]:
    """The spans of a call; `journal` is the identity of the journal that it stands in."""
    trace_id = trace_of(record, journal)
    own = trace.span(record.call_id, 0)
    begin = record.at_us - record.duration_us
    events = tuple(
        Event(step.what, begin + step.after_us, _step(step.lasted_us, step.target, step.why, step.figures))
        for step in record.story
    )
    call = Span(
        f"{operation(record)} {record.model}".strip(), trace_id, own, trace.parent(record.trace), True, begin,
        record.at_us, _why(record.status), _told(record, makers), events,
    )  # fmt: skip
    attempts = enumerate(tries_of(record), 1)
    return [call, *(_attempt(one, number, record, call, makers) for number, one in attempts)]


def trace_of(record: CallRecord | Hit, journal: str) -> str:
    """The id of its trace: the client's; of a call whose client named none always the same, for the same record."""
    named = trace.trace_id(record.trace)
    return named or blake2b(f"{journal}/{record.call_id}/{record.at_us}".encode(), digest_size=16).hexdigest()


def operation(record: CallRecord) -> str:
    """`gen_ai.operation.name`, which every span and metric must have."""
    return names.OPERATIONS.get(record.kind, names.UNKNOWN)


def answered_by(record: CallRecord, makers: Makers) -> str:
    """`gen_ai.provider.name` of a call: who answered, else who was asked last, else the gate itself."""
    target = record.target or (record.tries[-1].target if record.tries else "")
    return known.of(makers, target.partition("/")[0]).name if target else names.GATE


def error_of(record: CallRecord) -> str:
    """`error.type` of a call: the status that its client was told, `cancelled` by it, or `lost`; "" = it ended well."""
    if record.status == _LEFT:
        return "cancelled"
    return str(record.status) if record.status >= _WRONG else _why(record.status)


def failure_of(one: Try) -> str:
    """`error.type` of an attempt: why it failed (the words of `Try.reason`), else its status; "" = it was answered."""
    return one.reason or ("" if one.status in _OK or not one.status else str(one.status))


def first_chunk_us(one: Try, record: CallRecord, *, last: bool) -> int:
    """From when an attempt left until the first chunk of its stream was there; 0 = it did not stream, or none came."""
    if not record.streamed or one.status not in _OK:
        return 0
    began = one.at_us - (record.at_us - record.duration_us)
    exact = record.first_token_us - began if last and record.first_token_us else 0
    return exact if exact > 0 else one.first_byte_us


def _why(status: int) -> str:
    """A server's span fails by what is its own fault (HTTP conventions: not by 4xx), or when its end was not seen."""
    if not status:
        return "lost"
    return str(status) if status >= _FAILED else ""


def _told(record: CallRecord, makers: Makers) -> dict[str, Value]:
    provider, _, rest = record.target.partition("/")
    scope, _, served = rest.partition("/")
    every: dict[str, Value] = {
        names.OPERATION: operation(record),
        names.PROVIDER: answered_by(record, makers),
        names.REQUEST_MODEL: record.model,
        names.REQUEST_STREAM: record.streamed,
        names.MAX_TOKENS: record.most_tokens,
        names.RESPONSE_MODEL: served,
        names.FIRST_CHUNK: record.first_token_us / 1e6,
        names.INPUT_TOKENS: record.prompt_tokens,
        names.OUTPUT_TOKENS: record.completion_tokens,
        names.CACHE_READ: record.cached_tokens,
        names.CACHE_CREATION: record.written_tokens,
        names.ERROR_TYPE: error_of(record),
        names.NAMESPACE: record.tenant,
        names.USER: record.user,
        names.KEY: record.client,
        names.TIER: record.tier,
        names.PLAN: record.plan,
        names.TAG: record.tag,
        names.UPSTREAM: provider,
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


def _attempt(one: Try, number: int, record: CallRecord, call: Span, makers: Makers) -> Span:
    provider, _, rest = one.target.partition("/")
    scope, _, model = rest.partition("/")
    maker, failed = known.of(makers, provider), failure_of(one)
    last = number >= len(record.tries)
    every: dict[str, Value] = {
        names.OPERATION: operation(record),
        names.PROVIDER: maker.name,
        names.SERVER: maker.address,
        names.PORT: maker.port,
        names.REQUEST_MODEL: model,
        names.REQUEST_STREAM: record.streamed,
        names.MAX_TOKENS: record.most_tokens,
        names.FIRST_CHUNK: first_chunk_us(one, record, last=last) / 1e6,
        names.INPUT_TOKENS: one.prompt_tokens,
        names.OUTPUT_TOKENS: one.completion_tokens,
        names.CACHE_READ: one.cached_tokens,
        names.CACHE_CREATION: one.written_tokens,
        names.ERROR_TYPE: failed,
        names.STATUS_CODE: one.status,
        names.RESEND_COUNT: number - 1,
        names.UPSTREAM: provider,
        names.SCOPE: scope,
        names.ACCOUNT: one.account or record.account,
        names.CHARGED: one.charged_tokens,
        names.COST: one.cost_nano / _NANO,
        names.ESTIMATED: one.estimated,
    }
    every.update({f"{names.HEADER}{name}": value for name, value in one.headers})
    attributes = {name: value for name, value in every.items() if value not in ("", 0, False)}
    span_id = one.span or trace.span(record.call_id, number)
    end = max(one.at_us, min(one.at_us + one.duration_us, record.at_us))
    name = f"{operation(record)} {model}".strip()
    return Span(name, call.trace_id, span_id, call.span_id, False, one.at_us, end, failed, attributes)


def _step(lasted_us: int, target: str, why: str, figures: tuple[tuple[str, int | str], ...]) -> dict[str, Value]:
    found = {f"{names.STEP}{name}": value for name, value in figures}
    told: dict[str, Value] = {names.LASTED: lasted_us / 1e6, names.TARGET: target, names.WHY: why, **found}
    return {name: value for name, value in told.items() if value not in ("", 0)}
