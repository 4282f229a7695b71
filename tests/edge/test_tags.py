"""A client's own words for what a call is for."""

import pytest

from tidegate.edge.tags import tags


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"nightly"], "nightly"),
        ([b"team:a,run-7 ,\tsome.one@host_2"], "team:a, run-7, some.one@host_2"),
        ([b"a, b", b"c"], "a, b, c"),
        ([b"a,b,a"], "a, b"),
        ([b"1,2,3,4,5,6,7,8"], "1, 2, 3, 4, 5, 6, 7, 8"),
        ([b"x" * 128], "x" * 128),
    ],
)
def test_words(lines: list[bytes], expected: str) -> None:
    """In their order, each once, whatever lines they came in."""
    assert tags([(b"accept", b"*/*"), *((b"x-tidegate-tag", line) for line in lines)]) == expected


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "Invalid x-tidegate-tag"),
        (b"a,,b", "Invalid"),
        (b"a b", "Invalid"),
        (b"a,", "Invalid"),
        ("äpfel".encode(), "Invalid"),
        ("苹果".encode(), "Invalid"),
        (b"a\x00b", "Invalid"),
        (b"a;b", "Invalid"),
        (b'"a"', "Invalid"),
        (b"<script>", "Invalid"),
        (b"=cmd", "Invalid"),
        (b"1,2,3,4,5,6,7,8,9", "at most 8 words"),
        (b"x" * 129, "128 bytes"),
    ],
)
def test_what_is_no_word(line: bytes, told: str) -> None:
    """The text says what may be sent, and repeats nothing of what was."""
    with pytest.raises(ValueError, match=told) as caught:
        tags([(b"x-tidegate-tag", line)])
    assert "script" not in str(caught.value)
