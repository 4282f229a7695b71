"""The official SDK, sync and async, with nothing changed but its base URL."""

import asyncio
import hashlib
import io
import json
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until, wait_until
from tests.e2e.conftest import Place, sdk
from tests.e2e.stand import USER, Gate, numbers, request

TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
FORCED: Any = {"type": "function", "function": {"name": "weather"}}
GOODBYES = 10
GOODBYE_US = 500_000  # on a busy machine; on a quiet one the median is far below the 50 ms that are promised


def told(chunks: list[Any]) -> list[int]:
    """The numbered tokens of a stream's first choice."""
    return numbers("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices))


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_unary(client: openai.OpenAI, twin: Twin) -> None:
    """Every numbered word, every choice, and the usage that the provider billed."""
    answer = client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=12, n=2)
    assert [numbers(choice.message.content or "") for choice in answer.choices] == [list(range(1, 13))] * 2
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 24)
    assert twin.ledger()["billed_tokens"] == 34


async def test_unary_async(aclient: openai.AsyncOpenAI, twin: Twin) -> None:
    """Many at once: each gets its own answer, and the provider saw each once."""
    lengths = range(1, 41)
    asked = [aclient.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=size) for size in lengths]
    answers = await asyncio.gather(*asked)
    assert [len(numbers(answer.choices[0].message.content or "")) for answer in answers] == list(lengths)
    assert twin.ledger()["calls"] == len(lengths)


def test_stream(client: openai.OpenAI, twin: Twin) -> None:
    """Every word once and in order; nobody asked for the usage, so its chunk is taken out, and booked all the same."""
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=60, stream=True))
    assert told(chunks) == list(range(1, 61))
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert [call["include_usage"] for call in twin.calls()] == [True]


async def test_stream_with_usage(aclient: openai.AsyncOpenAI, gate: Gate) -> None:
    """Who asks gets the chunk, last and once; the record in the journal says the same."""
    stream = await aclient.chat.completions.create(
        model="gpt-4o", messages=USER, max_tokens=30, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert told(chunks) == list(range(1, 31))
    assert [bool(chunk.choices) for chunk in chunks].count(False) == 1
    assert chunks[-1].choices == []
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (10, 30)
    record = gate.records()[-1]
    assert (record.prompt_tokens, record.completion_tokens, record.streamed, record.estimated) == (10, 30, True, False)


async def test_streams_side_by_side(aclient: openai.AsyncOpenAI) -> None:
    """Thirty streams of two choices at once: no word of one is lost, doubled, or lands in another."""

    async def one(size: int) -> list[list[int]]:
        texts = ["", ""]
        stream = await aclient.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=size, n=2, stream=True)
        async for chunk in stream:
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
        return [numbers(text) for text in texts]

    sizes = range(20, 50)
    heard = await asyncio.gather(*(one(size) for size in sizes))
    assert heard == [[list(range(1, size + 1))] * 2 for size in sizes]


def test_tools(client: openai.OpenAI) -> None:
    """A forced tool is called with arguments that fit its schema."""
    answer = client.chat.completions.create(model="gpt-4o", messages=USER, tools=TOOLS, tool_choice=FORCED)
    (call,) = answer.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "t1"})
    assert answer.choices[0].finish_reason == "tool_calls"


async def test_tools_streamed(aclient: openai.AsyncOpenAI) -> None:
    """The pieces of the arguments join to the same JSON."""
    stream = await aclient.chat.completions.create(
        model="gpt-4o", messages=USER, tools=TOOLS, tool_choice=FORCED, stream=True
    )
    calls = [call async for chunk in stream for call in chunk.choices[0].delta.tool_calls or ()]
    assert calls[0].function is not None
    assert calls[0].function.name == "weather"
    arguments = "".join(call.function.arguments or "" for call in calls if call.function)
    assert json.loads(arguments) == {"city": "t1"}


def test_completions(client: openai.OpenAI) -> None:
    """The older form, unary and streamed."""
    answer = client.completions.create(model="gpt-4o", prompt="once", max_tokens=7)
    assert numbers(answer.choices[0].text) == list(range(1, 8))
    pieces = client.completions.create(model="gpt-4o", prompt="once", max_tokens=9, stream=True)
    assert numbers("".join(piece.choices[0].text for piece in pieces)) == list(range(1, 10))


