"""What of a provider's head its client sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.edge.returned import Returned
from tidegate.wire.forms import Forms

NOT_RETURNED = [
    b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"date", b"server", b"retry-after",
    b"retry-after-ms", b"x-should-retry", b"set-cookie", b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining-requests",
    b"x-ratelimit-reset-tokens", b"alt-svc", b"strict-transport-security", b"openai-organization", b"openai-project",
    b"anthropic-organization-id",
]  # fmt: skip


@pytest.mark.parametrize("name", NOT_RETURNED)
def test_what_does_not_come_back(name: bytes) -> None:
    """What the gate says itself, what was meant for the gate, and whose account it used."""
    assert Returned().of([(name, b"x")], {name: b"x"}) == b""


def test_the_providers_own_id_comes_back_renamed() -> None:
    """Its support asks for it; ours is the request's."""
    headers = [(b"content-type", b"application/json"), (b"x-request-id", b"req_1"), (b"openai-version", b"2020")]
    assert Returned().of(headers, dict(headers)) == (
        b"content-type: application/json\r\nopenai-version: 2020\r\nx-tidegate-upstream-request-id: req_1\r\n"
    )


HEADS = st.lists(st.sampled_from([b"via: 1", b"via: 2", b"date: 1", b"x-cache: 1", b"x-cache: 2"]), max_size=4)


@given(heads=st.lists(HEADS, max_size=12))
def test_what_comes_back_is_the_same_whatever_came_before_it(heads: list[list[bytes]]) -> None:
    """Also where the lines that did not change are the same objects."""
    forms, known = Forms(), Returned()
    for lines in heads:
        headers = forms.read([b"HTTP/1.1 200 OK", *lines])
        assert known.of(headers, dict(headers)) == Returned().of(headers, dict(headers))
