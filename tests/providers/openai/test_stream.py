"""Streams cut at every byte: the same is forwarded, counted and decided, and nothing twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.outcome import Usage
from tidegate.providers.events import MAX_EVENT_BYTES
from tidegate.providers.openai.stream import StreamTap

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}


def chunk(delta: object = None, finish: str | None = None, **fields: object) -> bytes:
    choices = [{"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}]
    return b"data: %b\n\n" % json.dumps({"id": "c", "choices": choices, **fields}, separators=(",", ":")).encode()


ROLE = chunk({"role": "assistant", "content": "", "refusal": None}, usage=None)
WORDS = [chunk({"content": word}, usage=None) for word in ("Hello", " 世界", ' "error" }\n\n', "")]
STOP = chunk({}, "stop", usage=None)
SPENT = b"data: %b\n\n" % json.dumps({"id": "c", "choices": [], "usage": USAGE}).encode()
STREAM = b"".join([b": ping\n\n", ROLE, *WORDS, STOP, SPENT, DONE])


def told(tap: StreamTap, *pieces: bytes) -> bytes:
    return b"".join(tap.feed(piece) for piece in pieces)


def state(tap: StreamTap) -> tuple[object, ...]:
    return tap.usage, tap.finished, tap.committed, tap.failure, tap.events


def test_a_stream_as_it_comes() -> None:
    """What is not ours is forwarded; the usage chunk that the client did not ask for is taken out."""
    tap = StreamTap(keep_usage=False)
    assert told(tap, STREAM) == STREAM.replace(SPENT, b"")
    assert state(tap) == (Usage(9, 3), True, True, b"", 5)


def test_a_client_that_asked_gets_its_usage() -> None:
    """Byte for byte the provider's stream."""
    tap = StreamTap(keep_usage=True)
    assert told(tap, STREAM) == STREAM
    assert tap.usage == Usage(9, 3)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_cut_in_two_at_every_offset(keep: bool, newline: bytes) -> None:
    """Wherever the network cuts, the same bytes leave and the same is known at the end."""
    stream = STREAM.replace(b"\n", newline)
    whole = StreamTap(keep_usage=keep)
    expected = told(whole, stream)
    for cut in range(len(stream) + 1):
        tap = StreamTap(keep_usage=keep)
        assert told(tap, stream[:cut], stream[cut:]) == expected, cut
        assert state(tap) == state(whole), cut


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_cut_in_pieces_of_every_size(keep: bool, size: int) -> None:
    """Also byte by byte."""
    whole, tap = StreamTap(keep_usage=keep), StreamTap(keep_usage=keep)
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert told(tap, *pieces) == told(whole, STREAM)
    assert state(tap) == state(whole)


EVENTS = st.sampled_from(
    [
        ROLE,
        *WORDS,
        STOP,
        SPENT,
        DONE,
        b": ping\n\n",
        b"\n\n",
        b"\n",
        b"event: x\nid: 7\nretry: 5\n\n",
        b"data\n\n",
        b"data:\n\n",
        b'data: {"choices":[{"delta":{"content":[{"type":"text"}]}}]}\n\n',
        b'data: {"choices":null}\n\n',
        b'data: {"choices":[{"delt\n\n',
        b'data: {"error":{"message":"m","type":"server_error"}}\n\n',
        b'data: {"error":null,"choices":[]}\n\n',
        b'event: error\ndata: {"error":\n data: {}}\n\n',
        b"data: 5\n\n",
        b'data: {"a":1,\ndata: "choices":[]}\n\n',
        b'data: {"a":1,\n"choices":[]}\n\n',
        b'data: {"choices":[{"delta":{"content":"}\n\n',
        b'data: {"error":1}\n\n',
        b'data: {"error":{},"usage":null,"choices":[]}\n\n',
        b'data:{"usage":{},"choices":[{}]}\n\n',
        b'{"choices":[]}\n\n',
        b'data: {"usage":{"prompt_tokens":1},"choices":[{"delta":{}}]}\n\n',
    ]
)


