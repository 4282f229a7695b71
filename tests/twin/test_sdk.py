"""The official SDK against a twin: it finds what it expects of OpenAI."""

import asyncio
import base64
import json

import openai
import pytest

USER = [{"role": "user", "content": "three short words"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


@pytest.fixture
async def client(twin):
    async with openai.AsyncOpenAI(base_url=twin.url, api_key="sk-test", max_retries=0) as client:
        yield client


def words(text):
    return [int(word.removeprefix("t")) for word in text.split()]


async def test_unary(client):
    """Exactly max_tokens numbered words, and the usage that was billed."""
    reply = await client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=12, n=2)
    assert [words(choice.message.content) for choice in reply.choices] == [list(range(1, 13))] * 2
    assert [choice.finish_reason for choice in reply.choices] == ["length"] * 2
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (10, 24, 34)


async def test_stream(client):
    """Every word once and in order, the usage last and only there."""
    stream = await client.chat.completions.create(
        model="gpt-4o", messages=USER, max_tokens=80, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert words(text) == list(range(1, 81))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].choices == []
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (10, 80)
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_stream_without_usage(client):
    """Nobody asked: no usage field, no extra chunk."""
    stream = await client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=3, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(chunk.choices and "usage" not in chunk.model_fields_set for chunk in chunks)


async def test_tool_call(client):
    """Asked for, it comes with valid arguments."""
    reply = await client.chat.completions.create(model="gpt-4o", messages=USER, tools=TOOLS, tool_choice="required")
    choice = reply.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls[0].function.name == "weather"
    assert json.loads(choice.message.tool_calls[0].function.arguments) == {"city": "t1"}


async def test_streamed_tool_call(client):
    """In pieces that join to the same arguments."""
    choice = {"type": "function", "function": {"name": "weather"}}
    stream = await client.chat.completions.create(
        model="gpt-4o", messages=USER, tools=TOOLS, tool_choice=choice, stream=True
    )
    calls = [chunk.choices[0].delta.tool_calls async for chunk in stream]
    calls = [one[0] for one in calls if one]
    assert calls[0].function.name == "weather"
    assert calls[0].id.startswith("call_")
    assert json.loads("".join(call.function.arguments for call in calls)) == {"city": "t1"}


async def test_legacy_completions(client):
    """Unary and streamed."""
    reply = await client.completions.create(model="gpt-3.5-turbo", prompt="hi", max_tokens=5)
    assert words(reply.choices[0].text) == [1, 2, 3, 4, 5]
    stream = await client.completions.create(model="gpt-3.5-turbo", prompt="hi", max_tokens=5, stream=True)
    assert words("".join([chunk.choices[0].text async for chunk in stream])) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("form", [openai.NOT_GIVEN, "float", "base64"])
async def test_embeddings(client, form):
    """In the SDK's own form (base64), as numbers, and as the text of base64."""
    reply = await client.embeddings.create(
        model="text-embedding-3-small", input=["a", "b"], dimensions=64, encoding_format=form
    )
    first, second = (row.embedding for row in reply.data)
    assert first != second
    assert len(base64.b64decode(first)) // 4 == 64 if form == "base64" else len(first) == 64
    assert reply.usage.prompt_tokens == 2


async def test_images_are_charged(client):
    """A low-detail image costs 85 tokens more than its text."""
    part = {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "low"}}
    content = [{"type": "text", "text": "three short words"}, part]
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": content}], max_tokens=1
    )
    assert reply.usage.prompt_tokens == 95


async def test_headers(client):
    """With the documented names, the request's identity among them."""
    raw = await client.chat.completions.with_raw_response.create(model="gpt-4o", messages=USER, max_tokens=150)
    assert raw.headers["x-ratelimit-limit-tokens"] == "150000"
    assert raw.headers["x-ratelimit-remaining-tokens"] == "149850"
    assert raw.headers["x-ratelimit-reset-tokens"] == "60ms"
    assert raw.headers["x-ratelimit-remaining-requests"] == "2999"
    assert raw.headers["x-request-id"].startswith("req_")
    assert raw.headers["openai-organization"].startswith("org-")
    assert int(raw.headers["openai-processing-ms"]) >= 0


async def test_models_and_moderations(client):
    """What a gate only forwards works, too."""
    models = [model.id async for model in client.models.list()]
    assert models == ["gpt-4o", "gpt-3.5-turbo", "gpt-4o-mini", "text-embedding-3-small"]
    assert (await client.models.retrieve("gpt-4o")).id == "gpt-4o"
    assert not (await client.moderations.create(input="x")).results[0].flagged
    speech = await client.audio.speech.create(model="tts-1", voice="alloy", input="hi")
    assert len(speech.content) == 100_000


@pytest.mark.parametrize(
    ("fields", "error", "code", "param"),
    [
        ({"model": "gpt-9"}, openai.NotFoundError, "model_not_found", "model"),
        ({"max_tokens": 0}, openai.BadRequestError, "integer_below_min_value", "max_tokens"),
        ({"messages": []}, openai.BadRequestError, "empty_array", "messages"),
        ({"messages": [{"role": "user", "content": "x " * 129_000}]}, openai.BadRequestError,
         "context_length_exceeded", "messages"),
    ],
)  # fmt: skip
async def test_errors(client, fields, error, code, param):
    """The SDK's own classes, with OpenAI's code and param."""
    with pytest.raises(error) as caught:
        await client.chat.completions.create(**{"model": "gpt-4o", "messages": USER} | fields)
    assert (caught.value.code, caught.value.param, caught.value.type) == (code, param, "invalid_request_error")


async def test_a_429(client):
    """Names the limit, its use, and a time after which the same call passes."""
    await client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=149_000)
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=16_000)
    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "tokens")
    assert "tokens per min (TPM): Limit 150000, Used 14" in caught.value.message
    headers = caught.value.response.headers
    millis = int(headers["retry-after-ms"])
    assert 0 < millis <= 6_000
    assert int(headers["retry-after"]) == -(-millis // 1_000)
    assert int(headers["x-ratelimit-remaining-tokens"]) < 16_000


async def test_a_call_above_the_limit(client):
    """No retry helps, and the SDK is told so."""
    with pytest.raises(openai.RateLimitError, match="Request too large") as caught:
        await client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=150_001)
    assert caught.value.response.headers["x-should-retry"] == "false"


async def test_the_synchronous_client(twin):
    """Unary and streamed, from a thread."""

    def talk():
        with openai.OpenAI(base_url=twin.url, api_key="sk-test", max_retries=0) as client:
            reply = client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=3)
            stream = client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=3, stream=True)
            streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            return words(reply.choices[0].message.content), words(streamed)

    assert await asyncio.to_thread(talk) == ([1, 2, 3], [1, 2, 3])
