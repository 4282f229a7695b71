"""A part of a limit, and what it tells of the whole."""

from tidegate.line.portion import WHOLE, Portion


def test_a_part_of_a_limit() -> None:
    """No limit stays none, and a part is at least one."""
    portion = Portion()
    assert (portion.of(60_000), portion.everywhere(100)) == (60_000, 100)
    assert portion.divide(250_000, 0)
    assert not portion.divide(250_000, 0)
    assert (portion.of(60_000), portion.of(0), portion.of(1)) == (15_000, 0, 1)
    assert portion.everywhere(100) == 400


def test_no_part_shuts() -> None:
    """Until there is one again."""
    portion = Portion()
    portion.divide(0, 0)
    assert portion.shut is not None
    assert (portion.of(60_000), portion.everywhere(7)) == (1, 7)
    portion.divide(WHOLE, 0)
    assert portion.shut is None
