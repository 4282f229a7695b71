"""The official SDK of Anthropic against a twin: it finds what it expects."""

import json

import anthropic
import pytest

USER = [{"role": "user", "content": "three short words"}]
WEATHER = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
}
CLOCK = {"name": "clock", "input_schema": {"type": "object", "properties": {}}}
REFUSED = anthropic.BadRequestError


def shows(source):
    """Turns with a document from there."""
    return [{"role": "user", "content": [{"type": "document", "source": source}]}]


@pytest.fixture
async def client(twin):
    async with anthropic.AsyncAnthropic(base_url=twin.base("anthropic"), api_key="sk-a", max_retries=0) as client:
        yield client


def words(text):
    return [int(word.removeprefix("t")) for word in text.split()]


async def test_unary(client):
    """Exactly max_tokens numbered words, and the usage that was billed."""
    reply = await client.messages.create(model="claude-3-haiku", messages=USER, max_tokens=12)
    assert words(reply.content[0].text) == list(range(1, 13))
    assert (reply.stop_reason, reply.stop_sequence, reply.role) == ("max_tokens", None, "assistant")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (10, 12)
    assert reply.id.startswith("msg_")


async def test_stream(client):
    """Every word once and in order, in the documented order of events."""
    stream = await client.messages.create(model="claude-sonnet", messages=USER, max_tokens=80, stream=True)
    events = [event async for event in stream]
    kinds = [event.type for event in events if event.type != "content_block_delta"]
    assert kinds == ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"]
    text = "".join(event.delta.text for event in events if event.type == "content_block_delta")
    assert words(text) == list(range(1, 81))
    assert events[0].message.usage.input_tokens == 10
    assert (events[-2].delta.stop_reason, events[-2].usage.output_tokens) == ("max_tokens", 80)


async def test_the_stream_helper(client):
    """Puts the same message together."""
    async with client.messages.stream(model="claude-sonnet", messages=USER, max_tokens=20) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        message = await stream.get_final_message()
    assert text == message.content[0].text
    assert words(text) == list(range(1, 21))


async def test_a_tool_that_is_named_is_called(client):
    """With arguments that fit, numbers taken from what was said."""
    said = [{"role": "user", "content": "What is the weather for the next 3 days?"}]
    reply = await client.messages.create(model="claude-sonnet", messages=said, max_tokens=99, tools=[CLOCK, WEATHER])
    (block,) = reply.content
    assert (reply.stop_reason, block.type, block.name) == ("tool_use", "tool_use", "get_weather")
    assert block.input == {"city": "t1", "days": 3}
    assert block.id.startswith("toolu_")


