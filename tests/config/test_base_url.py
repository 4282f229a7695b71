"""Base URLs and proxies as the file gives them."""

import pytest

from tidegate.config.base_url import BadUrl, check_proxy, normalise_base_url


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1///", "https://api.openai.com/v1"),
        ("http://127.0.0.1:9100/openai", "http://127.0.0.1:9100/openai/v1"),
        ("http://127.0.0.1:9100/openai/v1", "http://127.0.0.1:9100/openai/v1"),
        ("https://host/api/v3", "https://host/api/v3"),
        ("https://host/v1beta/openai/", "https://host/v1beta/openai"),
        ("https://host/compatible-mode/V2", "https://host/compatible-mode/V2"),
        ("https://host/vllm", "https://host/vllm/v1"),
        ("HTTP://HOST:80/Path", "http://host:80/Path/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
    ],
)
def test_normal_form(url: str, normal: str) -> None:
    """No trailing slash, scheme and host in lower case, a version in the path; normalising twice changes nothing."""
    assert normalise_base_url(url) == normal
    assert normalise_base_url(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "", "/", "host", "host:80", "//host/v1", "http:", "http:/host", "http:host", "https://", "https:///v1", "file:///etc",
        "ftp://host", "https://u:p@host", "https://@host", "https://host/?", "https://host/#", "https://host/v1?a=b",
        "https://host:0", "https://host:port", "https://host:70000", "https://ho st", "https://host/\n", "https://host/\t",
        " https://host", "https://[::1", "https://hös.example", "https://host/ü", "https://:80",
    ],
)  # fmt: skip
def test_refused(url: str) -> None:
    """Whatever is no plain http(s) URL is refused, in words without the URL."""
    with pytest.raises(BadUrl) as refused:
        normalise_base_url(url)
    assert refused.value.message
    assert refused.value.remedy
    assert len(url) < 9 or url not in f"{refused.value.message} {refused.value.remedy}"


def test_proxy() -> None:
    """A proxy is an http URL with a host, perhaps with user and password, and nothing more."""
    assert check_proxy("http://user:password@proxy.example:3128/") == "http://user:password@proxy.example:3128"
    for url in ("https://proxy.example", "socks5://proxy.example", "proxy.example:3128", "http://p/path", "http://p?q"):
        with pytest.raises(BadUrl):
            check_proxy(url)
