"""No secret is written anywhere: canaries go in by every way that secrets have, and what comes out is searched.

What is searched: the log, the metrics, every answer of both ports, and every file of the state directory (the journal,
the database, the directory log, what was learnt), after good calls, bad ones, defects of the provider, a bad reload,
and the violent death of each process. Only the answer that makes a key may show it, and the log the first admin token.
"""

import http.client
import json
import os
import re
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.gate import HUGE
from harness.twin import Twin
from harness.wait import DEADLINE, until
from tests.e2e.stand import Gate

PROVIDER, CLIENT, SIGNER, PROXY, OIDC, WRONG = (f"canary-{word}-{secrets.token_hex(8)}" for word in (
    "provider", "client", "signer", "proxy", "oidc", "wrong"
))  # fmt: skip
CANARIES = (PROVIDER, CLIENT, SIGNER, PROXY, OIDC, WRONG)
_COOKIE = re.compile(r"tidegate_session=([\w-]+)")
_TOKEN = re.compile(r"tga_[A-Za-z0-9_-]{20,}")


def tree(twin: Twin) -> dict[str, Any]:
    scope = {"name": "main", "keys": [PROVIDER], "limits": {"gpt-4o": {"rpm": HUGE, "tpm": HUGE}}}
    return {
        "providers": {
            "openai": {"dialect": "openai", "base_url": f"http://127.0.0.1:{twin.port}/openai/v1", "scopes": [scope]},
            "behind": {
                "dialect": "openai",
                "base_url": "http://127.0.0.1:1/v1",
                "proxy": f"http://user:{PROXY}@127.0.0.1:9",
                "scopes": [{"name": "main", "keys": [PROVIDER]}],
                "models": {"unreachable": {}},
            },
        },
        "defaults": {"retry_policy": {"max_retries": 1, "base_seconds": 0.02}},
        "bodies": {"sample": 1, "redact": []},  # keys are taken out whatever it says
        "admin": {
            "oidc": {
                "issuer": "http://127.0.0.1:1",
                "client_id": "gate",
                "client_secret": OIDC,
                "roles": [{"claim": "groups", "value": "all", "role": "viewer"}],
            }
        },
        "namespaces": {
            "acme": {"keys": [{"name": "app", "key": CLIENT}, {"name": "robot", "key": SIGNER, "signing": "required"}]}
        },
    }


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[tuple[Gate, Twin]]:
    twin = Twin(
        tmp_path / "twin", {"limits": {"rpm": HUGE, "tpm": HUGE}, "timing": {"ttft_ms": 0, "tpot_ms": 1, "tokens": 20}}
    )
    gate = Gate(tmp_path / "gate", tree(twin))
    try:
        yield gate, twin
    finally:
        gate.close()
        twin.close()