async def test_tools_in_parallel_and_their_results(client):
    """Streamed as JSON in pieces; their results are answered by text."""
    said = [{"role": "user", "content": "[tools]"}]
    tools = [CLOCK, WEATHER]
    async with client.messages.stream(model="claude-sonnet", messages=said, max_tokens=99, tools=tools) as stream:
        message = await stream.get_final_message()
    assert [block.name for block in message.content] == ["clock", "get_weather"]
    assert message.content[1].input == {"city": "t1", "days": 1}
    results = [{"type": "tool_result", "tool_use_id": block.id, "content": "done"} for block in message.content]
    turns = [*said, {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    reply = await client.messages.create(model="claude-sonnet", messages=turns, max_tokens=5, tools=tools)
    assert words(reply.content[0].text) == [1, 2, 3, 4, 5]


async def test_one_tool_at_a_time(client):
    """Where parallel use is disabled."""
    choice = {"type": "any", "disable_parallel_tool_use": True}
    reply = await client.messages.create(
        model="claude-sonnet", messages=[{"role": "user", "content": "[tools]"}], max_tokens=99,
        tools=[CLOCK, WEATHER], tool_choice=choice,
    )  # fmt: skip
    assert [block.name for block in reply.content] == ["clock"]


async def test_thinking(client):
    """Comes first, is signed, and is counted as output."""
    async with client.messages.stream(
        model="claude-sonnet", messages=USER, max_tokens=2_000, thinking={"type": "enabled", "budget_tokens": 1_024}
    ) as stream:
        message = await stream.get_final_message()
    thought, said = message.content
    assert (thought.type, said.type) == ("thinking", "text")
    assert thought.thinking.split()[0] == "h1"
    assert thought.signature
    assert words(said.text) == list(range(1, len(words(said.text)) + 1))
    assert len(thought.thinking.split()) + len(said.text.split()) == message.usage.output_tokens == 2_000


async def test_an_answer_goes_on_where_its_prefix_stopped(client):
    """A cut stream can be continued without a seam."""
    turns = [*USER, {"role": "assistant", "content": " t1 t2 t3"}]
    reply = await client.messages.create(model="claude-sonnet", messages=turns, max_tokens=4)
    assert reply.content[0].text == " t4 t5 t6 t7"


async def test_stop_sequences(client):
    """End the text before them, and are named."""
    reply = await client.messages.create(model="claude-sonnet", messages=USER, max_tokens=99, stop_sequences=["t5"])
    assert (reply.stop_reason, reply.stop_sequence) == ("stop_sequence", "t5")
    assert words(reply.content[0].text) == [1, 2, 3, 4]


async def test_structured_output(client):
    """JSON that fits the schema."""
    reply = await client.messages.create(
        model="claude-sonnet", messages=USER, max_tokens=99,
        output_config={"format": {"type": "json_schema", "schema": WEATHER["input_schema"]}},
    )  # fmt: skip
    assert json.loads(reply.content[0].text) == {"city": "t1", "days": 1}


async def test_images_and_documents_are_counted(client):
    """750 pixels a token; a link's size is not known."""
    image = {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}}
    content = [{"type": "text", "text": "three short words"}, image]
    turns = [{"role": "user", "content": content}]
    counted = await client.messages.count_tokens(model="claude-sonnet", messages=turns)
    reply = await client.messages.create(model="claude-sonnet", messages=turns, max_tokens=1)
    assert counted.input_tokens == reply.usage.input_tokens == 10 + 1_398 + 4


async def test_documents_count_in_results_too(client):
    """By their text, or as the twin counts what it does not read."""
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}
    plain = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "three short words"}}
    call = {"type": "tool_use", "id": "toolu_1", "name": "clock", "input": {}}
    used = []
    for shown in ([], [pdf], [plain]):
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": shown}
        turns = [*USER, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
        counted = await client.messages.count_tokens(model="claude-sonnet", messages=turns, tools=[CLOCK])
        used.append(counted.input_tokens)
    assert [tokens - used[0] for tokens in used] == [0, 1_500, 3]


async def test_any_object_has_the_keys_that_were_named(client):
    """A tool that says nothing of its arguments."""
    tool = {"name": "json_output", "input_schema": {"type": "object"}}
    turns = [{"role": "user", "content": "A joke as JSON with 'setup' and 'end'"}]
    choice = {"type": "tool", "name": "json_output"}
    reply = await client.messages.create(
        model="claude-sonnet", messages=turns, max_tokens=99, tools=[tool], tool_choice=choice
    )
    assert reply.content[0].input == {"setup": "t1", "end": "t1"}


async def test_prompt_caching(client, http):
    """Reads are shown, and not charged to the limit of input."""
    system = [{"type": "text", "text": "word " * 2_000, "cache_control": {"type": "ephemeral"}}]
    first, second = [
        await client.messages.create(model="claude-sonnet", messages=USER, max_tokens=1, system=system)
        for _ in range(2)
    ]
    written = first.usage.cache_creation_input_tokens
    assert written > 2_000
    assert (first.usage.input_tokens, first.usage.cache_read_input_tokens) == (10, 0)
    assert (second.usage.cache_read_input_tokens, second.usage.cache_creation_input_tokens) == (written, 0)
    assert second.usage.input_tokens == 10
    row = (await http.ledger())["by_model"]["claude-sonnet"]
    assert row["charged_tokens"] == written + 20
    assert row["cached_tokens"] == written


async def test_models(client):
    """In Anthropic's form, only what it serves."""
    models = [model.id async for model in client.models.list()]
    assert models == ["claude-3-haiku", "claude-sonnet"]
    assert (await client.models.retrieve("claude-sonnet")).type == "model"
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("gpt-4o")


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"model": "claude-9"}, anthropic.NotFoundError, "model: claude-9"),
        ({"max_tokens": 0}, anthropic.BadRequestError, "max_tokens: Input should be greater"),
        ({"messages": []}, anthropic.BadRequestError, "at least one message"),
        ({"messages": shows({"type": "base64", "media_type": "text/csv", "data": ""})}, REFUSED, "'application/pdf'"),
        ({"messages": shows({"type": "data"})}, REFUSED, "Input tag 'data'"),
        ({"messages": shows(None)}, REFUSED, "document.source: Field required"),
        ({"messages": [{"role": "system", "content": "x"}]}, anthropic.BadRequestError, "top-level `system`"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, anthropic.BadRequestError, "first message"),
        ({"messages": [*USER, {"role": "assistant", "content": "x "}]}, anthropic.BadRequestError, "whitespace"),
        ({"extra_body": {"temperature": 1.5}}, anthropic.BadRequestError, "temperature"),
        ({"extra_body": {"n": 2}}, anthropic.BadRequestError, "n: Extra inputs are not permitted"),
        ({"extra_body": {"max_tokens": None}}, anthropic.BadRequestError, "max_tokens: Field required"),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, anthropic.BadRequestError, "budget_tokens"),
    ],
)  # fmt: skip
async def test_errors(client, fields, error, words):
    """The SDK's own classes, with Anthropic's kinds and words."""
    with pytest.raises(error, match=words) as caught:
        await client.messages.create(**{"model": "claude-sonnet", "messages": USER, "max_tokens": 9} | fields)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["request_id"] == caught.value.response.headers["request-id"]


