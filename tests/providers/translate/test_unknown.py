"""Fields that no record reads are named, at any depth."""

import json

import msgspec
import pytest

from tests.providers.translate.wire import CREATED, HELLO, Json, dumped, to_chat, to_messages
from tidegate.model.call import Kind
from tidegate.providers.translate.reading import Dropped
from tidegate.providers.translate.table import crossing
from tidegate.providers.translate.unknown import Unknown

MARK = {"type": "ephemeral"}
IMAGE = {"type": "base64", "media_type": "image/png", "data": "AA=="}
PAPER = {"type": "text", "media_type": "text/plain", "data": "A"}
SCHEMA = {"type": "object", "properties": {"unknown": {"type": "string"}}}


class Inner(msgspec.Struct):
    """A record in a record; `raw` may hold one more."""

    type: str = ""
    here: int = 0
    raw: msgspec.Raw = msgspec.Raw()


class Outer(msgspec.Struct):
    """Its fields hold a record alone, in a list, or beside a text."""

    b: int = 0
    one: Inner | None = None
    many: str | list[Inner] | None = None


def names(body: bytes) -> tuple[str, ...]:
    nothing = {"d": frozenset({b"0"}), "many.p": frozenset({b'{"x":1}'}), "one.never": frozenset[bytes]()}
    dropped = Dropped()
    unknown = Unknown(Outer, nothing, {Inner: frozenset({b"", b'"known"'})}, {"many.raw": Inner})
    unknown.drop(body, dropped)
    return dropped.names()


def test_unknown_fields_are_named_once() -> None:
    """Not where they say nothing, and never with what could not stand in a header."""
    assert names(b'{"a":1,"b":2,"c":null,"d":0,"x\\r\\ny":1,"":1,"a":3}') == ("a", "(unnamed)")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"one":{"here":1,"new":1}}', ("one.new",)),
        (b'{"many":[{"new":1},{"new":2},{"x\\ny":1}]}', ("many.new", "many.(unnamed)")),
        (b'{"many":"new"}', ()),
        (b'{"one":null}', ()),
        (b'{"one":{"a":null,"b":false,"c":"","d":[ ],"e":{ }}}', ()),
        (b'{"one":{"a":0,"b":true,"c":"null"}}', ("one.a", "one.b", "one.c")),
        (b'{"many":[{"p":{ "x": 1 }}]}', ()),
        (b'{"many":[{"p":{"x":2}}]}', ("many.p",)),
        (b'{"one":{"never":{"x":2}}}', ()),
        (b'{"many":[{"type":"known","new":1}]}', ("many.new",)),
        (b'{"many":[{"type":"other","new":1}]}', ()),
        (b'{"many":[{"raw":[{"new":1},{"raw":{"new":1}}]}]}', ("many.raw.new",)),
        (b'{"many":[{"raw":{"new":1}}]}', ("many.raw.new",)),
        (b'{"many":[{"raw":[[{"new":1}],3]}]}', ()),
        (b'{"one":{"raw":{"new":1}}}', ()),
        (b'{"many":[{"raw":[{"\xff":1}]}]}', ()),
    ],
)
def test_nested_fields(body: bytes, told: tuple[str, ...]) -> None:
    """Without positions, where they ask for something; not inside of what is carried or left out as a whole."""
    assert names(body) == told


def user(*blocks: Json) -> Json:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


def answered(**fields: object) -> Json:
    return {"messages": [*HELLO, {"role": "assistant", "content": "A", **fields}, *HELLO]}


def document(**fields: object) -> Json:
    return {"type": "document", "source": PAPER, "title": "T", **fields}


def result(*blocks: Json) -> Json:
    return {"type": "tool_result", "tool_use_id": "a", "content": list(blocks)}


