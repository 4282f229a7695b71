"""Requests as Dify sends them: its model provider "OpenAI-API-compatible", byte by byte.

Recorded on 2026-11-22 from dify_plugin 0.7.4 (`interfaces/model/openai_compatible`), which the plugin's classes derive
from; what the plugin adds itself (`langgenius/dify-official-plugins`, `models/openai_api_compatible`) is in `PLUGIN`.
Dify itself is not part of it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from tests.e2e.conftest import TWIN_TREE
from tests.e2e.stand import Gate, Line, numbers
from tests.twin.http import Answer

KEY = "sk-app-of-dify"
HEAD = (
    "POST /v1/{path} HTTP/1.1\r\nHost: gate.example\r\nUser-Agent: python-requests/2.32.5\r\n"
    "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Type: application/json\r\n"
    "{more}Authorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n"
)
CHARSET = "Accept-Charset: utf-8\r\n"
ASKED = '"messages": [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": "潮闸是什么？"}]'
PING = '{"model": "gpt-4o", "max_tokens": 5, "messages": [{"role": "user", "content": "ping"}]}'
PING_STREAM = '{"model": "gpt-4o", "max_tokens": 10, "messages": [{"role": "user", "content": "ping"}], "stream": true}'
UNARY = f'{{"model": "gpt-4o", "stream": false, "temperature": 0.7, "max_tokens": 20, {ASKED}, "user": "u-1"}}'
STREAM = f'{{"model": "gpt-4o", "stream": true, "temperature": 0.7, "max_tokens": 20, {ASKED}, "user": "u-1"}}'
PLUGIN = STREAM.replace(
    '"stream"',
    '"chat_template_kwargs": {"enable_thinking": false, "thinking": false}, "thinking": {"type": "disabled"}, "stream"',
)
TOOLS = STREAM.replace(
    '"user": "u-1"',
    '"tool_choice": "auto", "tools": [{"type": "function", "function": {"name": "weather", "description": "of a city", '
    '"parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}], '
    '"stop": ["Observation"], "user": "u-1"',
)
IMAGE = (
    '{"model": "gpt-4o", "stream": false, "max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "text", '
    '"text": "what?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": '
    '"low"}}]}], "user": "u-1"}'
)
EMBED_PING = '{"input": "ping", "model": "text-embedding-3-small"}'
EMBED = '{"input": ["eins"], "model": "text-embedding-3-small", "user": "u-1", "encoding_format": "float"}'


def tree(twin: Twin) -> dict[str, Any]:
    """A file with a namespace for Dify, as docs/dify.md has it."""
    limits = {name: {"rpm": HUGE, "tpm": HUGE} for name in ("gpt-4o", "text-embedding-3-small")}
    namespaces = {"dify": {"keys": [{"name": "dify-support", "key": KEY}]}}
    return {"providers": {"openai": provider(twin.url, "sk-dify-upstream", limits)}, "namespaces": namespaces}


@pytest.fixture
def gate(gates: Callable[[Any], Gate], twin: Twin) -> Gate:
    """A gate for Dify."""
    return gates(tree(twin))


async def send(gate: Gate, path: str, body: str, *, key: str = KEY, more: str = "") -> Answer:
    """One request on a connection of its own, as `requests.post` makes it."""
    data = body.encode()
    async with Line(gate) as line:
        line.send(HEAD.format(path=path, key=key, length=len(data), more=more).encode() + data)
        return await line.reply()


def understood(answer: Answer) -> Iterator[dict[str, Any]]:
    """The chunks of a stream as Dify takes them apart: by empty lines; an error or what is no JSON would end it."""
    for raw in answer.body.decode().split("\n\n"):
        chunk = raw.strip()
        if not chunk or chunk.startswith(":"):
            continue
        text = chunk.removeprefix("data:").lstrip()
        if text != "[DONE]":
            yield json.loads(text)


def said(answer: Answer) -> str:
    return "".join(
        chunk["choices"][0]["delta"].get("content") or "" for chunk in understood(answer) if chunk["choices"]
    )


async def test_the_model_can_be_added(gate: Gate) -> None:
    """Dify's test of a model: 200, and an object of the name that it expects; also as a stream, and for embeddings."""
    answer = await send(gate, "chat/completions", PING)
    assert (answer.status, answer.json["object"]) == (200, "chat.completion")
    assert (await send(gate, "chat/completions", PING_STREAM)).status == 200
    answer = await send(gate, "embeddings", EMBED_PING)
    assert (answer.status, len(answer.json["data"])) == (200, 1)


