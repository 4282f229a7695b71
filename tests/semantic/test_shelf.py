"""The vectors of one scope."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.semantic import shelf as rooms
from tidegate.semantic.shelf import Flat, Graph, Shelf
from tidegate.semantic.vectors import Vector


def unit(seed: int, dimensions: int = 16) -> Vector:
    vector = np.random.default_rng(seed).standard_normal(dimensions).astype(np.float32)
    found: Vector = vector / np.linalg.norm(vector)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=80), st.integers(0, 99))
def test_a_matrix_finds_what_a_search_by_hand_finds(steps: list[tuple[bool, int]], asked: int) -> None:
    """Whatever was added and removed in whatever order."""
    flat, there = Flat(16), dict[int, Vector]()
    for adds, number in steps:
        if adds and number not in there:
            there[number] = unit(number)
            flat.add(number, there[number])
        elif not adds and number in there:
            del there[number]
            flat.remove(number)
    found = flat.nearest(unit(1_000 + asked), 5)
    wanted = sorted(((float(vector @ unit(1_000 + asked)), number) for number, vector in there.items()), reverse=True)
    assert [number for number, _ in found] == [number for _, number in wanted[:5]]
    assert [cosine for _, cosine in found] == pytest.approx([cosine for cosine, _ in wanted[:5]], abs=1e-6)
    assert len(flat) == len(there)


def grown(shelf: Shelf) -> Shelf:
    while shelf.growing:
        shelf.grow()
    return shelf


def test_a_large_shelf_becomes_a_graph_bit_by_bit() -> None:
    """Until it has, the matrix answers; what comes and goes meanwhile is right in both."""
    shelf = Shelf(16, large=100)
    for number in range(101):
        shelf.add(number, unit(number))
    assert shelf.growing
    shelf.grow()
    assert shelf.exact
    shelf.remove(3)  # in the graph already
    shelf.remove(90)  # not yet
    shelf.add(500, unit(500))
    assert shelf.nearest(unit(500), 1)[0][0] == 500
    assert not grown(shelf).exact
    assert len(shelf) == 100
    for number in (0, 50, 100, 500):
        near, cosine = shelf.nearest(unit(number), 1)[0]
        assert (near, round(cosine, 2)) == (number, 1.0)
    assert {shelf.nearest(unit(number), 1)[0][0] for number in (3, 90)}.isdisjoint({3, 90})


def test_a_graph_goes_on_taking_and_giving() -> None:
    """Once it stands alone; and one that was emptied finds nothing."""
    shelf = Shelf(16, large=2)
    for number in range(3):
        shelf.add(number, unit(number))
    grown(shelf)
    shelf.add(7, unit(7))
    assert shelf.nearest(unit(7), 2)[0][0] == 7
    for number in (0, 1, 2, 7):
        shelf.remove(number)
    assert (len(shelf), shelf.nearest(unit(7), 5)) == (0, [])


def test_without_usearch_the_matrix_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody tries again."""

    def missing(dimensions: int) -> Graph:
        raise ImportError

    monkeypatch.setattr(rooms, "Graph", missing)
    shelf = Shelf(16, large=1)
    shelf.add(1, unit(1))
    shelf.add(2, unit(2))
    shelf.grow()
    assert (shelf.growing, shelf.exact, shelf.nearest(unit(2), 1)[0][0]) == (False, True, 2)