def tool(**fields: object) -> Json:
    return {"tools": [{"name": "f", "input_schema": SCHEMA, **fields}]}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (user(document(citations={"enabled": True})), "messages.content.citations"),
        (user(document(context="C")), "messages.content.context"),
        (user(result(document(citations={"enabled": True}))), "messages.content.content.citations"),
        (user({"type": "image", "source": IMAGE | {"new": 1}}), "messages.content.source.new"),
        ({"system": [{"type": "text", "text": "S", "new": 1}]}, "system.new"),
        (tool(input_examples=[{}]), "tools.input_examples"),
        (tool(defer_loading=True), "tools.defer_loading"),
        (tool(allowed_callers=["code_execution_20250825"]), "tools.allowed_callers"),
        ({"thinking": {"type": "adaptive", "display": "summarized"}}, "thinking.display"),
        (
            {"output_config": {"effort": "low", "task_budget": {"type": "tokens", "total": 1}}},
            "output_config.task_budget",
        ),
    ],
)
def test_of_messages(fields: Json, told: str) -> None:
    """By the path that they have in the request."""
    assert to_chat(**fields)[1].dropped == (told,)


@pytest.mark.parametrize(
    "fields",
    [
        user(document(citations={"enabled": False}), {"type": "text", "text": "Q", "citations": None}),
        answered(
            content=[{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}, "caller": {"type": "direct"}}]
        ),
        tool(defer_loading=False, input_examples=[], allowed_callers=["direct"], eager_input_streaming=True),
    ],
)
def test_of_messages_without_a_meaning(fields: Json) -> None:
    """What an SDK sends along is not named where nothing is lost; nor is what is inside of schemas and inputs."""
    assert to_chat(**fields)[1].dropped == ()


def test_of_a_tool_that_the_provider_runs() -> None:
    """It is named as a whole."""
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    assert to_chat(tools=[search])[1].dropped == ("tools.type",)


def call(**fields: object) -> Json:
    return {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"unknown":1}'}, **fields}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            answered(tool_calls=[call(extra_content={"google": {"thought_signature": "s"}})]),
            "messages.tool_calls.extra_content",
        ),
        (answered(reasoning_details=[{"type": "reasoning.text"}]), "messages.reasoning_details"),
        (answered(reasoning="R"), "messages.reasoning"),
        (user({"type": "text", "text": "Q", "new": 1}), "messages.content.new"),
        (
            user({"type": "image_url", "image_url": {"url": "https://a/b", "format": "png"}}),
            "messages.content.image_url.format",
        ),
        ({"tools": [{"type": "function", "function": {"name": "f", "new": 1}}]}, "tools.function.new"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
    ],
)
def test_of_chat_completions(fields: Json, told: str) -> None:
    """By the path that they have in the request."""
    assert to_messages(**fields)[1].dropped == (told,)


@pytest.mark.parametrize(
    "fields",
    [
        answered(annotations=[], audio=None, refusal=None, function_call=None, tool_calls=[call(index=0)]),
        answered(thinking_blocks=[{"type": "thinking", "thinking": "T", "signature": "s", "index": 0}]),
        {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}, "cache_control": MARK}]},
    ],
)
def test_of_chat_completions_without_a_meaning(fields: Json) -> None:
    """An answer as an SDK gives it back, or as a client put it together from a stream."""
    assert to_messages(**fields)[1].dropped == ()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text": {"format": {"type": "text", "new": 1}}}, ("text.format.new",)),
        ({"reasoning": {"new": 1}}, ("reasoning.new",)),
        ({"tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "new": 1}]}, ("tools.new",)),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Q", "new": 1}]}]},
            ("input.content.new",),
        ),
        ({"input": [{"role": "user", "content": "Q", "phase": "commentary", "status": "completed"}]}, ("input.phase",)),
        ({"input": [{"type": "web_search_call", "id": "w", "action": {}}, *HELLO]}, ("input.web_search_call",)),
    ],
)
@pytest.mark.parametrize("spoken", [Kind.CHAT, Kind.MESSAGES])
def test_of_responses(fields: Json, told: tuple[str, ...], spoken: Kind) -> None:
    """By the path that they have in the request, whichever dialect the provider speaks."""
    through = crossing(Kind.RESPONSES, spoken)
    assert through is not None
    crossed = through.request(dumped({"model": "m", "input": "Q", **fields}), "m", CREATED)
    assert json.loads(crossed.body)["model"] == "m"
    assert crossed.dropped == told
