"""Which proxy the environment asks for, and what is said to it."""

import pytest

from tidegate.wire.endpoint import Endpoint
from tidegate.wire.proxy import absolute_form, authorization, connect_request, resolve_proxy, unquote

HTTP = "http://api.example.com/v1"
HTTPS = "https://api.example.com/v1"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (HTTPS, {}, ""),
        (HTTPS, {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        (HTTPS, {"https_proxy": "http://p:1"}, "http://p:1"),
        (HTTPS, {"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"}, "http://low:1"),
        (HTTPS, {"https_proxy": "", "HTTPS_PROXY": "http://up:1"}, ""),
        (HTTPS, {"HTTP_PROXY": "http://p:1"}, ""),
        (HTTPS, {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        (HTTPS, {"all_proxy": "http://p:1", "https_proxy": "http://q:1"}, "http://q:1"),
        (HTTPS, {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        (HTTPS, {"HTTPS_PROXY": " http://u:p%40ss@p:1 "}, "http://u:p%40ss@p:1"),
        (HTTP, {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        (HTTP, {"HTTPS_PROXY": "http://p:1"}, ""),
        (HTTP, {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, ""),
        (HTTP, {"http_proxy": "http://p:1", "REQUEST_METHOD": "GET"}, "http://p:1"),
        (HTTPS, {"HTTPS_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://p:1"),
    ],
)
def test_which_variable_counts(url, environ, proxy):
    """By scheme, lower case first; in CGI no HTTP_PROXY, which is the client's header there."""
    assert resolve_proxy(url, environ) == proxy


@pytest.mark.parametrize(
    ("host", "no_proxy", "exempt"),
    [
        ("api.example.com", "", False),
        ("api.example.com", "*", True),
        ("api.example.com", "example.com", True),
        ("api.example.com", ".example.com", True),
        ("api.example.com", "*.example.com", True),
        ("example.com", "example.com", True),
        ("example.com", ".example.com", True),
        ("API.Example.COM", "example.com", True),
        ("api.example.com.", "example.com", True),
        ("badexample.com", "example.com", False),
        ("example.com.evil.org", "example.com", False),
        ("api.example.com", "other.org, example.com", True),
        ("api.example.com", "other.org example.com", True),
        ("api.example.com:8443", "example.com:8443", True),
        ("api.example.com:8443", "example.com:443", False),
        ("api.example.com", "example.com:443", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.0/8", True),
        ("10.1.2.3", "10.1.0.0/16,192.168.0.0/16", True),
        ("10.2.2.3", "10.1.0.0/16", False),
        ("api.example.com", "10.0.0.0/8", False),
        ("10.0.0.1", "nonsense/8", False),
        ("[::1]", "::1", True),
        ("[::1]:8443", "[::1]:8443", True),
        ("[fd00::5]", "fd00::/8", True),
        ("[::2]", "::1", False),
        ("api.example.com", ",, ,", False),
        ("api.example.com", ".", False),
    ],
)
def test_whom_no_proxy_exempts(host, no_proxy, exempt):
    """Names and their subdomains, addresses, networks, ports, or everybody."""
    for name in ("no_proxy", "NO_PROXY"):
        environ = {"HTTPS_PROXY": "http://p:1", name: no_proxy}
        assert (resolve_proxy(f"https://{host}/v1", environ) == "") is exempt


def test_a_url_that_is_none():
    """Is an error that does not echo it: it may hold a password."""
    with pytest.raises(ValueError, match="URL") as caught:
        resolve_proxy("ftp://user:secret@host", {})
    assert "secret" not in str(caught.value)


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
