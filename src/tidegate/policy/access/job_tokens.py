"""Tickets: how a runner proves to a worker for which job, and for whom, it calls. HMAC-SHA256 (RFC 2104).

A ticket is ASCII without spaces, as a header's value wants it: version, fields and signature with dots between, the
last two in base64url without padding (RFC 4648, 5). The signature is over the text before it and is compared as text,
so there is one text for a ticket, and nothing that it holds is read before it is proven. Pure. O(bytes).
"""

import hmac
from binascii import a2b_base64, b2a_base64
from hmac import compare_digest
from struct import Struct
from typing import Final

LONGEST: Final = 8_192  # bytes of a ticket: an eighth of the head that workers read
SECRET: Final = 32  # least bytes of a secret

_VERSION: Final = b"1."
_PURPOSE: Final = b"tidegate job ticket "  # whatever else the secret might sign is no ticket
_MAC: Final = 43  # base64url of 32 bytes
_NUMBERS: Final = Struct(">qqIIII")  # fence, until, and the bytes of the four texts
_NAMES: Final = "surrogatepass"  # every text that Python can hold has bytes of its own

WRONG: Final = "The ticket was not signed by this gate, or has been changed."
EXPIRED: Final = "The ticket has expired: its job is given up or runs elsewhere."


class BadTicket(Exception):
    """A ticket that lets nobody in. The message says why, and nothing of what it holds."""


class JobToken:
    """One call of one job, and whose it is. `until_us`: microseconds since 1970, the first at which it is void."""

    __slots__ = ("client", "fence", "job", "namespace", "until_us", "user")

    def __init__(self, job: str, fence: int, client: str, namespace: str, user: str, until_us: int) -> None:
        self.job = job
        self.fence = fence  # which of the times that the job was handed out
        self.client = client  # name of the key, "" = the gate is open
        self.namespace = namespace
        self.user = user
        self.until_us = until_us


def signed(ticket: JobToken, secret: bytes) -> bytes:
    """The header's value. Raises `ValueError` when it would be longer than `LONGEST`, or the secret is short."""
    if len(secret) < SECRET:
        raise ValueError(f"a ticket's secret has at least {SECRET} bytes")
    texts = [text.encode("utf-8", _NAMES) for text in (ticket.job, ticket.client, ticket.namespace, ticket.user)]
    if sum(map(len, texts)) > LONGEST:
        raise ValueError("the names of whose job it is are too long for a ticket")
    job, client, namespace, user = texts
    numbers = _NUMBERS.pack(ticket.fence, ticket.until_us, len(job), len(client), len(namespace), len(user))
    text = _VERSION + _written(numbers + b"".join(texts))
    whole = b"%b.%b" % (text, _mac(text, secret))
    if len(whole) > LONGEST:
        raise ValueError("the names of whose job it is are too long for a ticket")
    return whole


def read(shown: bytes, secret: bytes, wall: int) -> JobToken:
    """What a worker was shown at `wall`. Raises `BadTicket`, as for everything where there is no secret."""
    text, dot, mac = shown[: -_MAC - 1], shown[-_MAC - 1 : -_MAC], shown[-_MAC:]
    if len(secret) < SECRET or len(shown) > LONGEST or dot != b"." or not text.startswith(_VERSION):
        raise BadTicket(WRONG)
    if not compare_digest(_mac(text, secret), mac):
        raise BadTicket(WRONG)
    ticket = _fields(_bytes_of(text[len(_VERSION) :]))
    if wall >= ticket.until_us:
        raise BadTicket(EXPIRED)
    return ticket


def _mac(text: bytes, secret: bytes) -> bytes:
    return _written(hmac.digest(secret, _PURPOSE + text, "sha256"))


def _written(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")


def _bytes_of(text: bytes) -> bytes:
    return a2b_base64(text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4))


def _fields(data: bytes) -> JobToken:
    """Of bytes that we have signed: they are whole."""
    fence, until_us, job, client, namespace, user = _NUMBERS.unpack_from(data)
    texts = []
    start = _NUMBERS.size
    for length in (job, client, namespace, user):
        texts.append(data[start : start + length].decode("utf-8", _NAMES))
        start += length
    return JobToken(texts[0], fence, texts[1], texts[2], texts[3], until_us)
