"""One try at one lane: build the request, send it, and say what came of it.

Whatever happens, the slot is settled once: by the usage when it is known, also of an answer that is of no use; kept
when something may have reached the provider, given back when nothing did. A failure has its verdict first: else whoever
waits would take the place that it leaves at a lane that refuses.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tidegate.line import story
from tidegate.line.gather import Gathered, gathered
from tidegate.line.lane import Slot
from tidegate.line.service import Service, Way
from tidegate.line.slot import Answered as Answered
from tidegate.line.splice import Splice
from tidegate.line.taps import CrossedTap, RawTap, Words
from tidegate.line.tries import note, note_stopped, stopped, unstated
from tidegate.model import trace
from tidegate.model.call import Call, Kind
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Answer, Failure, Headers, Unexplained
from tidegate.policy.failure.classify import ProviderError, Verdict, verdict
from tidegate.policy.failure.headers_families import family
from tidegate.policy.failure.not_before import not_before
from tidegate.ports import Clock, TransportError, UpstreamReply
from tidegate.providers.codec import Said
from tidegate.providers.continuation import marked
from tidegate.providers.dialects import CODECS
from tidegate.providers.translate.face import Crossed

PASS: Final = Kind.PASS
NOTHING: Final = Usage()
_CLASSIFIED_BYTES: Final = 4_096
_A_STATUS: Final = re.compile(r"[45]\d\d", re.ASCII).fullmatch
Judge = Callable[[Call, Slot, Failure, bytes], None]  # what a failure with this key means for everybody else

_JSON = b"content-type", b"application/json"
# What a refusal inside a stream would have had as its status.
_STATUS = {Reason.FATAL: 400, Reason.POLICY: 400, Reason.BILLING: 429, Reason.RATE: 429, Reason.OVERLOAD: 503}


def request_body(call: Call, way: Way, model: str, crossed: Crossed | None, prefix: str = "") -> bytes:
    """The body as this target must get it; the client's own bytes whenever nothing has to change.

    `prefix`: how its provider wants the beginning of an answer marked.
    """
    body, codec = call.body if crossed is None else crossed.body, way.codec
    if not isinstance(body, bytes):
        raise TypeError("a body that is still arriving is forwarded as it is")
    if crossed is None and model != call.shape.model:
        body = codec.with_model(body, model)
    if call.clamp:
        body = codec.with_output(body, call.clamp)
    if call.continued:
        body = marked(body, prefix)
    if call.shape.stream and (crossed is not None or not call.shape.wants_usage):
        body = codec.with_usage(body)
    return body


async def attempt(
    call: Call, slot: Slot, key: bytes, crossed: Crossed | None, clock: Clock, judge: Judge
) -> Answered | Failure:
    """Send the call once. `judge` has told of a failure.

    Settles the slot, unless a stream has begun, whose end does then, or it is cancelled before a head: its caller does.
    """
    lane, service = slot.lane, slot.lane.service
    way = service.ways.get(call.kind)
    try:
        head = service.head(call, way, lane.model, key)
        if call.trace:
            call.hops += 1
            slot.span = trace.span(call.id, call.hops)
            head += trace.onward(call.trace, slot.span)
        body = call.body if way is None else request_body(call, way, lane.model, crossed, service.profile.prefix)
    except Exception:
        slot.give_back()  # a defect of ours, and nothing was sent
        raise
    try:
        reply = await service.transport.send(
            head, body, stream=call.shape.stream or call.kind is PASS, deadline=call.deadline
        )
    except TransportError as error:
        return _broken_off(call, slot, error, key, judge, clock)
    stream, status = reply.stream, reply.status
    try:
        now = clock.now()
        if stream is not None or status >= 400:
            slot.head_us = now - slot.permit.taken_at
        shown = service.shown.of(reply.headers)
        lane.watch(shown, slot, now)
        if status < 400 and stream is None:
            outcome = _complete(call, way, crossed, reply, shown, slot, now, clock)
        elif status < 400:
            outcome = await _streamed(call, way, crossed, reply, shown, slot, clock)
        else:
            outcome = _refusal(reply, shown, slot, clock)
        if isinstance(outcome, Failure):
            outcome = _without(outcome, key)
            judge(call, slot, outcome, key)
            if status >= 400:
                lane.refused(outcome.reason, _text(reply), shown, slot)
            _book(call, slot, outcome, status, clock.now(), story.telling(reply.headers, key))
    except BaseException:
        if stream is not None:
            stream.abort()  # a defect of ours, or the client left: nobody would ever read it
        note_stopped(call, slot, clock.now(), status, story.telling(reply.headers, key))
        raise
    return outcome


def _broken_off(call: Call, slot: Slot, error: TransportError, key: bytes, judge: Judge, clock: Clock) -> Failure:
    """The provider could not be reached, or said nothing."""
    failure = Failure(Reason.TRANSIENT, str(error), sent=error.sent, begun=error.begun)
    judge(call, slot, failure, key)
    if error.sent:
        _book(call, slot, failure, 0, clock.now())
    else:
        slot.give_back(judged=True)
        story.unsent(call, slot.lane.name, slot.account, failure, slot.permit.taken_at, clock.now())
    return failure


def _book(
    call: Call, slot: Slot, failure: Failure, status: int, now: int, headers: tuple[tuple[str, str], ...] = ()
) -> None:
    """Settle an attempt that was sent and brought nothing, and write it down."""
    if status >= 400 and failure.reason is Reason.FATAL:
        slot.settle(0, now)  # refused before it was counted: a client's mistakes do not use up the quota
        charged = 0
    else:
        charged = slot.lane.account(call, slot, failure.usage, now)
    usage = failure.usage or (stopped(call, slot, now) if failure.begun else NOTHING)
    note(call, slot, status, failure.reason.name.lower(), usage, charged, now, headers)


def _complete(
    call: Call,
    way: Way | None,
    crossed: Crossed | None,
    reply: UpstreamReply,
    shown: dict[bytes, bytes],
    slot: Slot,
    now: int,
    clock: Clock,
) -> Answered | Failure:
    usage, body, lane = None, reply.body, slot.lane
    if way is not None:
        try:
            usage = way.codec.usage_of(body)
            if usage is None and (said := way.codec.failure_of(body)) is not None:
                failure = Failure(Reason.TRANSIENT, f"the provider answered {reply.status} with an error")
                return _told(failure, body, lane.service, clock.wall(), said, shown)
            body = body if crossed is None else crossed.reply.answer(body)
        except ValueError as error:
            message = f"the provider's answer is not what it should be: {error}"
            return Failure(Reason.TRANSIENT, message, usage=usage, begun=True)
    charged = lane.account(call, slot, usage, now)
    if usage is not None:
        lane.speed.learn(usage.completion, now - slot.permit.taken_at)
    elif way is not None:
        usage = unstated(call, slot, reply.body, now)
    return Answered(slot, reply.status, reply.headers, shown, body, None, usage, charged)


async def _streamed(
    call: Call,
    way: Way | None,
    crossed: Crossed | None,
    reply: UpstreamReply,
    shown: dict[bytes, bytes],
    slot: Slot,
    clock: Clock,
) -> Answered | Failure:
    stream, lane = reply.stream, slot.lane
    if stream is None:
        raise TypeError("not a stream")
    if way is not None and _is_json(shown):
        try:
            body = await gathered(stream, clock, call.deadline)
        except TransportError as error:
            return Failure(Reason.TRANSIENT, str(error), begun=True)
        whole = Gathered(reply.status, reply.headers, body)
        return _complete(call, way, crossed, whole, shown, slot, clock.now(), clock)
    if way is None or not _is_event_stream(reply.headers):
        splice = Splice(stream, RawTap(), None)
    else:
        own = crossed is None
        tap = way.codec.tap(keep_usage=call.shape.wants_usage or not own)
        words = Words(CODECS[call.kind].says, lane.service.dialect, own=own)
        splice = Splice(stream, tap if crossed is None else CrossedTap(tap, crossed.reply.stream()), words)
    timer = clock.call_at(call.deadline, splice.expire)
    try:
        failure = await splice.committed()
    finally:
        timer.cancel()
    if failure is not None:
        told = splice.tap.failure
        if not told.startswith(b"{"):
            return replace(failure, usage=_partial(call, slot, splice))
        return _told(failure, told, lane.service, clock.wall(), lane.service.dialect.error_of(told), {})
    return Answered(slot, reply.status, reply.headers, shown, b"", splice)


def _told(failure: Failure, body: bytes, service: Service, wall: int, said: Said, shown: dict[bytes, bytes]) -> Failure:
    """An error as the first event, or the whole body, of a reply with 200: a refusal like any other.

    Its code may be the status that it would have had (OpenRouter).
    """
    text = body[:_CLASSIFIED_BYTES].decode("utf-8", "replace")
    status = int(said.code) if _A_STATUS(said.code) else 0
    found = verdict(ProviderError(status, said.code, said.type, text), service.profile.refusals)
    would = status or _STATUS.get(found.reason, 500)
    if not service.dialect.is_error_body(body):
        kind = said.type or ("invalid_request_error" if would < 500 else "server_error")
        words = Said(said.code, kind, said.message or f"The provider answered {would}.")
        body = service.dialect.error_body(would, words)
    answer = Answer(would, [_JSON], body, service.dialect.name)
    again = not_before(found.not_before, shown, family(service.profile.headers), text, wall)
    new = _new(found, status, said, text)
    return Failure(found.reason, failure.message, answer, again, out=found.scope, unexplained=new)


def _partial(call: Call, slot: Slot, splice: Splice) -> Usage:
    """What is billed for a stream that ended before its first content."""
    tap = splice.tap
    return tap.usage or Usage(tap.prompt or slot.lane.estimator.expected(call.size), tap.events, estimated=True)


def _without(failure: Failure, key: bytes) -> Failure:
    """A refusal that repeats the gate's own key, without it: clients are shown what the provider said."""
    answer = failure.answer
    if answer is None or key not in answer.body:
        return failure
    return replace(failure, answer=replace(answer, body=answer.body.replace(key, b"***")))


