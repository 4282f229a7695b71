"""E-mail against a mail server."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import msgspec
import pytest
import trustme

from tests.alerts.channels.stand import SETTINGS, notice, told
from tidegate.alerts.channels.table import open_channel
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.clock import SystemClock
from tidegate.model.alerts import AlertChannel
from tidegate.testing.channels.mail import MailServer
from tidegate.testing.channels.records import Kept

AUTHORITY = trustme.CA()
PASSWORD = "canary-password"
CHANNEL = AlertChannel(
    "mail", "email", secret=PASSWORD, language="zh", sender="潮汐网关 <gate@example.com>",
    receivers=("值班组 <ops@example.com>", "boss@example.com"), timeout_us=3_000_000,
)  # fmt: skip
LOGIN = {"user": "gate@example.com", "password": PASSWORD}


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def trust() -> Trust:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return Trust(context)


@contextmanager
def serving(**options: object) -> Iterator[tuple[MailServer, list[Kept]]]:
    kept: list[Kept] = []
    server = MailServer(kept.append, lambda: 0.0, **options)  # type: ignore[arg-type]
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server, kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def to(server: MailServer, scheme: str, user: str = "") -> AlertChannel:
    return msgspec.structs.replace(CHANNEL, url=f"{scheme}://{user}localhost:{server.port}")


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
async def test_with_tls_and_password(scheme: str, implicit: bool) -> None:
    """Chinese names, subject and text arrive as they were written, at all receivers, by STARTTLS or within TLS."""
    with serving(tls=server_context(), implicit=implicit, **LOGIN) as (server, kept):
        assert await told(to(server, scheme, "gate%40example.com@"), trust=trust()) is None
    (one,) = kept
    assert one.title == "【严重】gpt-4o 持续限流 5 分钟"
    assert "网关：prod-gate" in one.text
    assert one.message["from"] == "潮汐网关 <gate@example.com>"
    assert one.message["to"] == "值班组 <ops@example.com>, boss@example.com"
    assert one.message["receivers"] == ("ops@example.com", "boss@example.com")
    assert one.message["message-id"] == "<n1@example.com>"
    assert one.message["auto-submitted"] == "auto-generated"


async def test_a_relay_without_tls() -> None:
    """It is asked for by its own scheme, and no password goes there."""
    with serving() as (server, kept):
        assert await told(to(server, "smtp+plain", "gate%40example.com@"), trust=trust()) is None
    assert len(kept) == 1


async def test_no_starttls_no_mail() -> None:
    """`smtp://` is never spoken without TLS: the remedy is told, and it is final."""
    with serving(**LOGIN) as (server, kept):
        error = await told(to(server, "smtp", "gate%40example.com@"), trust=trust())
    assert error is not None
    assert error.final
    assert "write smtps://, or smtp+plain://" in str(error)
    assert kept == []


async def test_a_wrong_password() -> None:
    """It is told with the code; what the server says beside it, where the password stands in base64, is not."""
    with serving(tls=server_context(), user="gate@example.com", password="another") as (server, kept):
        error = await told(to(server, "smtp", "gate%40example.com@"), trust=trust())
    assert str(error) == "the mail server refused user and password (535); correct `username` and `password`"
    assert error is not None
    assert error.final
    assert error.__cause__ is None
    assert kept == []


async def test_a_certificate_that_nobody_trusts() -> None:
    """Nothing is sent."""
    with serving(tls=server_context(), implicit=True) as (server, kept):
        error = await told(to(server, "smtps"), trust=Trust(ssl.create_default_context()))
    assert "certificate is not trusted" in str(error)
    assert kept == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+plain"])
async def test_a_server_that_says_nothing(scheme: str) -> None:
    """The send is over when its time is, and so is its thread: the next one is not held up."""
    with serving() as (server, kept):
        server.mute = True
        channel = msgspec.structs.replace(to(server, scheme), timeout_us=500_000)
        opened = open_channel(channel, SETTINGS, SystemClock(), trust())
        for _ in range(2):
            with pytest.raises(NotSent, match="did not answer in time|no TLS on this port|broke off|cannot be reached"):
                await opened.send(notice())
    assert kept == []


async def test_some_receivers_are_refused() -> None:
    """The others have it, and are not told twice when it is sent again."""
    with serving(refuses=("boss@example.com",)) as (server, kept):
        opened = open_channel(to(server, "smtp+plain"), SETTINGS, SystemClock(), trust())
        for _ in range(2):
            with pytest.raises(NotSent, match=r"1 of 2 receivers were refused \(550\); check `receivers`") as refused:
                await opened.send(notice())
            assert refused.value.final
    assert [one.message["receivers"] for one in kept] == [("ops@example.com",)]


async def test_all_receivers_are_refused() -> None:
    """Nobody has it."""
    with serving(refuses=("boss@example.com", "ops@example.com")) as (server, kept):
        error = await told(to(server, "smtp+plain"), trust=trust())
    assert "2 of 2 receivers" in str(error)
    assert kept == []


async def test_nobody_listens() -> None:
    """The error has the remedy and no address."""
    error = await told(msgspec.structs.replace(CHANNEL, url="smtp+plain://127.0.0.1:1"), trust=trust())
    assert str(error) == "the mail server cannot be reached; check the host in `url`"


async def test_an_address_that_is_none() -> None:
    """It is final."""
    with serving() as (server, _):
        channel = msgspec.structs.replace(to(server, "smtp+plain"), sender="nobody")
        error = await told(channel, trust=trust())
    assert error is not None
    assert error.final