async def test_a_call_of_a_tool_must_be_answered(client):
    """In the very next turn."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "clock", "input": {}}
    turns = [*USER, {"role": "assistant", "content": [call]}, *USER]
    with pytest.raises(anthropic.BadRequestError, match="toolu_1"):
        await client.messages.create(model="claude-sonnet", messages=turns, max_tokens=9, tools=[CLOCK])


async def test_headers(client):
    """Input, output and their sum; what remains is rounded to thousands, and times are RFC 3339."""
    raw = await client.messages.with_raw_response.create(model="claude-sonnet", messages=USER, max_tokens=150)
    told = raw.headers
    assert told["anthropic-ratelimit-requests-remaining"] == "2999"
    assert told["anthropic-ratelimit-input-tokens-limit"] == "150000"
    assert told["anthropic-ratelimit-input-tokens-remaining"] == "150000"
    assert told["anthropic-ratelimit-output-tokens-limit"] == "30000"
    assert told["anthropic-ratelimit-tokens-limit"] == "180000"
    assert told["anthropic-ratelimit-tokens-reset"].endswith("Z")
    assert told["request-id"].startswith("req_")


@pytest.mark.parametrize("limits", [{"rpm": 1}, {"tpm": 15, "otpm": 99}, {"otpm": 9}])
async def test_a_429(twins, limits, clients):
    """By requests, input or output: with `retry-after`, and judged."""
    twin = await twins(limits=limits)
    async with anthropic.AsyncAnthropic(base_url=twin.base("anthropic"), api_key="sk-a", max_retries=0) as client:
        await client.messages.create(model="claude-sonnet", messages=USER, max_tokens=9)
        with pytest.raises(anthropic.RateLimitError) as caught:
            await client.messages.create(model="claude-sonnet", messages=USER, max_tokens=9)
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 60
    row = (await clients(twin).ledger())["by_model"]["claude-sonnet"]
    assert (row["throttled"], row["avoidable"], row["charged_output_tokens"]) == (1, 1, 9)


async def test_its_version_and_its_key_are_demanded(http):
    """By header, as documented."""
    body = json.dumps({"model": "claude-sonnet", "messages": USER, "max_tokens": 1}).encode()
    path = "/anthropic/v1/messages"
    version = {"anthropic-version": "2023-06-01"}
    bare = await http.request("POST", path, body, authorization="", **version)
    assert (bare.status, bare.json["error"]["type"]) == (401, "authentication_error")
    bare = await http.request("POST", path, body, authorization="", **{"x-api-key": "sk-a"})
    assert (bare.status, bare.json["error"]["message"]) == (400, "anthropic-version: header is required")
    assert (await http.request("POST", path, body, authorization="", **version, **{"x-api-key": "sk-a"})).status == 200
