"""Keys that are made, changed and revoked while the gate runs: each change holds in the worker within a moment."""

import asyncio
import http.client
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from harness.wait import DEADLINE, until, wait_gone
from tests.e2e.stand import USER, Gate, Line, queued, request
from tests.twin.http import Answer

CHAT = "/v1/chat/completions"
TOKEN = re.compile(r'"token": "(tga_[^"]+)"')


class Admin:
    """The admin port, with the token that the gate shows at its first start."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        await until(lambda: TOKEN.search(self.gate.log()), "the first admin token")
        found = TOKEN.search(self.gate.log())
        assert found is not None
        async with asyncio.timeout(DEADLINE):
            while True:
                status, data = await asyncio.to_thread(self._ask, found[1], method, path, body)
                if status != 503:  # a control process that has just begun
                    break
        assert status < 300, data
        return json.loads(data) if data else None

    def _ask(self, token: str, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.gate.admin_port, timeout=DEADLINE)
        try:
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            connection.request(method, f"/admin/v1{path}", None if body is None else json.dumps(body), headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    async def key(self, namespace: str, name: str, **settings: Any) -> str:
        made = await self.ask("POST", f"/namespaces/{namespace}/keys", {"name": name} | settings)
        return str(made["key"])


def tree(twin: Twin, **more: Any) -> dict[str, Any]:
    limits = {"gpt-4o": {"rpm": HUGE, "tpm": HUGE}, "narrow": {"rpm": HUGE, "tpm": 1_000}}
    unslowed = {"failures": 0}  # it is asked again and again until a key is known
    return {"providers": {"openai": provider(twin.url, "sk-managed", limits)}, "access": unslowed} | more


@pytest.fixture(scope="module")
def managed(session_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate whose file declares keys of its own."""
    declared = {name: {"keys": [{"name": f"{name}-web", "key": f"sk-{name}"}]} for name in ("file", "other")}
    gate = Gate(tmp_path_factory.mktemp("managed"), tree(session_twin, namespaces=declared))
    yield gate
    gate.close()


