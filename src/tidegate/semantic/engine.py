"""The one thread that embeds and decides. What is quick goes first, then questions, then what can wait.

Of what can wait one is done after each `IN_A_ROW` questions: a process that only ever answers learns nothing.

A question is refused at once when nobody would wait for its verdict: when those before it and its own embedding take
longer than its budget, going by the latest ones, or when too many wait.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from tidegate.cache.semantic_frames import Ask, Told
from tidegate.ports import Clock
from tidegate.semantic.mind import Mind
from tidegate.semantic.store import Log
from tidegate.semantic.vectors import Remembering

MOST_QUESTIONS: Final = 64
MOST_CHORES: Final = 1_000
IN_A_ROW: Final = 8
Work = Callable[[], object]


class _Waiting:
    """A question, until when somebody waits for it, and what it will probably take."""

    __slots__ = ("ask", "cost_us", "due", "tell")

    def __init__(self, ask: Ask, due: int, cost_us: int, tell: Callable[[Told], None]) -> None:
        self.ask = ask
        self.due = due
        self.cost_us = cost_us
        self.tell = tell


class Engine:
    """`tell` is called in the engine's thread. Everything else may be called in any."""

    __slots__ = (
        "_changed", "_chores", "_clock", "_ending", "_log", "_mind", "_owed_us", "_pace", "_questions", "_row", "_soon",
        "_thread", "dropped", "late",
    )  # fmt: skip

    def __init__(self, mind: Mind, pace: Remembering | None, clock: Clock, log: Log) -> None:
        """`pace` knows what an embedding takes, None = nobody embeds here."""
        self.late = 0  # questions that were refused since nobody would have waited
        self.dropped = 0  # chores that were one too many
        self._mind = mind
        self._pace = pace
        self._clock = clock
        self._log = log
        self._changed = threading.Condition()
        self._soon: deque[Work] = deque()
        self._questions: deque[_Waiting] = deque()
        self._chores: deque[Work] = deque()
        self._owed_us = 0  # what the questions that wait will probably take
        self._row = 0  # questions since something else was done
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Finish what is being done, and nothing else."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Questions and chores that nobody has begun."""
        return len(self._questions) + len(self._chores)

    @property
    def embed_us(self) -> int:
        """What the embedding of a question takes, as of late."""
        return 0 if self._pace is None else self._pace.usual_us

    def ask(self, ask: Ask, tell: Callable[[Told], None]) -> None:
        """Have it decided. It is told at once when that would be too late."""
        now, pace = self._clock.now(), self._pace
        cost = 0 if pace is None or self._mind.quick(ask) else pace.cost_us(ask.text, ask.scope)
        with self._changed:
            full = len(self._questions) >= MOST_QUESTIONS
            if not full and self._owed_us + cost <= ask.budget_us:
                self._owed_us += cost
                self._questions.append(_Waiting(ask, now + ask.budget_us, cost, tell))
                self._changed.notify()
                return
        if pace is not None and not full:
            pace.hope()
        self._refuse(ask, tell)

    def soon(self, work: Work) -> None:
        """Do it before all questions: it takes no embedding."""
        with self._changed:
            self._soon.append(work)
            self._changed.notify()

    def chore(self, work: Work) -> None:
        """Do it when nobody asks. Dropped when too many wait."""
        with self._changed:
            if len(self._chores) >= MOST_CHORES:
                self.dropped += 1
                return
            self._chores.append(work)
            self._changed.notify()

    def _refuse(self, ask: Ask, tell: Callable[[Told], None]) -> None:
        self.late += 1
        tell(Told(ask.id, b"", 0, 0, serve=False, explore=False, why="late"))

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._ending or self._soon or self._questions or self._chores or self._mind.known.growing):
                    self._changed.wait()
                if self._ending:
                    return
                work = self._next()
            try:
                work()
            except Exception as error:  # noqa: BLE001 - a defect of ours: what comes next is served all the same
                self._log.error("the process that compares questions failed on one", problem=repr(error))

    def _next(self) -> Work:
        if self._soon:
            return self._soon.popleft()
        if self._questions and (self._row < IN_A_ROW or not self._chores):
            self._row += 1
            return partial(self._answer, self._questions.popleft())
        self._row = 0
        return self._chores.popleft() if self._chores else self._grow

    def _answer(self, waiting: _Waiting) -> None:
        try:
            if waiting.due <= self._clock.now():
                self._refuse(waiting.ask, waiting.tell)
            else:
                waiting.tell(self._mind.ask(waiting.ask, self._clock.wall()))
        finally:
            with self._changed:
                self._owed_us -= waiting.cost_us

    def _grow(self) -> None:
        shelf = self._mind.known.growing
        if shelf is not None:
            shelf.grow()
