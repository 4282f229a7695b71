"""OpenAI's Responses API by the official SDK, whole and streamed."""

import json

import openai
import pytest

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}
CLOCK = {"type": "function", "name": "clock", "parameters": {"type": "object", "properties": {}}, "strict": True}
FILE = {"type": "input_file", "filename": "a.pdf"}
SOUND = {"type": "input_sound"}


@pytest.fixture
async def client(twin):
    async with openai.AsyncOpenAI(base_url=twin.url, api_key="sk-test", max_retries=0) as client:
        yield client


def words(text):
    return [int(word.removeprefix("t")) for word in text.split()]


async def test_whole(client):
    """Numbered words up to the maximum, and why it ended there."""
    reply = await client.responses.create(model="gpt-4o", input="three short words", max_output_tokens=16)
    assert words(reply.output_text) == list(range(1, 17))
    assert (reply.status, reply.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.total_tokens) == (10, 16, 26)


async def test_streamed(client):
    """The documented events, numbered without a gap; the text once and in order."""
    stream = await client.responses.create(model="gpt-4o", input="hi", instructions="be short", stream=True)
    events = [event async for event in stream]
    kinds = [event.type.removeprefix("response.") for event in events if not event.type.endswith(".delta")]
    assert kinds == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.done", "content_part.done",
        "output_item.done", "completed",
    ]  # fmt: skip
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text
    assert words(text) == list(range(1, len(words(text)) + 1))
    assert events[-1].response.usage.output_tokens == len(words(text))


async def test_functions(client):
    """Called in parallel, and answered by text when their outputs are there."""
    tools = [CLOCK, WEATHER]
    said = [{"role": "user", "content": "[tools] for 'Oslo'"}]
    async with client.responses.stream(model="gpt-4o", input=said, tools=tools) as stream:
        reply = await stream.get_final_response()
    assert [(item.type, item.name) for item in reply.output] == [
        ("function_call", "clock"), ("function_call", "get_weather"),
    ]  # fmt: skip
    assert json.loads(reply.output[1].arguments) == {"city": "Oslo"}
    results = [{"type": "function_call_output", "call_id": item.call_id, "output": "x"} for item in reply.output]
    calls = [
        {"type": "function_call", "call_id": item.call_id, "name": item.name, "arguments": item.arguments}
        for item in reply.output
    ]
    reply = await client.responses.create(model="gpt-4o", input=[*said, *calls, *results], tools=tools)
    assert words(reply.output_text)[:2] == [1, 2]


async def test_reasoning_and_structure(client):
    """Reasoning is an item of its own and counted; a schema is kept to."""
    form = {"type": "json_schema", "name": "w", "schema": WEATHER["parameters"], "strict": True}
    reply = await client.responses.create(
        model="gpt-4o", input="hi", reasoning={"effort": "low"}, text={"format": form}
    )
    assert [item.type for item in reply.output] == ["reasoning", "message"]
    assert json.loads(reply.output_text) == {"city": "t1"}
    assert (reply.text.format.type, reply.reasoning.effort) == ("json_schema", "low")
    assert reply.usage.output_tokens_details.reasoning_tokens == 8


async def test_documents_are_counted(client):
    """Alike, wherever they come from, of the user and in a function's result; a refusal is a text."""
    call = {"type": "function_call", "call_id": "c", "name": "clock", "arguments": "{}"}
    files = [FILE | {"file_url": "https://x.test/a.pdf"}, FILE | {"file_data": "data:application/pdf;base64,JVBE"}]
    no = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    turns = [no, {"role": "user", "content": files[:1]}, call]
    turns.append({"type": "function_call_output", "call_id": "c", "output": files[1:]})
    reply = await client.responses.create(model="gpt-4o", input=turns)
    assert 3_000 < reply.usage.input_tokens < 3_050


@pytest.mark.parametrize(
    ("fields", "error", "param"),
    [
        ({"previous_response_id": "resp_1"}, openai.BadRequestError, "previous_response_id"),
        ({"max_output_tokens": 1}, openai.BadRequestError, "max_output_tokens"),
        ({"input": []}, openai.BadRequestError, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, openai.BadRequestError, "input[0].type"),
        ({"input": [{"role": "tool", "content": "x"}]}, openai.BadRequestError, "input[0].role"),
        ({"input": [{"role": "user", "content": [FILE]}]}, openai.BadRequestError, "input[0].content[0].file_id"),
        ({"input": [{"role": "user", "content": [SOUND]}]}, openai.BadRequestError, "input[0].content[0].type"),
        ({"background": True}, openai.BadRequestError, "background"),
        ({"model": "gpt-9"}, openai.NotFoundError, "model"),
        ({"reasoning": {"effort": "wild"}}, openai.BadRequestError, "reasoning.effort"),
    ],
)
async def test_errors(client, fields, error, param):
    """Each names its field."""
    with pytest.raises(error) as caught:
        await client.responses.create(**{"model": "gpt-4o", "input": "hi"} | fields)
    assert caught.value.param == param
