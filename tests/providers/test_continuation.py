"""What was delivered of an answer, the request for its rest, and the seam between both."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers.continuation import Seam, asks_for_text, delivered, marked, resumed

ASK = {"model": "a", "messages": [{"role": "user", "content": "count"}], "seed": 1.50}
SECOND = Usage(30, 4, 10)


def chunk(delta: object, **choice: object) -> bytes:
    return b"data: %b\n\n" % json.dumps({"id": "c", "choices": [{"index": 0, "delta": delta, **choice}]}).encode()


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def word(text: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


ROLE = chunk({"role": "assistant", "content": ""})
START = event("message_start", message={"id": "m", "usage": {"input_tokens": 12, "output_tokens": 1}})
BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
TOOL = event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "f"})
DONE = b"data: [DONE]\n\n"


@given(st.lists(st.text(max_size=5)))
def test_what_was_delivered(words: list[str]) -> None:
    """Every character, of either dialect."""
    chat = ROLE + b": ping\n\n" + b"".join(chunk({"content": text}) for text in words)
    assert delivered(Kind.CHAT, chat) == "".join(words)
    messages = START + event("ping") + BLOCK + b"".join(word(text) for text in words)
    assert delivered(Kind.MESSAGES, messages) == "".join(words)


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        (Kind.CHAT, ROLE + chunk({"tool_calls": [{"index": 0}]})),
        (Kind.CHAT, chunk({"content": "a"}) + chunk({"content": "b"}, index=1)),
        (Kind.CHAT, chunk({"refusal": "no"})),
        (Kind.CHAT, chunk({"reasoning_content": "hm"})),
        (Kind.CHAT, chunk({}, finish_reason="stop")),
        (Kind.CHAT, b"data: {\n\n"),
        (Kind.MESSAGES, START + TOOL),
        (Kind.MESSAGES, START + BLOCK + word("a") + event("content_block_stop", index=0)),
        (Kind.MESSAGES, START + event("content_block_delta", index=0, delta={"type": "thinking_delta"})),
        (Kind.MESSAGES, event("content_block_delta", index=1, delta={"type": "text_delta", "text": "b"})),
    ],
)
def test_only_one_plain_text_is_continued(kind: Kind, events: bytes) -> None:
    """Tool calls, several choices, refusals, thinking, what has ended and what is broken are not."""
    assert delivered(kind, events) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"n": 1, "response_format": None}, True),
        ({"n": 2}, False),
        ({"response_format": {"type": "json_object"}}, False),
        ({"thinking": {"type": "enabled"}}, False),
        ({"modalities": ["audio"]}, False),
        ({"reasoning_effort": "high"}, False),
        ({"reasoning": {"effort": "high"}}, False),
        ({"reasoning_effort": None, "tools": [{"type": "function"}]}, True),
    ],
)
def test_what_a_request_says_of_it(fields: dict[str, object], expected: bool) -> None:
    """JSON cannot be sewn together, and several answers are not one."""
    assert asks_for_text(Kind.CHAT, json.dumps({**ASK, **fields}).encode()) is expected
    assert not asks_for_text(Kind.COMPLETION, json.dumps(ASK).encode())


def test_the_request_for_the_rest() -> None:
    """The same one, with the delivered text as a last message; trailing space is not accepted there."""
    body = resumed(json.dumps(ASK).encode(), "one two ")
    assert json.loads(body) == {
        **ASK, "messages": [*ASK["messages"], {"role": "assistant", "content": "one two"}],  # type: ignore[misc]
    }  # fmt: skip
    assert json.loads(marked(body, "partial"))["messages"][-1]["partial"] is True
    assert json.loads(marked(body, "prefix"))["messages"][-1]["prefix"] is True
    assert marked(body, "plain") is body


def sewn(kind: Kind, text: str, *events: bytes, before: Usage = SECOND) -> bytes:
    seam = Seam(kind, text, before)
    return b"".join(seam.feed(event) for event in events)


def texts(kind: Kind, events: bytes) -> str:
    text = delivered(kind, events)
    assert text is not None
    return text


@given(st.text(alphabet="ab \n", max_size=8), st.text(alphabet="ab \n", max_size=8), st.data())
def test_the_client_sees_one_text(first: str, rest: str, data: Any) -> None:
    """Space that the request could not hold is said by the rest; it is not said twice."""
    whole = first.rstrip() + rest
    if not whole.startswith(first):
        return  # the provider went on in another way: nothing to compare
    cut = data.draw(st.integers(0, len(rest)))
    parts = [rest[:cut], rest[cut:]]
    chat = sewn(Kind.CHAT, first, ROLE, *(chunk({"content": part}) for part in parts))
    assert first + texts(Kind.CHAT, chat) == whole
    messages = sewn(Kind.MESSAGES, first, START + BLOCK, *(word(part) for part in parts))
    assert first + texts(Kind.MESSAGES, messages) == whole


def test_an_opening_is_not_said_twice() -> None:
    """A role with content says its content; message and block are open already."""
    told = sewn(Kind.CHAT, "a", ROLE, chunk({"role": "assistant", "content": "b"}), DONE)
    assert b"role" not in told
    assert texts(Kind.CHAT, told.removesuffix(DONE)) == "b"
    assert sewn(Kind.MESSAGES, "a", START, BLOCK, word("b")) == word("b")


def test_usage_is_that_of_all_attempts() -> None:
    """Added up, in each dialect's own fields."""
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    told = sewn(Kind.CHAT, "a", b"data: %b\n\n" % json.dumps({"choices": [], "usage": usage}).encode())
    assert json.loads(told[6:])["usage"] == {"prompt_tokens": 42, "completion_tokens": 7, "total_tokens": 49}
    told = sewn(Kind.MESSAGES, "a", START, event("message_delta", delta={}, usage={"output_tokens": 3}))
    assert json.loads(told.split(b"data: ")[1])["usage"] == {"input_tokens": 32, "output_tokens": 7}


