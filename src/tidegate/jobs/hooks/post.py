"""One attempt: the name is looked up once, all that it stands for is judged, and what was judged is what is called."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tidegate import __version__
from tidegate.jobs.hooks.names import Names
from tidegate.policy.access.addresses import shown
from tidegate.policy.jobs.addresses import PUBLIC, Allowed
from tidegate.policy.jobs.webhooks import Target

NO_ADDRESS: Final = "no_public_address"  # or no such name: who asks must not learn which names there are inside
NO_CONNECTION: Final = "no_connection"
BAD_CERTIFICATE: Final = "bad_certificate"
NO_TLS: Final = "tls_failed"
NO_ANSWER: Final = "no_answer"
BAD_ANSWER: Final = "no_http"
TIMED_OUT: Final = "timed_out"

_MOST_ADDRESSES: Final = 3
_MOST_BYTES: Final = 16_384  # of an answer, head and all; what is beyond is not read
_PIECE: Final = 4_096


class NotSent(Exception):
    """There was no answer. The text is the word for the log of deliveries."""


async def addresses_of(target: Target, names: Names, allowed: Allowed) -> Sequence[bytes]:
    """What the target's name stands for. Raises `NotSent` where any of it must not be called."""
    try:
        found = await names.addresses(target.host)
    except OSError:
        raise NotSent(NO_ADDRESS) from None
    if not found or any(allowed.refusal(target.host, address) != PUBLIC for address in found):
        raise NotSent(NO_ADDRESS)
    return list(dict.fromkeys(found))[:_MOST_ADDRESSES]


async def post(
    target: Target, addresses: Sequence[bytes], head: bytes, body: bytes, tls: ssl.SSLContext | None, answer: "Reading"
) -> None:
    """Send it to the first of these addresses that is there, in the name of the target.

    What was answered so far stands in `answer`, also when this is cancelled. `tls`: for https. Raises `NotSent`.
    """
    reader, writer = await _connection(target, addresses, tls)
    try:
        writer.write(_request(target, head, body))
        await writer.drain()
        while not answer.over and (piece := await reader.read(_PIECE)):
            answer.feed(piece)
    except OSError:
        pass  # it may have answered before it closed
    finally:
        writer.transport.abort()  # a goodbye would wait for the other side's
    if not answer.status:
        raise NotSent(NO_ANSWER)


async def _connection(
    target: Target, addresses: Sequence[bytes], tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    failed = NO_CONNECTION
    for address in addresses:
        try:
            if target.tls:
                return await asyncio.open_connection(shown(address), target.port, ssl=tls, server_hostname=target.host)
            return await asyncio.open_connection(shown(address), target.port)
        except ssl.SSLCertVerificationError:
            failed = BAD_CERTIFICATE
        except ssl.SSLError:
            failed = NO_TLS
        except OSError:
            failed = NO_CONNECTION
    raise NotSent(failed)


def _request(target: Target, head: bytes, body: bytes) -> bytes:
    return (
        b"POST %b HTTP/1.1\r\nhost: %b\r\nuser-agent: tidegate/%b\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\nconnection: close\r\n%b\r\n%b"
        % (target.path.encode(), target.authority.encode(), __version__.encode(), len(body), head, body)
    )


class Reading:
    """An answer as it comes. Nothing of it is kept but the status and when to come again."""

    __slots__ = ("_bytes", "_complete", "_parser", "_retry_after", "retry_after", "status")

    def __init__(self) -> None:
        self.status = 0
        self.retry_after = b""
        self._retry_after = b""
        self._bytes = 0
        self._complete = False
        self._parser = HttpResponseParser(self)

    @property
    def over(self) -> bool:
        """Nothing more need be read."""
        return self._complete or self._bytes >= _MOST_BYTES

    def feed(self, piece: bytes) -> None:
        """More of it. Raises `NotSent` when it is no HTTP."""
        self._bytes += len(piece)
        try:
            self._parser.feed_data(piece)
        except (HttpParserError, HttpParserUpgrade):
            self._complete = True
            if not self.status:
                raise NotSent(BAD_ANSWER) from None

    # ── for the parser ──────────────────────────────────────────────────────────────────────────────────────────────

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:  # else another head follows
            self.status, self.retry_after = status, self._retry_after

    def on_message_complete(self) -> None:
        self._complete = self.status > 0
