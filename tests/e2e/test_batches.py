"""Batches through a real gate by the official SDKs: upload, run over a provider, download."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from harness.wait import wait_until
from tests.e2e.conftest import sdk
from tests.e2e.stand import Gate

CHAT = "/v1/chat/completions"
MODEL = "gpt-4o"
SLOW = "slow"
KEYS = {"team": ["tg-team-one", "tg-team-two"], "others": ["tg-others"]}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    tree = {
        "limits": {"rpm": HUGE, "tpm": HUGE},
        "timing": {"ttft_ms": 0, "tpot_ms": 1, "tokens": 5, "chunk_ms": 2, "chunk_tokens": 1},
        "models": [{"name": MODEL}, {"name": SLOW}],
    }
    twin = Twin(tmp_path_factory.mktemp("twin"), tree)
    yield twin
    twin.close()


@pytest.fixture(scope="module")
def patient(judge: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that does patient work, for two tenants."""
    limits = {MODEL: {"rpm": HUGE, "tpm": HUGE}, SLOW: {"rpm": 1, "tpm": HUGE}}
    tenants = {name: {"keys": [{"name": key, "key": key} for key in keys]} for name, keys in KEYS.items()}
    tree = {"providers": {"openai": provider(judge.url, "sk-batch", limits)}, "namespaces": tenants, "jobs": {}}
    gate = Gate(tmp_path_factory.mktemp("gate"), tree)
    head = {"authorization": "Bearer tg-others"}
    try:
        wait_until(lambda: httpx2.get(f"{gate.url}/batches", headers=head).status_code == 200, lambda: "the desk")
        yield gate
    finally:
        gate.close()


@pytest.fixture
def client(patient: Gate) -> Iterator[openai.OpenAI]:
    with sdk(patient.url, "tg-team-one", max_retries=3) as made:
        yield made


@pytest.fixture
def claude(patient: Gate) -> Iterator[anthropic.Anthropic]:
    http = anthropic.DefaultHttpxClient(verify=False)
    base = patient.url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key="tg-team-one", max_retries=3, http_client=http) as made:
        yield made


def line(name: str, model: str = MODEL) -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": f"say {name}"}], "user": name}
    return {"custom_id": name, "method": "POST", "url": CHAT, "body": body}


def batch(client: openai.OpenAI, *lines: dict[str, Any] | bytes) -> openai.types.Batch:
    data = b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)
    file = client.files.create(file=("in.jsonl", data), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")


def told(client: openai.OpenAI, name: str | None) -> list[dict[str, Any]]:
    assert name is not None
    return [json.loads(one) for one in client.files.content(name).text.splitlines()]


def test_openai_batch_with_bad_lines(client: openai.OpenAI, patient: Gate, judge: Twin) -> None:
    """Good lines are answered in order, bad ones told; a namespace shares the batch, and another sees nothing."""
    names = [f"ok{number}" for number in range(30)]
    unknown = line("unknown", "no-such-model")
    made = batch(client, *(line(name) for name in names[:15]), b"{", unknown, *(line(name) for name in names[15:]))
    wait_until(lambda: client.batches.retrieve(made.id).status == "completed", lambda: "completed")
    done = client.batches.retrieve(made.id)
    assert done.request_counts is not None
    assert done.request_counts.to_dict() == {"total": 32, "completed": 30, "failed": 2}
    output = told(client, done.output_file_id)
    assert [one["custom_id"] for one in output] == names
    assert all(one["response"]["body"]["choices"][0]["message"]["content"] for one in output)
    errors = told(client, done.error_file_id)
    assert errors[0]["error"]["line"] == 16
    assert (errors[1]["custom_id"], errors[1]["response"]["status_code"]) == ("unknown", 404)
    asked = [call["user"] for call in judge.calls(MODEL, full=True)]
    assert sorted(user for user in asked if user in names) == sorted(names)
    tiers = {record.tier for record in patient.records() if record.client == "tg-team-one"}
    assert tiers == {"batch"}
    with sdk(patient.url, "tg-team-two") as same, sdk(patient.url, "tg-others") as other:
        assert same.batches.retrieve(made.id).id == made.id
        with pytest.raises(openai.NotFoundError):
            other.batches.retrieve(made.id)


def test_openai_cancel(client: openai.OpenAI) -> None:
    """A batch whose provider is too slow is cancelled: what ran has an answer, the rest is told."""
    made = batch(client, *(line(f"slow{number}", SLOW) for number in range(20)))
    wait_until(lambda: client.batches.retrieve(made.id).status == "in_progress", lambda: "in progress")
    assert client.batches.cancel(made.id).status in {"cancelling", "cancelled"}
    wait_until(lambda: client.batches.retrieve(made.id).status == "cancelled", lambda: "cancelled")
    done = client.batches.retrieve(made.id)
    codes = [one["error"]["code"] for one in told(client, done.error_file_id)]
    assert set(codes) == {"batch_cancelled"}
    assert len(codes) >= 18


def test_anthropic_batch(claude: anthropic.Anthropic) -> None:
    """Requests run over another maker's model, and the SDK reads the results by their URL."""
    asked = {"max_tokens": 20, "messages": [{"role": "user", "content": "x"}]}
    models = [MODEL] * 10 + ["no-such-model"]
    requests: list[Any] = [
        {"custom_id": f"r{number}", "params": asked | {"model": model}} for number, model in enumerate(models)
    ]
    made = claude.messages.batches.create(requests=requests)
    wait_until(lambda: claude.messages.batches.retrieve(made.id).processing_status == "ended", lambda: "ended")
    results = list(claude.messages.batches.results(made.id))
    assert [one.custom_id for one in results] == [f"r{number}" for number in range(11)]
    assert [one.result.type for one in results] == ["succeeded"] * 10 + ["errored"]
    assert results[-1].result.error.error.type == "not_found_error"  # type: ignore[union-attr]
    counts = claude.messages.batches.retrieve(made.id).request_counts
    assert (counts.succeeded, counts.errored) == (10, 1)
    assert [one.id for one in claude.messages.batches.list()] == [made.id]
    assert claude.messages.batches.delete(made.id).type == "message_batch_deleted"


def test_a_file_goes_through_as_it_comes(client: openai.OpenAI, patient: Gate, tmp_path: Path) -> None:
    """40 MB up and down through the gate, byte for byte; what comes without a key is refused."""
    data = b"".join(b'{"n": %d, "pad": "%b"}\n' % (number, b"x" * 1_000) for number in range(40_000))
    file = client.files.create(file=("large.jsonl", data), purpose="batch")
    assert file.bytes == len(data)
    with client.files.with_streaming_response.content(file.id) as reply:
        assert reply.http_response.read() == data
    assert client.files.delete(file.id).deleted
    assert httpx2.get(f"{patient.url}/files").status_code == 401
