"""Anthropic's official SDK, sync and async, with nothing changed but its base URL; each SDK over the other's model."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from harness.gate import HUGE
from harness.twin import Twin
from harness.wait import until, wait_until
from tests.e2e.conftest import RETRIES, sdk
from tests.e2e.stand import USER, Gate, numbers

CLAUDE, GPT = "claude-3-haiku", "gpt-4o"
BOTH = [CLAUDE, GPT]
PLACES = 20
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: list[Any] = [
    {"name": "get_weather", "description": "The weather.", "input_schema": CITY},
    {"name": "get_time", "description": "The time.", "input_schema": CITY},
]
GOODBYES = 5
GOODBYE_US = 500_000  # on a busy machine


@pytest.fixture(scope="module")
def module_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    tree = {
        "limits": {"rpm": HUGE, "tpm": HUGE, "otpm": HUGE},
        "timing": {"ttft_ms": 0, "tpot_ms": 1, "tokens": 20, "chunk_ms": 2, "chunk_tokens": 1},
        "models": [{"name": GPT}, {"name": "text-embedding-3-small", "kind": "embedding"}]
        + [{"name": name, "provider": "anthropic"} for name in (CLAUDE, *(f"alone{n}" for n in range(PLACES)))],
    }
    twin = Twin(tmp_path_factory.mktemp("twin"), tree)
    yield twin
    twin.close()


@pytest.fixture(scope="module")
def both(module_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate with a provider of each maker."""
    base = f"http://127.0.0.1:{module_twin.port}"
    unbound = {"rpm": HUGE, "itpm": HUGE, "otpm": HUGE}
    alone = [f"alone{number}" for number in range(PLACES)]
    openai_scope = {"name": "main", "keys": ["sk-openai"], "limits": {GPT: {"rpm": HUGE, "tpm": HUGE}}}
    claude_scope = {"name": "main", "keys": ["sk-claude"], "limits": dict.fromkeys((CLAUDE, *alone), unbound)}
    gate = Gate(
        tmp_path_factory.mktemp("gate"),
        {
            "providers": {
                "openai": {"profile": "openai", "base_url": base + "/openai/v1", "scopes": [openai_scope]},
                "anthropic": {"profile": "anthropic", "base_url": base + "/anthropic", "scopes": [claude_scope]},
            },
            "defaults": {"retry_policy": RETRIES | {"max_retries": 1}},
        },
    )
    yield gate
    gate.close()


@pytest.fixture(scope="module")
def alone() -> Iterator[str]:
    """Models that only one test uses."""
    return (f"alone{number}" for number in range(PLACES))


@pytest.fixture
def judge(module_twin: Twin) -> Iterator[Twin]:
    module_twin.reset()
    yield module_twin
    module_twin.fault()


def base_of(gate: Gate) -> str:
    return gate.url.removesuffix("/v1")


@pytest.fixture
def client(both: Gate, judge: Twin) -> Iterator[anthropic.Anthropic]:
    http = anthropic.DefaultHttpxClient(verify=False)
    with anthropic.Anthropic(base_url=base_of(both), api_key="any", max_retries=0, http_client=http) as client:
        yield client


@pytest.fixture
async def aclient(both: Gate, judge: Twin) -> AsyncIterator[anthropic.AsyncAnthropic]:
    http = anthropic.DefaultAsyncHttpxClient(verify=False)
    async with anthropic.AsyncAnthropic(
        base_url=base_of(both), api_key="any", max_retries=0, http_client=http
    ) as client:
        yield client


@pytest.fixture
def other(both: Gate, judge: Twin) -> Iterator[openai.OpenAI]:
    with sdk(both.url) as client:
        yield client


def text_of(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("model", BOTH)
def test_unary(client: anthropic.Anthropic, judge: Twin, model: str) -> None:
    """Every numbered word, the usage that was billed, the reason to stop, whoever serves it."""
    answer = client.messages.create(model=model, messages=USER, max_tokens=12)  # type: ignore[arg-type]
    assert numbers(text_of(answer)) == list(range(1, 13))
    assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "max_tokens")
    assert answer.usage.output_tokens == 12
    assert judge.ledger()["billed_tokens"] == answer.usage.input_tokens + 12


