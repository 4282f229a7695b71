"""What has changed since the store was told. Bounded by what is known."""

from typing import NamedTuple

from tidegate.semantic.known import Question
from tidegate.semantic.outcomes import Outcome
from tidegate.semantic.vectors import Vector


class Batch(NamedTuple):
    """Rows of the store: whole questions, what changes of a question, numbers of those that went, outcomes."""

    added: list[tuple[object, ...]]
    touched: list[tuple[object, ...]]
    gone: list[tuple[int]]
    outcomes: list[tuple[object, ...]]

    @property
    def empty(self) -> bool:
        """There is nothing to write."""
        return not any(self)


class Unsaved:
    """Gathers, and gives it all away at once."""

    __slots__ = ("_added", "_gone", "_outcomes", "_touched")

    def __init__(self) -> None:
        self._added: dict[int, tuple[Question, Vector]] = {}
        self._touched: dict[int, Question] = {}
        self._gone: set[int] = set()
        self._outcomes: dict[int, Outcome] = {}

    def add(self, question: Question, vector: Vector) -> None:
        """A new question."""
        self._added[question.number] = question, vector

    def touch(self, question: Question) -> None:
        """Something of a question has changed."""
        self._touched[question.number] = question

    def forget(self, question: Question) -> None:
        """A question has gone."""
        self._touched.pop(question.number, None)
        if self._added.pop(question.number, None) is None:
            self._gone.add(question.number)

    def tell(self, outcome: Outcome) -> None:
        """An outcome is new or has been judged."""
        self._outcomes[outcome.call_id] = outcome

    def take(self) -> Batch:
        """All of it, as rows that nobody changes any more."""
        batch = Batch(
            [row(question, vector) for question, vector in self._added.values()],
            [_changes(question) for number, question in self._touched.items() if number not in self._added],
            [(number,) for number in self._gone],
            [_told(outcome) for outcome in self._outcomes.values()],
        )
        self._added, self._touched, self._gone, self._outcomes = {}, {}, set(), {}
        return batch


def row(question: Question, vector: Vector) -> tuple[object, ...]:
    """A question as it stands in the store. Half floats: an error of 0.0005 of a value, 0.00003 of a cosine."""
    labels = question.labels
    return (
        question.number, question.scope, question.text, vector.astype("<f2").tobytes(), question.key, question.call_id,
        labels.namespace, labels.model, labels.strategy, "\0".join(labels.tags), question.stored_us, question.until_us,
        question.used_us, question.served, question.learnt.encode(),
    )  # fmt: skip


def _changes(question: Question) -> tuple[object, ...]:
    labels = question.labels
    return (
        question.key, question.call_id, labels.namespace, labels.model, labels.strategy, "\0".join(labels.tags),
        question.stored_us, question.until_us, question.used_us, question.served, question.learnt.encode(),
        question.number,
    )  # fmt: skip


def _told(outcome: Outcome) -> tuple[object, ...]:
    return (
        outcome.call_id, outcome.at_us, outcome.number, outcome.source, outcome.similarity, outcome.served,
        outcome.would, outcome.why, outcome.judge, outcome.judged,
    )  # fmt: skip