async def test_a_wrong_key_is_told(gate: Gate) -> None:
    """The form shows status and body: both say what to do, and neither says the key."""
    answer = await send(gate, "chat/completions", PING, key="sk-wrong")
    assert answer.status == 401
    assert "key of this gate" in answer.json["error"]["message"]
    assert b"sk-wrong" not in answer.body


async def test_answers(gate: Gate) -> None:
    """Whole answers and streams are what Dify reads, with its own fields passed on; each call is the namespace's."""
    answer = await send(gate, "chat/completions", UNARY, more=CHARSET)
    assert numbers(answer.json["choices"][0]["message"]["content"]) == list(range(1, 21))
    assert answer.json["usage"]["completion_tokens"] == 20
    for body in (STREAM, PLUGIN):
        answer = await send(gate, "chat/completions", body, more=CHARSET)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert numbers(said(answer)) == list(range(1, 21))
        assert list(understood(answer))[-1]["choices"][0]["finish_reason"] == "length"
    assert (await send(gate, "chat/completions", IMAGE, more=CHARSET)).status == 200
    assert {record.client for record in gate.records()} == {"dify-support"}


async def test_its_own_fields_reach_the_provider(gate: Gate, twin: Twin) -> None:
    """What the plugin adds is passed on as it is, so who does not know it may refuse it, as without a gate."""
    await send(gate, "chat/completions", PLUGIN, more=CHARSET)
    call = twin.calls("gpt-4o", full=True)[-1]
    assert json.loads(call["body"]).items() >= json.loads(PLUGIN).items()


async def test_tools_are_called(gates: Callable[[Any], Gate], tmp_path: Path) -> None:
    """An agent of Dify's reads the call of a tool from the chunks, and how it ended."""
    willing = Twin(tmp_path / "willing", TWIN_TREE | {"timing": {"ttft_ms": 0, "tpot_ms": 0, "tool_rate": 1}})
    try:
        gate = gates(tree(willing))
        chunks = list(understood(await send(gate, "chat/completions", TOOLS, more=CHARSET)))
    finally:
        willing.close()
    called = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert called[0]["function"]["name"] == "weather"
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_embeddings_one_by_one(gate: Gate) -> None:
    """Each piece of a document is a request of its own; vectors are numbers."""
    answer = await send(gate, "embeddings", EMBED)
    assert all(isinstance(part, float) for part in answer.json["data"][0]["embedding"])


async def test_a_cut_stream_is_no_whole_answer(gate: Gate, twin: Twin) -> None:
    """Dify raises a chunk's `error` where there are no `choices`: so a cut fails its node, and is seen."""
    twin.fault({"fault": "cut", "match": {"model": "gpt-4o"}, "after_bytes": 900, "count": 1})
    chunks = list(understood(await send(gate, "chat/completions", STREAM, more=CHARSET)))
    assert chunks[-1]["error"]["code"] == "stream_cut"
    assert "choices" not in chunks[-1]


async def test_a_refusal_is_waited_for(gate: Gate, twin: Twin) -> None:
    """A 429 of the provider is none of Dify's business: it waits for the first byte up to 300 s, and gets an answer."""
    twin.fault({"fault": "429", "match": {"model": "gpt-4o"}, "count": 1, "retry_after_ms": 150})
    answer = await send(gate, "chat/completions", STREAM, more=CHARSET)
    assert answer.status == 200
    assert int(answer.headers["x-tidegate-wait-ms"]) >= 150
