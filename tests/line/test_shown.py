"""Header lines by name: whatever the reply before had, they are what they are alone."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.line.shown import Shown
from tidegate.wire.forms import Forms

LINES = st.lists(
    st.sampled_from([b"date: 1", b"date: 2", b"via: 1", b"x-left: 3", b"x-left: 2", b"x-left:"]), max_size=5
)


@given(heads=st.lists(LINES, max_size=12))
def test_a_reply_shows_the_same_whatever_came_before_it(heads: list[list[bytes]]) -> None:
    """Of several lines of one name the last; also where the lines that did not change are the same objects."""
    forms, shown = Forms(), Shown()
    for lines in heads:
        headers = forms.read([b"HTTP/1.1 200 OK", *lines])
        assert shown.of(headers) == dict(headers)


def test_what_was_shown_stays_as_it_was() -> None:
    """A later reply changes nothing of an earlier one."""
    forms, shown = Forms(), Shown()
    found = [shown.of(forms.read([b"", b"via: 1", b"x-left: %d" % left])) for left in (3, 2, 2)]
    assert [one[b"x-left"] for one in found] == [b"3", b"2", b"2"]


def test_lines_that_are_known_are_not_read_again() -> None:
    """A head that says the same is the same record."""
    forms, shown = Forms(), Shown()
    first, second = (shown.of(forms.read([b"", b"via: 1", b"date: 1"])) for _ in range(2))
    assert first is second
