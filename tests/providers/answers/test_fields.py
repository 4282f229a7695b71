"""Objects of which every field is kept."""

import pytest

from tidegate.providers.answers.fields import number_of, object_of, objects_of, read, read_all, text_of


def test_read() -> None:
    """An object, whatever is in it."""
    assert read(b'{"a":[1,2.5,null,"x"]}') == {"a": [1, 2.5, None, "x"]}
    assert [*read_all([b"{}", b'{"a":1}'])] == [{}, {"a": 1}]


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"a":1e999}', b'{"a":' * 9_999, b'{"a":"\xff"}'])
def test_what_is_none(data: bytes) -> None:
    """What is no object, is out of range, is nested without end, or is no text."""
    with pytest.raises(ValueError):  # noqa: PT011 - the decoder's words
        read(data)
    with pytest.raises(ValueError):  # noqa: PT011
        [*read_all([data])]


def test_narrowing() -> None:
    """What is of another type is named, or is nothing where it may be missing."""
    assert (object_of({}, "a"), objects_of(None, "a"), objects_of([{}], "a")) == ({}, [], [{}])
    assert (text_of(1), text_of("x"), number_of("x", 3), number_of(2, 3)) == ("", "x", 3, 2)
    with pytest.raises(ValueError, match="'usage' is no object"):
        object_of(None, "usage")
    for value in ({}, [1], "x"):
        with pytest.raises(ValueError, match="'content' is no list of objects"):
            objects_of(value, "content")
