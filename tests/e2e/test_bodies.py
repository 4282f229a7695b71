"""What calls said, from the official SDK through worker, disk and database to who may read it."""

import http.client
import json
import re
from collections.abc import Callable
from typing import Any

import openai
import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from harness.wait import DEADLINE, until
from tests.e2e.conftest import sdk
from tests.e2e.stand import Gate

TOKEN = re.compile(r'"token": "(tga_[^"]+)"')
KEY, PROVIDER = "sk-client-canary-1", "provider-canary-key-2"
PRIVATE = (
    "john@example.com",
    "13812345678",
    "4111 1111 1111 1111",
    "11010519491231002X",
    "sk-abcdefghijklmnop1234",
    "ACME-123456",
)
LIMITS = {"gpt-4o": {"rpm": HUGE, "tpm": HUGE}}


@pytest.fixture
def gate(gates: Callable[[dict[str, Any]], Gate], twin: Twin) -> Gate:
    """One namespace has everything kept, one its errors; nothing is kept of others."""
    kept = {"sample": 1, "redact": ["secrets", "email", "phone", "card", "id", "/ACME-[0-9]{6}/"]}
    return gates({
        "providers": {"openai": provider(twin.url, PROVIDER, LIMITS)},
        "defaults": {"retry_policy": {"max_retries": 1, "base_seconds": 0.02}},
        "namespaces": {
            "acme": {"keys": [{"name": "app", "key": KEY}], "bodies": kept},
            "errors": {"keys": [{"name": "careful", "key": "sk-errors"}], "bodies": {"always": ["errors"]}},
            "quiet": {"keys": [{"name": "quiet", "key": "sk-quiet"}]},
        },
    })  # fmt: skip


def read(gate: Gate, request_id: str, *, token: str = "") -> tuple[int, Any]:
    """What `GET /calls/{call}/body` says."""
    shown = token or TOKEN.findall(gate.log())[0]
    connection = http.client.HTTPConnection("127.0.0.1", gate.admin_port, timeout=DEADLINE)
    try:
        call = int(request_id.removeprefix("req_"), 16)
        connection.request("GET", f"/admin/v1/calls/{call}/body", headers={"authorization": f"Bearer {shown}"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


async def kept(gate: Gate, request_id: str) -> dict[str, Any]:
    await until(lambda: TOKEN.search(gate.log()), "the first admin token")
    await until(lambda: read(gate, request_id)[0] == 200, "the body of the call")
    found: dict[str, Any] = read(gate, request_id)[1]
    return found


async def test_what_the_sdk_asked_and_was_told(gate: Gate) -> None:
    """Unary and streamed, without a word of what is private; and nothing of it is on the disk."""
    said = [{"role": "user", "content": f"我是 {' and '.join(PRIVATE)}, key {KEY}. Say something."}]
    with sdk(gate.url, KEY) as client:
        whole = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=said, max_tokens=12)
        stream = client.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=said, max_tokens=12, stream=True
        )
        told = "".join(chunk.choices[0].delta.content or "" for chunk in stream.parse() if chunk.choices)
    unary = await kept(gate, whole.headers["x-request-id"])
    streamed = await kept(gate, stream.headers["x-request-id"])
    message = whole.parse().choices[0].message.content
    assert json.loads(unary["answer"])["choices"][0]["message"]["content"] == message
    assert json.loads(streamed["answer"])["texts"]["choices.0.delta.content"] == told
    for found in (unary, streamed):
        asked = json.loads(found["request"])["messages"][0]["content"]
        assert asked == (
            "我是 [email] and [phone] and [card] and [id] and [secret] and [redacted], key [secret]. Say something."
        )
        assert (found["namespace"], found["key"], found["status"], found["complete"]) == ("acme", "app", 200, True)
    assert unary["answer_bytes"] == len(whole.content)
    assert not list((gate.state / "bodies").iterdir())
    assert (gate.state / "bodies").stat().st_mode & 0o777 == 0o700
    files = {path: path.read_bytes() for path in gate.state.rglob("*") if path.is_file()}
    for word in (*PRIVATE, KEY, PROVIDER):
        assert [str(path) for path, data in files.items() if word.encode() in data] == []


async def test_errors_where_only_they_are_asked_for(gate: Gate, twin: Twin) -> None:
    """A call that succeeds leaves nothing; a refusal is kept with what the client was told, without the key in it."""
    with sdk(gate.url, "sk-errors") as client:
        good = client.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hi"}]
        )
        twin.fault({"fault": "status", "status": 400, "message": f"no good, {PROVIDER}", "code": "new"})
        with pytest.raises(openai.BadRequestError) as raised:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "bad"}])
    found = await kept(gate, raised.value.response.headers["x-request-id"])
    assert (found["status"], found["why"]) == (400, "error")
    assert "bad" in found["request"]
    assert PROVIDER not in found["answer"]
    assert read(gate, good.headers["x-request-id"])[0] == 404


async def test_nothing_is_kept_unless_it_is_asked_for(gate: Gate) -> None:
    """Neither on disk nor in the database."""
    with sdk(gate.url, "sk-quiet") as client:
        quiet = client.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hi"}]
        )
    with sdk(gate.url, KEY) as client:
        other = client.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hi"}]
        )
    await kept(gate, other.headers["x-request-id"])
    status, refusal = read(gate, quiet.headers["x-request-id"])
    assert status == 404
    assert refusal["errors"][0]["field"] == "path.call"
