"""Forward proxies: which one the environment asks for, and what to say to it. Imports nothing heavy."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from tidegate.wire.endpoint import Endpoint, endpoint_of

_HEX: Final = "0123456789abcdefABCDEF"


def resolve_proxy(url: str, environ: Mapping[str, str]) -> str:
    """The proxy that the environment names for `url`, or "" for none.

    Reads `https_proxy` or `http_proxy` by the URL's scheme, then `all_proxy`, and `no_proxy`; lower case before upper
    case. `HTTP_PROXY` is ignored where `REQUEST_METHOD` is set: in CGI it is the client's `Proxy` header ("httpoxy",
    CVE-2016-5385). A proxy without a scheme is http. Raises `ValueError` when `url` is no URL.
    """
    endpoint = endpoint_of(url)
    proxy = _variable(environ, f"{endpoint.scheme}_proxy") or _variable(environ, "all_proxy")
    if not proxy or _exempt(endpoint, _variable(environ, "no_proxy")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(environ: Mapping[str, str], name: str) -> str:
    if name in environ:
        return environ[name].strip()
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return ""
    return environ.get(name.upper(), "").strip()


def _exempt(endpoint: Endpoint, no_proxy: str) -> bool:
    return any(_matches(endpoint, entry) for entry in no_proxy.replace(",", " ").split())


def _matches(endpoint: Endpoint, entry: str) -> bool:
    """`*`, a network in CIDR, an address, a name, or a suffix with or without its dot; each with or without a port."""
    if entry == "*":
        return True
    if "/" in entry:
        return _in_network(endpoint.host, entry)
    name, port = _split_port(entry.lower())
    if port and port != str(endpoint.port):
        return False
    host = endpoint.host.lower().rstrip(".")
    name = name.removeprefix("*").lstrip(".").rstrip(".")
    return host == name or (name != "" and host.endswith("." + name))


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        return name, port.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _in_network(host: str, entry: str) -> bool:
    import ipaddress  # noqa: PLC0415 - a megabyte that few need

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def authorization(proxy: Endpoint) -> bytes:
    """The `proxy-authorization` header line for the user and password in the proxy's URL, or nothing."""
    if not proxy.user:
        return b""
    user, _, password = proxy.user.partition(":")
    credentials = unquote(user) + b":" + unquote(password)
    return b"proxy-authorization: Basic %b\r\n" % b64encode(credentials)


def unquote(text: str) -> bytes:
    """Percent-decoding; what is no escape stays as it is."""
    head, *parts = text.split("%")
    decoded = bytearray(head.encode())
    for part in parts:
        if len(part) >= 2 and part[0] in _HEX and part[1] in _HEX:
            decoded.append(int(part[:2], 16))
            decoded += part[2:].encode()
        else:
            decoded += b"%" + part.encode()
    return bytes(decoded)


def connect_request(target: Endpoint, proxy: Endpoint) -> bytes:
    """What asks `proxy` for a tunnel to `target`."""
    authority = target.authority.encode()
    return b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (authority, authority, authorization(proxy))


def absolute_form(head: bytes, target: Endpoint, proxy_headers: bytes) -> bytes:
    """A request's head as a proxy wants it for an http target: with the whole URL, and the proxy's headers."""
    line, _, fields = head.partition(b"\r\n")
    method, path, version = line.split(b" ")
    url = f"http://{target.host_header}".encode()
    return b"%b %b%b %b\r\n%b%b" % (method, url, path, version, proxy_headers, fields)