async def test_embeddings(client: openai.OpenAI, aclient: openai.AsyncOpenAI) -> None:
    """Sync and async give the same vectors for the same texts, in the form that each asks for."""
    texts = ["one", "two words"]
    both = client.embeddings.create(model="text-embedding-3-small", input=texts, dimensions=8)
    again = await aclient.embeddings.create(
        model="text-embedding-3-small", input=texts, dimensions=8, encoding_format="float"
    )
    assert [len(row.embedding) for row in both.data] == [8, 8]
    assert [row.embedding for row in again.data] == [pytest.approx(row.embedding, abs=1e-6) for row in both.data]
    assert both.data[0].embedding != both.data[1].embedding
    assert both.usage.prompt_tokens > 0


def test_models(client: openai.OpenAI) -> None:
    """What a call may name: models and strategies."""
    names = {model.id for model in client.models.list()}
    assert {"gpt-4o", "text-embedding-3-small", "assistant", "first0", "strategy0"} <= names


# ── what goes to the provider, and what is told of it ───────────────────────────────────────────────────────────────


def test_a_body_reaches_the_provider_as_it_was_sent(gate: Gate, twin: Twin) -> None:
    """Unknown fields, odd spacing, numbers beyond doubles and escapes: byte for byte."""
    body = (
        b'{ "model" : "gpt-4o","messages":[{"role":"user","content":"\\u00e9 \xe4\xb8\xad"}],"max_tokens":3,\n'
        b'"vendor":{"x":[1,2.50,null,12345678901234567890],"x":1},"seed":7,"metadata":{"a":"b"}}'
    )
    assert asyncio.run(gate.post("/v1/chat/completions", body)).status == 200
    (call,) = twin.calls(full=True)
    assert call["body"].encode() == body


def test_only_model_and_usage_are_changed(client: openai.OpenAI, twin: Twin) -> None:
    """A strategy's name becomes its model's, a stream is asked for its usage; every other field keeps its bytes."""
    odd: Any = {"vendor": {"deep": [1.50, {"é": None}]}, "seed": 9007199254740993}
    list(client.chat.completions.create(model="assistant", messages=USER, max_tokens=3, stream=True, extra_body=odd))
    (call,) = twin.calls(full=True)
    sent = json.loads(call["body"])
    assert sent == {"model": "gpt-4o", "messages": USER, "max_tokens": 3, "stream": True} | odd | {
        "stream_options": {"include_usage": True}
    }
    assert '"vendor":{"deep":[1.5,{"é":null}]},"seed":9007199254740993' in call["body"]


def test_credentials_stay_where_they_belong(client: openai.OpenAI, twin: Twin) -> None:
    """The provider sees the gate's key and none of the application's secrets; harmless headers go on."""
    client.chat.completions.create(
        model="gpt-4o",
        messages=USER,
        max_tokens=1,
        extra_headers={"cookie": "session=1", "x-api-key": "sk-application", "openai-beta": "assistants=v2"},
    )
    (call,) = twin.calls(full=True)
    headers = dict(call["headers"])
    assert headers["authorization"] == "Bearer sk-main"
    assert headers["openai-beta"] == "assistants=v2"
    assert not {"cookie", "x-api-key", "x-forwarded-for"} & set(headers)
    assert "sk-application" not in str(call["headers"])


def test_raw_response_headers(client: openai.OpenAI, twin: Twin) -> None:
    """Who answered, after which attempts and waits, under which ids, and how the quota stands."""
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=USER, max_tokens=4, extra_headers={"x-request-id": "mine0001"}
    )
    headers = raw.headers
    assert numbers(raw.parse().choices[0].message.content or "") == [1, 2, 3, 4]
    assert headers["x-request-id"] == raw.request_id == "mine0001"
    assert headers["x-tidegate-upstream-request-id"] == twin.calls()[0]["request_id"]
    assert headers["x-tidegate-target"] == "openai/main/gpt-4o"
    assert headers["x-tidegate-attempts"] == "openai/main/gpt-4o 200"
    assert headers["x-tidegate-wait-ms"] == "0"
    for unit in ("requests", "tokens"):
        assert int(headers[f"x-ratelimit-limit-{unit}"]) > int(headers[f"x-ratelimit-remaining-{unit}"]) > 0
        assert headers[f"x-ratelimit-reset-{unit}"].endswith("ms")
    assert "retry-after" not in headers


