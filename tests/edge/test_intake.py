"""What of a request goes on to a provider, and what cannot."""

from typing import Any

import pytest

from tidegate.edge.access.principals import ANYBODY
from tidegate.edge.heads import forwarded
from tidegate.edge.intake import Caller, Refusal
from tidegate.edge.routes import Route, match
from tidegate.model.call import Kind
from tidegate.wire.exchange import Exchange

NOBODY: Any = None


def exchange(target: bytes, path: bytes, query: bytes, **headers: bytes) -> Exchange:
    fields = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Exchange(NOBODY, b"GET", target, path, query, list(fields.items()), fields, "")


@pytest.mark.parametrize("origin", [b"", b"http://gate"])
@pytest.mark.parametrize(("query", "expected"), [(b"", b"/files"), (b"a=1&b=?", b"/files?a=1&b=?")])
def test_the_provider_gets_the_path_below_the_prefix(origin: bytes, query: bytes, expected: bytes) -> None:
    """Whether the target is a path or a whole URL."""
    target = origin + b"/v1/files" + (b"?" + query if query else b"")
    assert Caller(exchange(target, b"/v1/files", query), Kind.PASS, ANYBODY, None).path == expected


@pytest.mark.parametrize("value", [b"0", b"-1", b"1.5", b"9" * 18, b"9" * 5_000])
def test_a_deadline_that_is_none(value: bytes) -> None:
    """A client's mistake, however long its number."""
    with pytest.raises(Refusal):
        Caller(exchange(b"/v1/a", b"/v1/a", b"", x_tidegate_deadline_ms=value), Kind.PASS, ANYBODY, None)


def test_what_connection_names_stays_here() -> None:
    """RFC 9110, 7.6.1."""
    headers = [(b"connection", b"close, X-Hop"), (b"x-hop", b"1"), (b"x-end", b"2"), (b"http2-settings", b"AA")]
    assert forwarded(headers, b"close, X-Hop", coded=True) == b"x-end: 2\r\n"
    assert forwarded(headers, b"keep-alive", coded=True) == b"x-hop: 1\r\nx-end: 2\r\n"


@pytest.mark.parametrize(
    "path", [b"/v1/../admin", b"/v1/a/..", b"/v1/./chat/completions", b"/v1/%2E%2e/admin", b"/v1/."]
)
def test_no_path_leads_out_of_the_base_url(path: bytes) -> None:
    """A provider may resolve dots; the gate's key would go with them."""
    assert match(path).route is Route.UNKNOWN


@pytest.mark.parametrize("path", [b"/v1/files/a.b", b"/v1/files/..a", b"/v1/.../x"])
def test_dots_in_names_are_names(path: bytes) -> None:
    """Only whole segments of them lead anywhere."""
    assert match(path).route is Route.FORWARD
