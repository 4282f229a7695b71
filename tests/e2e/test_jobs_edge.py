"""Calls that run as jobs, through a real gate with its desk and runner: the official SDKs notice nothing."""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import wait_until
from tests.e2e.stand import USER, Gate, numbers
from tidegate.model.facts import CallRecord

KEY = "tg-ann-0123456789abcdef"
PATIENT = 60.0  # a desk that begins anew on a busy machine
MANY = {"rpm": 100_000, "tpm": 60_000_000}
KILLED_MS = 50_000


@pytest.fixture(scope="module")
def gate(session_twin: Twin) -> Iterator[Gate]:
    """With a strategy of either mode, and one key."""
    tree: dict[str, Any] = {
        "providers": {"openai": provider(session_twin.url, "sk-jobs-edge", {"gpt-4o-mini": MANY, "gpt-4o": MANY})},
        "strategies": {
            "report": {"primary_model": "gpt-4o-mini", "execution_mode": "async"},
            "talk": {"primary_model": "gpt-4o"},
        },
        "namespaces": {"acme": {"tier": "vip", "keys": [{"name": "ann", "key": KEY}]}},
    }
    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short
        made = Gate(Path(folder), tree)
        wait_until((made.state / "jobs.key").exists, made.log)
        yield made
        made.close()


@pytest.fixture
def client(gate: Gate) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=gate.url, api_key=KEY, max_retries=0, timeout=PATIENT) as made:
        yield made


@pytest.fixture
def claude(gate: Gate) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gate.url.removesuffix("/v1"), api_key=KEY, max_retries=0, timeout=PATIENT) as one:
        yield one


def record_of(gate: Gate, job: str) -> CallRecord:
    """The ledger's fact of a job's only call."""
    (found,) = [one for one in gate.records() if one.job.partition("#")[0] == job]
    return found


def test_a_whole_answer(gate: Gate, client: openai.OpenAI) -> None:
    """As if it had been made at once; its record is its key's, in the last tier, and names the job."""
    raw = client.chat.completions.with_raw_response.create(model="report", messages=USER, max_tokens=12)
    answer = raw.parse()
    assert numbers(answer.choices[0].message.content or "") == list(range(1, 13))
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 12
    record = record_of(gate, raw.headers["x-tidegate-job"])
    assert (record.client, record.tenant, record.tier) == ("ann", "acme", "batch")
    assert (record.plan, record.completion_tokens) == ("report", 12)


def test_a_stream(client: openai.OpenAI) -> None:
    """Every word once and in order, and the usage where it is asked for."""
    asked: Any = {"model": "report", "messages": USER, "max_tokens": 12, "stream": True}
    chunks = list(client.chat.completions.create(**asked, stream_options={"include_usage": True}))
    assert numbers("".join(one.choices[0].delta.content or "" for one in chunks if one.choices)) == list(range(1, 13))
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 12


def test_messages(claude: anthropic.Anthropic) -> None:
    """The other maker's API, whole and as events."""
    asked: Any = {"model": "report", "messages": USER, "max_tokens": 12}
    answer = claude.messages.create(**asked)
    assert numbers(answer.content[0].text) == list(range(1, 13))  # type: ignore[union-attr]
    with claude.messages.stream(**asked) as stream:
        told = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert numbers(told) == list(range(1, 13))
    assert (final.stop_reason, final.usage.output_tokens) == ("max_tokens", 12)


def test_refusals_are_the_sdks_own(gate: Gate, client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """What the provider or the gate says of it, in the maker's words."""
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="report", messages=[])
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=gate.url, api_key="tg-nobody", max_retries=0).files.list()
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.batches.retrieve("msgbatch_nowhere")


def test_who_comes_back(gate: Gate, client: openai.OpenAI) -> None:
    """`Prefer: respond-async` is answered with where the answer will be, also of a strategy that answers at once."""
    raw = client.chat.completions.with_raw_response.create(
        model="talk", messages=USER, max_tokens=5, extra_headers={"prefer": "respond-async"}
    )
    assert raw.status_code == 202
    place = gate.url.removesuffix("/v1") + raw.headers["location"]
    with httpx2.Client(headers={"authorization": f"Bearer {KEY}"}, timeout=PATIENT) as plain:
        result = plain.get(f"{place}/result?wait=30")
        told = plain.get(place).json()
    assert numbers(result.json()["choices"][0]["message"]["content"]) == list(range(1, 6))
    assert told["state"] == "done"
    assert record_of(gate, told["id"]).plan == "talk"


def test_files_go_both_ways(client: openai.OpenAI) -> None:
    """Through the official SDK, byte for byte."""
    data = b"".join(json.dumps({"custom_id": str(number)}).encode() + b"\n" for number in range(20_000))
    made = client.files.create(file=("in.jsonl", data), purpose="batch")
    assert made.bytes == len(data)
    assert client.files.content(made.id).content == data
    assert client.files.delete(made.id).deleted


async def test_a_desk_that_is_killed(gate: Gate) -> None:
    """Its held calls are handed to the next one: their clients get their answers, and each was made once."""
    runner = gate.children()["runner-0"]
    before = {one.job for one in gate.records()}
    os.kill(runner, signal.SIGSTOP)
    try:
        async with openai.AsyncOpenAI(base_url=gate.url, api_key=KEY, max_retries=0, timeout=PATIENT) as client:
            headers = {"x-tidegate-deadline-ms": str(KILLED_MS)}
            asked = [
                client.chat.completions.create(model="report", messages=USER, max_tokens=number, extra_headers=headers)
                for number in (3, 4, 5)
            ]
            tasks = [asyncio.ensure_future(one) for one in asked]
            async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}) as plain:
                while len((await plain.get(f"{gate.url}/jobs?state=queued,running")).json()["data"]) < 3:
                    await asyncio.sleep(0.05)
            os.kill(gate.children()["desk"], signal.SIGKILL)
            os.kill(runner, signal.SIGCONT)
            answers = await asyncio.gather(*tasks)
    finally:
        os.kill(runner, signal.SIGCONT)
    assert [len(numbers(one.choices[0].message.content or "")) for one in answers] == [3, 4, 5]
    made = [one.job for one in gate.records() if one.job not in before]
    assert len({job.partition("#")[0] for job in made}) == 3


async def test_a_desk_that_stands_still(gate: Gate, client: openai.OpenAI) -> None:
    """Holds up nobody whose call is answered at once; who waits for it is answered when it goes on."""
    desk = gate.children()["desk"]
    os.kill(desk, signal.SIGSTOP)
    try:
        held = asyncio.ensure_future(
            gate.post(
                "/v1/chat/completions",
                {"model": "report", "messages": USER},
                authorization=f"Bearer {KEY}",
                x_tidegate_deadline_ms=str(KILLED_MS),
            )
        )
        answer = await asyncio.to_thread(client.chat.completions.create, model="talk", messages=USER, max_tokens=3)
        assert answer.usage is not None
        assert not held.done()
    finally:
        os.kill(desk, signal.SIGCONT)
    assert (await held).status == 200
