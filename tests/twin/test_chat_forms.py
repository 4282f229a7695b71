"""What a chat may ask for beside text, by the official SDK: several tools, JSON, reasoning, and going on."""

import json

import openai
import pytest

USER = [{"role": "user", "content": "three short words"}]


def tool(name, **properties):
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [tool("get_weather", city={"type": "string"}), tool("add", a={"type": "integer"}, b={"type": "integer"})]


@pytest.fixture
async def client(twin):
    async with openai.AsyncOpenAI(base_url=twin.url, api_key="sk-test", max_retries=0) as client:
        yield client


def said(text):
    return [{"role": "user", "content": text}]


async def test_tools_that_are_named_are_called_in_parallel(client):
    """Whole and streamed alike; each has an id of its own."""
    ask = {"model": "gpt-4o", "messages": said("the weather in 'Oslo', and add 2 to 40"), "tools": TOOLS}
    reply = await client.chat.completions.create(**ask)
    calls = reply.choices[0].message.tool_calls
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("get_weather", {"city": "Oslo"}), ("add", {"a": 2, "b": 40}),
    ]  # fmt: skip
    assert len({call.id for call in calls}) == 2
    stream = await client.chat.completions.create(**ask, stream=True)
    found = {}
    async for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or ():
            name, text = found.get(call.index, ("", ""))
            found[call.index] = name or call.function.name, text + (call.function.arguments or "")
    assert [(name, json.loads(text)) for name, text in found.values()] == [
        ("get_weather", {"city": "Oslo"}), ("add", {"a": 2, "b": 40}),
    ]  # fmt: skip


async def test_parallel_calls_may_be_forbidden(client):
    """Then the first one is called."""
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=said("[tools]"), tools=TOOLS, parallel_tool_calls=False
    )
    assert [call.function.name for call in reply.choices[0].message.tool_calls] == ["get_weather"]


async def test_results_are_answered_by_text(client):
    """Even where the tools are still offered."""
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    turns = [*said("add 1 and 2"), {"role": "assistant", "tool_calls": [call]}]
    turns.append({"role": "tool", "tool_call_id": "c1", "content": "3"})
    reply = await client.chat.completions.create(model="gpt-4o", messages=turns, tools=TOOLS, max_tokens=3)
    assert reply.choices[0].message.content == " t1 t2 t3"


async def test_json_mode(client):
    """An object with the keys that were named; the word must be said."""
    form = {"type": "json_object"}
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=said("A joke as JSON with 'setup' and 'end'"), response_format=form
    )
    assert json.loads(reply.choices[0].message.content) == {"setup": "t1", "end": "t1"}
    with pytest.raises(openai.BadRequestError, match="json"):
        await client.chat.completions.create(model="gpt-4o", messages=USER, response_format=form)


@pytest.mark.parametrize("stream", [False, True])
async def test_structured_output(client, stream):
    """Fits its schema, whole or in pieces."""
    schema = TOOLS[1]["function"]["parameters"]
    form = {"type": "json_schema", "json_schema": {"name": "sum", "schema": schema}}
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=said("7 and 8"), response_format=form, stream=stream
    )
    if stream:
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in reply])
    else:
        text = reply.choices[0].message.content
        assert reply.choices[0].finish_reason == "stop"
    assert json.loads(text) == {"a": 7, "b": 8}


async def test_json_that_is_too_long_is_cut(client):
    """As any answer, with the reason."""
    form = {"type": "json_schema", "json_schema": {"name": "sum", "schema": TOOLS[1]["function"]["parameters"]}}
    reply = await client.chat.completions.create(model="gpt-4o", messages=USER, response_format=form, max_tokens=2)
    assert (reply.choices[0].finish_reason, reply.choices[0].message.content) == ("length", '{"a":1,"')
    assert reply.usage.completion_tokens == 2


async def test_reasoning_is_counted_and_not_shown(client):
    """It is a part of the completion."""
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=USER, reasoning_effort="low", max_completion_tokens=20
    )
    assert reply.usage.completion_tokens_details.reasoning_tokens == 8
    assert reply.usage.completion_tokens == 20
    assert len(reply.choices[0].message.content.split()) == 12


@pytest.mark.parametrize("mark", ["prefix", "partial"])
async def test_an_answer_goes_on_where_its_prefix_stopped(client, mark):
    """Where the message says that it is one; any other is only a turn."""
    turn = {"role": "assistant", "content": " t1 t2 t3"}
    reply = await client.chat.completions.create(model="gpt-4o", messages=[*USER, turn | {mark: True}], max_tokens=2)
    assert reply.choices[0].message.content == " t4 t5"
    reply = await client.chat.completions.create(model="gpt-4o", messages=[*USER, turn], max_tokens=2)
    assert reply.choices[0].message.content == " t1 t2"


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ([{"role": "tool", "tool_call_id": "x", "content": "1"}], "preceding message with 'tool_calls'"),
        ([{"role": "assistant", "tool_calls": [{"id": "c9", "type": "function", "function": {"name": "add"}}]}, *USER],
         "did not have response messages: c9"),
    ],
)  # fmt: skip
async def test_calls_and_results_belong_together(client, turns, words):
    """As OpenAI demands."""
    with pytest.raises(openai.BadRequestError, match=words):
        await client.chat.completions.create(model="gpt-4o", messages=[*USER, *turns], tools=TOOLS)
