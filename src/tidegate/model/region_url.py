"""The URL of the store that regions share. No text of an error holds it, since it may hold a password.

`etcd+http://[USER:PASSWORD@]HOST[:PORT][,HOST…]`, `etcd+https://…[?cacert=FILE]`: the members of one etcd cluster.
`redis://…`, `rediss://…`, `unix://…`: one Redis or Valkey server, as redis-py reads it.
"""

from typing import Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

ETCD: Final = ("etcd+http", "etcd+https")
REDIS: Final = ("redis", "rediss", "unix")
EXAMPLE: Final = "etcd+http://10.0.0.1:2379,10.1.0.1:2379,10.2.0.1:2379"
_PORT: Final = 2379


class BadStore(ValueError):
    """`problem` and `remedy`."""

    def __init__(self, problem: str, remedy: str = f"for example {EXAMPLE}") -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


class Etcd(NamedTuple):
    """Members of an etcd cluster, and as whom we come."""

    tls: bool
    hosts: tuple[tuple[str, int], ...]
    user: str
    password: str
    authorities: str  # path of a PEM file, "" = the system's


def etcd(url: str) -> Etcd | None:
    """What an etcd URL names; None for one of Redis. Raises `BadStore`."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise BadStore("a URL cannot hold spaces, line breaks or non-ASCII characters", "write odd characters as %XX")
    scheme, found, rest = url.partition("://")
    if not found or scheme not in {*ETCD, *REDIS}:
        raise BadStore("no such store of regions", "use etcd+http://, etcd+https://, redis:// or rediss://")
    if scheme in REDIS:
        return None
    before, _, query = rest.partition("?")
    authority, _, path = before.partition("/")
    credentials, at, hosts = authority.rpartition("@")
    if path:
        raise BadStore("a URL of etcd has no path", "name a prefix of its keys by regions.prefix")
    options = parse_qs(query, keep_blank_values=True)
    if odd := sorted(options.keys() - {"cacert"}):
        raise BadStore(f"no such option: {odd[0]}", "only cacert=FILE can stand behind the question mark")
    user, colon, password = credentials.partition(":")
    if at and not (user and colon):
        raise BadStore("the user of etcd has no password", "write USER:PASSWORD@ before the first host")
    every = tuple(_host(one) for one in hosts.split(","))
    return Etcd(scheme == ETCD[1], every, unquote(user), unquote(password), options.get("cacert", [""])[0])


def _host(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        name, port = parts.hostname, parts.port
    except ValueError:
        raise BadStore("a host's port is no number") from None
    if not name or port == 0:
        raise BadStore("the URL names no host" if not name else "no port")
    return name, port or _PORT


def shown(url: str) -> str:
    """The URL without what is secret."""
    scheme, _, rest = url.partition("://")
    before, _, _ = rest.partition("?")
    return f"{scheme}://{before.rpartition('@')[2]}"
