"""The way to a service: TLS, proxies, and what a webhook's receiver verifies."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import pytest
import trustme
from standardwebhooks import Webhook

from tests.alerts.channels.stand import LIMITED, SECOND, SETTINGS, notice, told
from tidegate.alerts.channels.post import Request, post
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.face import NotSent
from tidegate.clock import SystemClock
from tidegate.testing.channels import Stand
from tidegate.testing.channels.stand import SIGNING, TOKEN

AUTHORITY = trustme.CA()


def trust() -> Trust:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return Trust(context)


@pytest.fixture
def secure() -> Iterator[Stand]:
    """The imitations behind TLS, for this machine's address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with Stand(tls=context) as stand:
        yield stand


@dataclass
class Proxy:
    """Notes what it is asked, and either answers itself or passes a tunnel on to `target`."""

    target: tuple[str, int] | None = None
    asked: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        if self.target is None:
            writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{"errcode":0}')
            await writer.drain()
            writer.close()
            return
        there, back = await asyncio.open_connection(*self.target)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pass(reader, back), _pass(there, writer))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(4_096):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def test_https(secure: Stand) -> None:
    """The certificate is verified: of an authority that is trusted it is taken."""
    assert await told(secure.channel("dingtalk"), trust=trust()) is None
    assert len(secure.kept()) == 1


async def test_a_certificate_that_nobody_trusts(secure: Stand) -> None:
    """Nothing is sent, and there is no way around it."""
    error = await told(secure.channel("dingtalk"), trust=Trust(ssl.create_default_context()))
    assert error is not None
    assert "certificate" in str(error).lower()
    assert TOKEN not in str(error)
    assert secure.kept() == secure.refused == []


async def test_the_systems_authorities_are_loaded_once() -> None:
    """All channels share them."""
    shared = Trust()
    assert await shared.context() is await shared.context()


async def test_an_http_proxy() -> None:
    """It is asked for the whole address, with its user and password, which the service never sees."""
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with Stand() as stand:
            channel = msgspec.structs.replace(stand.channel("dingtalk"), proxy=f"http://u:hidden@127.0.0.1:{port}")
            assert await told(channel) is None
            assert proxy.asked[0].startswith(f"POST {stand.url}/robot/send?access_token=".encode())
            assert b"proxy-authorization: Basic " in proxy.asked[0]
            assert stand.kept() == []


async def test_a_tunnel(secure: Stand) -> None:
    """Behind a proxy TLS is with the service: the proxy sees its name, and neither token nor message."""
    host, port = secure.url.removeprefix("https://").split(":")
    proxy = Proxy((host, int(port)))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        through = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        channel = msgspec.structs.replace(secure.channel("slack"), proxy=through)
        assert await told(channel, trust=trust()) is None
    assert proxy.asked[0].startswith(f"CONNECT {host}:{port} ".encode())
    assert TOKEN.encode() not in b"".join(proxy.asked)
    assert len(secure.kept("slack")) == 1


async def test_a_proxy_that_is_not_there(stand: Stand) -> None:
    """It is named without its password."""
    channel = msgspec.structs.replace(stand.channel("dingtalk"), proxy="http://u:hidden@127.0.0.1:1")
    error = await told(channel)
    assert error is not None
    assert "through the proxy 127.0.0.1:1" in str(error)
    assert "hidden" not in str(error)


async def test_an_answer_is_not_read_beyond_its_bound(stand: Stand) -> None:
    """What has no end costs 16 KiB and no more; the rest of the time is not waited for."""
    stand.fail("slack", "endless")
    clock = SystemClock()
    request = Request(stand.address("slack"), b"{}")
    answer = await post(request, "", clock, Trust(), clock.now() + 3_600 * SECOND)
    assert (answer.status, answer.whole, len(answer.body)) == (200, False, 16_384)


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://x/", "http://", "http://[::1", "http://host:99999/"])
async def test_what_is_no_address(url: str) -> None:
    """It is a final error that does not repeat it."""
    clock = SystemClock()
    with pytest.raises(NotSent) as refused:
        await post(Request(url, b""), "", clock, Trust(), clock.now() + SECOND)
    assert refused.value.final
    assert "correct `url`" in str(refused.value)


async def test_the_published_library_verifies_webhooks() -> None:
    """Standard Webhooks' own library accepts headers and body as they come, and finds the notice in them."""
    head: list[bytes] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head.append(await reader.readuntil(b"\r\n\r\n"))
        length = int(head[0].lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        head.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    async with server:
        with Stand() as stand:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?a=b"
            channel = msgspec.structs.replace(stand.channel("webhook", language="zh"), url=url)
            assert await told(channel, notice(more=2)) is None
    lines = dict(line.split(": ", 1) for line in head[0].decode().lower().splitlines()[1:] if ": " in line)
    exact = dict(line.split(": ", 1) for line in head[0].decode().splitlines()[1:] if ": " in line)
    found = Webhook(SIGNING).verify(head[1], lines | {"webhook-signature": exact["webhook-signature"]})
    assert found["type"] == "alert.firing"
    assert found["data"]["title"] == "【严重】gpt-4o 持续限流 5 分钟，另有 2 条告警"
    assert found["data"]["alerts"][0] == {
        "rule": "limited_seconds", "metric": "limited_seconds", "unit": "s", "severity": "critical",
        "labels": {"model": "gpt-4o"}, "value": 300, "threshold": 300, "since": "2026-11-23T02:08:20Z",
        "resolved": False,
    }  # fmt: skip
    assert lines["webhook-id"] == "n1"
    assert json.loads(head[1]) == found


async def test_what_is_sent_again_has_the_same_id(stand: Stand) -> None:
    """A receiver that answered too late knows it: it is taken once."""
    stand.fail("webhook", "lost")
    channel = stand.channel("webhook")
    assert await told(channel) is not None
    assert await told(channel) is None
    assert len(stand.kept()) == 1
    assert stand.webhook.again == 1


async def test_a_receiver_that_wants_no_more(stand: Stand) -> None:
    """410 is final; a redirect is not followed."""

    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(gone, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        error = await told(msgspec.structs.replace(stand.channel("webhook"), url=url))
    assert error is not None
    assert error.final
    assert SETTINGS.gate not in str(error)
    assert LIMITED.rule not in str(error)


async def test_a_secret_that_is_none(stand: Stand) -> None:
    """What is not base64 is told, without it."""
    error = await told(msgspec.structs.replace(stand.channel("webhook"), secret="whsec_hidden!"))
    assert error is not None
    assert error.final
    assert "hidden" not in str(error)
