"""Calls of asynchronous strategies through a real gate by the official SDKs, which notice nothing of it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from harness.wait import wait_until
from tests.e2e.conftest import sdk
from tests.e2e.stand import USER, Gate

MODEL = "gpt-4o"
FULL = "full"
PATIENT = "patient"
HURRIED = "hurried"


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    tree = {
        "limits": {"rpm": HUGE, "tpm": HUGE},
        "timing": {"ttft_ms": 0, "tpot_ms": 1, "tokens": 5, "chunk_ms": 2, "chunk_tokens": 1},
        "models": [{"name": MODEL}, {"name": FULL}],
    }
    twin = Twin(tmp_path_factory.mktemp("twin"), tree)
    yield twin
    twin.close()


@pytest.fixture
def twin(judge: Twin) -> Iterator[Twin]:
    judge.reset()
    yield judge
    judge.fault()


@pytest.fixture(scope="module")
def gate(judge: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """`hurried` waits a second for its answer, and its provider takes a minute where a test wants it."""
    limits = {MODEL: {"rpm": HUGE, "tpm": HUGE}, FULL: {"rpm": HUGE, "tpm": HUGE}}
    asynchronous = {"execution_mode": "async"}
    tree: dict[str, Any] = {
        "providers": {"openai": provider(judge.url, "sk-held", limits)},
        "strategies": {
            PATIENT: {"primary_model": MODEL} | asynchronous,
            HURRIED: {"primary_model": FULL, "deadline_seconds": 1} | asynchronous,
        },
    }
    made = Gate(tmp_path_factory.mktemp("gate"), tree)
    wait_until(lambda: httpx2.get(f"{made.url}/jobs").status_code == 200, lambda: "the desk answers")
    yield made
    made.close()


@pytest.fixture
def client(gate: Gate) -> Iterator[openai.OpenAI]:
    with sdk(gate.url, max_retries=2) as made:
        yield made


@pytest.fixture
def claude(gate: Gate) -> Iterator[anthropic.Anthropic]:
    http = anthropic.DefaultHttpxClient(verify=False)
    base = gate.url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key="sk-application", max_retries=2, http_client=http) as made:
        yield made


def jobs(gate: Gate) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = httpx2.get(f"{gate.url}/jobs").json()["data"]
    return listed


def test_a_call_by_openai_s_sdk(client: openai.OpenAI, gate: Gate, twin: Twin) -> None:
    """Is answered as always, and was a job."""
    raw = client.chat.completions.with_raw_response.create(model=PATIENT, messages=USER)
    assert raw.parse().choices[0].message.content
    assert raw.headers["x-tidegate-job"] == jobs(gate)[0]["id"]
    assert jobs(gate)[0]["state"] == "done"
    assert raw.headers["x-tidegate-target"] == f"openai/main/{MODEL}"
    assert len(twin.calls()) == 1


def test_a_stream_by_openai_s_sdk(client: openai.OpenAI, twin: Twin) -> None:
    """The same words as a whole answer has, and the usage where it was asked for."""
    asked: Any = {"model": PATIENT, "messages": USER, "seed": 7}
    stream = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    usage = chunks[-1].usage
    assert len(text.split()) == 5
    assert usage is not None
    assert usage.completion_tokens == 5
    assert not twin.calls()[0]["stream"]


def test_responses(client: openai.OpenAI, twin: Twin) -> None:
    """Whole and as a stream."""
    assert client.responses.create(model=PATIENT, input="three short words").output_text
    with client.responses.stream(model=PATIENT, input="three short words") as stream:
        kinds = [event.type for event in stream]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")


def test_messages_by_anthropic_s_sdk(claude: anthropic.Anthropic, twin: Twin) -> None:
    """Whole and as a stream."""
    asked: Any = {"model": PATIENT, "max_tokens": 20, "messages": USER}
    assert claude.messages.create(**asked).content[0].type == "text"
    with claude.messages.stream(**asked) as stream:
        assert stream.get_final_text()


def test_a_deadline_that_goes_first(client: openai.OpenAI, claude: anthropic.Anthropic, gate: Gate, twin: Twin) -> None:
    """The SDK is told which job goes on, and does not ask again; the answer is there later."""
    twin.fault({"fault": "slow", "ms": 3_000, "match": {"model": FULL}, "count": 1})
    with pytest.raises(openai.InternalServerError) as late:
        client.chat.completions.create(model=HURRIED, messages=USER)
    job = late.value.response.headers["x-tidegate-job"]
    assert late.value.status_code == 504
    assert job in str(late.value)
    result = httpx2.get(f"{gate.url}/jobs/{job}/result?wait=30", timeout=60)
    assert result.status_code == 200
    assert result.json()["choices"][0]["message"]["content"]
    assert len(twin.calls(FULL)) == 1
    twin.fault({"fault": "slow", "ms": 3_000, "match": {"model": FULL}, "count": 1})
    with pytest.raises(anthropic.InternalServerError) as slow:
        claude.messages.create(model=HURRIED, max_tokens=20, messages=USER)
    assert slow.value.status_code == 504


def test_who_would_rather_come_back(client: openai.OpenAI, gate: Gate, twin: Twin) -> None:
    """`Prefer: respond-async` is answered with where the job is, for any model."""
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=USER, extra_headers={"prefer": "respond-async"}
    )  # fmt: skip
    assert raw.status_code == 202
    assert raw.headers["preference-applied"] == "respond-async"
    where = httpx2.URL(gate.url).join(raw.headers["location"])
    assert httpx2.get(f"{where}/result?wait=30", timeout=60).json()["object"] == "chat.completion"


def test_a_request_that_is_wrong(client: openai.OpenAI, gate: Gate, twin: Twin) -> None:
    """Is refused as ever: what no job can be made of at once, what the provider refuses as it says it."""
    before = len(jobs(gate))
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=PATIENT, messages="x")
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="nobody", messages=USER)
    assert len(jobs(gate)) == before
    twin.fault({"fault": "content_filter", "match": {"model": MODEL}, "count": 1})
    with pytest.raises(openai.BadRequestError, match="content management policy") as refused:
        client.chat.completions.create(model=PATIENT, messages=USER)
    assert jobs(gate)[0]["state"] == "failed"
    assert refused.value.response.headers["x-tidegate-job"] == jobs(gate)[0]["id"]


async def test_a_desk_that_is_killed(gate: Gate, twin: Twin) -> None:
    """Who waits meanwhile is answered all the same, and there is one job and one call."""
    twin.fault({"fault": "slow", "ms": 2_000, "match": {"model": MODEL}, "count": 1})
    waits = asyncio.ensure_future(gate.chat(PATIENT, headers={"x-tidegate-tag": "killed"}))
    await asyncio.to_thread(wait_until, lambda: twin.ask("calls?limit=1") or running(gate), lambda: "the job runs")
    os.kill(gate.children()["desk"], signal.SIGKILL)
    reply = await waits
    assert reply.status == 200
    assert len(twin.calls(MODEL)) == 1
    tagged = httpx2.get(f"{gate.url}/jobs?tag=killed").json()["data"]
    assert [one["state"] for one in tagged] == ["done"]


def running(gate: Gate) -> bool:
    return jobs(gate)[0]["state"] == "running"


async def test_a_client_that_goes_first(gate: Gate, twin: Twin) -> None:
    """Its job goes on."""
    twin.fault({"fault": "slow", "ms": 1_000, "match": {"model": MODEL}, "count": 1})
    waits = asyncio.ensure_future(gate.chat(PATIENT, headers={"x-tidegate-tag": "left"}))
    where = f"{gate.url}/jobs?tag=left"
    await asyncio.to_thread(wait_until, lambda: httpx2.get(where).json()["data"], lambda: "there is a job")
    waits.cancel()
    job = httpx2.get(where).json()["data"][0]["id"]
    assert httpx2.get(f"{gate.url}/jobs/{job}/result?wait=30", timeout=60).status_code == 200