@pytest.mark.parametrize("model", BOTH)
async def test_many_at_once(aclient: anthropic.AsyncAnthropic, judge: Twin, model: str) -> None:
    """Each gets its own answer, and the provider saw each once."""
    lengths = range(1, 21)
    asked = [aclient.messages.create(model=model, messages=USER, max_tokens=size) for size in lengths]  # type: ignore[arg-type]
    answers = await asyncio.gather(*asked)
    assert [len(numbers(text_of(answer))) for answer in answers] == list(lengths)
    assert judge.ledger()["calls"] == len(lengths)


@pytest.mark.parametrize("model", BOTH)
def test_the_stream_helper(client: anthropic.Anthropic, both: Gate, model: str) -> None:
    """Words once and in order, the message that the helper joins, and a record that says the same."""
    with client.messages.stream(model=model, messages=USER, max_tokens=40) as stream:  # type: ignore[arg-type]
        heard = numbers("".join(stream.text_stream))
        message = stream.get_final_message()
    assert heard == numbers(text_of(message)) == list(range(1, 41))
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 40)
    record = both.records()[-1]
    assert (record.prompt_tokens, record.completion_tokens) == (message.usage.input_tokens, 40)
    assert (record.streamed, record.estimated) == (True, False)


@pytest.mark.parametrize("model", BOTH)
async def test_the_order_of_events(aclient: anthropic.AsyncAnthropic, model: str) -> None:
    """As documented: a message, its blocks one after the other, its end."""
    stream = await aclient.messages.create(model=model, messages=USER, max_tokens=5, stream=True)  # type: ignore[arg-type]
    kinds = [event.type async for event in stream if event.type != "ping"]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}


