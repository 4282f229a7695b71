"""The semantic process's client: what it costs a call when the process is slow, hangs or is not there."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tidegate.cache.semantic import MOST_LATER, PING_US, STRIKES, SemanticClient
from tidegate.cache.semantic_frames import (
    LONGEST,
    Ask,
    Compared,
    Done,
    Feedback,
    Frames,
    Gone,
    Learn,
    Ping,
    Reply,
    Request,
    Told,
    encode,
    requests,
)
from tidegate.model.cached import Labels
from tidegate.model.caching import SemanticPolicy
from tidegate.model.comparison import Comparison, MatchResult
from tidegate.testing.clock import ManualClock, settle

BUDGET = 80_000
SCOPE = b"s" * 32


class Process(asyncio.Protocol):
    """Keeps what it is asked, and tells what a test has it tell."""

    def __init__(self, asked: list[Request], links: list["Process"]) -> None:
        self.asked = asked
        self._frames = Frames()
        links.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.asked += [requests().decode(payload) for payload in self._frames.feed(data)]

    def tell(self, reply: Reply) -> None:
        self.transport.write(encode(reply))


class Scene:
    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.path = path
        self.asked: list[Request] = []
        self.links: list[Process] = []
        self.client = SemanticClient(path, self.clock, BUDGET)
        self.server: asyncio.Server | None = None
        self.tasks: list[asyncio.Task[MatchResult | None]] = []

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_unix_server(partial(Process, self.asked, self.links), str(self.path))

    async def close(self) -> None:
        self.client.close()
        if self.server is not None:
            self.server.close()
            for link in self.links:
                link.transport.abort()
            await self.server.wait_closed()

    async def ask(
        self, text: str = "when?", call_id: int = 1, deadline: int = 1 << 60
    ) -> asyncio.Task[MatchResult | None]:
        question = Comparison(SCOPE, text, b"", SemanticPolicy("on"), call_id)
        task = asyncio.get_running_loop().create_task(self.client.ask(question, deadline))
        self.tasks.append(task)
        await settle(50)
        return task

    async def tell(self, reply: Reply) -> None:
        self.links[-1].tell(reply)
        await settle(50)

    async def hang(self) -> None:
        """Until it is not asked any more."""
        for _ in range(STRIKES):
            task = await self.ask()
            await self.clock.advance(BUDGET)
            assert await task is None


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = Scene(tmp_path / "semantic.sock")
    await scene.open()
    yield scene
    await scene.close()


def served(number: int) -> Told:
    return Told(number, b"k" * 32, 970, 5, serve=True, explore=False, why="")


async def test_a_verdict_comes_back_with_its_call(scene: Scene) -> None:
    """The question as it was asked, with the budget that is left."""
    task = await scene.ask("when?", call_id=9, deadline=scene.clock.now() + 50_000)
    assert scene.asked == [Ask(1, 9, SCOPE, "when?", b"", "on", 10, 0, "answers", 50_000)]
    await scene.tell(served(1))
    verdict = await task
    assert verdict is not None
    assert (verdict.call_id, verdict.serve, verdict.source, verdict.similarity_permille) == (9, True, 5, 970)
    assert (scene.client.counters.asked, scene.client.counters.served) == (1, 1)
    assert scene.clock.pending == []


async def test_questions_overlap(scene: Scene) -> None:
    """Each gets its own verdict, in whatever order they are told."""
    one, two = await scene.ask(call_id=1), await scene.ask(call_id=2)
    assert len(scene.links) == 1
    await scene.tell(served(2))
    assert two.done()
    assert not one.done()
    await scene.tell(Told(1, b"", 0, 0, serve=False, explore=False, why="lexical:number"))
    await one
    assert scene.client.counters.refused == {"lexical": 1}
    assert scene.client.counters.figures == ({"served": 1, "shadow": 0, "late": 0, "away": 0, "lexical": 1}, 0, 0)


async def test_nobody_waits_beyond_budget_and_deadline(scene: Scene) -> None:
    """A verdict that comes too late is nobody's."""
    one = await scene.ask()
    two = await scene.ask(deadline=scene.clock.now() + 30_000)
    await scene.clock.advance(30_000)
    assert (one.done(), two.done()) == (False, True)
    await scene.clock.advance(50_000)
    assert (await one, await two) == (None, None)
    await scene.tell(served(1))
    assert scene.client.counters.late == 2
    assert await (await scene.ask(deadline=scene.clock.now())) is None
    assert scene.client.counters.away == 1


async def test_a_process_that_hangs_costs_the_first_few_calls_only(scene: Scene) -> None:
    """Then it is asked whether it is there, once a second; its word brings the questions back."""
    await scene.hang()
    for _ in range(5):
        assert await (await scene.ask()) is None
    assert scene.client.counters.away == 5
    assert scene.clock.pending == []
    assert [type(request) for request in scene.asked] == [Ask] * STRIKES + [Ping]
    await scene.clock.advance(PING_US)
    assert await (await scene.ask()) is None
    assert scene.asked[-2:] == [Ping(1), Ping(1)]
    await scene.tell(Done(1))
    task = await scene.ask()
    assert not task.done()
    await scene.tell(served(STRIKES + 1))
    assert await task is not None


