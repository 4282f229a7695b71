"""The proxy for a base URL, by `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from tidegate.config.base_url import BadUrl, check_proxy


class BadProxy(ValueError):
    """The environment names a proxy that cannot be used. The texts name the variable, never its value."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


def environment_proxy(base_url: str, environ: Mapping[str, str]) -> str:
    """The proxy's URL, or "" for a direct connection. Raises `BadProxy`.

    A variable in lower case wins over the same in upper case; a proxy without a scheme is an HTTP proxy.
    """
    parts = urlsplit(base_url)
    variable, value = _variable(f"{parts.scheme}_proxy", environ)
    no_proxy = _variable("no_proxy", environ)[1]
    if not value or bypassed(parts.hostname or "", parts.port, no_proxy):
        return ""
    try:
        return check_proxy(value if "://" in value else f"http://{value}")
    except BadUrl as error:
        message = f"the environment variable {variable} names no usable proxy: {error.message}"
        raise BadProxy(message, "correct it, or set this provider's `proxy` to a URL or to none") from None


def bypassed(host: str, port: int | None, no_proxy: str) -> bool:
    """Does a `NO_PROXY` list name this host? `*` is every host, `example.com` its subdomains too, `:port` narrows."""
    for entry in no_proxy.split(","):
        name, _, number = entry.strip().lower().rpartition(":")
        if not name or not number.isdecimal() or (":" in name and not name.endswith("]")):
            name, number = entry.strip().lower(), ""
        name = name.strip("[]").lstrip("*").lstrip(".") if name != "*" else name
        named = name == "*" or (bool(name) and (host == name or host.endswith("." + name)))
        if named and (not number or number == str(port)):
            return True
    return False


def _variable(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The name and value of a variable, which may be in either case."""
    return (name, environ[name]) if environ.get(name) else (name.upper(), environ.get(name.upper(), ""))