def test_everything_else_passes_as_it_is() -> None:
    """The end above all."""
    stop = chunk({}, finish_reason="stop")
    assert sewn(Kind.CHAT, "a", stop, DONE, b": ping\n\n") == stop + DONE + b": ping\n\n"
    end = event("content_block_stop", index=0) + event("message_stop")
    assert sewn(Kind.MESSAGES, "a", end) == end


CALL = [
    event("content_block_start", index=1, content_block={"type": "tool_use", "id": "t", "name": "f", "input": {}}),
    event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": "{}"}),
    event("content_block_stop", index=1),
]


def test_a_call_after_the_rest_of_the_text_passes() -> None:
    """Its block is opened, filled and closed; only the text's own opening is left out."""
    closed = event("content_block_stop", index=0)
    told = sewn(Kind.MESSAGES, "Let me ", START, BLOCK, word(" look."), closed, *CALL)
    after = closed + b"".join(CALL)
    assert told.endswith(after)
    assert texts(Kind.MESSAGES, told.removesuffix(after)) == "look."


def test_a_rest_without_text_closes_the_text_and_follows_it() -> None:
    """The client's first block is still open: what comes first in the rest is its second."""
    first = [event.replace(b'"index": 1', b'"index": 0') for event in CALL]
    told = sewn(Kind.MESSAGES, "Let me look.", START, *first)
    said = [json.loads(part.partition(b"data: ")[2]) for part in told.split(b"\n\n") if part]
    assert [(one["type"].removeprefix("content_block_"), one["index"]) for one in said] == [
        ("stop", 0), ("start", 1), ("delta", 1), ("stop", 1),
    ]  # fmt: skip
    assert said[1]["content_block"]["name"] == "f"


def test_a_second_text_keeps_its_space() -> None:
    """What was cut off the first is not looked for in another."""
    second = event("content_block_delta", index=1, delta={"type": "text_delta", "text": " b"})
    assert sewn(Kind.MESSAGES, "a ", START, second) == second


def test_a_role_with_a_call_is_a_call() -> None:
    """Without the role, which the client has."""
    told = sewn(Kind.CHAT, "a", chunk({"role": "assistant", "tool_calls": [{"index": 0, "id": "t"}]}))
    assert json.loads(told[6:])["choices"][0]["delta"] == {"tool_calls": [{"index": 0, "id": "t"}]}


@pytest.mark.parametrize(
    "odd",
    [
        chunk(None, finish_reason="stop"),
        chunk({"content": [{"type": "text", "text": "b"}]}),
        b'data: {"choices":null}\n\n',
        b'data: {"choices":[null]}\n\n',
        b'data: {"usage":5}\n\n',
        b"data: {\n\n",
    ],
)
def test_what_cannot_be_read_of_a_chunk_passes(odd: bytes) -> None:
    """It was no mistake to the client's own stream either."""
    assert sewn(Kind.CHAT, "a", odd) == odd


@pytest.mark.parametrize(
    "odd",
    [
        event("content_block_delta", index=0),
        event("content_block_delta", index=0, delta=None),
        event("content_block_start", content_block=None),
        event("message_delta", usage=[]),
        b'data: {"type":5}\n\n',
    ],
)
def test_what_cannot_be_read_of_an_event_passes(odd: bytes) -> None:
    """An opening alone does not, whatever it holds."""
    assert sewn(Kind.MESSAGES, "a", event("message_start", message={"usage": {"input_tokens": None}}), odd) == odd


def test_a_count_that_is_no_number_is_not_summed() -> None:
    """The others are."""
    told = sewn(Kind.CHAT, "a", b'data: {"usage":{"prompt_tokens":null,"completion_tokens":3}}\n\n')
    assert json.loads(told[6:])["usage"] == {"prompt_tokens": None, "completion_tokens": 7}
