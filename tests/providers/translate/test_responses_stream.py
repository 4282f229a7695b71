"""Streams of chat completions as streams of a response: every event is the SDK's, and the whole is what it was."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.served import served
from tests.providers.translate.responses_wire import (
    DONE,
    SPENT,
    USAGE,
    Json,
    answer,
    call,
    chunk,
    completion,
    cross,
    dumped,
    followed,
    read,
    streamed,
)
from tidegate.providers.openai.stream import StreamTap
from tidegate.providers.translate.responses_stream import MOST_KEPT

ROLE = chunk({"role": "assistant", "content": "", "refusal": None})
STREAM = [
    ROLE,
    chunk({"reasoning_content": "Hm"}),
    chunk({"reasoning_content": ', "so"'}),
    chunk({"content": "Hel"}),
    chunk({"content": 'lo\n\n世界 "'}),
    chunk(call(0, "call_1", "f")),
    chunk(call(0, arguments='{"a":')),
    chunk(call(0, arguments=" 1}")),
    chunk(call(1, "call_2", "g", "{}")),
    chunk({}, "tool_calls"),
    SPENT,
    DONE,
]
CALLS: list[Json] = [
    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
]
WHOLE = completion("tool_calls", reasoning_content='Hm, "so"', content='Hello\n\n世界 "', tool_calls=CALLS)


# ── the course of a stream ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_course_of_a_stream() -> None:
    """Each item opens, grows and is done; a thought and a message make way for what follows them."""
    kinds = [event["type"].removeprefix("response.") for event in streamed(*STREAM)]
    assert kinds == [
        "created", "in_progress",
        "output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.delta",
        "reasoning_text.done", "content_part.done", "output_item.done",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.delta",
        "output_item.added", "function_call_arguments.delta",
        "function_call_arguments.done", "output_item.done", "function_call_arguments.done", "output_item.done",
        "completed",
    ]  # fmt: skip


def test_a_streamed_answer_is_the_whole_one() -> None:
    """To the last field."""
    assert followed(streamed(*STREAM)) == answer(WHOLE, stream=True)


def test_the_sdk_reads_the_stream() -> None:
    """Its own client puts the same answer together."""
    content = cross(stream=True).reply.stream().feed(b"".join(STREAM))
    with served(content) as client, client.responses.stream(model="m", input="hi") as stream:
        final: Any = stream.get_final_response()
    assert final.output_text == 'Hello\n\n世界 "'
    assert [(item.name, item.arguments) for item in final.output[2:]] == [("f", '{"a": 1}'), ("g", "{}")]
    assert final.usage.input_tokens_details.cached_tokens == 4


PIECES = st.lists(st.text(max_size=6), max_size=4)


@given(PIECES, PIECES, PIECES, st.lists(PIECES, max_size=3), st.randoms(use_true_random=False), st.booleans())
def test_any_streamed_answer_is_the_whole_one(
    thoughts: list[str], texts: list[str], refusals: list[str], calls: list[list[str]], order: Any, cut: bool
) -> None:
    """Whatever is said, however it is cut in pieces, and however the arguments of calls are interleaved."""
    events = [ROLE, *(chunk({"reasoning": piece}) for piece in thoughts)]
    events += [chunk({"content": piece}) for piece in texts]
    events += [chunk({"refusal": piece}) for piece in refusals]
    events += [chunk(call(index, f"call_{index}", f"f{index}")) for index in range(len(calls))]
    later = [chunk(call(index, arguments=piece)) for index, pieces in enumerate(calls) for piece in pieces]
    if cut:
        order.shuffle(later)
        calls = [
            [json.loads(event[6:])["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
             for event in later if b'"tool_calls":[{"index":%d,' % index in event]
            for index in range(len(calls))
        ]  # fmt: skip
    finish = "length" if cut else "stop"
    told = [
        {"id": f"call_{index}", "type": "function", "function": {"name": f"f{index}", "arguments": "".join(pieces)}}
        for index, pieces in enumerate(calls)
    ]
    texts_, refusal, thought = "".join(texts), "".join(refusals) or None, "".join(thoughts) or None
    whole = completion(finish, content=texts_, refusal=refusal, reasoning=thought, tool_calls=told or None)
    assert followed(streamed(*events, *later, chunk({}, finish), SPENT, DONE)) == answer(whole, stream=True)


# ── however it arrives ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_cut_at_every_byte(newline: bytes) -> None:
    """Behind the tap, wherever the network cuts: the same events, and the same of them."""
    stream = b"".join([b": ping\n\n", *STREAM]).replace(b"\n", newline)
    reply = cross().reply
    expected = reply.stream().feed(b"".join(STREAM))
    for cut in range(len(stream) + 1):
        tap, crossing = StreamTap(keep_usage=True), reply.stream()
        assert crossing.feed(tap.feed(stream[:cut])) + crossing.feed(tap.feed(stream[cut:])) == expected, cut


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_events_come_alone_or_together(cuts: list[int]) -> None:
    """Some at a time, or none."""
    crossing, bounds = cross().reply.stream(), [0, *sorted(cuts), len(STREAM)]
    parts = [b"".join(STREAM[a:b]) for a, b in pairwise(bounds)]
    assert b"".join(map(crossing.feed, parts)) == cross().reply.stream().feed(b"".join(STREAM))


def test_each_chunk_goes_on_at_once() -> None:
    """Nothing is held back but the end."""
    crossing = cross().reply.stream()
    sizes = [len(crossing.feed(event)) for event in STREAM]
    assert [size > 0 for size in sizes] == [True] * 9 + [False, False, True]


def test_nothing_comes_after_the_end() -> None:
    """In the same piece or a later one."""
    crossing = cross().reply.stream()
    assert crossing.feed(b"".join([*STREAM, STREAM[3]])) == cross().reply.stream().feed(b"".join(STREAM))
    assert crossing.feed(STREAM[3]) == b""
    assert crossing.feed(DONE) == b""


def test_a_stream_that_is_cut_has_no_end() -> None:
    """Only the provider says it."""
    kinds = {event["type"] for event in streamed(*STREAM[:-1])}
    assert not kinds & {"response.completed", "response.incomplete", "response.output_item.done"} - {
        "response.output_item.done"
    }


# ── what a client finds at the end ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("", "completed", None),
        ("eos", "completed", None),
    ],
)
def test_why_it_ended(finish: str, status: str, reason: str | None) -> None:
    """A limit and a filter leave the response, and the item that was cut, incomplete."""
    whole = followed(streamed(ROLE, chunk({"content": "Hel"}), chunk({}, finish), DONE))
    assert whole == {**answer(completion(finish, content="Hel"), stream=True), "usage": None}
    assert whole["status"] == status
    assert whole["incomplete_details"] == (None if reason is None else {"reason": reason})
    assert whole["output"][0]["status"] == status


def test_a_reason_that_was_told_stays() -> None:
    """Some providers send an empty one with what follows."""
    events = streamed(chunk({"content": "a"}, "length"), chunk({}, ""), chunk({}), DONE)
    assert followed(events)["status"] == "incomplete"


def test_what_is_cut_is_the_last_item() -> None:
    """What came before it is whole."""
    events = [ROLE, chunk({"content": "a"}), chunk(call(0, "c1", "f", "{}")), chunk(call(1, "c2", "g", '{"a'))]
    whole = followed(streamed(*events, chunk({}, "length"), DONE))
    assert [item["status"] for item in whole["output"]] == ["completed", "completed", "incomplete"]


def test_usage_is_told_with_its_details() -> None:
    """Under the names of this API; null where the provider told none."""
    whole = followed(streamed(*STREAM))
    assert whole["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 15,
    }
    assert followed(streamed(ROLE, chunk({"content": "a"}, "stop"), DONE))["usage"] is None


def test_usage_may_come_with_the_last_choice_or_with_every_chunk() -> None:
    """The latest counts."""
    first = chunk({"content": "a"}, usage={"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11})
    assert followed(streamed(first, chunk({}, "stop", usage=USAGE), DONE))["usage"]["output_tokens"] == 5


def test_ids_are_the_chat_completions_own() -> None:
    """Stable, and of the kind that the API has."""
    whole = followed(streamed(*STREAM))
    assert whole["id"] == "resp_Ab1"
    assert [item["id"] for item in whole["output"]] == ["rs_Ab1_0", "msg_Ab1_1", "fc_Ab1_2", "fc_Ab1_3"]
    assert (whole["model"], whole["created_at"]) == ("qwen-1", 1_700_000_000)


@pytest.mark.parametrize(
    ("ident", "expected"),
    [("chatcmpl-x", "resp_x"), ('a"\n\u2028b', "resp_a___b"), ("", "resp_1700000000"), (None, "resp_1700000000"),
     ("a" * 500, "resp_" + "a" * 128)],
)  # fmt: skip
def test_strange_ids_become_plain_ones(ident: str | None, expected: str) -> None:
    """They go into JSON and into URLs."""
    whole = followed(streamed(chunk({"content": "a"}, "stop", id=ident), DONE))
    assert whole["id"] == expected
    assert whole == {**answer({**completion(content="a"), "id": ident}, stream=True), "usage": None}


def test_the_service_tier_is_the_one_that_served() -> None:
    """As the provider says."""
    events = streamed(chunk({"content": "a"}, "stop", service_tier="flex"), DONE)
    assert followed(events)["service_tier"] == "flex"
    assert answer({**completion(content="a"), "service_tier": "flex"})["service_tier"] == "flex"


# ── providers that do it in their own way ────────────────────────────────────────────────────────────────────────────


def test_an_answer_of_nothing_is_an_empty_message() -> None:
    """There is one to look into; but not where the limit was met before it."""
    whole = followed(streamed(ROLE, chunk({}, "stop"), DONE))
    assert whole["output"][0]["content"] == [{"type": "output_text", "text": "", "annotations": [], "logprobs": []}]
    thought = followed(streamed(ROLE, chunk({"reasoning": "Hm"}, "stop"), DONE))
    assert [item["type"] for item in thought["output"]] == ["reasoning", "message"]
    cut = followed(streamed(ROLE, chunk({"reasoning": "Hm"}, "length"), DONE))
    assert [item["type"] for item in cut["output"]] == ["reasoning"]


def test_calls_that_are_not_counted() -> None:
    """Whole calls, each at index 0: a new id with a name is a new call."""
    events = [chunk(call(0, "c1", "f", "{}")), chunk(call(0, "c2", "f", '{"b":2}'), "stop"), DONE]
    assert [(item["call_id"], item["arguments"]) for item in followed(streamed(*events))["output"]] == [
        ("c1", "{}"),
        ("c2", '{"b":2}'),
    ]


def test_calls_whose_id_or_name_is_told_again() -> None:
    """With every piece, or another id without a name: still one call."""
    events = [chunk(call(0, "c1", "f", '{"a')), chunk(call(0, "c1", "f", '":')), chunk(call(0, "x", None, "1}")), DONE]
    [item] = followed(streamed(*events))["output"]
    assert (item["call_id"], item["name"], item["arguments"]) == ("c1", "f", '{"a":1}')


def test_calls_without_ids_get_some() -> None:
    """A result needs one to name."""
    events = [chunk(call(0, None, "f", "{}")), chunk(call(1, "", "g", "{}")), DONE]
    assert [item["call_id"] for item in followed(streamed(*events))["output"]] == ["call_Ab1_0", "call_Ab1_1"]


def test_calls_without_an_index_are_counted_by_their_place() -> None:
    """Two in one chunk."""
    both = {"tool_calls": [*call(None, "c1", "f", "{}")["tool_calls"], *call(None, "c2", "g", "{}")["tool_calls"]]}
    assert [item["call_id"] for item in followed(streamed(chunk(both), DONE))["output"]] == ["c1", "c2"]


def test_indices_with_gaps_get_places_without() -> None:
    """Clients find an item by its place in the complete response."""
    events = [chunk({"content": "a"}), chunk(call(7, "c1", "f", "{}")), chunk(call(3, "c2", "g", "{}")), DONE]
    assert [item["id"] for item in followed(streamed(*events))["output"]] == ["msg_Ab1_0", "fc_Ab1_1", "fc_Ab1_2"]


def test_a_name_may_come_after_the_arguments_begin() -> None:
    """The call is told of when its name is known, with all of them; one that never gets a name has none."""
    late = [
        chunk(call(0, "c1", None, '{"a"')),
        chunk(call(0, None, "f", ":1}")),
        chunk(call(1, "c2", None, "{}")),
        DONE,
    ]
    items = followed(streamed(*late))["output"]
    assert [(item["name"], item["arguments"]) for item in items] == [("f", '{"a":1}'), ("", "{}")]


def test_who_speaks_again_has_a_new_message() -> None:
    """A text behind a call, a thought behind a text: in the order of their coming."""
    events = [
        chunk(call(0, "c1", "f", "{}")),
        chunk({"content": "a"}),
        chunk({"reasoning": "b"}),
        chunk({"content": "c"}),
    ]
    whole = followed(streamed(*events, DONE))
    assert [item["type"] for item in whole["output"]] == ["function_call", "message", "reasoning", "message"]


def test_only_the_first_choice_is_asked_for() -> None:
    """And others are not mixed into it; events without a choice are passed over."""
    other = {"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}
    first = {"index": 0, "delta": {"content": "yes"}, "finish_reason": "stop"}
    whole = followed(streamed(chunk(choices=[]), chunk(choices=[other, first]), DONE))
    assert whole["output"][0]["content"][0]["text"] == "yes"
    assert whole["status"] == "completed"


def test_a_content_of_parts_is_read() -> None:
    """Of a whole answer."""
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    assert answer(completion(content=parts)) == answer(completion(content="Hello"))


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "event", [b"data: 5\n\n", b"data: {\n\n", b'data: {"choices":5}\n\n', b"data: " + b"[" * 50_000 + b"\n\n", DONE]
)
def test_what_is_no_chunk_is_an_error(event: bytes) -> None:
    """Of one kind; so is an end without a beginning."""
    with pytest.raises(ValueError, match=r"."):
        cross().reply.stream().feed(event)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"error":{"message":"m"}}',
        b'{"choices":[]}',
        b'{"choices":[{"index":1,"message":{}}]}',
        b'{"choices":[{"message":{"tool_calls":[{"id":"c","type":"custom","custom":{"name":"f","input":""}}]}}]}',
    ],
)
def test_what_is_no_chat_completion_is_an_error(body: bytes) -> None:
    """Of one kind."""
    with pytest.raises(ValueError, match=r"."):
        cross().reply.answer(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["id", "choices", "delta", "message", "index", "content", "refusal", "reasoning", "tool_calls", "function",
         "name", "arguments", "finish_reason", "usage", "prompt_tokens", "model"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.booleans())
def test_no_answer_breaks_it(value: object, whole: bool) -> None:
    """Any JSON is translated or is a `ValueError`."""
    reply = cross().reply
    try:
        if whole:
            json.loads(reply.answer(dumped(value)))
        else:
            read(reply.stream().feed(b"data: %b\n\n" % dumped(value)))
    except ValueError:
        pass


@pytest.mark.parametrize(
    "piece", [{"content": "a" * 65_536}, call(0, "c", None, "a" * 65_536)], ids=["text", "arguments"]
)
def test_memory_is_bounded(piece: Json) -> None:
    """What must be kept for the last event ends with an error, not with the machine's memory."""
    crossing, event = cross().reply.stream(), chunk(piece)
    for _ in range(MOST_KEPT // 65_540):
        crossing.feed(event)
    with pytest.raises(ValueError, match="8 MiB"):
        for _ in range(3):
            crossing.feed(event)


def test_empty_calls_are_not_free() -> None:
    """Their number is bounded, too."""
    crossing = cross().reply.stream()
    calls = {"tool_calls": [{"index": index} for index in range(20_000)]}
    with pytest.raises(ValueError, match="8 MiB"):
        crossing.feed(chunk(calls))
