"""What is said to a proxy."""

import pytest

from tidegate.wire.endpoint import Endpoint
from tidegate.wire.proxy import absolute_form, authorization, connect_request, unquote


@pytest.mark.parametrize(
    ("user", "line"),
    [
        ("", b""),
        ("Aladdin:open sesame", b"proxy-authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"),
        ("u:p%40s%3As", b"proxy-authorization: Basic dTpwQHM6cw==\r\n"),
        ("u", b"proxy-authorization: Basic dTo=\r\n"),
    ],
)
def test_credentials(user, line):
    """Are decoded from the URL and sent as RFC 7617 says."""
    assert authorization(Endpoint("http", "p", 1, user)) == line


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("", b""),
        ("abc", b"abc"),
        ("%41b%63", b"Abc"),
        ("100%", b"100%"),
        ("%zz%4", b"%zz%4"),
        ("%C3%A9", b"\xc3\xa9"),
        ("é", b"\xc3\xa9"),
    ],
)
def test_percent_decoding(text, decoded):
    """What is no escape stays as it is."""
    assert unquote(text) == decoded


def test_asking_for_a_tunnel():
    """By host and port, always both."""
    proxy = Endpoint("http", "p", 1, "u:p")
    assert connect_request(Endpoint("https", "api.example.com", 443), proxy) == (
        b"CONNECT api.example.com:443 HTTP/1.1\r\nhost: api.example.com:443\r\nproxy-authorization: Basic dTpw\r\n\r\n"
    )
    assert connect_request(Endpoint("https", "::1", 8443), Endpoint("http", "p", 1)) == (
        b"CONNECT [::1]:8443 HTTP/1.1\r\nhost: [::1]:8443\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("target", "url"),
    [
        (Endpoint("http", "a", 80), b"http://a/v1?q"),
        (Endpoint("http", "a", 8080), b"http://a:8080/v1?q"),
        (Endpoint("http", "::1", 80), b"http://[::1]/v1?q"),
        (Endpoint("http", "::1", 81), b"http://[::1]:81/v1?q"),
    ],
)
def test_the_absolute_form(target, url):
    """Names the whole URL; the proxy's headers come first."""
    head = absolute_form(b"GET /v1?q HTTP/1.1\r\nhost: a\r\n", target, b"proxy-x: y\r\n")
    assert head == b"GET " + url + b" HTTP/1.1\r\nproxy-x: y\r\nhost: a\r\n"