@given(st.lists(EVENTS, max_size=12), st.booleans(), st.booleans(), st.data())
def test_any_stream_cut_anywhere(events: list[bytes], keep: bool, crlf: bool, data: st.DataObject) -> None:
    """Whatever events, however cut: same bytes, same knowledge; what is forwarded is the stream less whole events."""
    stream = b"".join(events)
    stream = stream.replace(b"\n", b"\r\n") if crlf else stream
    whole, tap = StreamTap(keep_usage=keep), StreamTap(keep_usage=keep)
    expected = told(whole, stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert told(tap, *pieces) == expected
    assert state(tap) == state(whole)
    kept, ended = [], stream.replace(b"\r\n", b"\n").split(b"\n\n")
    for event in ended[:-1]:
        if expected.startswith(b"".join(kept) + event + b"\n\n"):
            kept.append(event + b"\n\n")
    assert b"".join(kept) == expected, "forwarded are whole events, in order, once"


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    """Any bytes are forwarded or a failure, and never more than came."""
    tap = StreamTap(keep_usage=False)
    assert len(told(tap, *pieces)) <= sum(map(len, pieces))


# ── when an answer can no longer be taken back ───────────────────────────────────────────────────────────────────────

CONTENT = [
    {"content": "a"},
    {"refusal": "no"},
    {"reasoning_content": "hm"},
    {"reasoning": "hm"},
    {"function_call": {"name": "f"}},
    {"tool_calls": [{"index": 0, "function": {"name": "f"}}]},
    {"audio": {"data": "UklG"}},
    {"role": "assistant", "content": "a"},
    {"content": [{"type": "text", "text": "a"}]},
]
NO_CONTENT = [
    {},
    {"role": "assistant"},
    {"role": "assistant", "content": ""},
    {"role": "assistant", "content": None, "tool_calls": None},
    {"role": "assistant", "content": "", "refusal": None, "tool_calls": [], "function_call": None},
]


@pytest.mark.parametrize("delta", CONTENT, ids=str)
def test_content_commits(delta: object) -> None:
    """Text, refusal, reasoning, calls, sound: whatever a client could show."""
    tap = StreamTap(keep_usage=False)
    assert told(tap, ROLE, chunk(delta)) == ROLE + chunk(delta)
    assert tap.committed


@pytest.mark.parametrize("delta", NO_CONTENT, ids=str)
def test_an_opening_does_not_commit(delta: object) -> None:
    """Roles, pings and empty texts can be taken back."""
    tap = StreamTap(keep_usage=False)
    told(tap, b": ping\n\n", chunk(delta))
    assert not tap.committed


def test_an_answer_of_nothing_commits_with_its_end() -> None:
    """A finish reason is an answer; so is the end."""
    tap = StreamTap(keep_usage=False)
    told(tap, ROLE, STOP)
    assert tap.committed
    empty = StreamTap(keep_usage=False)
    told(empty, ROLE, DONE)
    assert not empty.committed
    assert empty.finished


def test_legacy_completions_commit_by_their_text() -> None:
    """Their choices have a text and no delta."""
    tap = StreamTap(keep_usage=False)
    tap.feed(b'data: {"choices":[{"text":"","finish_reason":null}]}\n\n')
    assert not tap.committed
    tap.feed(b'data: {"choices":[{"text":"a","finish_reason":null}]}\n\n')
    assert tap.committed


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────

BROKEN = {
    "cut JSON": b'data: {"id":"c","choices":[{"index":0,"delta":{"cont\n\n',
    "no JSON": b"data: oops\n\n",
    "a number": b"data: 5\n\n",
    "a list": b'data: [{"choices":[]}]\n\n',
    "invalid UTF-8": b'data: {"choices":[{"delta":{"content":"\xff"}}]\n\n',
    "deep": b"data: " + b'{"a":' * 50_000 + b"\n\n",
    "cut JSON that ends in a brace": b'data: {"choices":[{"index":0,"delta":{"content":"{x}\n\n',
    "two lines, one of them no data": b'data: {"a":1,\n"choices":[]}\n\n',
    "cut JSON of another shape": b'data: {"choices":5,"delta":{"cont\n\n',
}


@pytest.mark.parametrize("event", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("before", [ROLE, ROLE + WORDS[0]], ids=["before content", "after content"])
def test_a_malformed_event_fails_and_is_not_forwarded(event: bytes, before: bytes) -> None:
    """What came before it is; nothing after it is."""
    for pieces in (
        [before, event, WORDS[1], DONE],
        [before, event + WORDS[1], DONE],
        [before + event + WORDS[1] + DONE],
    ):
        tap = StreamTap(keep_usage=False)
        assert told(tap, *pieces) == before
        assert tap.failure == b"the provider sent a malformed event"
        assert not tap.finished
        assert tap.committed is (before != ROLE)


@pytest.mark.parametrize("prefix", [b"", b"event: error\n"])
def test_the_providers_error_event_is_a_failure_in_its_own_words(prefix: bytes) -> None:
    """An answer of 200 can end in one (LiteLLM#40404)."""
    said = b'{"error":{"message":"overloaded","type":"server_error","code":null}}'
    tap = StreamTap(keep_usage=False)
    assert told(tap, ROLE, WORDS[0], prefix + b"data: " + said + b"\n\n", DONE) == ROLE + WORDS[0]
    assert tap.failure == said
    assert not tap.finished


def test_an_error_of_null_is_none() -> None:
    """Some servers send the field always."""
    tap = StreamTap(keep_usage=False)
    event = chunk({"content": "a"}, error=None)
    assert tap.feed(event) == event
    assert tap.failure == b""


@pytest.mark.parametrize(
    "event", [b'data: {"choices":null}\n\n', b'data: {"choices":[{"delta":5}]}\n\n', b'data: {"x":1,"choices":{}}\n\n']
)
def test_an_event_of_another_shape_is_the_clients_business(event: bytes) -> None:
    """It is JSON: it is forwarded, and counts as an answer."""
    tap = StreamTap(keep_usage=False)
    assert told(tap, ROLE, event, DONE) == ROLE + event + DONE
    assert tap.committed
    assert tap.finished


def test_what_comes_after_the_end_is_dropped() -> None:
    """Whole, in pieces, or in the same packet."""
    for late in ([WORDS[0]], [WORDS[0][:20], WORDS[0][20:]], [b"x"], [DONE]):
        tap = StreamTap(keep_usage=False)
        assert told(tap, ROLE, WORDS[0] + DONE, *late) == ROLE + WORDS[0] + DONE
        assert state(tap)[1:4] == (True, True, b"")
    tap = StreamTap(keep_usage=False)
    assert told(tap, ROLE + WORDS[0] + DONE + WORDS[1]) == ROLE + WORDS[0] + DONE


def test_without_done_it_is_not_finished() -> None:
    """A stream that merely ends is a cut one."""
    tap = StreamTap(keep_usage=False)
    told(tap, ROLE, WORDS[0], STOP, SPENT)
    assert not tap.finished
    assert tap.usage == Usage(9, 3)


def test_half_an_event_never_leaves() -> None:
    """However long it takes to come."""
    tap = StreamTap(keep_usage=False)
    assert told(tap, ROLE, WORDS[0]) == ROLE + WORDS[0]
    assert told(tap, WORDS[1][:-1]) == b""
    assert told(tap, WORDS[1][-1:]) == WORDS[1]


def test_a_large_event_passes_and_an_absurd_one_fails() -> None:
    """A picture of a megabyte is an event; 8 MiB without an end is none."""
    tap = StreamTap(keep_usage=False)
    large = chunk({"content": "x" * 1_000_000})
    assert told(tap, *[large[at : at + 65_536] for at in range(0, len(large), 65_536)]) == large
    absurd = b"data: " + b"x" * (MAX_EVENT_BYTES + 1)
    assert told(tap, absurd) == b""
    assert b"8 MiB" in tap.failure
    assert told(tap, b"\n\n", DONE) == b""


def test_usage_beside_choices_stays() -> None:
    """Some servers put it into the last chunk: that is not ours to take out."""
    last = chunk({}, "stop", usage=USAGE)
    tap = StreamTap(keep_usage=False)
    assert told(tap, ROLE, last, DONE) == ROLE + last + DONE
    assert tap.usage == Usage(9, 3)


def test_the_last_usage_counts() -> None:
    """Cumulative usage in every chunk (continuous_usage_stats) ends with the whole."""
    tap = StreamTap(keep_usage=True)
    first = chunk({"content": "a"}, usage={"prompt_tokens": 9, "completion_tokens": 1})
    told(tap, ROLE, first, first.replace(b'"completion_tokens":1', b'"completion_tokens":2'), DONE)
    assert tap.usage == Usage(9, 2)


def test_the_service_tier_is_known_from_the_first_chunk() -> None:
    """So that a stream that is cut costs what it would have; what is said last counts."""
    tap = StreamTap(keep_usage=True)
    told(tap, chunk({"role": "assistant"}, service_tier="flex"), chunk({"content": "a"}, service_tier="flex"))
    assert (tap.tier, tap.usage) == ("flex", None)
    told(tap, chunk(finish="stop", usage=USAGE))
    assert tap.usage == Usage(9, 3, tier="flex")
    told(tap, chunk(usage=USAGE, service_tier="default"))
    assert tap.usage == Usage(9, 3)
