"""Base URLs of providers."""

import re
from urllib.parse import SplitResult, urlsplit

_VERSION = re.compile(r"v\d+([a-z]+\d*)?|beta", re.IGNORECASE)
_ENDPOINTS = ("/chat/completions", "/completions", "/messages", "/responses", "/embeddings")


class BadUrl(ValueError):
    """A URL that cannot be used: `message` says why, `remedy` what would be right. Neither holds the URL."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)


def normalise_base_url(url: str, version: str = "/v1") -> str:
    """`url` without a trailing slash; `version` is appended when no segment of its path names one.

    `version` is a provider's own, such as `/compatible-mode/v1`: where the path ends with the beginning of it, the rest
    is appended. Raises `BadUrl`.
    """
    url = clean_base_url(url)
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{_with_version(parts.path, version)}"


def clean_base_url(url: str) -> str:
    """`url` with scheme and host in lower case and without a trailing slash. Raises `BadUrl`."""
    parts = split_url(url, ("http", "https"), "https://api.openai.com/v1")
    if "@" in parts.netloc:
        raise BadUrl("a base URL cannot hold a user or password", "put the credential under `scopes: … keys`")
    if "?" in url or "#" in url:
        raise BadUrl("a base URL cannot hold a query or fragment", "end it after the path")
    path = parts.path.rstrip("/")
    if "/deployments/" in f"{path}/":
        raise BadUrl("a base URL ends before the deployment", "end it before /deployments: models name deployments")
    if path.endswith(_ENDPOINTS):
        raise BadUrl("this is the URL of an endpoint", "end it where all its endpoints begin, for example after /v1")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def _with_version(path: str, version: str) -> str:
    if path.endswith(version) or not version:
        return path
    segments = version.split("/")[1:]
    for count in range(len(segments) - 1, 0, -1):
        if path.endswith("/" + "/".join(segments[:count])):
            return "/".join((path, *segments[count:]))
    return path if any(_VERSION.fullmatch(segment) for segment in path.split("/")) else path + version


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
