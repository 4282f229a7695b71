"""The URL of the shared state. No text of an error holds it, since it may hold a password.

| URL | what is there |
|---|---|
| `redis://[USER][:PASSWORD@]HOST[:PORT][/DATABASE]` | one server; `rediss://`: with TLS |
| `unix://[USER][:PASSWORD@]/PATH[?db=DATABASE]` | one server of this machine |
| `redis+sentinel://[USER][:PASSWORD@]HOST[:PORT],…/NAME[/DATABASE]` | sentinels, and what they call the primary |
| `redis+cluster://[USER][:PASSWORD@]HOST[:PORT],…` | some nodes of a Redis Cluster |

`rediss+sentinel://` and `rediss+cluster://` speak TLS with everybody. Query: `ssl_ca_certs`, `ssl_certfile`,
`ssl_keyfile` (paths of PEM files), `ssl_check_hostname` (true, false), `sentinel_username`, `sentinel_password`.
"""

from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

FIELD: Final = "cluster.url"
SINGLE: Final = "single"
UNIX: Final = "unix"
SENTINEL: Final = "sentinel"
CLUSTER: Final = "cluster"

_KINDS: Final = {
    "redis": SINGLE,
    "rediss": SINGLE,
    "unix": UNIX,
    "redis+sentinel": SENTINEL,
    "rediss+sentinel": SENTINEL,
    "redis+cluster": CLUSTER,
    "rediss+cluster": CLUSTER,
}
_PORTS: Final = {SENTINEL: 26_379}
_USUAL_PORT: Final = 6_379
_EXAMPLES: Final = {
    SINGLE: "redis://:PASSWORD@redis.example:6379/0",
    UNIX: "unix:///run/redis/redis.sock",
    SENTINEL: "redis+sentinel://:PASSWORD@one.example:26379,two.example:26379/mymaster",
    CLUSTER: "redis+cluster://:PASSWORD@one.example:6379,two.example:6379",
}
_TLS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
_SENTINELS: Final = ("sentinel_username", "sentinel_password")
_TRUTHS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class BadUrl(ValueError):
    """`problem` and `remedy`; the message is both, and names the field."""

    def __init__(self, problem: str, remedy: str, field: str = FIELD) -> None:
        super().__init__(f"{field}: {problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


class Host(NamedTuple):
    """A server: host and port, or the path of a Unix socket and port 0."""

    name: str
    port: int

    def __str__(self) -> str:
        if not self.port:
            return self.name
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


class Tls(NamedTuple):
    """Paths of PEM files, "" = the system's authorities, no certificate of ours."""

    authorities: str = ""
    certificate: str = ""
    key: str = ""
    check_hostname: bool = True


class StoreAddress(NamedTuple):
    """Where the shared state is, and as whom we come."""

    kind: str
    hosts: tuple[Host, ...]
    user: str = ""
    password: str = ""
    database: int = 0
    service: str = ""  # what sentinels call the primary
    sentinel_user: str = ""
    sentinel_password: str = ""
    tls: Tls | None = None

    @property
    def shown(self) -> str:
        """Without user, password and query."""
        scheme = "redis" if self.kind in {SINGLE, UNIX} else f"redis+{self.kind}"
        if self.kind == UNIX:
            return f"unix://{self.hosts[0].name}"
        hosts, service = ",".join(str(host) for host in self.hosts), f"/{self.service}" if self.service else ""
        return f"{scheme.replace('redis', 'rediss', 1) if self.tls else scheme}://{hosts}{service}"


def parse(url: str, field: str = FIELD) -> StoreAddress:
    """Raises `BadUrl`, which names `field`. O(length)."""
    try:
        return _parse(url)
    except BadUrl as error:
        raise BadUrl(error.problem, error.remedy, field) from None


def _parse(url: str) -> StoreAddress:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise BadUrl("a URL cannot hold spaces, line breaks or non-ASCII characters", "write odd characters as %XX")
    scheme, found, rest = url.partition("://")
    kind = _KINDS.get(scheme.lower())
    if not found or kind is None:
        raise BadUrl("no such scheme", f"use one of {', '.join(f'{one}://' for one in _KINDS)}")
    if "#" in rest:
        raise BadUrl("a URL of Redis has no fragment", f"write # as %23; for example {_EXAMPLES[kind]}")
    rest, _, query = rest.partition("?")
    # Who comes ends with the last @ before the path; of a Unix socket everything from the first / is the path.
    netloc, slash, path = rest.partition("/")
    who, at, where = netloc.rpartition("@")
    if not at and kind != UNIX and "@" in path:
        raise BadUrl("a / stands before the @", "write / in a user or password as %2F")
    user, _, password = who.partition(":")
    options = _options(query, kind, tls=scheme.lower().startswith("rediss"))
    database = options.get("db", "")
    service = ""
    if kind == UNIX:
        if where or not path:
            raise BadUrl("names no path of a socket", f"for example {_EXAMPLES[kind]}")
        hosts: tuple[Host, ...] = (Host(unquote(slash + path), 0),)
    else:
        hosts = _hosts(where, kind)
        service, database = _path(path, kind, database)
    return StoreAddress(
        kind,
        hosts,
        unquote(user),
        unquote(password),
        _database(database, kind),
        service,
        options.get("sentinel_username", ""),
        options.get("sentinel_password", ""),
        _tls(options) if scheme.lower().startswith("rediss") else None,
    )


def _hosts(where: str, kind: str) -> tuple[Host, ...]:
    places = where.split(",")
    if kind == SINGLE and len(places) > 1:
        raise BadUrl("names several hosts", "use redis+sentinel:// or redis+cluster:// for several servers")
    return tuple(_host(place, kind) for place in places)


def _host(place: str, kind: str) -> Host:
    example = f"for example {_EXAMPLES[kind]}"
    usual = _PORTS.get(kind, _USUAL_PORT)
    if place.startswith("["):
        name, closed, tail = place[1:].partition("]")
        if not closed or (tail and not tail.startswith(":")):
            raise BadUrl("an IPv6 address stands in brackets", "for example redis://[2001:db8::1]:6379")
        port = tail[1:]
    else:
        name, _, port = place.partition(":")
        if ":" in port:
            raise BadUrl("an IPv6 address stands in brackets", "for example redis://[2001:db8::1]:6379")
    if not name:
        raise BadUrl("names no host", example)
    if port and not (port.isdecimal() and 0 < int(port) < 65_536):
        raise BadUrl("a port is a number from 1 to 65535", example)
    return Host(unquote(name), int(port) if port else usual)


def _path(path: str, kind: str, database: str) -> tuple[str, str]:
    """Service and database."""
    if kind == SENTINEL:
        service, _, last = path.strip("/").partition("/")
        if not service:
            raise BadUrl("does not say what the sentinels call the primary", f"for example {_EXAMPLES[kind]}")
        return unquote(service), last or database
    return "", path.strip("/") or database


def _database(text: str, kind: str) -> int:
    if text and not (text.isdecimal() and len(text) < 6):
        raise BadUrl("a database is a small number", f"for example {_EXAMPLES[kind]}")
    number = int(text or 0)
    if number and kind == CLUSTER:
        raise BadUrl("a Redis Cluster has no databases but 0", f"for example {_EXAMPLES[kind]}")
    return number


def _options(query: str, kind: str, *, tls: bool) -> dict[str, str]:
    allowed = (*(() if kind == CLUSTER else ("db",)), *(_TLS if tls else ()), *(_SENTINELS if kind == SENTINEL else ()))
    found = dict(parse_qsl(query, keep_blank_values=True))
    for name in found:
        if name in _TLS and not tls:
            raise BadUrl(f"{name} is of TLS", "use the scheme rediss")
        if name not in allowed:  # its text is not told: somebody may have put a password there
            raise BadUrl("an unknown option in the query", f"known here: {', '.join(allowed) or 'none'}")
    return found


def _tls(options: dict[str, str]) -> Tls:
    check = _TRUTHS.get(options.get("ssl_check_hostname", "true").lower())
    if check is None:
        raise BadUrl("ssl_check_hostname is true or false", "leave it out to have the server's name checked")
    certificate, key = options.get("ssl_certfile", ""), options.get("ssl_keyfile", "")
    if key and not certificate:
        raise BadUrl("ssl_keyfile without ssl_certfile", "name both")
    return Tls(options.get("ssl_ca_certs", ""), certificate, key, check)
