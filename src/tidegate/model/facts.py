"""What the journal holds: the facts of a call that must outlive the process.

An `Intent` is written before an attempt's first byte leaves, a `CallRecord` before the reply's last byte does. Both
are msgpack arrays with a tag, appended to the journal; fields may be added at the end, never moved.
Units: `at_us` is wall-clock microseconds since 1970, durations are microseconds.
"""

from typing import Final

import msgspec

from tidegate.model.shadow import Compared
from tidegate.model.story import Step


class Intent(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="i"):
    """One attempt is about to be sent, and what it was charged.

    `level_tokens` and `level_requests` are what the gate's mirror of the provider's buckets held after this charge, in
    whole tokens and requests (-1 = no such limit), so that a restart continues where the quota really stands.
    """

    call_id: int
    attempt: int
    at_us: int
    lane: str  # base_url digest / scope / model
    charged_tokens: int
    level_tokens: int
    level_requests: int
    client: str = ""  # who pays, should the process die before the CallRecord is written
    plan: str = ""
    target: str = ""  # provider/scope/model, as it is told
    tenant: str = ""
    user: str = ""
    cost_nano: int = 0  # of what it will be billed if nobody sees its end, in billionths of the house currency
    likely_tokens: int = 0  # what that will probably be, where its tenant's limits have learnt it; 0 = unknown
    job: str = ""  # as `CallRecord.job`


class Try(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One attempt as the ledger keeps it: what the provider billed for it, and what its limiter charged.

    `status` is the provider's, 0 = none came. Tokens are as billed; `estimated` = the provider did not tell.
    """

    target: str  # provider/scope/model
    at_us: int  # wall clock, when it left
    duration_us: int
    status: int
    # "" = answered; "cut" in mid-stream; "stopped" by the gate; "lost" with its worker; else why it failed
    # (`outcome.Reason`).
    reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int  # of the prompt: read from the provider's cache
    written_tokens: int  # of the prompt: written into it
    charged_tokens: int
    estimated: bool
    cost_nano: int
    account: str = ""  # fingerprint of the provider's key
    first_byte_us: int = 0  # since it left, 0 = none came
    headers: tuple[tuple[str, str], ...] = ()  # of a reply that did not end well: those that say when and why
    span: str = ""  # id under which its provider was told of it, where the client traces
    reserved_tokens: int = 0  # charged before it left; `charged_tokens` is what stood in the end


class CallRecord(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="c"):
    """How one call ended, written once per call whatever happened. Tokens and cost are those of all its attempts."""

    call_id: int
    at_us: int
    client: str
    plan: str
    model: str
    target: str  # provider/scope/model that answered, "" if none
    status: int  # as sent to the client; 499 = the client left
    attempts: int
    streamed: bool
    queued_us: int
    waited_us: int
    first_byte_us: int
    duration_us: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    charged_tokens: int
    estimated: bool  # usage is our estimate, the provider did not tell
    tenant: str = ""
    tier: str = ""
    degraded: str = ""  # what the call was given less of, `, ` between
    user: str = ""
    tag: str = ""  # the client's own words for what this was for, `, ` between
    cost_nano: int = 0  # of all attempts, in billionths of the house currency
    written_tokens: int = 0
    tries: tuple[Try, ...] = ()  # attempts that a provider may have seen; () = one at most, which the record tells
    cache: str = ""  # what the cache had to say: "" = it was not asked, else why it did not answer, or did not keep
    job: str = ""  # that it was made for, and for the how manieth time: ID#N
    story: tuple[Step, ...] = ()
    trace: str = ""  # `traceparent` as its client sent it (W3C Trace Context), "" = it sent none
    account: str = ""  # fingerprint of the key that was answered
    read_us: int = 0  # from its head until it was read, known and let in
    first_token_us: int = 0  # since it arrived, where it streamed
    request_bytes: int = 0
    answer_bytes: int = 0
    request: str = ""  # the client's own `x-request-id`, "" = it has ours
    kind: str = ""  # of `parts.Kind`, in lower case
    most_tokens: int = 0  # the most new tokens that it was let make, 0 = it did not state any
    deadline_us: int = 0  # that its client asked for, 0 = its plan's
    reserved_tokens: int = 0  # charged before its attempts left


STALE: Final = "stale"  # the layer of an answer that stood in for a call that was made, and is a record of its own


class Hit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A call that was answered from the cache, and what the answer had cost when it was made."""

    call_id: int
    at_us: int
    client: str
    tenant: str
    user: str
    tag: str
    plan: str
    model: str  # provider/model that had answered
    layer: str  # exact | semantic | stale | joined (it was being made) | inputs (all inputs of an embeddings call)
    source: int  # the call that made it
    similarity_permille: int  # of the questions; 1,000 = the same
    prompt_tokens: int
    completion_tokens: int
    cost_nano: int
    age_us: int
    charged: bool = False  # its tenant was charged as if it had been made
    asked: str = ""  # the model that was asked for
    tier: str = ""
    streamed: bool = False
    read_us: int = 0  # as `CallRecord.read_us`
    duration_us: int = 0  # since it arrived
    trace: str = ""  # `traceparent` as its client sent it, "" = it sent none
    request: str = ""  # the client's own `x-request-id`, "" = it has ours
    kind: str = ""  # as `CallRecord.kind`


class Note(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the cache made of the answer of a call that was made: `stored`, or why it was not (`unstored: length`)."""

    call_id: int
    at_us: int
    word: str
    key: bytes = b""  # under which it is kept


class Hits(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="h"):
    """What the cache did, gathered for a moment: nothing was spent that a crash could lose."""

    hits: tuple[Hit, ...]
    notes: tuple[Note, ...] = ()


Fact = Intent | CallRecord | Hits | Compared

LEFT = 499  # status of a call whose client left (nginx's word for it)
BROKEN = 502  # status of a stream that broke after its first content


def ended(status: int) -> str:
    """How the attempt ended that answered a call of this status: the words of `Try.reason`."""
    if not status:
        return "lost"
    return "stopped" if status == LEFT else "cut" if status == BROKEN else ""


def tries_of(record: CallRecord) -> tuple[Try, ...]:
    """Every attempt of a call as the ledger keeps it. O(attempts)."""
    if record.tries or not record.target:
        return record.tries
    lasted = record.duration_us - record.queued_us - record.waited_us
    return (
        Try(
            record.target,
            record.at_us - lasted,
            lasted,
            200 if record.status in (LEFT, BROKEN) else record.status,
            ended(record.status),
            record.prompt_tokens,
            record.completion_tokens,
            record.cached_tokens,
            record.written_tokens,
            record.charged_tokens,
            record.estimated,
            record.cost_nano,
            record.account,
            max(0, record.first_byte_us - record.queued_us - record.waited_us),
            reserved_tokens=record.reserved_tokens,
        ),
    )
