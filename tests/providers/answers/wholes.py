"""Whole answers: drawn by Hypothesis, and one of each kind that has everything its maker can say."""

import json
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=24)
names = st.text(st.sampled_from("abcXYZ019_-"), min_size=1, max_size=8)
numbers = st.floats(-50, 0)
leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))
objects = st.dictionaries(names, values, max_size=3)
arguments = objects.map(lambda value: json.dumps(value, ensure_ascii=False))
USAGE: Json = {
    "prompt_tokens": 9,
    "completion_tokens": 12,
    "total_tokens": 21,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def token(text: str, probability: float = -0.5) -> Json:
    top = [{"token": text, "logprob": probability, "bytes": list(text.encode())}]
    return {"token": text, "logprob": probability, "bytes": list(text.encode()), "top_logprobs": top}


def function(ident: str, name: str, given: str) -> Json:
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": given}}


def custom(ident: str, name: str, given: str) -> Json:
    return {"id": ident, "type": "custom", "custom": {"name": name, "input": given}}


def _annotation(title: str) -> Json:
    place = {"start_index": 0, "end_index": 1, "title": title, "url": "https://example.com"}
    return {"type": "url_citation", "url_citation": place}


@st.composite
def _logprobs(draw: st.DrawFn, message: Json) -> Json | None:
    if not draw(st.booleans()):
        return None
    told: Json = {"content": None, "refusal": None}
    for name in told:
        if message[name]:
            told[name] = [token(character, draw(numbers)) for character in message[name]]
    return told


@st.composite
def _choice(draw: st.DrawFn, index: int) -> Json:
    message: Json = {"role": "assistant", "content": draw(st.none() | texts), "refusal": draw(st.none() | texts)}
    optional = {
        "annotations": st.lists(texts.map(_annotation), max_size=2),
        "reasoning_content": st.none() | texts,
        "reasoning": texts,
        "tool_calls": st.lists(
            st.builds(function, names, names, arguments) | st.builds(custom, names, names, texts), max_size=3
        ),
        "function_call": st.none()
        | st.builds(lambda name, given: {"name": name, "arguments": given}, names, arguments),
        "audio": st.none()
        | st.builds(lambda data: {"id": "audio_1", "data": data, "expires_at": 7, "transcript": ""}, names),
        "thinking_blocks": st.lists(
            st.builds(lambda text: {"type": "thinking", "thinking": text, "signature": "c2ln"}, texts), max_size=2
        ),
        "unheard_of": values.filter(lambda value: not isinstance(value, (list, dict))),
    }
    for name, strategy in optional.items():
        if draw(st.booleans()):
            message[name] = draw(strategy)
    finish = draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter"]))
    choice = {"index": index, "message": message, "logprobs": draw(_logprobs(message)), "finish_reason": finish}
    return choice | draw(st.sampled_from([{}, {"content_filter_results": {"hate": {"filtered": False}}}]))


@st.composite
def completions_of_chat(draw: st.DrawFn) -> Json:
    count = draw(st.integers(1, 3))
    whole = {"id": draw(names), "object": "chat.completion", "created": 1_700_000_000, "model": draw(names)}
    head = {"system_fingerprint": draw(st.none() | names), "service_tier": draw(st.sampled_from(["default", None]))}
    whole |= head | {"choices": [draw(_choice(index)) for index in range(count)], "usage": USAGE}
    return whole | draw(st.sampled_from([{}, {"provider": "somebody", "citations": ["https://example.com"]}]))


@st.composite
def _plain_choice(draw: st.DrawFn, index: int) -> Json:
    text = draw(texts)
    probable = None
    if draw(st.booleans()):
        tokens = list(text)
        probable = {"tokens": tokens, "token_logprobs": [draw(numbers) for _ in tokens], "top_logprobs": None}
        probable["text_offset"] = list(range(len(tokens)))
    return {"text": text, "index": index, "logprobs": probable, "finish_reason": draw(st.sampled_from(["stop", None]))}


@st.composite
def completions(draw: st.DrawFn) -> Json:
    whole = {"id": draw(names), "object": "text_completion", "created": 1_700_000_000, "model": draw(names)}
    choices = [draw(_plain_choice(index)) for index in range(draw(st.integers(1, 3)))]
    return whole | {"system_fingerprint": draw(st.none() | names), "choices": choices, "usage": USAGE}


def _citation(text: str) -> Json:
    place = {"start_char_index": 0, "end_char_index": 4, "document_index": 0, "document_title": None}
    return {"type": "char_location", "cited_text": text, "file_id": None, **place}


_blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    st.builds(lambda text: {"type": "text", "text": text, "citations": None}, texts),
    st.builds(lambda text, cited: {"type": "text", "text": text, "citations": [_citation(one) for one in cited]}, texts,
              st.lists(texts, max_size=2)),
    st.builds(lambda text: {"type": "thinking", "thinking": text, "signature": "c2lnbmVk"}, texts),
    st.just({"type": "redacted_thinking", "data": "aGlkZGVu"}),
    st.builds(lambda name, given: {"type": "tool_use", "id": "toolu_1", "name": name, "input": given}, names, objects),
    st.builds(lambda given: {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": given},
              objects),
    st.builds(lambda found: {"type": "unheard_of_result", "tool_use_id": "srvtoolu_1", "content": found}, values),
)  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> Json:
    usage: Json = {"input_tokens": 3, "cache_read_input_tokens": 5, "output_tokens": draw(st.integers(0, 99))}
    usage |= draw(
        st.sampled_from(
            [{}, {"service_tier": "standard", "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0}}]
        )
    )
    stop = draw(st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal", "pause_turn"]))
    whole = {"id": draw(names), "type": "message", "role": "assistant", "model": draw(names)}
    whole |= {"content": draw(st.lists(_blocks, max_size=4)), "stop_reason": stop, "stop_sequence": None}
    return whole | {"usage": usage} | draw(st.sampled_from([{}, {"container": None}, {"context_management": {"a": 1}}]))


def _output_text(text: str, tokens: bool, notes: int) -> Json:
    note = {"type": "url_citation", "url": "https://example.com", "title": "t", "start_index": 0, "end_index": 1}
    probable = [token(character) for character in text] if tokens else []
    return {"type": "output_text", "text": text, "annotations": [note] * notes, "logprobs": probable}


_parts = st.builds(_output_text, texts, st.booleans(), st.integers(0, 2)) | st.builds(
    lambda text: {"type": "refusal", "refusal": text}, texts
)
_items = st.one_of(
    st.builds(lambda parts: {"type": "message", "status": "completed", "role": "assistant", "content": parts},
              st.lists(_parts, max_size=2)),
    st.builds(lambda said, text: {"type": "reasoning", "summary": [{"type": "summary_text", "text": one} for one in
              said], "content": [{"type": "reasoning_text", "text": text}], "encrypted_content": "c2VhbGVk"},
              st.lists(texts, max_size=2), texts),
    st.builds(lambda name, given: {"type": "function_call", "status": "completed", "call_id": f"call_{name}",
              "name": name, "arguments": given}, names, arguments),
    st.builds(lambda name, given: {"type": "custom_tool_call", "call_id": f"call_{name}", "name": name,
              "input": given}, names, texts),
    st.just({"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}}),
    st.builds(lambda code: {"type": "code_interpreter_call", "status": "completed", "code": code, "outputs": None,
              "container_id": "c_1"}, st.none() | texts),
    st.builds(lambda given, error: {"type": "mcp_call", "name": "n", "server_label": "s", "arguments": given,
              "output": "o", "error": error}, arguments, st.none() | st.just({"type": "http_error", "message": "m",
              "code": 500})),
    st.builds(lambda found: {"type": "unheard_of_call", "found": found}, values),
)  # fmt: skip


@st.composite
def responses(draw: st.DrawFn) -> Json:
    status = draw(st.sampled_from(["completed", "incomplete"]))
    why = {"reason": "max_output_tokens"} if status == "incomplete" else None
    items = [{"id": f"item_{at}", **item} for at, item in enumerate(draw(st.lists(_items, max_size=4)))]
    for item in items:
        if "call_id" in item:
            item["call_id"] += item["id"]
    return response(items, status=status, incomplete_details=why)


def response(items: list[Json], **fields: object) -> Json:
    usage = {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 16,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": "Be brief.",
        "metadata": {},
        "model": "gpt-4o",
        "output": items,
        "parallel_tool_calls": True,
        "service_tier": "default",
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
        **fields,
    }


def chat(message: Json, finish: str | None = "stop", **fields: object) -> Json:
    said = {"role": "assistant", "content": None, "refusal": None, **message}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": finish}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-4o"}
    return {
        **whole,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        "choices": [choice],
        "usage": USAGE,
    } | fields


def message(*content: Json, stop: str | None = "end_turn", **fields: object) -> Json:
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 2, "service_tier": "standard"}
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5"}
    return {**whole, "content": list(content), "stop_reason": stop, "stop_sequence": None, "usage": usage, **fields}
