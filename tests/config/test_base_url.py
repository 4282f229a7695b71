"""Base URLs and proxies as the file gives them."""

import pytest

from tidegate.config.base_url import BadUrl, check_proxy, clean_base_url, normalise_base_url


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
    ("version", "urls"),
    [
        ("/v1", ["https://h", "https://h/", "https://H/v1", "https://h/v1/"]),
        ("/v1beta/openai", ["https://h", "https://h/v1beta", "https://h/v1beta/openai", "https://h/v1beta/openai/"]),
        ("/compatible-mode/v1", ["https://h", "https://h/compatible-mode", "https://h/compatible-mode/v1"]),
        ("/api/paas/v4", ["https://h", "https://h/api", "https://h/api/paas", "https://h/api/paas/v4/"]),
        ("/api/v3", ["https://h/", "https://h/api", "https://h/api/v3"]),
        ("/openai/v1", ["https://h", "https://h/openai", "https://h/openai/v1"]),
        ("/openai", ["https://h", "https://h/openai", "https://h/openai/"]),
        ("/beta", ["https://h", "https://h/beta"]),
    ],
)
def test_a_profiles_version(version: str, urls: list[str]) -> None:
    """However much of it is written, it is the same URL; in lower case where the host is."""
    assert {normalise_base_url(url, version) for url in urls} == {f"https://h{version}"}


@pytest.mark.parametrize(
    ("url", "version", "normal"),
    [
        ("https://h/v2", "/v1", "https://h/v2"),
        ("https://h/beta", "/v1", "https://h/beta"),
        ("https://h/openai/v1", "/openai", "https://h/openai/v1"),
        ("https://h/gateway/anthropic", "/v1", "https://h/gateway/anthropic/v1"),
        ("https://h/v1", "/compatible-mode/v1", "https://h/v1"),
        ("https://h/api/coding/paas/v4", "/api/paas/v4", "https://h/api/coding/paas/v4"),
        ("https://h/myapi", "/compatible-mode/v1", "https://h/myapi/compatible-mode/v1"),
        ("https://h", "", "https://h"),
    ],
)
def test_another_version_stays(url: str, version: str, normal: str) -> None:
    """What names a version is left as it is."""
    assert normalise_base_url(url, version) == normal


@pytest.mark.parametrize(
    "url",
    [
        "https://h/v1/chat/completions", "https://h/v1/messages/", "https://h/v1/responses", "https://h/v1/embeddings",
        "https://x.openai.azure.com/openai/deployments/gpt-4o", "https://h/openai/deployments",
    ],
)  # fmt: skip
def test_more_than_a_base_is_refused(url: str) -> None:
    """A URL that was copied with the endpoint or the deployment in it would be used with both twice."""
    with pytest.raises(BadUrl):
        clean_base_url(url)


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
