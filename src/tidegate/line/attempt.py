"""One try at one lane: build the request, send it, and say what came of it.

Whatever happens, the slot is settled once: by the usage when it is known, kept when something may have reached the
provider, given back when nothing did. A failure has its verdict first: else whoever waits would take the place that it
leaves at a lane that refuses.
"""

import asyncio
from collections.abc import Callable

from tidegate.line.lane import Lane, Service, Slot
from tidegate.line.records import Answered as Answered
from tidegate.line.splice import RawTap, Splice
from tidegate.model.call import Call, Kind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Answer, Failure, Headers
from tidegate.policy import retry_after
from tidegate.policy.classify import Refusal, classify
from tidegate.ports import Clock, TransportError, UpstreamReply
from tidegate.providers import openai, sse

_CLASSIFIED_BYTES = 4_096
Judge = Callable[[Call, Slot, Failure, bytes], None]  # what a failure with this key means for everybody else

_JSON = b"content-type", b"application/json"
# What a refusal inside a stream would have had as its status.
_STATUS = {Reason.FATAL: 400, Reason.POLICY: 400, Reason.BILLING: 429, Reason.RATE: 429, Reason.OVERLOAD: 503}


def request_head(service: Service, call: Call, key: bytes) -> bytes:
    """Request line and headers, without framing."""
    return b"%b %b%b HTTP/1.1\r\nhost: %b\r\n%b%b\r\n%b" % (
        call.method,
        service.prefix,
        call.path,
        service.host,
        service.auth,
        key,
        call.forward,
    )


def request_body(call: Call, model: str) -> bytes:
    """The body as this target must get it; the client's own bytes whenever nothing has to change."""
    body = call.body
    if not isinstance(body, bytes):
        raise TypeError("a body that is still arriving is forwarded as it is")
    if call.kind is not Kind.PASS:
        if model != call.shape.model:
            body = openai.with_model(body, model)
        if call.clamp:
            body = openai.with_output(body, call.clamp)
        if call.shape.stream and not call.shape.wants_usage:
            body = openai.with_usage(body)
    return body


async def attempt(call: Call, lane: Lane, slot: Slot, key: bytes, clock: Clock, judge: Judge) -> Answered | Failure:
    """Send the call once. Settles the slot unless a stream has begun; its end does then. `judge` has told of it."""
    service = lane.service
    head = request_head(service, call, key)
    body = request_body(call, lane.model) if isinstance(call.body, bytes) else call.body
    try:
        reply = await service.transport.send(
            head, body, stream=call.shape.stream or call.kind is Kind.PASS, deadline=call.deadline
        )
    except TransportError as error:
        failure = Failure(Reason.TRANSIENT, str(error), sent=error.sent)
        judge(call, slot, failure, key)
        if error.sent:
            slot.keep()
        else:
            slot.give_back(judged=True)
        return failure
    except asyncio.CancelledError:
        slot.keep()
        raise
    shown = dict(reply.headers)
    lane.watch(shown, slot)
    if reply.status < 400 and reply.stream is None:
        outcome = _complete(call, lane, reply, shown, slot)
    elif reply.status < 400:
        outcome = await _streamed(call, lane, reply, shown, slot, clock)
    else:
        outcome = _refusal(reply, shown, slot, clock)
    if isinstance(outcome, Failure):
        judge(call, slot, outcome, key)
        if reply.status >= 400:
            lane.refused(outcome.reason, _text(reply), shown, slot)
        if reply.status >= 400 and outcome.reason is Reason.FATAL:
            slot.settle(0)  # refused before it was counted: a client's mistakes do not use up the quota
        else:
            slot.keep()
    return outcome


def _complete(
    call: Call, lane: Lane, reply: UpstreamReply, shown: dict[bytes, bytes], slot: Slot
) -> Answered | Failure:
    usage = None
    if call.kind is not Kind.PASS:
        try:
            usage = openai.usage_of(reply.body)
        except ValueError as error:
            return Failure(Reason.TRANSIENT, f"the provider's answer is not JSON: {error}")
    charged = lane.account(call, slot, usage)
    return Answered(lane, slot, reply.status, reply.headers, shown, reply.body, None, usage, charged)


async def _streamed(
    call: Call, lane: Lane, reply: UpstreamReply, shown: dict[bytes, bytes], slot: Slot, clock: Clock
) -> Answered | Failure:
    stream = reply.stream
    if stream is None:
        raise TypeError("not a stream")
    if call.kind is Kind.PASS or not _is_event_stream(reply.headers):
        splice = Splice(stream, RawTap(), None)
    else:
        splice = Splice(stream, sse.StreamTap(keep_usage=call.shape.wants_usage), _error_event)
    timer = clock.call_at(call.deadline, splice.expire)
    try:
        failure = await splice.committed()
    except asyncio.CancelledError:
        slot.keep()
        raise
    finally:
        timer.cancel()
    if failure is not None:
        told = splice.tap.failure
        return _told(failure, told, lane.service) if told.startswith(b"{") else failure
    return Answered(lane, slot, reply.status, reply.headers, shown, b"", splice)


def _told(failure: Failure, event: bytes, service: Service) -> Failure:
    """An error as the first event of a reply that began with 200: a refusal like any other."""
    code, kind = openai.error_of(event)
    text = event[:_CLASSIFIED_BYTES].decode("utf-8", "replace")
    reason = classify(Refusal(0, code, kind, text), service.profile.refusals)
    return Failure(reason, failure.message, Answer(_STATUS.get(reason, 500), [_JSON], event))


def _error_event(failure: Failure) -> bytes:
    return sse.error_event(failure.message)


def _is_event_stream(headers: Headers) -> bool:
    return any(name == b"content-type" and b"event-stream" in value for name, value in headers)


def _refusal(reply: UpstreamReply, shown: dict[bytes, bytes], slot: Slot, clock: Clock) -> Failure:
    code, kind = openai.error_of(reply.body)
    reason = classify(Refusal(reply.status, code, kind, _text(reply)), slot.lane.service.profile.refusals)
    return Failure(
        reason,
        f"the provider answered {reply.status}",
        Answer(reply.status, reply.headers, reply.body),
        retry_after.from_headers(shown.get(b"retry-after-ms"), shown.get(b"retry-after"), clock.wall()),
    )


def _text(reply: UpstreamReply) -> str:
    return reply.body[:_CLASSIFIED_BYTES].decode("utf-8", "replace")