async def ask(line: Line, key: str, model: str = "gpt-4o", **fields: Any) -> Answer:
    """A call on a connection that stays."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    line.send(request(CHAT, {"model": model, "messages": USER, "max_tokens": 5} | fields, **headers))
    return await line.reply()


async def becomes(line: Line, key: str, status: int) -> Answer:
    """Ask until the answer is this one."""
    async with asyncio.timeout(DEADLINE):
        while (answer := await ask(line, key)).status != status:
            pass
    return answer


async def killed(gate: Gate, name: str) -> int:
    pid = gate.children()[name]
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    await until(lambda: gate.children().get(name, pid) != pid, f"a new {name}")
    return gate.children()[name]


async def test_from_the_first_key_to_its_end(gates: Callable[..., Gate], twin: Twin) -> None:
    """The first key closes an open gate, on connections that stand too; what is revoked stays refused, whoever dies."""
    gate = gates(tree(twin))
    admin = Admin(gate)
    async with Line(gate) as stranger, Line(gate) as line:
        assert (await ask(stranger, "")).status == 200
        await admin.ask("POST", "/namespaces", {"name": "acme", "tier": "vip"})
        await admin.ask("POST", "/namespaces/acme/users", {"name": "ann"})
        key = await admin.key("acme", "web", user="ann")
        refused = await becomes(stranger, "", 401)
        assert (await ask(line, key)).status == 200
        assert refused.json["error"]["code"] == "invalid_api_key"
        await until(lambda: "the first client key was made" in gate.log(), "the log to say so")

        second = await admin.key("acme", "job", models=["gpt-4o"])
        await becomes(line, second, 200)
        forbidden = await ask(line, second, "narrow")
        assert (forbidden.status, forbidden.json["error"]["code"]) == (403, "model_not_allowed")
        assert "It may use: gpt-4o." in forbidden.json["error"]["message"]

        await admin.ask("POST", "/namespaces/acme/keys/acme-web/revoke")
        unknown = (await becomes(stranger, "sk-nobody", 401)).json
        assert (await becomes(line, key, 401)).json == unknown
        for name in ("control", "worker"):
            await killed(gate, name)
        async with Line(gate) as again:
            assert [(await ask(again, shown)).status for shown in (key, second, "")] == [401, 200, 401]
        await admin.ask("DELETE", "/namespaces/acme")
        async with Line(gate) as again:
            await becomes(again, second, 401)
            assert [(await ask(again, shown)).status for shown in (key, second, "")] == [401, 401, 401]
    record = next(record for record in gate.records() if record.client == "acme-web")
    assert (record.tenant, record.tier, record.user) == ("acme", "vip", "ann")


async def test_control_may_die(managed: Gate, twin: Twin) -> None:
    """No key is lost by it, no call, and no connection; what it has managed it manages again."""
    gate, admin = managed, Admin(managed)
    key = await admin.key("file", "managed")
    async with Line(gate) as line:
        await becomes(line, key, 200)
        worker, log = gate.worker, gate.state / "directory.log"
        before = log.stat().st_ino
        await killed(gate, "control")
        answers = [(await ask(line, shown)).status for _ in range(10) for shown in (key, "sk-file")]
        assert answers == [200] * 20
        await until(lambda: log.stat().st_ino != before, "the log to be written anew")
        assert (await ask(line, key)).status == 200
        await admin.ask("POST", "/namespaces/file/keys/file-managed/revoke")
        await becomes(line, key, 401)
        assert (await ask(line, "sk-file")).status == 200
        assert gate.worker == worker


@pytest.mark.parametrize("policy", ["cut", "finish"])
async def test_what_is_in_flight(managed: Gate, twin: Twin, policy: str) -> None:
    """A revoked key's streams and waiting calls end with a word, where its namespace wants it; others go on."""
    gate, admin = managed, Admin(managed)
    await admin.ask("POST", "/namespaces", {"name": policy, "on_revoked": policy})
    key = await admin.key(policy, "web")
    tokens = {"cut": 15_000, "finish": 1_500}[policy]
    stream = {"model": "gpt-4o", "messages": USER, "stream": True}
    async with Line(gate) as line, Line(gate) as other, Line(gate) as waiting:
        await becomes(line, key, 200)
        line.send(request(CHAT, stream | {"max_tokens": tokens}, authorization=f"Bearer {key}"))
        other.send(request(CHAT, stream | {"max_tokens": 1_500}, authorization="Bearer sk-other"))
        if policy == "cut":
            assert (await ask(waiting, key, "narrow", max_tokens=900)).status == 200
            full = {"model": "narrow", "messages": USER, "max_tokens": 900}
            waiting.send(request(CHAT, full, authorization=f"Bearer {key}"))
            await until(lambda: queued(gate, "narrow") == 1, "the call to wait")
        for one in (line, other):
            await one.until(b'"content":" t3"')
        await admin.ask("POST", f"/namespaces/{policy}/keys/{policy}-web/revoke")
        told = await line.until(b"0\r\n\r\n")
        assert (await other.until(b"0\r\n\r\n")).count(b"[DONE]") == 1
        if policy == "finish":
            assert told.count(b"[DONE]") == 1
        else:
            assert b"[DONE]" not in told
            assert b'"code":"invalid_api_key"' in told
            assert b"was revoked while it ran" in told
            answer = await waiting.reply()
            assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")
            assert (await ask(waiting, "sk-other")).status == 200
        await becomes(line, key, 401)
    ended = [(record.status, record.degraded) for record in gate.records() if record.client == f"{policy}-web"]
    word = "ended: its key was revoked"
    assert (499, word) in ended if policy == "cut" else [status for status, _ in ended] == [200] * len(ended)
    assert ((401, word) in ended) == (policy == "cut")
    await until(lambda: {call["end"] for call in twin.calls()} <= {"complete", "aborted"}, "every call to end")
    assert [call["end"] for call in twin.calls()].count("aborted") == int(policy == "cut")
