"""Calls whose arguments come in any order leave one after another, each whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.providers.translate import calls as module
from tidegate.providers.translate.calls import Calls
from tidegate.providers.translate.records import Piece
from tidegate.providers.translate.words_chat import CalledDelta, ToolCallDelta


def delta(index: int | None, text: str = "", ident: str | None = None) -> ToolCallDelta:
    return ToolCallDelta(index, ident, CalledDelta(None if ident is None else f"f_{ident}", text))


def told(pieces: list[Piece]) -> list[tuple[str | None, str]]:
    """Id and arguments of every call, in the order of their beginning."""
    found: list[tuple[str | None, str]] = []
    for piece in pieces:
        if piece.name is not None:
            assert piece.number == len(found)
            found.append((piece.id, ""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + piece.text)
    return found


def all_of(deltas: list[ToolCallDelta]) -> list[tuple[str | None, str]]:
    calls, pieces = Calls(), []
    for one in deltas:
        pieces += calls.add(one)
    return told(pieces + calls.rest())


texts = st.sampled_from(["{}", '{"a": "}"}', '{"a": {"b": [1]}}', '{"long": "0123456789"}'])


@given(st.lists(texts, min_size=1, max_size=4), st.integers(1, 6), st.booleans(), st.lists(st.integers(0, 3)))
def test_any_order(inputs: list[str], size: int, begun: bool, order: list[int]) -> None:
    """However the deltas of several calls are mixed, every call gets its own."""
    queues = [
        [delta(index, ident=str(index)), *(delta(index, text[at : at + size]) for at in range(0, len(text), size))]
        for index, text in enumerate(inputs)
    ]
    mixed = [queue.pop(0) for queue in queues] if begun else []
    mixed += [queues[index].pop(0) for index in order if index < len(queues) and queues[index]]
    mixed += [one for queue in queues for one in queue]
    assert sorted(all_of(mixed)) == sorted((str(index), text) for index, text in enumerate(inputs))


def test_calls_one_after_another_wait_for_nothing() -> None:
    """The usual order: every delta leaves as it comes."""
    calls = Calls()
    deltas = [delta(0, ident="a"), delta(0, "{"), delta(0, "}"), delta(1, ident="b"), delta(1, "{"), delta(1, "}")]
    assert [len(calls.add(one)) for one in deltas] == [1] * 6
    assert calls.rest() == []
    assert len(calls) == 2


def test_arguments_that_come_with_their_call() -> None:
    """Begun, and said."""
    assert all_of([delta(0, "{}", "a"), delta(1, "{}", "b")]) == [("a", "{}"), ("b", "{}")]


def test_two_calls_at_one_index() -> None:
    """Some providers do not count: a new id is a new call; the same id again is the same."""
    assert all_of([delta(0, "{}", "a"), delta(0, "{}", "b")]) == [("a", "{}"), ("b", "{}")]
    assert all_of([delta(None, "{", "a"), delta(None, "}", "a")]) == [("a", "{}")]


def test_more_for_a_call_whose_arguments_were_whole() -> None:
    """It would spoil them."""
    assert all_of([delta(0, "{}", "a"), delta(1, "{}", "b"), delta(0, "{}")]) == [("a", "{}"), ("b", "{}")]


def test_a_call_can_be_left_when_it_is_whole() -> None:
    """So that something else may be said."""
    calls = Calls()
    assert calls.leave()
    calls.add(delta(0, "{", "a"))
    assert not calls.leave()
    calls.add(delta(0, "}"))
    assert calls.leave()
    assert calls.add(delta(0, " ")) == []
    assert calls.add(delta(1, "{", "b")) == [Piece("", 1, "b", "f_b"), Piece("{")]


def test_calls_without_an_end() -> None:
    """They fail the stream."""
    calls = Calls()
    with pytest.raises(ValueError, match="more than"):
        for number in range(10_000):
            calls.add(delta(number, "{}", str(number)))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments without an end fail the stream; those of closed calls are forgotten."""
    monkeypatch.setattr(module, "MOST_HELD", 100)
    calls = Calls()
    for number in range(20):
        calls.add(delta(number, '{"a":"' + "x" * 30 + '"}', str(number)))
    with pytest.raises(ValueError, match="longer than"):
        for _ in range(20):
            calls.add(delta(19, "x" * 10))
