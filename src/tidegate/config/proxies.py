"""The proxy for a base URL, by `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from tidegate.config.base_url import BadUrl, check_proxy

_PORTS = {"http": 80, "https": 443}


class BadProxy(ValueError):
    """The environment names a proxy that cannot be used. The texts name the variable, never its value."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


def environment_proxy(base_url: str, environ: Mapping[str, str]) -> str:
    """The proxy's URL, or "" for a direct connection. Raises `BadProxy`.

    A variable in lower case wins over the same in upper case, one for the scheme over `ALL_PROXY`; a proxy without a
    scheme is an HTTP proxy.
    """
    parts = urlsplit(base_url)
    variable, value = _variable(f"{parts.scheme}_proxy", environ)
    if not value:
        variable, value = _variable("all_proxy", environ)
    no_proxy = _variable("no_proxy", environ)[1]
    if not value or bypassed(parts.hostname or "", parts.port or _PORTS.get(parts.scheme), no_proxy):
        return ""
    try:
        return check_proxy(value if "://" in value else f"http://{value}")
    except BadUrl as error:
        message = f"the environment variable {variable} names no usable proxy: {error.message}"
        raise BadProxy(message, "correct it, or set this provider's `proxy` to a URL or to none") from None


def bypassed(host: str, port: int | None, no_proxy: str) -> bool:
    """Does a `NO_PROXY` list name this host? `host` is in lower case. O(entries).

    `*` is every host, `example.com` its subdomains too, `10.0.0.0/8` the addresses of a network; `:port` narrows.
    """
    host = host.rstrip(".")
    return any(_names(entry, host, port) for entry in no_proxy.lower().replace(",", " ").split())


def _names(entry: str, host: str, port: int | None) -> bool:
    if "/" in entry:
        return _holds(entry, host)
    name, _, number = entry.rpartition(":")
    if not name or not number.isdecimal() or (":" in name and not name.endswith("]")):
        name, number = entry, ""
    if number and number != str(port):
        return False
    name = name.strip("[]").rstrip(".")
    if name == "*":
        return True
    name = name.lstrip("*").lstrip(".")
    return bool(name) and (host == name or host.endswith("." + name))


def _holds(network: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False


def _variable(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The name and value of a variable, which may be in either case."""
    name = name if environ.get(name) else name.upper()
    return name, environ.get(name, "").strip()