# ── tools ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("model", BOTH)
def test_a_forced_tool_and_its_result(client: anthropic.Anthropic, model: str) -> None:
    """It is called with arguments that fit its schema; its result is answered by text."""
    question: list[Any] = [{"role": "user", "content": 'the weather in "Rome"?'}]
    tools: dict[str, Any] = {"tools": TOOLS, "model": model, "max_tokens": 100}
    answer = client.messages.create(messages=question, tool_choice={"type": "tool", "name": "get_weather"}, **tools)
    (call,) = [block for block in answer.content if block.type == "tool_use"]
    assert (call.name, call.input, answer.stop_reason) == ("get_weather", {"city": "Rome"}, "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    turns = [*question, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    assert numbers(text_of(client.messages.create(messages=turns, **tools)))


@pytest.mark.parametrize("model", BOTH)
def test_parallel_tools_streamed(client: anthropic.Anthropic, model: str) -> None:
    """Each in a block of its own, whose pieces join to its JSON; both results go back in one turn."""
    question: list[Any] = [{"role": "user", "content": 'weather and time in "Oslo", please [tools]'}]
    tools: dict[str, Any] = {"tools": TOOLS, "model": model, "max_tokens": 200}
    with client.messages.stream(messages=question, **tools) as stream:
        message = stream.get_final_message()
    calls = [block for block in message.content if block.type == "tool_use"]
    assert {call.name: call.input for call in calls} == {name: {"city": "Oslo"} for name in ("get_weather", "get_time")}
    assert len({call.id for call in calls}) == 2
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "well"} for call in calls]
    turns = [*question, {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    assert numbers(text_of(client.messages.create(messages=turns, **tools)))


# ── what costs nothing ──────────────────────────────────────────────────────────────────────────────────────────────


def test_count_tokens(client: anthropic.Anthropic, judge: Twin) -> None:
    """Claude's provider counts; for a model whose provider cannot, the gate estimates, near the truth."""
    native = client.messages.count_tokens(model=CLAUDE, messages=USER).input_tokens  # type: ignore[arg-type]
    assert [call["path"] for call in judge.calls()] == ["/anthropic/v1/messages/count_tokens"]
    assert native == client.messages.create(model=CLAUDE, messages=USER, max_tokens=1).usage.input_tokens  # type: ignore[arg-type]
    calls = len(judge.calls())
    estimate = client.messages.count_tokens(model=GPT, messages=USER).input_tokens  # type: ignore[arg-type]
    assert len(judge.calls()) == calls
    assert native / 2 <= estimate <= native * 3


def test_models(client: anthropic.Anthropic, other: openai.OpenAI) -> None:
    """One path, two forms: the header says whose."""
    assert {CLAUDE, GPT} <= {model.id for model in client.models.list()}
    assert {CLAUDE, GPT} <= {model.id for model in other.models.list()}
    found = client.models.retrieve(CLAUDE)
    assert (found.id, found.type) == (CLAUDE, "model")
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobody-serves-this")


def test_raw_response_headers(client: anthropic.Anthropic, judge: Twin) -> None:
    """Ids and quota under Anthropic's names, times in RFC 3339; the gate's own beside them."""
    raw = client.messages.with_raw_response.create(model=CLAUDE, messages=USER, max_tokens=3)  # type: ignore[arg-type]
    headers = raw.headers
    assert headers["request-id"].startswith("req_")
    assert headers["x-tidegate-upstream-request-id"] == judge.calls()[0]["request_id"]
    assert headers["x-tidegate-target"] == f"anthropic/main/{CLAUDE}"
    for unit in ("requests", "input-tokens", "output-tokens"):
        assert int(headers[f"anthropic-ratelimit-{unit}-limit"]) >= int(
            headers[f"anthropic-ratelimit-{unit}-remaining"]
        )
        assert headers[f"anthropic-ratelimit-{unit}-reset"].endswith("Z")
    assert "retry-after" not in headers


def test_what_cannot_be_said_is_told(client: anthropic.Anthropic) -> None:
    """A field without a counterpart at the other maker is named in a header."""
    raw = client.messages.with_raw_response.create(model=GPT, messages=USER, max_tokens=3, extra_body={"top_k": 5})  # type: ignore[arg-type]
    assert "top_k" in raw.headers["x-tidegate-dropped"]


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "error", "status"),
    [
        ({"fault": "status", "status": 400}, anthropic.BadRequestError, 400),
        ({"fault": "status", "status": 404}, anthropic.NotFoundError, 404),
        ({"fault": "429", "retry_after": "7"}, anthropic.RateLimitError, 429),
        ({"fault": "500"}, anthropic.InternalServerError, 500),
        ({"fault": "529"}, anthropic.APIStatusError, 529),
    ],
)
def test_the_providers_last_word(
    client: anthropic.Anthropic,
    judge: Twin,
    alone: Iterator[str],
    rule: dict[str, Any],
    error: type[anthropic.APIStatusError],
    status: int,
) -> None:
    """The SDK raises what it would have raised without a gate, with the provider's words; a 429 names its time."""
    judge.fault(rule | {"message": "in the provider's own words"})
    with pytest.raises(error) as caught:
        client.messages.create(
            model=next(alone),
            messages=USER,  # type: ignore[arg-type]
            max_tokens=5,
            extra_headers={"x-tidegate-deadline-ms": "3000"},
        )
    assert caught.value.status_code == status
    assert "in the provider's own words" in caught.value.message
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "error"
    if status == 429:
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 7


@pytest.mark.parametrize("model", BOTH)
def test_the_gates_own_errors(client: anthropic.Anthropic, judge: Twin, model: str) -> None:
    """In Anthropic's form, with an id, and nothing of it reaches the provider."""
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(model=model, messages=USER, max_tokens=-1)  # type: ignore[arg-type]
    body: Any = caught.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "invalid_request_error")
    assert "max_tokens" in caught.value.message
    assert caught.value.request_id
    assert caught.value.request_id.startswith("req_")
    assert judge.ledger()["calls"] == 0


def test_client_keys(judge: Twin, tmp_path: Path) -> None:
    """401 for a wrong key, which is told in Anthropic's form; a known one is served under `x-api-key`."""
    base = f"http://127.0.0.1:{judge.port}/anthropic"
    scope = {"name": "main", "keys": ["sk-keyed"], "limits": {CLAUDE: {"rpm": 100}}}
    tree = {
        "providers": {"anthropic": {"profile": "anthropic", "base_url": base, "scopes": [scope]}},
        "clients": {"keys": [{"name": "billing", "key": "tg-billing"}]},
    }
    gate = Gate(tmp_path / "keyed", tree)
    try:
        for key, known in (("tg-wrong", False), ("tg-billing", True)):
            http = anthropic.DefaultHttpxClient(verify=False)
            with anthropic.Anthropic(base_url=base_of(gate), api_key=key, max_retries=0, http_client=http) as client:
                if known:
                    assert client.messages.create(model=CLAUDE, messages=USER, max_tokens=2).usage  # type: ignore[arg-type]
                    continue
                with pytest.raises(anthropic.AuthenticationError) as caught:
                    client.messages.create(model=CLAUDE, messages=USER, max_tokens=2)  # type: ignore[arg-type]
                assert key not in caught.value.message
        assert gate.records()[-1].client == "billing"
    finally:
        gate.close()


