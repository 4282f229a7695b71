"""Forward proxies: what to say to one. Imports nothing heavy; which one it is, `config/proxies.py` finds out."""

from base64 import b64encode
from typing import Final

from tidegate.wire.endpoint import Endpoint

_HEX: Final = "0123456789abcdefABCDEF"


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
