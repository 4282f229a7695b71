"""Streams of the Responses API cut at every byte: the same is forwarded, counted and decided, and nothing twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.outcome import Usage
from tidegate.providers.events import MAX_EVENT_BYTES
from tidegate.providers.responses.stream import ResponseTap

COUNTS = {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 2}}


def event(kind: str, **fields: object) -> bytes:
    data = json.dumps({"type": kind, "sequence_number": 1, **fields}, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode()


def response(kind: str, **fields: object) -> bytes:
    return event(f"response.{kind}", response={"id": "resp_1", "status": kind, "usage": None, **fields})


OPENING = (
    response("created")
    + response("in_progress")
    + event("response.output_item.added", output_index=0, item={"type": "message", "content": []})
    + event("response.content_part.added", part={"type": "output_text", "text": ""})
)
WORDS = [event("response.output_text.delta", delta=word) for word in ("Hello", " 世界", ' "error" }\n\n', "")]
CLOSING = event("response.output_text.done", text="Hello") + event("response.output_item.done", item={})
COMPLETED = response("completed", usage=COUNTS)
STREAM = b"".join([OPENING, *WORDS, CLOSING, COMPLETED])


def told(tap: ResponseTap, *pieces: bytes) -> bytes:
    return b"".join(tap.feed(piece) for piece in pieces)


def state(tap: ResponseTap) -> tuple[object, ...]:
    return tap.usage, tap.finished, tap.committed, tap.failure, tap.events


def test_a_stream_as_it_comes() -> None:
    """Byte for byte; its deltas are counted, its usage is read from the response that ends it."""
    tap = ResponseTap()
    assert told(tap, STREAM) == STREAM
    assert state(tap) == (Usage(9, 3, 2), True, True, b"", 4)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_cut_in_two_at_every_offset(newline: bytes) -> None:
    """Wherever the network cuts, the same bytes leave and the same is known at the end."""
    stream = STREAM.replace(b"\n", newline)
    whole = ResponseTap()
    expected = told(whole, stream)
    for cut in range(len(stream) + 1):
        tap = ResponseTap()
        assert told(tap, stream[:cut], stream[cut:]) == expected, cut
        assert state(tap) == state(whole), cut


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_cut_in_pieces_of_every_size(size: int) -> None:
    """Also byte by byte."""
    whole, tap = ResponseTap(), ResponseTap()
    assert told(tap, *(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == told(whole, STREAM)
    assert state(tap) == state(whole)


EVENTS = st.sampled_from(
    [
        OPENING,
        *WORDS,
        CLOSING,
        COMPLETED,
        response("incomplete", usage=COUNTS),
        response("failed", usage=COUNTS, error={"code": "server_error", "message": "m"}),
        event("error", error={"code": "server_error", "message": "m"}),
        event("error", code=None, message="m"),
        event("response.function_call_arguments.delta", delta="{"),
        event("response.web_search_call.searching"),
        event("keepalive"),
        WORDS[0].partition(b"\n")[2],
        WORDS[0].replace(b"event: ", b"event:").replace(b"data: ", b"data:"),
        b"event: response.output_text.delta\n" + COMPLETED.partition(b"\n")[2],
        b"event: response.output_text.delta\ndata: {\n\n",
        b'event: response.output_text.delta\ndata: {"type":\ndata: "response.output_text.delta","delta":"a"}\n\n',
        b'data: {"error":{"message":"m"}}\n\n',
        b'data: {"type":5}\n\n',
        b"data: [DONE]\n\n",
        b"data: 5\n\n",
        b": ping\n\n",
        b"event: x\nid: 7\n\n",
        b"\n\n",
        b"data:\n\n",
    ]
)


@given(st.lists(EVENTS, max_size=12), st.booleans(), st.data())
def test_any_stream_cut_anywhere(events: list[bytes], crlf: bool, data: st.DataObject) -> None:
    """Whatever events, however cut: same bytes, same knowledge; what is forwarded are whole events from the start."""
    stream = b"".join(events)
    stream = stream.replace(b"\n", b"\r\n") if crlf else stream
    whole, tap = ResponseTap(), ResponseTap()
    expected = told(whole, stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert told(tap, *pieces) == expected
    assert state(tap) == state(whole)
    assert stream.replace(b"\r\n", b"\n").startswith(expected)
    assert expected.endswith(b"\n\n") or not expected


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    """Any bytes are forwarded or a failure, and never more than came."""
    tap = ResponseTap()
    assert len(told(tap, *pieces)) <= sum(map(len, pieces))


# ── when an answer can no longer be taken back ───────────────────────────────────────────────────────────────────────

CONTENT = {
    "text": WORDS[0],
    "refusal": event("response.refusal.delta", delta="no"),
    "arguments": event("response.function_call_arguments.delta", delta="{"),
    "reasoning": event("response.reasoning_text.delta", delta="hm"),
    "a summary of it": event("response.reasoning_summary_text.delta", delta="hm"),
    "what is not known yet": event("response.smell.delta", delta="roses"),
    "arguments that come whole": event("response.function_call_arguments.done", arguments="{}"),
    "a search that has begun": event("response.web_search_call.searching", item_id="ws_1"),
    "the end": COMPLETED,
    "an early end": response("incomplete", usage=COUNTS),
}
NO_CONTENT = {
    "the opening": OPENING,
    "a queue": response("queued"),
    "a part of a summary": event("response.reasoning_summary_part.added", part={"type": "summary_text", "text": ""}),
    "an empty text": WORDS[-1],
    "a null": event("response.output_text.delta", delta=None),
    "a ping": b": ping\n\n" + event("keepalive"),
}


@pytest.mark.parametrize("content", CONTENT.values(), ids=CONTENT.keys())
def test_content_commits(content: bytes) -> None:
    """Whatever a client could show, and what was done and is paid for."""
    tap = ResponseTap()
    assert told(tap, OPENING, content) == OPENING + content
    assert tap.committed


@pytest.mark.parametrize("opening", NO_CONTENT.values(), ids=NO_CONTENT.keys())
def test_an_opening_does_not_commit(opening: bytes) -> None:
    """It can be taken back."""
    tap = ResponseTap()
    assert told(tap, opening) == opening
    assert not tap.committed
    assert not tap.finished


@pytest.mark.parametrize("kind", ["completed", "incomplete"])
def test_the_end_is_an_event(kind: str) -> None:
    """A response that reached its limit has ended as promised; what comes after it is dropped."""
    tap = ResponseTap()
    end = response(kind, usage=COUNTS)
    assert told(tap, WORDS[0] + end + WORDS[1], b"data: [DONE]\n\n") == WORDS[0] + end
    assert tap.finished
    assert tap.usage == Usage(9, 3, 2)


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────

FAILURES = {
    "an error as documented": event("error", code="server_error", message="m", param=None),
    "an error as sent": event("error", error={"code": "server_error", "message": "m"}),
    "an error without a type": b'data: {"error":{"message":"m"}}\n\n',
    "a failed response": response("failed", usage=COUNTS, error={"code": "server_error", "message": "m"}),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("before", [OPENING, OPENING + WORDS[0]], ids=["before content", "after content"])
def test_the_providers_error_is_a_failure_in_its_own_words(failure: bytes, before: bytes) -> None:
    """It is not forwarded, nor is anything after it; what it cost is known all the same."""
    tap = ResponseTap()
    assert told(tap, before, failure + WORDS[1], COMPLETED) == before
    assert tap.failure == failure.partition(b"data: ")[2].strip()
    assert not tap.finished
    assert tap.committed is (before != OPENING)
    assert tap.usage == (Usage(9, 3, 2) if b"response.failed" in failure else None)


BROKEN = {
    "cut JSON": b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"a\n\n',
    "a line without its name": b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta",\n"delta":"a"}\n\n',
    "no JSON": b"data: oops\n\n",
    "a number": b"data: 5\n\n",
    "deep": b"data: " + b'{"a":' * 50_000 + b"\n\n",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("before", [OPENING, OPENING + WORDS[0]], ids=["before content", "after content"])
def test_a_malformed_event_fails_and_is_not_forwarded(broken: bytes, before: bytes) -> None:
    """What came before it is; nothing after it is."""
    for pieces in ([before, broken, WORDS[1], COMPLETED], [before + broken + WORDS[1] + COMPLETED]):
        tap = ResponseTap()
        assert told(tap, *pieces) == before
        assert tap.failure == b"the provider sent a malformed event"
        assert not tap.finished


def test_the_end_of_other_dialects_is_no_end() -> None:
    """A client that stops there must not take half a response for a whole one."""
    tap = ResponseTap()
    assert told(tap, OPENING, WORDS[0], b"data: [DONE]\n\n") == OPENING + WORDS[0]
    assert tap.failure == b"the provider ended the stream before it was complete"
    assert not tap.finished


def test_an_event_of_another_shape_is_the_clients_business() -> None:
    """It is JSON: it is forwarded, and counts as an answer."""
    tap = ResponseTap()
    strange = b'data: {"type":["a"],"response":5}\n\n'
    assert told(tap, strange, COMPLETED) == strange + COMPLETED
    assert tap.committed


def test_an_endless_event_is_a_failure() -> None:
    """Memory is bounded."""
    tap = ResponseTap()
    tap.feed(b"data: " + b"a" * MAX_EVENT_BYTES)
    assert tap.failure == b"the provider sent an event of more than 8 MiB"
    assert tap.feed(b"\n\n") == b""


def test_a_terminal_event_under_a_deltas_name_is_not_overlooked() -> None:
    """What the data says counts, not the line above it."""
    tap = ResponseTap()
    told(tap, OPENING, WORDS[0])
    told(tap, b"event: response.output_text.delta\n" + COMPLETED.partition(b"\n")[2])
    assert tap.finished
    assert tap.usage == Usage(9, 3, 2)


def test_the_service_tier_is_the_response_s() -> None:
    """What opens it may know it already; what ends it does."""
    tap = ResponseTap()
    told(tap, response("created", service_tier="auto"))
    assert tap.tier == ""
    told(tap, response("completed", usage=COUNTS, service_tier="flex"))
    assert tap.usage == Usage(9, 3, 2, tier="flex")
