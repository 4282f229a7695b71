"""One plain HTTP exchange with a port of this machine."""

import contextlib
import http.client
from typing import NamedTuple


class Reply(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(
    port: int, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, seconds: float = 60
) -> Reply:
    """GET, or POST with a body. Raises `OSError` or `http.client.HTTPException`."""
    method = "GET" if body is None else "POST"
    sent = {"content-type": "application/json", **(headers or {})} if body is not None else headers or {}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)) as connection:
        connection.request(method, path, body, sent)
        reply = connection.getresponse()
        return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
