"""Where an upstream service is: the pieces of a base URL."""

from typing import NamedTuple, Protocol, cast

from httptools import HttpParserInvalidURLError, parse_url

_PORTS = {"http": 80, "https": 443}


class _Parts(Protocol):
    """What httptools finds in a URL. Its own types say that nothing is ever missing."""

    schema: bytes | None
    host: bytes | None
    port: int | None
    userinfo: bytes | None


class Endpoint(NamedTuple):
    """`host` is without brackets; `user` is what stands before the `@`, still percent-encoded."""

    scheme: str
    host: str
    port: int
    user: str = ""

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """`host:port`, as a CONNECT request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        """`host`, and the port unless it is the scheme's own."""
        own = self.port == _PORTS[self.scheme]
        return self.authority.rpartition(":")[0] if own else self.authority


def endpoint_of(url: str) -> Endpoint:
    """The endpoint of an http or https URL. Raises `ValueError`, without echoing the URL: it may hold a password."""
    try:
        parsed = cast("_Parts", parse_url(url.encode("ascii")))
    except (HttpParserInvalidURLError, UnicodeEncodeError):
        raise ValueError("not a URL: expected http://host[:port] or https://host[:port]") from None
    scheme = (parsed.schema or b"").decode().lower()
    if scheme not in _PORTS:
        raise ValueError(f"unsupported URL scheme {scheme!r}: expected http or https")
    host = (parsed.host or b"").decode()
    if not host:
        raise ValueError("the URL has no host")
    return Endpoint(scheme, host, parsed.port or _PORTS[scheme], (parsed.userinfo or b"").decode())
