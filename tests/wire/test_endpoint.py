"""The pieces of a base URL."""

import pytest

from tidegate.wire.endpoint import Endpoint, endpoint_of


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://a/v1", Endpoint("http", "a", 80)),
        ("https://a/v1", Endpoint("https", "a", 443)),
        ("HTTPS://a:8443", Endpoint("https", "a", 8443)),
        ("http://127.0.0.1:9100/openai/v1", Endpoint("http", "127.0.0.1", 9100)),
        ("http://[::1]:9100", Endpoint("http", "::1", 9100)),
        ("http://u:p%40@proxy:3128", Endpoint("http", "proxy", 3128, "u:p%40")),
    ],
)
def test_pieces(url, endpoint):
    """Scheme, host, port, and who logs in."""
    assert endpoint_of(url) == endpoint


@pytest.mark.parametrize(
    "url", ["", "a", "ftp://secret", "http://", "http://secret:port", "//secret", "http://séc.ret"]
)
def test_what_is_no_url(url):
    """Is refused, and not echoed."""
    with pytest.raises(ValueError, match=r"expected http|has no host") as caught:
        endpoint_of(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "authority", "header"),
    [
        ("http://a", "a:80", "a"),
        ("https://a", "a:443", "a"),
        ("https://a:80", "a:80", "a:80"),
        ("http://[::1]", "[::1]:80", "[::1]"),
        ("http://[::1]:81", "[::1]:81", "[::1]:81"),
    ],
)
def test_names(url, authority, header):
    """CONNECT always names the port, `host` only one that is not the scheme's own."""
    endpoint = endpoint_of(url)
    assert (endpoint.authority, endpoint.host_header, endpoint.tls) == (authority, header, endpoint.scheme == "https")
