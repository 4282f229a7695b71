"""What every request to the admin API passes before anything of it is read: ASGI, without a framework.

Against DNS rebinding the host must be one of ours; against other sites a browser's own words must say that the page is
ours; there is no CORS. The control room's files (`control/site.py`) pass it, too.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidegate.control.admin.problems import MEDIA_TYPE, Refused, body_of, refused

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
MAX_BODY = 262_144
MAX_POLICY = 8 * 1_048_576  # a configuration of 1 MiB, each of whose characters JSON may write as six
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BASE_POLICY = (
    b"default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)  # without what it says of styles
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", BASE_POLICY + b"; style-src 'self'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
OWN = frozenset({b"cache-control", b"content-security-policy"})  # of these an answer may bring its own


class Guard:
    """Refuses strangers, and puts protective headers on every answer: `HEADERS`, whatever the answer says of them.

    Two depend on what is answered, and stand there for who says nothing (`OWN`): how long a file that is named by its
    content may be kept, and which nonce a page's styles have.
    """

    __slots__ = ("_app", "_hosts")

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        """`hosts` are names besides the loopback's under which the port may be called, without a port."""
        self._app = app
        self._hosts = frozenset((*LOOPBACK, *(host.lower() for host in hosts)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        answered = False

        async def protected(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                message = {**message, "headers": _protected(message.get("headers", ()))}
            await send(message)

        try:
            headers = _headers(scope)
            self._check(scope, headers)
            await self._app(scope, _bounded(receive, _most(scope)), protected)
        except Refused as refusal:
            if not answered:
                await answer(refusal, protected)
        except Exception:  # it is told and logged; uvicorn would print what it was called with
            if not answered:
                raise

    def _check(self, scope: Scope, headers: dict[str, str]) -> None:
        host = _without_port(headers.get("host", ""))
        if host not in self._hosts:
            raise refused(421, "header.host", "is not a name of this port", "call it as localhost or 127.0.0.1")
        if int(headers.get("content-length", "0")) > _most(scope):
            raise _too_large(_most(scope))
        if scope["method"] not in _SAFE:
            _same_site(headers)


def _protected(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With ours in the place of what it says of the same, but for `OWN`."""
    given = [(name.lower(), value) for name, value in headers]
    own = {name for name, _ in given} & OWN
    ours = [pair for pair in HEADERS if pair[0] not in own]
    replaced = {name for name, _ in ours}
    return [*(pair for pair in given if pair[0] not in replaced), *ours]


def _same_site(headers: dict[str, str]) -> None:
    """A browser tells where a request comes from, and a page cannot keep it from telling."""
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise refused(403, "header.sec-fetch-site", "another site asks for a change", "use the page of this port")
    origin = headers.get("origin")
    if origin is not None and origin.lower().rpartition("://")[2] != headers.get("host", "").lower():
        raise refused(403, "header.origin", "another site asks for a change", "use the page of this port")


def _most(scope: Scope) -> int:
    return MAX_POLICY if scope["path"].startswith("/admin/v1/policy/") else MAX_BODY


def _bounded(receive: Receive, most: int) -> Receive:
    taken = 0

    async def received() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise _too_large(most)
        return message

    return received


def _too_large(most: int) -> Refused:
    return refused(413, "body", f"is longer than {most} bytes", "send less at once")


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in found and key in {"host", "origin", "authorization", "content-length"}:
            raise refused(400, f"header.{key}", "stands twice", "send it once")
        found[key] = value.decode("latin-1")
    length = found.get("content-length", "0")
    if not length.isdecimal() or not length.isascii():
        raise refused(400, "header.content-length", "is no number", "send the length of the body in bytes")
    return found


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()


async def answer(refusal: Refused, send: Send) -> None:
    """Send a refusal as problem details."""
    body = body_of(refusal)
    headers = [(name.encode(), value.encode()) for name, value in refusal.headers]
    headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
