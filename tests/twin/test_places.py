"""Faults at a named place of the reply, in every dialect: each class of bytes that a cut can fall into."""

import json
import re

import pytest

from tests.twin.http import read
from tidegate.twin.faults import PLACES

USER = [{"role": "user", "content": "three short words"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
VERSION = {"anthropic-version": "2023-06-01"}
CHAT = {
    "path": "/openai/v1/chat/completions",
    "body": {"model": "gpt-4o", "messages": USER, "max_tokens": 60},
    "tool": {
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        "tool_choice": "required",
    },
    "first": b'"role":"assistant"',
    "word": rb'"content":" (t\d+) ?',
    "argument": b'"function":{"arguments":"',
    "finish": b'"finish_reason":"',
    "end": b"[DONE]",
}
MESSAGES = {
    "path": "/anthropic/v1/messages",
    "body": {"model": "claude-sonnet", "messages": USER, "max_tokens": 60},
    "tool": {"tools": [{"name": "f", "input_schema": SCHEMA}], "tool_choice": {"type": "any"}},
    "first": b"message_start",
    "word": rb'"text":" (t\d+) ?',
    "argument": b'"partial_json":"{',
    "finish": b"message_delta",
    "end": b"message_stop",
}
RESPONSES = {
    "path": "/openai/v1/responses",
    "body": {"model": "gpt-4o", "input": USER, "max_output_tokens": 60},
    "tool": {"tools": [{"type": "function", "name": "f", "parameters": SCHEMA}], "tool_choice": "required"},
    "first": b"response.created",
    "word": rb'"delta":" (t\d+) ?',
    "argument": b"function_call_arguments.delta",
    "finish": b"response.output_text.done",
    "end": b"response.incomplete",
}
DIALECTS = pytest.mark.parametrize("dialect", [CHAT, MESSAGES, RESPONSES], ids=["chat", "messages", "responses"])


@pytest.fixture
async def slow_twin(twins):
    """A token in an event, all at once."""
    return await twins(timing={"ttft_ms": 0, "tpot_ms": 0, "chunk_tokens": 2})


@pytest.fixture
def http(slow_twin, clients):
    return clients(slow_twin)


async def send(http, dialect, *, tool=False, stream=True):
    fields = dialect["body"] | (dialect["tool"] if tool else {}) | {"stream": stream}
    return await http.request("POST", dialect["path"], json.dumps(fields).encode(), **VERSION)


async def faulty(http, **rule):
    rules = await http.control("POST", "/twin/faults", [rule])
    assert "error" not in rules, rules


@DIALECTS
@pytest.mark.parametrize("at", PLACES)
async def test_a_stream_is_cut(http, dialect, at):
    """Where it was said, and counted as cut."""
    await faulty(http, fault="cut", at=at)
    reply = await send(http, dialect, tool=at == "arguments")
    assert reply.ended == "IncompleteReadError"
    assert (await http.calls())[-1]["end"] == "cut"
    body, first, words = reply.body, dialect["first"], re.findall(dialect["word"], reply.body)
    match at:
        case "before_head" | "head":
            assert (reply.status, body) == (0, b"")
        case "after_head":
            assert (reply.status, body) == (200, b"")
        case "first_event":
            assert body
            assert b"\n\n" not in body
        case "role":
            assert first in body
            assert body.endswith(b"\n\n")
            assert not words
        case "content":
            assert words in ([b"t1"], [b"t1", b"t3"])
            assert not body.endswith(b"\n\n")
        case "arguments":
            assert dialect["argument"] in body
            assert not body.endswith(b"\n\n")
        case "finish":
            assert len(words) == 30
            assert dialect["finish"] not in body
        case "end":
            assert dialect["finish"] in body
            assert dialect["end"] not in body
            assert body.endswith(b"\n\n")


@DIALECTS
@pytest.mark.parametrize("at", PLACES)
async def test_a_reply_in_one_piece_is_cut(http, dialect, at):
    """At the same places, by their share of the body."""
    await faulty(http, fault="cut", at=at)
    reply = await send(http, dialect, stream=False)
    assert reply.ended in {"IncompleteReadError", "eof"}
    if reply.status:
        assert len(reply.body) < int(reply.headers["content-length"])


@DIALECTS
async def test_an_error_event_ends_a_stream_of_status_200(http, dialect):
    """In the form of the dialect, between two events."""
    await faulty(http, fault="error_event", at="content", message="Too busy")
    reply = await send(http, dialect)
    assert (reply.status, reply.ended) == (200, "chunks")
    event = reply.body.split(b"\n\n")[-2]
    data = json.loads(event.partition(b"data: ")[2])
    assert "Too busy" in {data.get("message"), data.get("error", {}).get("message")}
    assert event.startswith(b"data: " if dialect is CHAT else b"event: error\n")


@DIALECTS
async def test_silence(slow_twin, clients, dialect):
    """A stall without an end keeps the connection; whoever leaves is billed what was generated."""
    http = clients(slow_twin)
    await faulty(http, fault="stall", at="content")
    body = json.dumps(dialect["body"] | {"stream": True}).encode()
    reader = await http.open("POST", dialect["path"], body, **VERSION)
    await reader.readuntil(b"t1")
    assert (await http.calls())[-1]["end"] == "open"
    http.leave()
    while (call := (await http.calls())[-1])["end"] == "open":
        pass
    assert call["end"] == "aborted"


@DIALECTS
@pytest.mark.parametrize("stream", [False, True])
async def test_a_stall_goes_on(http, dialect, stream):
    """After its time, with nothing lost."""
    await faulty(http, fault="stall", at="content", ms=1)
    reply = await send(http, dialect, stream=stream)
    assert reply.ended == "chunks"
    assert dialect["end"] in reply.body or not stream
    numbers = [int(one) for one in re.findall(rb"t(\d+)", reply.body)]
    assert set(range(1, 61)) <= set(numbers)


@DIALECTS
@pytest.mark.parametrize("fault", ["malformed_json", "malformed_chunk"])
async def test_what_is_malformed(http, dialect, fault):
    """Is so in every dialect."""
    await faulty(http, fault=fault, at="content")
    reply = await send(http, dialect)
    if fault == "malformed_chunk":
        assert reply.ended == "ValueError"
        return
    events = [event.partition(b"data: ")[2] for event in reply.body.split(b"\n\n") if event]
    broken = [event for event in events if event != b"[DONE]" and not _parses(event)]
    assert len(broken) == 1


def _parses(data):
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


@DIALECTS
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("by", [7, -7])
async def test_a_wrong_length(http, dialect, stream, by):
    """More is promised than comes, or less."""
    await faulty(http, fault="wrong_length", by=by)
    reply = await send(http, dialect, stream=stream)
    assert reply.status == 200
    assert reply.ended == ("eof" if by > 0 else "length")
    if stream:
        assert (int(reply.headers["content-length"]) == 7) is (by < 0)
    else:
        assert int(reply.headers["content-length"]) == len(reply.body) + max(0, by)
    assert (await http.calls())[-1]["end"] == "cut"


async def test_a_stall_in_the_head_is_silence(slow_twin, clients):
    """Half a line, and no more."""
    http = clients(slow_twin)
    await faulty(http, fault="stall", at="head")
    reader = await http.open("POST", CHAT["path"], json.dumps(CHAT["body"]).encode())
    assert (await reader.readexactly(12)).startswith(b"HTTP/1.1 200")
    http.leave()
    assert (await read(reader)).status == 0