def test_a_request_id_is_made_when_none_is_given(client: openai.OpenAI) -> None:
    """On answers, streams and refusals; never the same twice."""
    create: Any = client.chat.completions.with_raw_response.create
    ids = [create(model="gpt-4o", messages=USER, max_tokens=1).request_id for _ in range(2)]
    with client.chat.completions.with_streaming_response.create(
        model="gpt-4o", messages=USER, max_tokens=1, stream=True
    ) as raw:
        ids.append(raw.headers["x-request-id"])
    with pytest.raises(openai.NotFoundError) as caught:
        create(model="nobody-serves-this", messages=USER)
    ids.append(caught.value.request_id)
    assert all(str(one).startswith("req_") for one in ids)
    assert len(set(ids)) == 4


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "error", "status", "code"),
    [
        ({"fault": "status", "status": 400, "code": "odd"}, openai.BadRequestError, 400, "odd"),
        ({"fault": "status", "status": 404, "code": "gone"}, openai.NotFoundError, 404, "gone"),
        ({"fault": "status", "status": 409}, openai.ConflictError, 409, None),
        ({"fault": "status", "status": 422}, openai.UnprocessableEntityError, 422, None),
        ({"fault": "429", "retry_after_ms": 20}, openai.RateLimitError, 429, "rate_limit_exceeded"),
        ({"fault": "500"}, openai.InternalServerError, 500, None),
        ({"fault": "502"}, openai.InternalServerError, 502, None),
        ({"fault": "529"}, openai.InternalServerError, 529, None),
    ],
)
def test_the_providers_last_word(
    client: openai.OpenAI,
    twin: Twin,
    place: Place,
    rule: dict[str, Any],
    error: type[openai.APIStatusError],
    status: int,
    code: str | None,
) -> None:
    """When no target serves, the SDK raises what it would have raised without a gate, with the provider's words."""
    twin.fault(rule | {"message": "in the provider's own words"})
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=place.alone, messages=USER)
    assert caught.value.status_code == status
    assert caught.value.code == code
    assert "in the provider's own words" in caught.value.message


def test_the_gates_own_errors(client: openai.OpenAI, twin: Twin) -> None:
    """What is wrong with a request is said in OpenAI's form, and nothing of it reaches the provider."""
    chat: Any = client.chat.completions
    with pytest.raises(openai.NotFoundError) as caught:
        chat.create(model="nobody-serves-this", messages=USER)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as bad:
        chat.create(model="gpt-4o", messages=USER, max_tokens=-1)
    assert bad.value.param == "max_tokens"
    with pytest.raises(openai.BadRequestError) as bad:
        chat.create(model="", messages=USER)
    assert bad.value.param == "model"
    with pytest.raises(openai.NotFoundError) as caught:
        client.get("http://" + client.base_url.netloc.decode() + "/v2/models", cast_to=object)
    assert caught.value.code == "unknown_url"
    assert twin.ledger()["calls"] == 0


async def test_time_is_up(aclient: openai.AsyncOpenAI, twin: Twin, place: Place) -> None:
    """A call's own deadline ends it with 504, and the provider sees it go."""
    twin.fault({"fault": "slow", "ms": 60_000})
    with pytest.raises(openai.InternalServerError) as caught:
        await aclient.chat.completions.create(
            model=place.alone, messages=USER, extra_headers={"x-tidegate-deadline-ms": "300"}
        )
    assert (caught.value.status_code, caught.value.code) == (504, "deadline_exceeded")
    await until(lambda: [call["end"] for call in twin.calls()] == ["aborted"], "the provider to see the call go")


