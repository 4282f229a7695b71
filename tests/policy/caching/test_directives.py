"""What clients say in `Cache-Control` and `x-tidegate-cache`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.caching.directives import Directives, directives

SECOND = 1_000_000
YEAR = 31_536_000 * SECOND


FIELDS = ("bypass", "exact_only", "lenient_us", "max_age_us", "only", "read", "stale_us", "ttl_us", "write")


def said(made: Directives) -> dict[str, Any]:
    """What differs from a client that says nothing."""
    nothing = Directives()
    return {name: getattr(made, name) for name in FIELDS if getattr(made, name) != getattr(nothing, name)}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, {}),
        (b"", {}),
        (b"no-cache", {"read": False}),
        (b"No-Cache", {"read": False}),
        (b"no-store", {"write": False}),
        (b"no-cache, no-store", {"read": False, "write": False}),
        (b"max-age=60", {"max_age_us": 60 * SECOND}),
        (b'max-age="60"', {"max_age_us": 60 * SECOND}),
        (b"max-age=0", {"max_age_us": 0}),
        (b"max-age=soon", {"max_age_us": 0}),
        (b"max-age=-1", {"max_age_us": 0}),
        (b"max-age", {"max_age_us": 0}),
        (b"max-age=" + b"9" * 100, {"max_age_us": YEAR}),
        (b"max-stale", {"lenient_us": YEAR}),
        (b"max-stale=5", {"lenient_us": 5 * SECOND}),
        (b"max-stale=x", {}),
        (b"only-if-cached", {"only": True}),
        (b"stale-if-error=10", {"stale_us": 10 * SECOND}),
        (b"stale-if-error", {"stale_us": 0}),
        (b"no-transform, min-fresh=5, private, x=y", {}),
        (b" ,, no-cache ,", {"read": False}),
        (b"\xff\xfe", {}),
    ],
)
def test_the_standard_header(header: bytes | None, expected: dict[str, Any]) -> None:
    """RFC 9111: what is unknown is ignored, and what cannot be read is as strict as can be."""
    assert said(directives(header, None)) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"bypass", {"read": False, "write": False, "bypass": True}),
        (b"refresh", {"read": False}),
        (b"only", {"only": True}),
        (b"exact", {"exact_only": True}),
        (b"Exact, TTL=60", {"exact_only": True, "ttl_us": 60 * SECOND}),
        (b"ttl=0", {"ttl_us": 0, "write": False}),
        (b"only, exact", {"only": True, "exact_only": True}),
    ],
)
def test_the_gates_own(header: bytes, expected: dict[str, Any]) -> None:
    """Words with commas between, in any case."""
    assert said(directives(None, header)) == expected


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"never", "'never' is not known"),
        (b"ttl", "whole seconds"),
        (b"ttl=1.5", "whole seconds"),
        (b"ttl=-1", "whole seconds"),
        (b"bypass=1", "takes no value"),
        (b"only, refresh", "Send either"),
        (b"bypass, only", "Send either"),
        (b"exact," * 200, "512 bytes"),
        ("ttl=٣".encode(), "whole seconds"),
    ],
)
def test_what_is_wrong_there_is_told(header: bytes, words: str) -> None:
    """It was meant for the gate: a client that spells it wrong is told how to."""
    with pytest.raises(ValueError, match=words):
        directives(None, header)


def test_both() -> None:
    """Each has its say."""
    assert said(directives(b"max-age=5", b"exact")) == {"max_age_us": 5 * SECOND, "exact_only": True}


@given(header=st.binary(max_size=600))
def test_nothing_in_cache_control_is_an_error(header: bytes) -> None:
    """Whatever stands between a client and the gate may have written it."""
    made = directives(header, None)
    assert -1 <= made.max_age_us <= YEAR
    assert 0 <= made.lenient_us <= YEAR
