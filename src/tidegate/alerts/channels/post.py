"""One POST to somebody else's server: through a proxy or not, bounded in time and bytes, and no redirect is followed.

What goes wrong is told by host and status: never a path, a query, a header or a body, since tokens stand in them.
"""

import asyncio
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tidegate import __version__
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.model.snapshot import Profile, Provider
from tidegate.policy.failure import retry_after
from tidegate.ports import Clock, TransportError, UpstreamReply
from tidegate.wire.limit import TimeLimit
from tidegate.wire.upstream import UpstreamPool

_MOST: Final = 16_384  # bytes of an answer; what is beyond is not read
_UNUSED: Final = Profile(name="", dialect="openai", dated="", source="")
_NO_URL: Final = "the address is no URL: correct `url`"
_TRUSTLESS: Final = "the system's certificates cannot be read"


class Request(NamedTuple):
    """What is sent. `headers`: ready lines, each with CRLF."""

    url: str
    body: bytes
    headers: bytes = b""


class Answer(NamedTuple):
    """What came back, as far as it was read. `whole`: to its end."""

    status: int
    body: bytes
    whole: bool
    retry_after_us: int | None


async def post(request: Request, proxy: str, clock: Clock, trust: Trust, until: int) -> Answer:
    """Send it, over by `until` (monotonic) whatever the other side does. Raises `NotSent`."""
    try:
        parts = urlsplit(request.url)
    except ValueError:
        raise NotSent(_NO_URL, final=True) from None
    answering = _Answering(clock)
    try:
        async with TimeLimit(clock, until):
            tls = await trust.context() if parts.scheme == "https" else None
            pool = UpstreamPool(_place(request.url, proxy, until - clock.now()), clock, tls, _MOST)
            try:
                reply = await pool.send(_head(request), request.body, stream=True, deadline=until)
                await answering.read(reply)
            finally:
                pool.abort()
    except TimeoutError:
        if not answering.status:
            raise NotSent(f"{parts.hostname} did not answer in time; it may have taken the message") from None
    except TransportError as error:
        raise NotSent(f"{parts.hostname}: {error}") from None
    except OSError:
        raise NotSent(_TRUSTLESS) from None
    except ValueError:
        raise NotSent(_NO_URL, final=True) from None
    return answering.answer()


def _place(url: str, proxy: str, span_us: int) -> Provider:
    parts = urlsplit(url)
    return Provider(
        name="channel", base_url=f"{parts.scheme}://{parts.netloc}", profile=_UNUSED, scopes=(), proxy=proxy,
        connect_timeout_us=span_us, first_byte_timeout_us=span_us, idle_timeout_us=span_us,
    )  # fmt: skip


def _head(request: Request) -> bytes:
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return (
        f"POST {path} HTTP/1.1\r\nhost: {parts.netloc}\r\nuser-agent: tidegate/{__version__}\r\n"
        "content-type: application/json; charset=utf-8\r\nconnection: close\r\n"
    ).encode("latin-1") + request.headers


class _Answering:
    """Takes what comes, up to a bound; what it has so far counts also when time is over."""

    def __init__(self, clock: Clock) -> None:
        self.status = 0
        self._clock = clock
        self._body = bytearray()
        self._whole = False
        self._pause: int | None = None
        self._over = asyncio.get_running_loop().create_future()

    async def read(self, reply: UpstreamReply) -> None:
        self.status = reply.status
        after = next((value for name, value in reply.headers if name == b"retry-after"), None)
        self._pause = retry_after.from_headers(None, after, self._clock.wall())
        if reply.stream is None:
            self._body += reply.body
            self._whole = True
            return
        reply.stream.attach(self)
        await self._over

    def answer(self) -> Answer:
        return Answer(self.status, bytes(self._body), self._whole, self._pause)

    # ── StreamSink ──────────────────────────────────────────────────────────────────────────────────────────────────

    def chunk(self, data: bytes) -> None:
        self._body += data[: _MOST - len(self._body)]
        if len(self._body) >= _MOST:
            self._end()

    def end(self) -> None:
        self._whole = True
        self._end()

    def failed(self, error: TransportError) -> None:
        self._end()

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)