class Admin:
    """The admin port. What it says is kept."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.said: list[bytes] = []

    def sign_in(self, token: str) -> tuple[str, str]:
        """What the browser keeps, and the word of the session: this answer alone tells them."""
        assert self.ask("/admin/v1/session", value={"token": token})[0] == 201
        headers, view = self.said.pop().decode(), json.loads(self.said.pop())
        found = _COOKIE.search(headers)
        assert found is not None
        return found[1], view["csrf"]

    def ask(self, path: str, token: str = "", value: Any = None, cookie: str = "") -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._gate.admin_port, timeout=DEADLINE)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"cookie": f"tidegate_session={cookie}"} if cookie else {}
        body = None
        if value is not None:
            headers["content-type"], body = "application/json", json.dumps(value)
        try:
            connection.request("POST" if body else "GET", path, body, headers)
            reply = connection.getresponse()
            data = reply.read()
        finally:
            connection.close()
        self.said += [data, str(reply.getheaders()).encode()]
        return reply.status, data


async def test_no_canary_comes_out(stand: tuple[Gate, Twin]) -> None:
    """Whatever happens."""
    gate, twin = stand
    admin, said = Admin(gate), []

    async def ask(key: str, model: str = "gpt-4o", **fields: Any) -> int:
        headers = {"authorization": f"Bearer {key}", "x-tidegate-deadline-ms": "3000"}
        answer = await gate.chat(model, headers=headers, **fields)
        said.append(repr(answer).encode())
        return answer.status

    assert await ask(CLIENT) == 200
    assert await ask(CLIENT, stream=True) == 200
    assert await ask(WRONG) == 401
    assert await ask(SIGNER) == 401
    assert await ask(CLIENT, "unreachable") >= 500
    for status in (418, 400, 500, 403, 401):
        words = f"Incorrect API key provided: {PROVIDER}. Bearer {PROVIDER}"
        twin.fault({"fault": "status", "status": status, "message": words, "code": f"new-{status}"})
        await ask(CLIENT)
    twin.fault()
    said.append(repr(await gate.post("/v1/chat/completions", b"{" + CLIENT.encode(), x_api_key=WRONG)).encode())

    await until(lambda: _TOKEN.search(gate.log_path.read_text()), "the first admin token")
    token = _TOKEN.findall(gate.log_path.read_text())
    assert len(token) == 1
    made = admin.ask("/admin/v1/namespaces/acme/keys", token[0], {"name": "made"})
    shown = admin.said.pop(-2)
    assert made[0] == 201, made
    key, name = (json.loads(shown)[field] for field in ("key", "name"))
    await until(lambda: gate.worker, "the worker")
    cookie, word = admin.sign_in(token[0])
    assert admin.ask("/admin/v1/session", value={"token": WRONG})[0] == 401
    assert admin.ask("/admin/v1/whoami", cookie=cookie)[0] == 200
    assert admin.ask("/admin/v1/namespaces", cookie=cookie, value={"name": "forged"})[0] == 403
    assert admin.ask("/admin/v1/session/oidc/start")[0] == 502
    assert admin.ask("/admin/v1/session/methods")[0] == 200
    for path in ("keys", "namespaces", "tokens", "audit", "sessions", f"namespaces/acme/keys/{name}"):
        assert admin.ask(f"/admin/v1/{path}", token[0])[0] == 200, path
    assert admin.ask("/admin/v1/keys", WRONG)[0] == 401
    assert admin.ask("/admin/v1/keys", f"tga_{WRONG}")[0] == 401
    admin.ask("/admin/v1/namespaces/acme/keys", token[0], {"name": "x", "key": WRONG})
    assert admin.ask("/metrics")[0] == 200
    assert admin.ask("/openapi.json")[0] in (200, 404)

    bad = tree(twin)
    bad["providers"]["openai"]["scopes"][0]["keys"] = {"a": WRONG}
    bad["providers"]["behind"]["proxy"] = f"ftp://user:{WRONG}@"
    before = gate.log_path.read_text().count("error")
    gate.write(bad)
    await until(lambda: gate.log_path.read_text().count("error") > before, "the refusal of the file")
    gate.write(tree(twin))
    for name, number in (("worker", signal.SIGABRT), ("control", signal.SIGABRT), ("worker", signal.SIGSEGV)):
        pid = gate.children()[name]
        os.kill(pid, number)
        gate.wait_child(name, pid)
    gate.process.send_signal(signal.SIGTERM)
    gate.process.wait(DEADLINE)

    files = [path for path in gate.state.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert {path.name: path.stat().st_mode & 0o077 for path in files} == {path.name: 0 for path in files}
    log = gate.log_path.read_bytes()
    places = {str(path): path.read_bytes() for path in files} | {"log": log, "answers": b"".join(said + admin.said)}
    for canary in (*CANARIES, key, cookie, word, token[0]):
        found = {place: data.count(canary.encode()) for place, data in places.items() if canary.encode() in data}
        assert found == ({"log": 1} if canary == token[0] else {}), canary
