"""Heads that are read by the form of the one before say what they would say if each line were read alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.wire.forms import Forms

NAMES = st.sampled_from([b"Date", b"date", b"X-Request-Id", b"x-ratelimit-limit-tokens", b"Via", b"Transfer-Encoding"])
VALUES = st.binary(max_size=12).map(lambda raw: bytes(byte for byte in raw if byte >= 0x20) + b"\t" * (len(raw) % 3))
LINES = st.lists(st.tuples(NAMES, st.sampled_from([b":", b": ", b":  ", b":\t"]), VALUES), max_size=4)


def lines(*fields: bytes) -> list[bytes]:
    return [b"HTTP/1.1 200 OK", *fields]


def alone(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip()


@given(heads=st.lists(LINES, max_size=12))
def test_a_head_says_the_same_whatever_came_before_it(heads: list[list[tuple[bytes, bytes, bytes]]]) -> None:
    """Names in lower case, values without the space around them, in order; no transfer coding but `chunked`."""
    forms = Forms()
    for fields in heads:
        raw = [b"".join(field) for field in fields]
        expected = [alone(line) for line in raw]
        if any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in expected):
            with pytest.raises(ValueError, match="transfer coding"):
                forms.read(lines(*raw))
        else:
            assert forms.read(lines(*raw)) == expected


def test_a_transfer_coding_is_looked_at_in_every_head() -> None:
    """A head of a form that is known may still name another coding."""
    forms = Forms()
    assert forms.read(lines(b"Transfer-Encoding: chunked")) == [(b"transfer-encoding", b"chunked")]
    with pytest.raises(ValueError, match="transfer coding"):
        forms.read(lines(b"Transfer-Encoding: chunked, gzip"))


def test_a_form_that_has_changed_is_learnt_again() -> None:
    """After a few heads in a row that had another one."""
    forms = Forms()
    for name in (b"Via", b"Date"):
        for number in range(20):
            assert forms.read(lines(b"%b: %d" % (name, number))) == [(name.lower(), b"%d" % number)]