def test_client_keys(gates: Callable[..., Gate], twin: Twin) -> None:
    """With keys configured, 401 for a wrong key and for none; a known one is served and named in the record."""
    gate = gates(
        {
            "providers": {"openai": provider(twin.url, "sk-keyed", {"gpt-4o": {"rpm": 1, "tpm": 100_000}})},
            "clients": {"keys": [{"name": "billing", "key": "tg-billing"}]},
        }
    )
    with sdk(gate.url, "tg-wrong") as stranger, pytest.raises(openai.AuthenticationError) as caught:
        stranger.chat.completions.create(model="gpt-4o", messages=USER)
    assert caught.value.code == "invalid_api_key"
    assert "tg-wrong" not in caught.value.message
    with sdk(gate.url, "tg-wrong") as stranger, pytest.raises(openai.AuthenticationError):
        stranger.models.list()
    assert twin.ledger()["calls"] == 0
    with sdk(gate.url, "tg-billing") as client:
        assert client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=2).usage is not None
        assert gate.records()[-1].client == "billing"
        with pytest.raises(openai.RateLimitError) as refused:  # one call a minute, and this is the second
            client.chat.completions.create(
                model="gpt-4o", messages=USER, max_tokens=2, extra_headers={"x-tidegate-deadline-ms": "1000"}
            )
        with pytest.raises(openai.BadRequestError) as impossible:
            client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=100_001)
    headers = refused.value.response.headers
    assert refused.value.code == "rate_limit_exceeded"
    assert 50 <= int(headers["retry-after"]) <= 60
    assert int(headers["retry-after-ms"]) <= 1_000 * int(headers["retry-after"])
    assert headers["x-should-retry"] == "true"
    assert impossible.value.param == "max_tokens"
    assert "retry-after" not in impossible.value.response.headers
    assert twin.ledger()["calls"] == 1


def test_the_sdk_does_not_repeat_what_is_final(gate_apart: Gate, twin: Twin, place: Place) -> None:
    """With the SDK's own retries on, a billing error costs one call at the provider, and is told in its words."""
    twin.fault({"fault": "insufficient_quota", "message": "in the provider's own words"})
    with sdk(gate_apart.url, max_retries=2) as client, pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=place.alone, messages=USER)
    assert (caught.value.status_code, caught.value.code) == (429, "insufficient_quota")
    assert "in the provider's own words" in caught.value.message
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert "retry-after" not in caught.value.response.headers
    assert twin.ledger()["calls"] == 1


def test_a_refused_credential_is_the_gates_problem(gate_apart: Gate, twin: Twin, place: Place) -> None:
    """The provider's 401 is about the gate's key, not the application's: 502, without the provider's words."""
    twin.fault({"fault": "status", "status": 401, "code": "invalid_api_key", "message": "key sk-main is wrong"})
    with sdk(gate_apart.url) as client, pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=place.alone, messages=USER)
    assert (caught.value.status_code, caught.value.code) == (502, "upstream_credential_refused")
    assert "sk-main" not in caught.value.message


# ── leaving early ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def left(twin: Twin, record_property: Callable[[str, object], None]) -> Iterator[list[int]]:
    """When a client left, in microseconds since 1970; afterwards the provider's log must tell the same."""
    moments: list[int] = []
    yield moments
    wait_until(lambda: all(call["end"] != "open" for call in twin.calls()), lambda: "the provider to hear of it")
    calls = twin.calls()
    assert [call["end"] for call in calls] == ["aborted"] * GOODBYES
    delays = [call["ended_us"] - moment for call, moment in zip(calls, moments, strict=True)]
    record_property("disconnect_median_ms", statistics.median(delays) / 1_000)
    print(f"from the client's close to the provider's: median {statistics.median(delays) / 1_000:.1f} ms")
    assert statistics.median(delays) < GOODBYE_US


def test_cancelled_streams(client: openai.OpenAI, left: list[int], wall: Callable[[], int]) -> None:
    """Closing a stream closes the provider's."""
    for _ in range(GOODBYES):
        stream = client.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=10_000, stream=True)
        for _, chunk in zip(range(4), stream, strict=False):
            assert chunk.choices
        left.append(wall())
        stream.close()


