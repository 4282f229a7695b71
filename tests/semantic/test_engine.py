"""The one thread: who goes first, and who is sent away at once."""

import threading
from collections.abc import Iterator

import pytest

from tests.semantic.conftest import WALL, ask, learn, mind_of
from tidegate.cache.semantic_frames import Ask, Told
from tidegate.semantic.engine import MOST_CHORES, MOST_QUESTIONS, Engine
from tidegate.semantic.known import Known
from tidegate.semantic.mind import Mind
from tidegate.semantic.outcomes import Outcomes
from tidegate.semantic.vectors import Remembering
from tidegate.testing.clock import ManualClock
from tidegate.testing.embedder import WordBag
from tidegate.testing.kept import Told as Log

QUESTION, NEAR = "a b c d e f g h", "a b c d e f g x"
PATIENCE = 10.0


class Held:
    """An embedder that waits to be let go, a text at a time, and takes as long as it is told by the clock."""

    name = "offline"

    def __init__(self, clock: ManualClock) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.takes_us = 0
        self._bag = WordBag()
        self._clock = clock

    def embed(self, text: str) -> object:
        self.begun.release()
        assert self.go.acquire(timeout=PATIENCE)
        self._clock.stall(self.takes_us)
        return self._bag.embed(text)


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.embedder = Held(self.clock)
        self.pace = Remembering(self.embedder, self.clock.now)  # type: ignore[arg-type]
        self.mind: Mind = mind_of(Known(10), Outcomes(), WordBag())
        self.mind._embedder = self.pace
        self.log = Log()
        self.engine = Engine(self.mind, self.pace, self.clock, self.log)
        self.told: list[Told] = []
        self._more = threading.Semaphore(0)
        self.engine.start()

    def tell(self, told: Told) -> None:
        self.told.append(told)
        self._more.release()

    def ask(self, one: Ask) -> None:
        self.engine.ask(one, self.tell)

    def wait(self, count: int = 1) -> None:
        for _ in range(count):
            assert self._more.acquire(timeout=PATIENCE)

    def do(self, embeddings: int = 1) -> None:
        """Let so many go, one after the other."""
        for _ in range(embeddings):
            self.embedder.go.release()

    def learn(self) -> None:
        self.do()
        done = threading.Event()
        self.engine.chore(lambda: self.mind.learn(learn(QUESTION), WALL))
        self.engine.chore(done.set)
        assert done.wait(PATIENCE)
        assert self.embedder.begun.acquire(timeout=PATIENCE)

    def hold(self, text: str = "held") -> None:
        """It is at work on a question."""
        self.ask(ask(text, 1_000))
        assert self.embedder.begun.acquire(timeout=PATIENCE)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.do(100)
    scene.engine.end()


def test_questions_go_before_chores_and_what_is_quick_before_both(scene: Scene) -> None:
    """However long each has waited."""
    scene.learn()
    scene.hold()
    order: list[str] = []
    done = threading.Event()
    scene.engine.chore(lambda: (order.append("chore"), done.set()))
    scene.engine.ask(ask(QUESTION, 2), lambda _: order.append("question"))
    scene.engine.soon(lambda: order.append("soon"))
    assert scene.engine.waiting == 2
    scene.do()
    assert done.wait(PATIENCE)
    assert order == ["soon", "question", "chore"]


def test_questions_do_not_keep_it_from_learning(scene: Scene) -> None:
    """However many come, after each eight of them something else is done."""
    scene.learn()
    scene.hold()
    order: list[str] = []
    done = threading.Event()
    for _ in range(3):
        scene.engine.chore(lambda: order.append("chore"))
    for number in range(20):
        scene.engine.ask(ask(QUESTION, number), lambda _: order.append("question"))
    scene.engine.chore(done.set)
    scene.do()
    assert done.wait(PATIENCE)
    assert order == ["question"] * 7 + ["chore"] + ["question"] * 8 + ["chore"] + ["question"] * 5 + ["chore"]


def test_a_question_that_would_be_told_too_late_is_sent_away_at_once(scene: Scene) -> None:
    """By what embeddings took of late, and by those that wait before it; one that needs none is not."""
    scene.learn()
    scene.embedder.takes_us = 40_000
    scene.hold()
    scene.do()
    scene.wait()
    scene.hold("more")
    for number in range(4):
        scene.ask(ask(f"new {number}", number))  # each takes about 40 ms, of 100 ms that they have
    scene.wait(3)
    assert [(told.id, told.why) for told in scene.told[1:]] == [(1, "late"), (2, "late"), (3, "late")]
    assert scene.engine.late == 3
    scene.ask(ask(QUESTION, 9))
    scene.do(2)
    scene.wait(3)
    assert [told.id for told in scene.told[4:]] == [1_000, 0, 9]


def test_one_whose_time_is_over_is_not_embedded(scene: Scene) -> None:
    """Nobody waits for it any more."""
    scene.learn()
    scene.hold()
    scene.ask(ask(NEAR, 2))
    scene.clock.stall(100_000)
    scene.do()
    scene.wait(2)
    assert [(told.id, told.why) for told in scene.told] == [(1_000, "below"), (2, "late")]
    assert not scene.embedder.begun.acquire(blocking=False)


def test_queues_are_bounded(scene: Scene) -> None:
    """A question too many is told so; a chore too many is dropped and counted."""
    scene.learn()
    scene.hold()
    for number in range(MOST_QUESTIONS + 3):
        scene.ask(ask(QUESTION, number))
    scene.wait(3)
    assert [told.why for told in scene.told] == ["late"] * 3
    for _ in range(MOST_CHORES + 2):
        scene.engine.chore(lambda: None)
    assert scene.engine.dropped == 2


def test_a_defect_costs_one_question(scene: Scene) -> None:
    """It is told in the log, and the next one is answered."""
    scene.engine.soon(lambda: 1 // 0)
    scene.ask(ask(QUESTION))
    scene.wait()
    assert len(scene.log.lines) == 1
