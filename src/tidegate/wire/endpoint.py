"""Where an upstream service is: the pieces of a base URL."""

from typing import Final, NamedTuple, Protocol, cast

from httptools import HttpParserInvalidURLError, parse_url

UNIX: Final = "unix"
_PORTS: Final = {"http": 80, "https": 443}
_SOCKET: Final = ".sock"  # what the name of a socket ends with, where a path stands behind it


class _Parts(Protocol):
    """What httptools finds in a URL. Its own types say that nothing is ever missing."""

    schema: bytes | None
    host: bytes | None
    port: int | None
    userinfo: bytes | None


class Endpoint(NamedTuple):
    """`host` is without brackets; `user` is what stands before the `@`, still percent-encoded.

    Of the scheme `unix`, `host` is the path of a socket on this machine.
    """

    scheme: str
    host: str
    port: int
    user: str = ""

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """`host:port`, as a CONNECT request names it; of a Unix socket its path."""
        if self.scheme == UNIX:
            return self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        """`host`, and the port unless it is the scheme's own. What is behind a Unix socket has no name but ours."""
        if self.scheme == UNIX:
            return "tidegate"
        own = self.port == _PORTS[self.scheme]
        return self.authority.rpartition(":")[0] if own else self.authority


def endpoint_of(url: str) -> Endpoint:
    """The endpoint of an http or https URL, or of `unix:/path/of.sock`, perhaps with `:/path` behind it.

    Raises `ValueError`, without echoing the URL: it may hold a password.
    """
    if url.startswith("unix:"):
        return _unix(url[len("unix:") :])
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


def _unix(path: str) -> Endpoint:
    before, socket, _ = path.partition(f"{_SOCKET}:")
    if not before.startswith("/"):
        raise ValueError("not the URL of a socket: expected unix:/path/of.sock")
    return Endpoint(UNIX, f"{before}{_SOCKET}" if socket else path, 0)
