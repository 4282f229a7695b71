"""What the ledger is told of a call: each of its attempts, and in the end the call.

What an attempt is billed is known from the usage that its provider states. Where none is stated:

* an error status, or a connection that broke before the reply's head: nothing, which is what providers bill for it;
* an attempt that was stopped, by the client's leaving or a time-out of ours: the prompt as estimated, and the tokens
  that are made in that time;
* a stream that broke: the prompt as estimated, and what arrived;
* a whole answer: the prompt as estimated, and what answers of that length have by experience.

All but the first are marked as estimated. Counting tokens is free.
"""

from collections.abc import Sequence
from typing import Final

from tidegate.line import story
from tidegate.line.lane import Lane
from tidegate.line.plan import Plan
from tidegate.line.slot import Answered, Slot
from tidegate.model.call import Call, Kind
from tidegate.model.facts import CallRecord, Try, ended
from tidegate.model.outcome import Usage
from tidegate.policy.money import cost_nano

COUNT: Final = Kind.COUNT
EMBEDDING: Final = Kind.EMBEDDING
NOTHING: Final = Usage()
_KINDS: Final = {kind: kind.name.lower() for kind in Kind}
Lines = tuple[tuple[str, str], ...]  # of a head

_BYTES_PER_TOKEN: Final = 4  # of an answer, where nothing was learnt


def note(
    call: Call,
    slot: Slot,
    status: int,
    why: str,
    usage: Usage,
    charged: int,
    now: int,
    headers: Lines = (),
) -> None:
    """Write down an attempt that does not answer the call, with the `headers` that say why. O(1)."""
    lane, began = slot.lane, slot.permit.taken_at
    call.spent += charged
    billed = usage.estimated or usage.total  # else not even a price for each call is due
    lasted, cost = now - began, cost_nano(lane.prices, usage) if billed else 0
    seen = (slot.account, slot.head_us, headers, slot.span, slot.charged)
    call.tries.append(_try(lane.name, slot.at_us, lasted, status, why, usage, charged, cost, seen))
    story.asked(call, lane.name, status, why, began, now)


def note_stopped(call: Call, slot: Slot, now: int, status: int = 0, headers: Lines = ()) -> None:
    """Write down an attempt that we break off, unless it is settled: it stays charged, billed as far as it had come.

    `status` and `headers`: of its reply, where that had begun.
    """
    if slot.permit.open:
        note(call, slot, status, "stopped", stopped(call, slot, now), slot.keep(), now, headers)


def heard(answered: Answered) -> Lines:
    """What the head of a stream said that matters where it does not end well. O(headers).

    Nothing where its key is not known any more: a head may repeat it.
    """
    slot = answered.slot
    key = slot.lane.keys.of(slot.account)
    return () if key is None else story.telling(answered.headers, key)


def stopped(call: Call, slot: Slot, now: int) -> Usage:
    """What is billed, by experience, for an attempt that was stopped now."""
    if call.kind is COUNT:
        return NOTHING
    lane = slot.lane
    made = lane.speed.made(now - slot.permit.taken_at, call.shape.output)
    return Usage(lane.estimator.expected(call.size), made, estimated=True)


def unstated(call: Call, slot: Slot, answer: bytes, now: int) -> Usage | None:
    """What is billed, by experience, for a whole answer that does not state it; None where nothing is."""
    if call.kind is COUNT:
        return None
    likely, most = stopped(call, slot, now), call.shape.output
    if likely.completion or call.kind is EMBEDDING:
        return likely
    made = len(answer) // _BYTES_PER_TOKEN
    return Usage(likely.prompt, min(made, most) if most else made, estimated=True)


def recorded(  # noqa: PLR0913, PLR0917 - once a call: a record would be one more object
    call: Call,
    plan: Plan,
    lane: Lane | None,
    status: int,
    usage: Usage,
    charged: int,
    now: int,
    wall: int,
    first_byte: int,
    headers: Lines = (),
) -> CallRecord:
    """The record of a call that ended now.

    `lane`, `usage` and `charged`: of the attempt that answered it, if any did; `headers`: of its reply, where that did
    not end well.

    The usual call has one attempt, which is the record itself; else all of them are listed, and added up.
    """
    cost, target, reserved = 0, "", 0
    if lane is not None:
        target, cost = lane.name, 0 if call.kind is COUNT else cost_nano(lane.prices, usage)
        reserved = call.reserved
    tries: tuple[Try, ...] = ()
    attempts = len(call.attempts)
    if call.tries or headers:
        if lane is not None:
            lasted, why = now - call.last_at, ended(status)
            seen = (call.account, call.head_us or max(0, first_byte - call.last_at), headers, call.span, reserved)
            call.tries.append(_try(target, wall - lasted, lasted, 200, why, usage, charged, cost, seen))
            if len(call.tries) > 1:
                story.asked(call, target, 200, why, call.last_at, now)
        tries = tuple(call.tries)
        usage, cost, reserved = _sum(tries)
        attempts = max(attempts, len(tries))  # those that never left, and those that were stopped
    arrived, shape, tenant = call.arrived, call.shape, call.tenant
    patience = call.deadline - arrived
    return CallRecord(
        call.id,
        wall,
        call.client,
        plan.name,
        shape.model,
        target,
        status,
        attempts,
        shape.stream,
        call.queued_us,
        call.waited_us,
        first_byte - arrived,
        now - arrived,
        usage.prompt,
        usage.completion,
        usage.cached,
        charged + call.spent,
        usage.estimated,
        tenant.name,
        tenant.tier.name,
        ", ".join(call.degraded) if call.degraded else "",
        call.user,
        call.tag,
        cost,
        usage.written,
        tries,
        call.cache,
        call.job,
        tuple(call.story) if call.story is not None else (),
        call.trace,
        call.account if lane is not None else "",
        call.read_us,
        first_byte - arrived if shape.stream and lane is not None else 0,
        len(call.body) if isinstance(call.body, bytes) else 0,
        call.answer_bytes,
        call.request,
        _KINDS[call.kind],
        shape.output,
        patience if patience != plan.deadline_us else 0,
        reserved,
    )


def _sum(tries: Sequence[Try]) -> tuple[Usage, int, int]:
    """What all of them were billed, have cost, and had reserved."""
    prompt = completion = cached = written = cost = reserved = 0
    estimated = False
    for one in tries:
        prompt += one.prompt_tokens
        completion += one.completion_tokens
        cached += one.cached_tokens
        written += one.written_tokens
        cost += one.cost_nano
        reserved += one.reserved_tokens
        estimated = estimated or one.estimated
    return Usage(prompt, completion, cached, estimated, written), cost, reserved


def _try(  # noqa: PLR0913, PLR0917 - as above
    target: str,
    at_us: int,
    lasted: int,
    status: int,
    why: str,
    usage: Usage,
    charged: int,
    cost: int,
    seen: tuple[str, int, Lines, str, int],
) -> Try:
    return Try(
        target,
        at_us,
        lasted,
        status,
        why,
        usage.prompt,
        usage.completion,
        usage.cached,
        usage.written,
        charged,
        usage.estimated,
        cost,
        *seen,
    )
