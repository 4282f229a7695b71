"""Moments of very many names in a fixed table."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.access.sketch import Sketch

NAMES = st.integers(0, 50).map(lambda number: number.to_bytes(4))


@given(st.lists(st.tuples(NAMES, st.integers(1, 2**62)), max_size=60))
def test_no_name_is_read_as_earlier_than_it_was_written(writes: list[tuple[bytes, int]]) -> None:
    """Whoever writes what."""
    sketch, latest = Sketch(b"secret"), dict[bytes, int]()
    for name, moment in writes:
        sketch.write(name, moment)
        latest[name] = max(moment, latest.get(name, 0))
    assert all(sketch.read(name) >= moment for name, moment in latest.items())
    assert sketch.latest == max(latest.values(), default=0)


def test_few_names_are_read_as_they_were_written() -> None:
    """They share no cell, or not all of them."""
    sketch = Sketch(b"secret")
    for number in range(1_000):
        sketch.write(number.to_bytes(4), number + 1)
    assert [sketch.read(number.to_bytes(4)) for number in range(1_000)] == list(range(1, 1_001))
    assert sketch.read(b"stranger") == 0


def test_who_shares_a_cell_depends_on_the_secret() -> None:
    """So that it cannot be computed in advance."""
    one, other = Sketch(b"one"), Sketch(b"other")
    assert [one._places(b"%d" % number) for number in range(4)] != [
        other._places(b"%d" % number) for number in range(4)
    ]
