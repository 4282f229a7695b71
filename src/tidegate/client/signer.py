"""Signatures by RFC 9421 with hmac-sha256, as docs/signing.md describes them, and where HTTP clients want them."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from tidegate.model.keys import signing_key_of

_LABEL = "tidegate"
_COVERED = '("@method" "@path" "@query" "content-digest")'
_INSTEAD = ("authorization", "x-api-key", "api-key")  # a key that is signed with need not travel

_R = TypeVar("_R", bound="HttpxRequest")
_A = TypeVar("_A", bound="AiohttpRequest")
_Answer = TypeVar("_Answer")


class HttpxRequest(Protocol):
    """What is used of a request of httpx, or of httpx2."""

    method: str
    headers: Any
    stream: Any

    @property
    def url(self) -> Any: ...
    def read(self) -> bytes: ...


class AiohttpRequest(Protocol):
    """What is used of a request of aiohttp."""

    method: str
    headers: Any

    @property
    def url(self) -> Any: ...
    @property
    def body(self) -> Any: ...


class Signer:
    """Signs every attempt anew. It keeps what is derived from the key, not the key; any number of threads may use it.

    As `auth=` of httpx and httpx2 it takes the place of the key that an SDK would send.
    """

    __slots__ = ("_clock", "_key", "_nonce", "keyid")

    def __init__(
        self,
        keyid: str,
        key: str,
        *,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_urlsafe(18),
    ) -> None:
        """`keyid` is the name of the key, `key` the key itself. `clock`: seconds since 1970; `nonce`: never the same.

        Raises `ValueError` when one of the two is empty.
        """
        if not keyid or not key:
            raise ValueError("a signature needs the name of a key and the key; one of them is empty")
        self.keyid = keyid
        self._key = signing_key_of(key)
        self._clock = clock
        self._nonce = nonce

    def __repr__(self) -> str:
        return f"Signer({self.keyid!r})"

    def headers(self, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """The three headers that sign a request. `target` is the path as it is sent, with its query. O(bytes)."""
        path, _, query = target.partition("?")
        digest = f"sha-256=:{_base64(hashlib.sha256(body).digest())}:"
        parameters = (
            f'{_COVERED};created={int(self._clock())};nonce="{self._nonce()}";keyid="{self.keyid}";alg="hmac-sha256"'
        )
        base = (
            f'"@method": {method}\n"@path": {path or "/"}\n"@query": ?{query}\n"content-digest": {digest}\n'
            f'"@signature-params": {parameters}'
        )
        mac = _base64(hmac.digest(self._key, base.encode(), "sha256"))
        return {
            "content-digest": digest,
            "signature-input": f"{_LABEL}={parameters}",
            "signature": f"{_LABEL}=:{mac}:",
        }

    def __call__(self, request: _R) -> _R:
        """Sign a request of httpx or httpx2, which call this for every attempt.

        Raises `TypeError` for a body that only an event loop can read: what is signed must be known before it is sent.
        """
        if not hasattr(request.stream, "__iter__"):
            raise TypeError("a body that arrives piece by piece cannot be signed: give the request its whole body")
        self._put(request, request.url.raw_path.decode("ascii"), request.read())
        return request

    async def aiohttp(self, request: _A, handler: Callable[[_A], Awaitable[_Answer]]) -> _Answer:
        """Middleware of aiohttp's client (3.12 and later): `ClientSession(middlewares=[signer.aiohttp])`."""
        body = request.body
        self._put(request, request.url.raw_path_qs, body if isinstance(body, bytes) else await body.as_bytes())
        return await handler(request)

    def _put(self, request: HttpxRequest | AiohttpRequest, target: str, body: bytes) -> None:
        for name in _INSTEAD:
            request.headers.pop(name, None)
        request.headers.update(self.headers(request.method, target, body))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
