"""The proxy that the environment gives a provider."""

import pytest

from tidegate.config.proxies import BadProxy, bypassed, environment_proxy

HTTP = "http://api.example:8000/v1"
HTTPS = "https://api.example/v1"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (HTTP, {}, ""),
        (HTTP, {"http_proxy": "http://p:1"}, "http://p:1"),
        (HTTP, {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        (HTTP, {"HTTP_PROXY": "http://p:1", "http_proxy": "http://q:2/"}, "http://q:2"),
        (HTTP, {"HTTP_PROXY": "http://p:1", "http_proxy": ""}, "http://p:1"),
        (HTTP, {"HTTPS_PROXY": "http://p:1"}, ""),
        (HTTPS, {"HTTPS_PROXY": "http://u:p@p:1"}, "http://u:p@p:1"),
        (HTTPS, {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        (HTTPS, {"HTTP_PROXY": "http://p:1"}, ""),
        (HTTPS, {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        (HTTPS, {"all_proxy": "http://p:1", "HTTPS_PROXY": "http://q:2"}, "http://q:2"),
        (HTTPS, {"HTTPS_PROXY": " http://u:p%40ss@p:1 "}, "http://u:p%40ss@p:1"),
        (HTTPS, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "api.example:443"}, ""),
        (HTTPS, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "api.example:80"}, "http://p:1"),
        (HTTPS, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "api.example"}, ""),
        (HTTPS, {"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, ""),
        (HTTPS, {"HTTPS_PROXY": "socks5://p:1", "no_proxy": "*"}, ""),
    ],
)
def test_choice(url: str, environ: dict[str, str], proxy: str) -> None:
    """By the scheme of the base URL, else for all; lower case wins; `NO_PROXY` comes first."""
    assert environment_proxy(url, environ) == proxy


@pytest.mark.parametrize(
    "value", ["socks5://alice:s3cret@p:1", "https://p:1", "http://", "http://p:1/s3cret", "::s3cret::"]
)
def test_unusable(value: str) -> None:
    """A proxy that cannot be used is refused by its variable's name, and its value is not shown."""
    with pytest.raises(BadProxy, match="HTTPS_PROXY names no usable proxy") as refused:
        environment_proxy(HTTPS, {"HTTPS_PROXY": value})
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "expected"),
    [
        ("api.example", None, "", False),
        ("api.example", None, "example", True),
        ("api.example", None, ".example", True),
        ("api.example", None, "*.example", True),
        ("api.example", None, "pi.example", False),
        ("example", None, "api.example", False),
        ("api.example", None, "other, API.EXAMPLE ,x", True),
        ("api.example", 8000, "api.example:8000", True),
        ("api.example", 8001, "api.example:8000", False),
        ("api.example", None, "api.example:8000", False),
        ("api.example.", None, "example", True),
        ("api.example", None, "example.", True),
        ("badexample", None, "example", False),
        ("example.evil", None, "example", False),
        ("api.example", None, "other example", True),
        ("127.0.0.1", 9100, "localhost,127.0.0.1", True),
        ("127.0.0.1", 9100, "127.0.0.0/8", True),
        ("10.1.2.3", None, "10.1.0.0/16,192.168.0.0/16", True),
        ("10.2.2.3", None, "10.1.0.0/16", False),
        ("api.example", None, "10.0.0.0/8", False),
        ("10.0.0.1", None, "nonsense/8", False),
        ("fd00::5", None, "fd00::/8", True),
        ("::1", 9100, "::1", True),
        ("::1", 9100, "[::1]:9100", True),
        ("::1", 9101, "[::1]:9100", False),
        ("anything", 1, "*", True),
        ("anything", 1, ",,.", False),
    ],
)
def test_bypass(host: str, port: int | None, no_proxy: str, *, expected: bool) -> None:
    """A name stands for its subdomains too, whole labels only; a network for its addresses; a port narrows."""
    assert bypassed(host, port, no_proxy) is expected
