"""`traceparent`: what the recommendation calls valid, and nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model import trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (GOOD, GOOD),
        (GOOD[:-2] + "00", GOOD[:-2] + "00"),
        (GOOD[:-2] + "ff", GOOD[:-2] + "ff"),
        ("01" + GOOD[2:] + "-more", GOOD),  # a later version may say more
        ("cc" + GOOD[2:], GOOD),
        (GOOD + "-more", ""),  # ours may not
        (GOOD + "-", ""),
        ("01" + GOOD[2:] + "more", ""),
        ("ff" + GOOD[2:], ""),
        (GOOD.upper(), ""),
        (f"00-{'0' * 32}-{SPAN}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE[:-1]}-{SPAN}-01", ""),
        (f"00-{TRACE}-{SPAN}-1", ""),
        (f"00-{TRACE}-{SPAN}", ""),
        (f" {GOOD}", ""),
        (GOOD + "\n", ""),
        (GOOD.replace("4b", "4g"), ""),
        ("", ""),
        ("01" + GOOD[2:] + "-" + "x" * 600, ""),
    ],
)
def test_what_is_read(given: str, read: str) -> None:
    """Strictly: garbage is as if the client had sent nothing."""
    assert trace.read(given.encode()) == read


@given(st.binary(max_size=80))
def test_nothing_else_is_taken(given: bytes) -> None:
    """Whatever bytes come: nothing, or the form of version 00."""
    read = trace.read(given)
    assert not read or re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", read)


def test_its_parts() -> None:
    """Of none: nothing."""
    assert (trace.trace_id(GOOD), trace.parent(GOOD), trace.sampled(GOOD)) == (TRACE, SPAN, True)
    assert not trace.sampled(GOOD[:-2] + "02")
    assert (trace.trace_id(""), trace.sampled("")) == ("", False)


@given(st.integers(0, 2**63 - 1), st.integers(0, 63))
def test_a_span_of_ours(call: int, number: int) -> None:
    """Well-formed, the same each time, another for each attempt and call; and what is told on is valid again."""
    span = trace.span(call, number)
    assert span == trace.span(call, number) != trace.span(call, number + 1) != trace.span(call + 1, number)
    line = trace.onward(GOOD, span)
    assert line == f"traceparent: 00-{TRACE}-{span}-01\r\n".encode()
    assert trace.read(line[13:-2]) == f"00-{TRACE}-{span}-01"
