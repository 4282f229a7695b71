"""Operators' expressions, as far as they cannot take long."""

import pytest

from tidegate.redaction.guard import LONGEST, BadPattern, checked


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"ACME-\d{4,10}", "ACME-12345"),
        (r"(?:\d{4}-){3}\d{4}", "1111-2222-3333-4444"),
        (r"(?i)project [a-z]{1,40}", "Project Apollo"),
        (r"(?<=x)\d{3}", "x123"),
        (r"foo|bar\d{1,4}", "bar12"),
        (r"员工号[:：]?\d{6}", "员工号：123456"),
        (r"\bA[0-9]{8}\b", "A12345678"),
        (r"(?>ab|cd)e", "cde"),
    ],
)
def test_is_taken(pattern: str, text: str) -> None:
    """What has an end, and few ways to it."""
    assert checked(pattern).search(text) is not None


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a*b", "no end"), ("a+", "no end"), (r"\d{4,}", "no end"), ("(?:a+)+b", "no end"), ("a*+b", "no end"),
        ("(a{1,3}){1,5}b", "repeated as a whole"), ("(a|aa){1,9}b", "repeated as a whole"),
        (r"\w{1,64}\w{1,64}!", "too many ways"), ("[a-z]{1,2000}", "too many ways"),
        (r"(a)\1", "refers back"), (r"(a)?(?(1)b|c)d", "refers back"),
        ("", "matches nothing"), ("x?", "matches nothing"), (r"\b", "matches nothing"), ("a{0,5}", "matches nothing"),
        ("(", "not a regular expression"), ("[z-a]", "not a regular expression"), ("a" * (LONGEST + 1), "longer than"),
    ],
)  # fmt: skip
def test_is_refused_with_a_remedy(pattern: str, why: str) -> None:
    """Whether it would really take long or not: that nobody can tell in general."""
    with pytest.raises(BadPattern, match=why) as raised:
        checked(pattern)
    assert raised.value.remedy
