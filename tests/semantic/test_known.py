"""Questions that were answered."""

import pytest

from tests.semantic.conftest import OTHER_SCOPE, SCOPE
from tidegate.model.cached import Labels
from tidegate.semantic.known import Known, Question
from tidegate.testing.embedder import DIMENSIONS, WordBag

BAG = WordBag()


def question(number: int, text: str = "", scope: bytes = SCOPE) -> Question:
    return Question(number, scope, text or f"text {number}", b"k%d" % number, number, Labels("n", "m", "s"), 1, 9)


def add(known: Known, one: Question) -> list[int]:
    return [gone.number for gone in known.add(one, BAG.embed(one.text))]


def test_the_least_used_go_first() -> None:
    """As many as are too many; what was of use stays."""
    known = Known(3)
    for number in (1, 2, 3):
        assert add(known, question(number)) == []
    found = known.get(1)
    assert found is not None
    known.use(found, 77)
    assert found.used_us == 77
    assert add(known, question(4)) == [2]
    known.most = 1
    assert add(known, question(5)) == [3, 1, 4]
    assert [one.number for one in known] == [5]


def test_scopes_see_nothing_of_each_other() -> None:
    """Neither by nearness nor by text; and one that was emptied is no more."""
    known = Known(9)
    add(known, question(1, "a b c"))
    add(known, question(2, "a b c", OTHER_SCOPE))
    assert [number for number, _ in known.nearest(SCOPE, BAG.embed("a b c"), 5)] == [1]
    assert known.scopes == 2
    same = known.same(OTHER_SCOPE, "a b c")
    assert same is not None
    assert same.number == 2
    known.remove(same)
    known.remove(same)
    assert (known.alone(OTHER_SCOPE), known.same(OTHER_SCOPE, "a b c"), known.under(b"k2")) == (True, None, None)
    assert (len(known), known.values) == (1, DIMENSIONS)


def test_vectors_of_another_embedder_are_not_near_and_not_taken() -> None:
    """Their length tells; the process begins anew when the embedder's name changes."""
    known = Known(9)
    add(known, question(1))
    shorter = BAG.embed("text 1")[:8]
    assert known.nearest(SCOPE, shorter, 5) == []
    with pytest.raises(ValueError, match="8 values"):
        known.add(question(2), shorter)
    assert len(known) == 1


def test_an_answer_may_move_to_another_key() -> None:
    """The old key finds it no more."""
    known = Known(9)
    one = question(1)
    add(known, one)
    known.rename(one, b"new")
    assert (known.under(b"k1"), known.under(b"new")) == (None, one)


def test_a_scope_that_becomes_large_wants_to_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so until it has."""
    monkeypatch.setattr("tidegate.semantic.known.Shelf.__init__.__defaults__", (2,))
    known = Known(9)
    for number in range(2):
        add(known, question(number))
    assert known.growing is None
    add(known, question(3))
    while (shelf := known.growing) is not None:
        shelf.grow()
    assert known.nearest(SCOPE, BAG.embed("text 3"), 1)[0][0] == 3
