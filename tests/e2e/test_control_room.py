"""What a control room shows and does, with real processes: the live stream under traffic, and the playground."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.gate import HUGE, provider
from harness.supervised import START
from harness.twin import Twin
from harness.wait import DEADLINE, until
from tests.e2e.stand import Gate
from tests.e2e.test_managed_keys import TOKEN, Admin

LIMITS = {"gpt-4o": {"rpm": 6_000, "tpm": 600_000}, "gpt-4o-mini": {"rpm": HUGE, "tpm": HUGE}}
SAY = [{"role": "user", "content": "three short words"}]
KEY = "sk-control-room"


@pytest.fixture(scope="module")
def room(session_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate with a namespace that has a user and may spend little."""
    team = {"keys": [{"name": "team-web", "key": "sk-team"}], "users": {"ann": {}}, "limits": {"rpm": 5}}
    tree = {"providers": {"openai": provider(session_twin.url, KEY, LIMITS)}, "namespaces": {"team": team}}
    gate = Gate(tmp_path_factory.mktemp("room"), tree)
    gate.wait_log("FIRST ADMIN TOKEN")
    yield gate
    gate.close()


class Port:
    """One connection to the admin port."""

    def __init__(self, gate: Gate) -> None:
        token = TOKEN.search(gate.log())
        assert token is not None
        self._headers = {"authorization": f"Bearer {token[1]}", "content-type": "application/json"}
        self.connection = http.client.HTTPConnection("127.0.0.1", gate.admin_port, timeout=DEADLINE)

    def ask(self, method: str, path: str, body: object = None) -> http.client.HTTPResponse:
        data = None if body is None else json.dumps(body)
        self.connection.request(method, f"/admin/v1{path}", data, self._headers)
        return self.connection.getresponse()


def states(answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """Events as they come."""
    for line in answer:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


async def test_who_looks_on_sees_the_quota_being_used(room: Gate) -> None:
    """Under traffic from another client: what is used grows, and so does the curve for who comes later."""
    port = Port(room)
    answer = await asyncio.to_thread(port.ask, "GET", "/live")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    seen = states(answer)

    async def used(more_than: int) -> int:
        async with asyncio.timeout(START):
            while True:
                state = await asyncio.to_thread(next, seen)
                for lane in state["lanes"]:
                    now = lane["tokens"]["used"] + lane["tokens"]["reserved"]
                    if lane["model"] == "gpt-4o" and now > more_than:
                        return int(now)

    first = await used(-1)
    levels = [first]
    for _ in range(2):
        headers = {"authorization": "Bearer sk-team"}
        assert (await room.chat("gpt-4o", headers=headers)).status == 200
        levels.append(await used(levels[-1]))
    assert levels == sorted(set(levels))
    port.connection.close()
    other = Port(room)
    found = json.loads((await asyncio.to_thread(other.ask, "GET", "/live/recent?seconds=60")).read())
    other.connection.close()
    assert found["points"]["lanes"]["openai/main/gpt-4o"]["tokens"][-1] >= levels[1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_the_playground_asks_a_model(room: Gate, dialect: str, stream: bool) -> None:
    """In both dialects, whole and streamed; it is a call of its namespace, and its chain can be seen."""
    port = Port(room)
    body = {"model": "gpt-4o-mini", "messages": SAY, "max_tokens": 20}
    asked = {"dialect": dialect, "body": body, "stream": stream}
    answer = await asyncio.to_thread(port.ask, "POST", "/playground", asked)
    text = (await asyncio.to_thread(answer.read)).decode()
    port.connection.close()
    assert answer.status == 200, text
    if stream:
        assert text.rstrip().endswith("data: [DONE]" if dialect == "openai" else '{"type":"message_stop"}')
    else:
        assert ("choices" if dialect == "openai" else "content") in json.loads(text)
    call, admin = answer.headers["x-tidegate-call"], Admin(room)
    found = await _row(admin, call)
    assert (found["tag"], found["key"], found["status"]) == ("playground", "(playground)", 200)
    assert found["stages"]


async def _row(admin: Admin, call: str) -> dict[str, Any]:
    """Of the ledger, as soon as it is there."""
    async with asyncio.timeout(START):
        while True:
            try:
                found: dict[str, Any] = await admin.ask("GET", f"/calls/{call}")
            except AssertionError:
                await asyncio.sleep(0)
            else:
                return found


async def test_the_playground_is_governed(room: Gate) -> None:
    """A namespace's limits hold, its user has to exist, a model too; the gate's own words are passed on."""
    port = Port(room)

    def ask(**more: Any) -> tuple[int, str]:
        body = {"model": "gpt-4o-mini", "messages": SAY, "max_tokens": 5}
        answer = port.ask("POST", "/playground", {"dialect": "openai", "body": body} | more)
        return answer.status, answer.read().decode()

    statuses = [(await asyncio.to_thread(ask, namespace="team", user="ann"))[0] for _ in range(7)]
    assert 429 in statuses
    status, text = await asyncio.to_thread(ask, namespace="team", user="bob")
    assert (status, "no user bob" in text) == (404, True)
    assert (await asyncio.to_thread(ask, namespace="nobody"))[0] == 404
    assert (await asyncio.to_thread(ask, body={"model": "nothing", "messages": SAY}))[0] in {400, 404}
    port.connection.close()


async def test_who_leaves_cancels_the_call(room: Gate, twin: Twin) -> None:
    """The provider is not left running for nobody, also when nothing was answered yet."""
    twin.fault({"fault": "slow", "match": {"model": "gpt-4o-mini"}, "ms": 60_000})
    port = Port(room)
    asked = {"dialect": "openai", "body": {"model": "gpt-4o-mini", "messages": SAY}, "stream": True}
    asking = asyncio.ensure_future(asyncio.to_thread(port.ask, "POST", "/playground", asked))
    admin = Admin(room)
    async with asyncio.timeout(START):
        while not (await admin.ask("GET", "/live/now"))["calls"]["in_flight"]:
            await asyncio.sleep(0)
    assert port.connection.sock is not None
    port.connection.sock.shutdown(2)
    with pytest.raises((OSError, http.client.HTTPException)):
        (await asking).read()
    port.connection.close()
    async with asyncio.timeout(START):
        while (await admin.ask("GET", "/live/now"))["calls"]["in_flight"]:
            await asyncio.sleep(0)
    await until(lambda: any(one.status == 499 for one in room.records("gpt-4o-mini")), "its record", START)


def test_the_socket_is_the_gates_own(room: Gate) -> None:
    """Nobody else on the machine can ask in a tenant's name."""
    assert Path(room.state / "play.sock").stat().st_mode & 0o777 == 0o600