def _is_event_stream(headers: Headers) -> bool:
    return any(name == b"content-type" and b"event-stream" in value for name, value in headers)


def _is_json(shown: dict[bytes, bytes]) -> bool:
    """The whole answer, where a stream was asked for; a stream of several JSON texts has another type."""
    return shown.get(b"content-type", b"").partition(b";")[0].strip().lower() == b"application/json"


def _refusal(reply: UpstreamReply, shown: dict[bytes, bytes], slot: Slot, clock: Clock) -> Failure:
    service = slot.lane.service
    said = service.dialect.error_of(reply.body)
    text = _text(reply)
    found = verdict(ProviderError(reply.status, said.code, said.type, text), service.profile.refusals)
    return Failure(
        found.reason,
        f"the provider answered {reply.status}",
        Answer(reply.status, reply.headers, reply.body, service.dialect.name),
        not_before(found.not_before, shown, family(service.profile.headers), text, clock.wall()),
        out=found.scope,
        unexplained=_new(found, reply.status, said, text),
    )


def _new(found: Verdict, status: int, said: Said, text: str) -> Unexplained | None:
    """What to write a row for."""
    return None if found.known else Unexplained(status, said.code, said.type, said.message or text)


def _text(reply: UpstreamReply) -> str:
    return reply.body[:_CLASSIFIED_BYTES].decode("utf-8", "replace")