async def test_one_that_is_there_and_too_slow_costs_a_call_a_second(scene: Scene) -> None:
    """After its word one question is enough to tell."""
    await scene.hang()
    await scene.ask()
    await scene.tell(Done(1))
    task = await scene.ask()
    await scene.clock.advance(BUDGET)
    assert await task is None
    assert (await scene.ask()).done()


async def test_what_it_is_to_be_told_is_dropped_while_it_hangs(scene: Scene) -> None:
    """Nothing piles up, and it is counted."""
    await scene.hang()
    for _ in range(10):
        scene.client.gone(b"k")
    await settle(50)
    assert scene.client.counters.dropped == 10
    assert not any(isinstance(request, Gone) for request in scene.asked)


async def test_answers_that_it_was_not_told_of_it_is_told_of_later(scene: Scene) -> None:
    """The latest of them, as of when they were stored: it hung, or was not there."""
    await scene.hang()
    wall = scene.clock.wall()
    for number in range(MOST_LATER + 2):
        scene.client.learn(SCOPE, "when?", b"", b"k", number, Labels("n", "m", "s"), 99)
    assert scene.client.counters.dropped == 2
    await scene.clock.advance(PING_US)
    await scene.ask()
    await scene.tell(Done(1))
    await settle(50)
    told = [request for request in scene.asked if isinstance(request, Learn)]
    assert [learn.call_id for learn in told] == list(range(2, MOST_LATER + 2))
    assert {learn.stored_us for learn in told} == {wall}
    scene.links[-1].transport.abort()
    await settle(50)
    scene.client.learn(SCOPE, "where?", b"", b"k", 999, Labels("n", "m", "s"), 99)
    await scene.clock.advance(100_000)
    await scene.ask()
    assert [request.call_id for request in scene.asked if isinstance(request, Learn)][-1] == 999


async def test_one_that_dies_lets_everybody_go_on_and_is_found_again(scene: Scene) -> None:
    """Who waits has nothing at once; a new one is asked after a pause."""
    waiting = await scene.ask()
    scene.links[-1].transport.abort()
    assert await waiting is None
    assert (await scene.ask()).done()
    await scene.clock.advance(100_000)
    task = await scene.ask()
    await scene.tell(served(2))
    assert await task is not None
    assert len(scene.links) == 2


async def test_one_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    """It is looked for after 0.1 s, 0.2 s … at most 2 s."""
    scene = Scene(tmp_path / "nobody.sock")
    assert await (await scene.ask()) is None
    scene.client.gone(b"k")
    for _ in range(8):
        await scene.clock.advance(2_000_000)
        assert await (await scene.ask()) is None
    await scene.open()
    assert await (await scene.ask()) is None
    await scene.clock.advance(2_000_000)
    task = await scene.ask()
    await scene.tell(served(10))
    assert (await task) is not None
    assert (scene.client.counters.away, scene.client.counters.dropped) == (10, 1)
    await scene.close()


async def test_closed_it_asks_nobody_any_more(scene: Scene) -> None:
    """Calls in flight may still want to; who waits goes on."""
    waiting = await scene.ask()
    scene.client.close()
    assert await waiting is None
    await scene.clock.advance(1 << 40)
    assert await (await scene.ask()) is None
    scene.client.gone(b"k")
    assert len(scene.links) == 1


async def test_nonsense_ends_the_connection(scene: Scene) -> None:
    """And nothing else."""
    task = await scene.ask()
    scene.links[-1].transport.write(b"\0\0\0\1\xc1")
    assert await task is None


async def test_what_is_learnt_said_and_compared_is_told(scene: Scene) -> None:
    """In order; before anybody has asked, too."""
    labels = Labels("n", "p/m", "s", ("t",))
    scene.client.learn(SCOPE, "when?", b"", b"k", 3, labels, 99)
    verdict = MatchResult(b"k", 970, 3, serve=False, explore=True, why="explore", call_id=4)
    scene.client.compared(verdict, "one", "two")
    scene.client.compared(verdict, "x" * 9_999, "y", same=True)
    scene.client.feedback(4, correct=False)
    scene.client.gone(b"k")
    await settle(50)
    assert scene.asked == [
        Learn(SCOPE, "when?", b"", b"k", 3, "n", "p/m", "s", ("t",), 99, scene.clock.wall()),
        Compared(4, "one", "two", None),
        Compared(4, "", "", same=True),
        Feedback(0, 4, correct=False),
        Gone(b"k"),
    ]


async def test_what_is_too_long_is_not_compared(scene: Scene) -> None:
    """Neither questions nor answers; half of a surrogate pair is no text either."""
    verdict = await (await scene.ask("x" * (LONGEST + 1)))
    assert verdict is not None
    assert (verdict.why, scene.client.counters.refused) == ("long", {"long": 1})
    scene.client.learn(SCOPE, "x" * (LONGEST + 1), b"", b"k", 3, Labels("n", "m", "s"), 99)
    scene.client.compared(verdict, "x" * (LONGEST + 1), "y")
    assert await (await scene.ask("\ud800")) is None
    assert scene.asked == []


async def test_a_call_that_is_cancelled_leaves_nothing_behind(scene: Scene) -> None:
    """No timer, and its verdict is nobody's."""
    task = await scene.ask()
    task.cancel()
    await settle()
    assert scene.clock.pending == []
    await scene.tell(served(1))
    assert scene.client.counters.served == 0
