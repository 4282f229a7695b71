"""Base URLs of providers."""

import re
from urllib.parse import SplitResult, urlsplit

_VERSION = re.compile(r"v\d+([a-z]+\d*)?", re.IGNORECASE)


class BadUrl(ValueError):
    """A URL that cannot be used: `message` says why, `remedy` what would be right. Neither holds the URL."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)


def normalise_base_url(url: str) -> str:
    """`url` without a trailing slash; `/v1` is appended when no segment of its path names a version.

    Raises `BadUrl`.
    """
    parts = split_url(url, ("http", "https"), "https://api.openai.com/v1")
    if "@" in parts.netloc:
        raise BadUrl("a base URL cannot hold a user or password", "put the credential under `scopes: … keys`")
    if "?" in url or "#" in url:
        raise BadUrl("a base URL cannot hold a query or fragment", "end it after the path")
    path = parts.path.rstrip("/")
    if not any(_VERSION.fullmatch(segment) for segment in path.split("/")):
        path += "/v1"
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def check_proxy(url: str) -> str:
    """`url` if it names a proxy that can be used, else raises `BadUrl`."""
    example = "http://proxy.example:3128"
    parts = split_url(url, ("http",), example)
    if parts.path not in ("", "/") or "?" in url or "#" in url:
        raise BadUrl("a proxy's URL has no path, query or fragment", f"for example {example}")
    return url.rstrip("/")


def split_url(url: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    """The parts of an absolute URL of one of `schemes`. Raises `BadUrl`."""
    example = f"for example {example}"
    if not url.isascii() or not url.isprintable() or " " in url:
        raise BadUrl("a URL cannot hold spaces, control or non-ASCII characters", example)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadUrl("not a URL: check its host and port", example) from None
    if parts.scheme not in schemes or not url[len(parts.scheme) :].startswith("://"):
        raise BadUrl(f"must start with {' or '.join(scheme + '://' for scheme in schemes)}", example)
    if not parts.hostname or port == 0:
        raise BadUrl("the URL names no host, or port 0", example)
    return parts