# ── leaving early ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("model", BOTH)
def test_cancelled_streams(client: anthropic.Anthropic, both: Gate, judge: Twin, model: str) -> None:
    """Closing a stream closes the provider's, whose log tells when; what was delivered is booked as estimated."""
    begun, left = len(both.records()), []
    for _ in range(GOODBYES):
        with client.messages.stream(model=model, messages=USER, max_tokens=10_000) as stream:  # type: ignore[arg-type]
            for _, text in zip(range(4), stream.text_stream, strict=False):
                assert text
            left.append(time.time_ns() // 1_000)
    wait_until(lambda: all(call["end"] != "open" for call in judge.calls()), lambda: "the provider to hear of it")
    calls = judge.calls()
    assert [call["end"] for call in calls] == ["aborted"] * GOODBYES
    delays = sorted(call["ended_us"] - moment for call, moment in zip(calls, left, strict=True))
    assert delays[GOODBYES // 2] < GOODBYE_US
    wait_until(lambda: len(both.records()) == begun + GOODBYES, lambda: "the records")
    assert all(record.estimated and 0 < record.completion_tokens < 10_000 for record in both.records()[begun:])


async def test_a_cancelled_task(aclient: anthropic.AsyncAnthropic, judge: Twin) -> None:
    """A client that gives up before the first byte stops the provider, too."""
    judge.fault({"fault": "slow", "ms": 60_000})
    task = asyncio.get_running_loop().create_task(
        aclient.messages.create(model=CLAUDE, messages=USER, max_tokens=5)  # type: ignore[arg-type]
    )
    await until(judge.calls, "the call to arrive")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: [call["end"] for call in judge.calls()] == ["aborted"], "the provider to see it go")


# ── the other maker's SDK ───────────────────────────────────────────────────────────────────────────────────────────


def test_openais_sdk_over_claude(other: openai.OpenAI) -> None:
    """Unary, streamed with its usage, and a tool with arguments."""
    messages: list[Any] = USER
    answer = other.chat.completions.create(model=CLAUDE, messages=messages, max_tokens=9)
    assert numbers(answer.choices[0].message.content or "") == list(range(1, 10))
    assert answer.choices[0].finish_reason == "length"
    chunks = list(
        other.chat.completions.create(
            model=CLAUDE, messages=messages, max_tokens=30, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert numbers(text) == list(range(1, 31))
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 30
    tool: Any = {"type": "function", "function": {"name": "get_weather", "parameters": CITY}}
    called = other.chat.completions.create(model=CLAUDE, messages=messages, tools=[tool], tool_choice="required")
    (call,) = called.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert set(json.loads(call.function.arguments)) == {"city"}
    with pytest.raises(openai.BadRequestError):
        other.embeddings.create(model=CLAUDE, input="x")


@pytest.mark.parametrize("model", BOTH)
def test_the_responses_api(other: openai.OpenAI, model: str) -> None:
    """Unary, streamed, with a tool; served by the maker itself and by translation."""
    answer = other.responses.create(model=model, input="three short words", max_output_tokens=16)
    assert numbers(answer.output_text) == list(range(1, 17))
    events = list(other.responses.create(model=model, input="three short words", max_output_tokens=17, stream=True))
    assert events[0].type == "response.created"
    last = events[-1]
    assert last.type == "response.incomplete"
    assert numbers(last.response.output_text) == list(range(1, 18))
    assert last.response.usage is not None
    assert last.response.usage.output_tokens == 17
    tool: Any = {"type": "function", "name": "get_weather", "parameters": CITY, "strict": False}
    called = other.responses.create(model=model, input="the weather?", tools=[tool], tool_choice="required")
    (call,) = [item for item in called.output if item.type == "function_call"]
    assert (call.name, set(json.loads(call.arguments))) == ("get_weather", {"city"})
