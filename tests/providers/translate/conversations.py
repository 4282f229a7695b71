"""Conversations and answers as Hypothesis makes them: what both dialects can say, in the form in which it returns."""

import base64
import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda text: text.strip())
names = st.text(st.sampled_from("abcXYZ019_-"), min_size=1, max_size=12)
encoded = st.binary(min_size=1, max_size=12).map(lambda data: base64.b64encode(data).decode())
leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))
objects = st.dictionaries(names, values, max_size=3)
schemas = st.builds(
    lambda properties: {"type": "object", "properties": properties},
    st.dictionaries(names, st.just({"type": "string"}), max_size=3),
)
STRICT_SCHEMA = {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}


def _text_part(text: str) -> Json:
    return {"type": "text", "text": text}


def _image(data: str, media: str) -> Json:
    return {"type": "image_url", "image_url": {"url": f"data:image/{media};base64,{data}"}}


def _link(name: str) -> Json:
    return {"type": "image_url", "image_url": {"url": f"https://example.com/{name}.png"}}


def _file(data: str, name: str) -> Json:
    return {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{data}", "filename": name}}


media = (
    st.builds(_image, encoded, st.sampled_from(["png", "jpeg", "webp", "gif"]))
    | st.builds(_link, names)
    | st.builds(_file, encoded, names)
)
contents = texts | media.map(lambda part: [part]) | st.lists(media | texts.map(_text_part), min_size=2, max_size=4)
calls = st.lists(st.tuples(names, names, objects), min_size=1, max_size=3, unique_by=lambda call: call[0])


def _call(call: tuple[str, str, Json]) -> Json:
    arguments = json.dumps(call[2], ensure_ascii=False)
    return {"id": call[0], "type": "function", "function": {"name": call[1], "arguments": arguments}}


@st.composite
def _turn(draw: st.DrawFn) -> list[Json]:
    """A question, and an answer to it or calls of tools with their results, or both."""
    made = draw(calls) if draw(st.booleans()) else []
    said: Json = {"role": "assistant"}
    if not made or draw(st.booleans()):
        said["content"] = draw(texts)
    if made:
        said["tool_calls"] = [_call(call) for call in made]
    results = [{"role": "tool", "content": draw(texts | st.just("")), "tool_call_id": call[0]} for call in made]
    return [{"role": "user", "content": draw(contents)}, said, *results]


@st.composite
def conversations(draw: st.DrawFn) -> list[Json]:
    """Messages of chat completions; the last one is the user's, or a tool's."""
    system = [{"role": "system", "content": draw(texts)}] if draw(st.booleans()) else []
    messages = [message for turn in draw(st.lists(_turn(), max_size=3)) for message in turn]
    if not messages or messages[-1]["role"] != "tool" or draw(st.booleans()):
        messages.append({"role": "user", "content": draw(contents)})
    return system + messages


@st.composite
def _tools(draw: st.DrawFn) -> Json:
    made = draw(st.lists(st.tuples(names, texts, schemas), min_size=1, max_size=3, unique_by=lambda tool: tool[0]))
    strict: Json = {"strict": True} if draw(st.booleans()) else {}
    functions = [{"name": name, "description": text, "parameters": schema, **strict} for name, text, schema in made]
    fields: Json = {"tools": [{"type": "function", "function": function} for function in functions]}
    named = {"type": "function", "function": {"name": functions[0]["name"]}}
    choice = draw(st.sampled_from([None, "auto", "none", "required", named]))
    fields |= {} if choice is None else {"tool_choice": choice}
    if choice not in {None, "none"} if isinstance(choice, str | None) else True:
        fields |= {"parallel_tool_calls": False} if draw(st.booleans()) else {}
    return fields


_format = {"type": "json_schema", "json_schema": {"name": "output", "schema": STRICT_SCHEMA, "strict": True}}
_settings = st.fixed_dictionaries(
    {"max_completion_tokens": st.integers(1, 100_000)},
    optional={
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "stop": st.lists(texts, min_size=1, max_size=4),
        "user": texts,
        "response_format": st.just(_format),
        "service_tier": st.sampled_from(["auto", "default"]),
    },
)
_streamed = st.sampled_from([{}, {"stream": True, "stream_options": {"include_usage": True}}])


@st.composite
def chat_requests(draw: st.DrawFn) -> Json:
    """Requests for chat completions of which messages can say everything."""
    request: Json = {"model": "gpt-4o", "messages": draw(conversations()), **draw(_settings), **draw(_streamed)}
    # A copy: what damages this request must not damage the next one.
    return deepcopy(request | (draw(_tools()) if draw(st.booleans()) else {}))


def _tool_use(call: tuple[str, str, Json]) -> Json:
    return {"type": "tool_use", "id": call[0], "name": call[1], "input": call[2]}


_thoughts = st.builds(lambda text, seal: {"type": "thinking", "thinking": text, "signature": seal}, texts, names)
_redacted = names.map(lambda data: {"type": "redacted_thinking", "data": data})


_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


@st.composite
def messages(draw: st.DrawFn, *, thoughts: bool = True) -> Json:
    """Answers of messages."""
    content: list[Json] = draw(st.lists(_thoughts | _redacted, max_size=2)) if thoughts else []
    content += [_text_part(text) for text in draw(st.lists(texts, max_size=1 if not thoughts else 2))]
    made = [_tool_use(call) for call in draw(calls)] if draw(st.booleans()) else []
    stop = "tool_use" if made else draw(st.sampled_from(["end_turn", "max_tokens", "refusal"]))
    counts = {name: draw(st.integers(0, 1000)) for name in ("input_tokens", "cache_read_input_tokens")}
    usage = {
        **counts,
        "cache_creation_input_tokens": draw(st.integers(0, 1000)),
        "output_tokens": draw(st.integers(1, 1000)),
    }
    return {
        "id": "msg_" + draw(names),
        "type": "message",
        "role": "assistant",
        "model": draw(names),
        "content": content + made,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


json_values = st.recursive(
    leaves | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