async def test_cancelled_streams_async(
    aclient: openai.AsyncOpenAI, gate: Gate, left: list[int], wall: Callable[[], int]
) -> None:
    """A cancelled task does it as well; what was delivered is booked as estimated."""
    begun = len(gate.records())

    async def read(started: asyncio.Event) -> None:
        stream = await aclient.chat.completions.create(model="gpt-4o", messages=USER, max_tokens=10_000, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                started.set()

    for _ in range(GOODBYES):
        started = asyncio.Event()
        task = asyncio.get_running_loop().create_task(read(started))
        await started.wait()
        left.append(wall())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await until(lambda: len(gate.records()) == begun + GOODBYES, "the records")
    records = gate.records()[begun:]
    assert {(record.status, record.estimated, record.streamed) for record in records} == {(499, True, True)}
    assert all(0 < record.completion_tokens < 10_000 for record in records)


async def test_cancelled_before_the_first_byte(
    aclient: openai.AsyncOpenAI, twin: Twin, left: list[int], wall: Callable[[], int]
) -> None:
    """A client that gives up on a unary answer stops the provider too."""
    twin.fault({"fault": "slow", "ms": 60_000})
    for count in range(GOODBYES):
        asked = aclient.chat.completions.create(model="gpt-4o", messages=USER)
        task = asyncio.get_running_loop().create_task(asked)
        await until(lambda count=count: len(twin.calls()) > count, "the call to arrive")
        left.append(wall())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# ── everything else below /v1 ───────────────────────────────────────────────────────────────────────────────────────


def test_moderations(client: openai.OpenAI, twin: Twin) -> None:
    """A call without a model of ours goes to the first provider."""
    assert client.moderations.create(input="harmless").results[0].flagged is False
    (call,) = twin.calls()
    assert (call["path"], call["key"]) == ("/openai/v1/moderations", "sk-main")


async def test_another_provider_by_name(aclient: openai.AsyncOpenAI, twin: Twin) -> None:
    """`x-tidegate-provider` chooses, and an unknown one is refused with the names that are known."""
    await aclient.moderations.create(input="harmless", extra_headers={"x-tidegate-provider": "hasty"})
    assert [call["key"] for call in twin.calls()] == ["sk-hasty"]
    with pytest.raises(openai.BadRequestError) as caught:
        await aclient.moderations.create(input="harmless", extra_headers={"x-tidegate-provider": "nobody"})
    assert "openai, spare, hasty, dead" in caught.value.message


def test_a_file_up_and_down(client: openai.OpenAI) -> None:
    """Three megabytes arrive whole, and come back whole."""
    data = bytes(range(256)) * 12_000
    file = client.files.create(file=("data.bin", io.BytesIO(data)), purpose="batch")
    extra: Any = file.model_extra
    assert file.bytes > len(data)  # the form around it is counted too
    assert len(extra["sha256"]) == 64
    content = client.files.content(f"file-{len(data)}").content
    assert hashlib.sha256(content).digest() == hashlib.sha256(data).digest()


async def test_an_upload_is_passed_on_as_it_arrives(gate: Gate, twin: Twin) -> None:
    """The provider is at work before the client has sent the second half."""
    half = b"x" * 300_000
    whole = request("/v1/files", half + half, content_type="application/octet-stream")
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    writer.write(whole[: -len(half)])
    await until(lambda: [call["path"] for call in twin.calls()] == ["/openai/v1/files"], "the call to arrive")
    assert twin.calls()[0]["end"] == "open"
    writer.write(half)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"bytes":600000,"sha256":"%b"' % hashlib.sha256(half + half).hexdigest().encode() in await reader.read(400)
    writer.close()
    await writer.wait_closed()


def test_speech(client: openai.OpenAI) -> None:
    """Audio comes byte for byte."""
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert answer.response.headers["content-type"] == "audio/mpeg"
    assert answer.content == (bytes(range(256)) * 400)[:100_000]


def test_a_provider_that_cannot_be_reached(client: openai.OpenAI, twin: Twin) -> None:
    """Its strategy's next model answers, and the headers say why."""
    raw = client.chat.completions.with_raw_response.create(model="detour", messages=USER, max_tokens=2)
    assert raw.headers["x-tidegate-target"] == "openai/main/gpt-4o"
    assert raw.headers["x-tidegate-attempts"].startswith("dead/main/unreachable failed transient, ")
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="nowhere", messages=USER)
    assert (caught.value.status_code, caught.value.code) == (502, "upstream_failed")
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert twin.ledger()["calls"] == 1
