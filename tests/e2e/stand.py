"""Twin and gate as a user starts them: real processes on free ports, and what a test asks of each."""

import asyncio
import http.client
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from tests.supervisor.gate import DEADLINE
from tests.supervisor.gate import Gate as Processes
from tests.twin.http import Answer, read
from tidegate.journal import journal
from tidegate.model.facts import CallRecord, Fact

USER = [{"role": "user", "content": "three short words"}]
HEALTH = b"GET /healthz HTTP/1.1\r\nhost: gate\r\n\r\n"
_MOST = 1 << 24  # bytes read ahead
HUGE = 1_000_000_000_000  # a limit that never binds


class Twin:
    """The judge. Its `tree` is what its YAML file says."""

    def __init__(self, folder: Path, tree: dict[str, Any], *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.tree = tree
        config = folder / "twin.yaml"
        config.write_text(json.dumps(tree), encoding="utf-8")
        command = [sys.executable, "-m", "tidegate", "twin", "-c", str(config), "--port", "0", *options]
        with (folder / "twin.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self.url = ready_line(self.process, folder / "twin.log").split()[2]
        self.port = int(self.url.split(":")[2].partition("/")[0])
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def ask(self, path: str, value: Any = None) -> Any:
        """GET, or POST with a value, one of `/twin/…`; while it refuses connections, as soon as it does not."""
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                status, answer = self._ask(path, None if value is None else json.dumps(value))
            except (OSError, http.client.HTTPException):
                self._connection.close()
                assert time.monotonic() < deadline
                time.sleep(0.003)
            else:
                assert status == 200, answer
                return answer

    def _ask(self, path: str, body: str | None) -> tuple[int, Any]:
        self._connection.request("GET" if body is None else "POST", f"/twin/{path}", body)
        reply = self._connection.getresponse()
        return reply.status, json.loads(reply.read())

    def reset(self) -> None:
        self.ask("faults", [])
        self.ask("reset", {})

    def fault(self, *rules: dict[str, Any]) -> None:
        """These rules and no others."""
        self.ask("faults", list(rules))

    def calls(self, model: str = "", *, full: bool = False) -> list[dict[str, Any]]:
        """The calls it remembers, oldest first; of one model."""
        rows: list[dict[str, Any]] = self.ask(f"calls?limit=2000&full={int(full)}")
        return [row for row in rows if not model or row["model"] == model]

    def ledger(self, key: str = "", model: str = "") -> dict[str, Any]:
        """The books: everything, or one key's at one model."""
        report: dict[str, Any] = self.ask("ledger")
        return report["by_key"].get(key, {}).get(model, {"calls": 0}) if key else report

    def close(self) -> None:
        self._connection.close()
        end(self.process)


class Gate(Processes):
    """`tidegate serve` with a configuration."""

    def __init__(self, folder: Path, tree: dict[str, Any] | str, *more: str) -> None:
        self.begin(folder, tree, *more)
        self.wait_ready()

    def begin(self, folder: Path, tree: dict[str, Any] | str, *more: str) -> None:
        """Start it; `wait_ready` waits for it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "tidegate.yaml"
        self.write(tree)
        self.state = folder / "state"
        self.log_path = folder / "log"
        self._more = more
        self.log_path.write_bytes(b"")
        self.start()

    def start(self) -> None:
        """Its process, and after it ended another one that goes on with its state; `wait_ready` waits for it."""
        options = ["-c", str(self.config), "--port", "0", "--admin-port", "0", "--state-dir", str(self.state)]
        command = [sys.executable, "-m", "tidegate", "serve", *options, *self._more]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self.port = self.admin_port = 0
        self.watched: set[int] = set()

    def write(self, tree: dict[str, Any] | str) -> None:
        """Another configuration, for a reload."""
        self.config.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")

    @property
    def url(self) -> str:
        """What an application is given as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def worker(self) -> int:
        return self.children()["worker"]

    def facts(self) -> list[Fact]:
        return list(journal.read(self.state / "journal"))

    def records(self, plan: str = "") -> list[CallRecord]:
        """The calls in the journal; of one plan."""
        return [fact for fact in self.facts() if isinstance(fact, CallRecord) and (not plan or fact.plan == plan)]

    async def post(self, path: str, body: bytes | dict[str, Any], **headers: str) -> Answer:
        """One request on a connection of its own, and its reply to whatever end it has. `_` in names stands for `-`."""
        async with Line(self) as line:
            line.send(request(path, body, **headers))
            return await line.reply()

    async def chat(self, model: str, *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
        """`POST /v1/chat/completions`."""
        body = {"model": model, "messages": USER, "max_tokens": 20} | fields
        return await self.post("/v1/chat/completions", body, **headers or {})


class Line:
    """One connection to the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._gate.port, limit=_MOST)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()
        await asyncio.sleep(0)  # the transport lets go of its socket

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self) -> Answer:
        async with asyncio.timeout(DEADLINE):
            answer = await read(self.reader)
            if answer.ended == "chunks":
                await self.reader.readexactly(2)  # after the last chunk: the next reply begins behind it
            return answer

    async def until(self, end: bytes) -> bytes:
        """What comes up to and with `end`. Raises `IncompleteReadError` when the connection ends before."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readuntil(end)

    async def rest(self) -> bytes:
        """All that comes until the gate ends the connection."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.read()

    async def usable(self) -> bool:
        """Another request on the same connection is answered."""
        self.send(HEALTH)
        return (await self.reply()).status == 200

    async def closed(self) -> bool:
        """The gate has ended it; nothing more came."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True


def request(path: str, body: bytes | dict[str, Any], **headers: str) -> bytes:
    """A POST as bytes; a header with an empty value is left out."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"host": "gate", "content-type": "application/json", "content-length": str(len(data))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + data


def ready_line(process: subprocess.Popen[bytes], log: Path) -> str:
    """The first line of a program's output. Fails with its log when there is none in time."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], DEADLINE)
    line = process.stdout.readline().decode() if readable else ""
    assert "ready" in line, log.read_text(encoding="utf-8", errors="replace")
    return line


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


async def until(condition: Any, what: str, seconds: float = DEADLINE) -> None:
    """Poll, letting everything else run, for what happens in another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.003)


def total(gate: Gate, prefix: str) -> float:
    """The sum of the metrics page's lines that begin so; 0 while nobody serves the page."""
    connection = http.client.HTTPConnection("127.0.0.1", gate.admin_port, timeout=DEADLINE)
    try:
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(prefix))


def queued(gate: Gate, model: str) -> float:
    """How many calls wait for a model's quota, as the metrics page says."""
    return total(gate, f'tidegate_queue_calls{{model="{model}",')


def provider(url: str, key: str, limits: dict[str, dict[str, int]] | None = None, **more: Any) -> dict[str, Any]:
    """One provider's part of a gate's file, with one scope."""
    scope = {"name": "main", "keys": [key], "limits": limits or {}}
    return {"dialect": "openai", "base_url": url, "scopes": [scope], **more}


def numbers(text: str) -> list[int]:
    """Which of the twin's numbered tokens are in a text."""
    return [int(word.removeprefix("t")) for word in text.split()]


def spoken(answer: Answer) -> list[int]:
    """The numbered tokens that reached a client, unary or streamed."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return numbers("".join(_contents(answer.events)))
    return numbers(answer.json["choices"][0]["message"]["content"])


def _contents(events: Iterable[Any]) -> Iterable[str]:
    for event in events:
        if isinstance(event, dict):
            for choice in event.get("choices", ()):
                yield choice["delta"].get("content") or ""


def tries(answer: Answer) -> list[str]:
    """`x-tidegate-attempts` without provider and scope: `p01 429 rate`."""
    told = answer.headers.get("x-tidegate-attempts", "")
    return [part.rpartition("/")[2] for part in told.split(", ")] if told else []
