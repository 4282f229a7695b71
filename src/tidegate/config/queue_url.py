"""The URL of what carries jobs to those who run them. No text of an error holds the URL."""

from urllib.parse import SplitResult, urlsplit

from tidegate.config.base_url import BadUrl

EMBEDDED = "sqlite"
SCHEMES = (EMBEDDED, "redis", "rediss", "amqp", "amqps")
_EXAMPLES = {
    "redis": "redis://localhost:6379/0",
    "rediss": "rediss://:PASSWORD@redis.example:6380/0",
    "amqp": "amqp://USER:PASSWORD@localhost:5672/VHOST",
    "amqps": "amqps://USER:PASSWORD@rabbit.example:5671/VHOST",
}
_NO_FILE = "write sqlite:// for rows beside the ledger, or sqlite:///jobs.db for a file of their own"


def check_queue(url: str) -> str:
    """`url` if it names a queue that can be used. Raises `BadUrl`."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise BadUrl("a URL cannot hold spaces, line breaks or non-ASCII characters", "write odd characters as %XX")
    scheme, found, rest = url.partition("://")
    scheme = scheme.lower()
    if not found or scheme not in SCHEMES:
        known = ", ".join(f"{one}://" for one in SCHEMES)
        raise BadUrl("no such queue backend", f"use one of {known}")
    if scheme == EMBEDDED:
        if rest and (not rest.startswith("/") or rest.strip("/") in ("", ":memory:") or "?" in rest):
            raise BadUrl("names no file", _NO_FILE)
        return f"{EMBEDDED}://{rest}"
    _check_broker(_parts(url, scheme), scheme)
    return scheme + url[len(scheme) :]


def queue_file(url: str) -> str:
    """The file of rows that an embedded queue's URL names, "" = none."""
    return url.removeprefix(f"{EMBEDDED}:///") if url.startswith(f"{EMBEDDED}:///") else ""


def _parts(url: str, scheme: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise BadUrl("not a URL", f"for example {_EXAMPLES[scheme]}") from None
    if not usable:
        raise BadUrl("the URL names no host" if not parts.hostname else "no port", f"for example {_EXAMPLES[scheme]}")
    return parts


def _check_broker(parts: SplitResult, scheme: str) -> None:
    if parts.fragment:
        raise BadUrl("a queue's URL has no fragment", f"write # as %23; for example {_EXAMPLES[scheme]}")
    database = parts.path.strip("/")
    if scheme.startswith("redis") and database and not database.isdecimal():
        raise BadUrl("the path of Redis is the number of a database", f"for example {_EXAMPLES[scheme]}")
