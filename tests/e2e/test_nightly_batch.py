"""The example of patient work: a batch with the official SDK, its own gate file, the twin as provider."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import InternalServerError, OpenAI
from standardwebhooks import Webhook

from examples.nightly_batch.night import answers, begin, tickets, watch, write_requests
from harness.twin import Twin
from harness.wait import until
from tests.e2e.conftest import sdk
from tests.e2e.stand import Gate

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "nightly_batch"
SECRET = "whsec_bmlnaHRseSBiYXRjaCBleGFtcGxlIHNlY3JldA=="
EMPTY = "T-1049"


class Night:
    """A gate that has the example's file, and what reached the provider."""

    def __init__(self, gate: Gate, client: OpenAI, twin: Twin, key: str) -> None:
        self.gate = gate
        self.client = client
        self._twin = twin
        self._key = key

    @property
    def calls(self) -> int:
        """Those that were answered."""
        made: int = self._twin.ledger(self._key, "gpt-4o-mini")["calls"]
        return made


def there(client: OpenAI) -> bool:
    """It is started when the gate is ready, and serves a little later."""
    try:
        client.batches.list()
    except InternalServerError:
        return False
    return True


@pytest.fixture
async def night(
    gates: Callable[..., Gate], twin: Twin, keys: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Night]:
    key = next(keys)
    monkeypatch.setenv("OPENAI_BASE_URL", twin.url)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("TIDEGATE_WEBHOOK_SECRET", SECRET)
    gate = gates((FOLDER / "tidegate.yaml").read_text(encoding="utf-8"))
    with sdk(gate.url) as client:
        await until(lambda: there(client), "the process of patient work")
        yield Night(gate, client, twin, key)


async def test_the_commands_of_its_readme(night: Night) -> None:
    """Each ticket is answered or has its problem; a second run finds the batch, and the provider is asked nothing."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "tidegate serve -c examples/nightly_batch/tidegate.yaml" in readme
    asked = [ticket.id for ticket in tickets(FOLDER / "tickets.jsonl")]
    for _ in range(2):
        command = [sys.executable, "-m", "examples.nightly_batch", "--night", "one"]
        assert " ".join(command[1:3]) in readme
        environment = {"TIDEGATE_URL": night.gate.url, "PYTHONIOENCODING": "utf-8"}
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        assert [row[0] for row in rows] == [*(name for name in asked if name != EMPTY), EMPTY]
        assert all(row[1] and not row[2] for row in rows[:-1])
        assert rows[-1][2] != ""
    assert night.calls == len(asked) - 1


async def test_its_webhook(night: Night, tmp_path: Path) -> None:
    """The end of the batch is told to a receiver, which verifies it as the documentation says."""
    told: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        told.put_nowait((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    requests = tmp_path / "requests.jsonl"
    write_requests(tickets(FOLDER / "tickets.jsonl"), requests)
    batch = await asyncio.to_thread(begin, night.client, "two", requests, f"http://127.0.0.1:{port}/")
    headers, body = await told.get()
    server.close()
    said = Webhook(SECRET).verify(body, headers)
    assert (said["type"], said["data"]["id"]) == ("batch.completed", batch.id)
    assert said["data"]["request_counts"]["total"] == 10
    assert json.loads(body) == said
    where = f"/batches/{batch.id}/deliveries"
    await until(lambda: bool(night.client.get(where, cast_to=dict[str, Any])["data"]), "the note of it")
    (noted,) = night.client.get(where, cast_to=dict[str, Any])["data"]
    assert (noted["attempt"], noted["status"], noted["error"]) == (1, 204, None)
    ended = await asyncio.to_thread(watch, night.client, batch, print)
    assert len(await asyncio.to_thread(lambda: list(answers(night.client, ended)))) == 10
