"""What the store is told."""

from tests.semantic.conftest import WALL, ask, learn
from tidegate.semantic.mind import Mind

QUESTION, NEAR = "a b c d e f g h", "a b c d e f g x"


def test_everything_is_told_once(mind: Mind) -> None:
    """A new question as a whole, a known one's changes, numbers of those that went."""
    mind.learn(learn(QUESTION, 1), WALL)
    mind.ask(ask(NEAR, 2), WALL)
    first = mind.unsaved.take()
    assert [len(rows) for rows in first] == [1, 0, 0, 1]
    mind.ask(ask(NEAR, 3), WALL)
    assert [len(rows) for rows in mind.unsaved.take()] == [0, 1, 0, 1]
    assert mind.unsaved.take().empty
    (question,) = mind.known
    mind._forget(question)
    assert mind.unsaved.take().gone == [(1,)]


def test_what_came_and_went_in_between_is_not_told(mind: Mind) -> None:
    """Nobody needs to know."""
    mind.learn(learn(QUESTION, 1), WALL)
    (question,) = mind.known
    mind._forget(question)
    assert mind.unsaved.take().empty
