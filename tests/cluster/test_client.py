"""The client of the shared state, against real servers."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import trustme

from harness.ports import free_port
from tests.cluster.scripts import ECHO, Text
from tests.servers import REDIS, Server, installed
from tidegate.clock import SystemClock
from tidegate.cluster.call import Call, key_of
from tidegate.cluster.client import StoreClient
from tidegate.cluster.failure import AWAY, BAD, DENIED, FULL, LATE, Failure
from tidegate.cluster.node import GRACE_US
from tidegate.cluster.url import parse
from tidegate.ports import Clock, StoreError
from tidegate.testing.clock import ManualClock, settle

LONG_US = 20_000_000
TIMEOUT_US = 75_000

Made = Callable[..., StoreClient]


@pytest.fixture
async def made() -> AsyncIterator[Made]:
    clients: list[StoreClient] = []

    def make(url: str, clock: Clock | None = None, timeout_us: int = LONG_US) -> StoreClient:
        client = StoreClient(parse(url), clock or SystemClock(), timeout_us)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()
    await settle()  # a transport lets go of its socket in a later turn


def echo(word: str, key: str = "k") -> Call:
    return Call(ECHO, key, word.encode())


async def test_scripts_answer_in_order(server: Server, made: Made) -> None:
    """Each its own; nothing at all is answered by nothing."""
    client = made(server.url)
    assert await client.run([echo("a"), echo("b"), echo("c")]) == [b"a", b"b", b"c"]
    assert await client.run([]) == []
    assert await client.do("GET", "k") == b"3"


async def test_one_turn_goes_in_one_write(redis: Server, made: Made) -> None:
    """Fifty calls of one turn of the loop are read by the server at once."""
    client = made(redis.url)
    await client.run([echo("first")])
    before = int(redis.info("stats")["total_reads_processed"])
    answers = await asyncio.gather(*[client.run([echo(str(one))]) for one in range(50)])
    after = int(redis.info("stats")["total_reads_processed"])
    assert answers == [[str(one).encode()] for one in range(50)]
    assert after - before < 15, "the questions for the figures are reads too"


async def test_a_server_that_forgot_its_scripts_is_told_them(redis: Server, made: Made) -> None:
    """NOSCRIPT is followed by the text, and then the digest is known again."""
    client = made(redis.url)
    for _ in range(2):
        redis.command("SCRIPT", "FLUSH")
        assert await client.run([echo("a"), echo("b")]) == [b"a", b"b"]
    assert client.commands == 2 * (2 + 2)
    assert await client.run([echo("c")]) == [b"c"]
    assert client.commands == 9


async def test_a_frozen_server_costs_the_deadline_and_no_more(server: Server, made: Made) -> None:
    """Everything that waits is told so at its own deadline; its late replies are nobody's."""
    clock = ManualClock()
    client = made(server.url, clock, TIMEOUT_US)
    assert await client.run([echo("before")]) == [b"before"]
    server.freeze()
    first = asyncio.ensure_future(client.run([echo("lost"), echo("too")]))
    await clock.advance(TIMEOUT_US - 1)
    second = asyncio.ensure_future(client.run([echo("later")]))
    assert not first.done()
    await clock.advance(1 + GRACE_US)
    kinds = [answer.kind for answer in await first if isinstance(answer, Failure)]
    assert kinds == [LATE, LATE]
    (other,) = await second
    assert isinstance(other, Failure), "it was on the connection that was given up"
    assert other.kind == AWAY
    assert other.sent
    server.thaw()
    assert await client.run([echo("after")]) == [b"after"]


async def test_the_deadline_holds_for_connecting_too(server: Server, made: Made) -> None:
    """A server that is frozen takes connections, and greets nobody."""
    server.freeze()
    clock = ManualClock()
    client = made(server.url, clock, TIMEOUT_US)
    waits = asyncio.ensure_future(client.run([echo("a")]))
    await clock.advance(TIMEOUT_US + GRACE_US)
    (answer,) = await waits
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.sent) == (LATE, False)
    second = asyncio.ensure_future(client.run([echo("b")]))
    await clock.advance(1)
    server.thaw()
    assert await second == [b"b"], "the same connection, made in the meantime"


async def test_who_leaves_mixes_nothing_up(server: Server, made: Made) -> None:
    """After a hundred calls that were cancelled on their way, each answer is still its own, on the same connection."""
    client = made(server.url)
    await client.run([echo("first")])
    server.freeze()
    left = [asyncio.ensure_future(client.run([echo(f"left {one}")])) for one in range(100)]
    waits = asyncio.ensure_future(client.run([echo("mine")]))
    for _ in range(3):
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turn.set_result, None)
        await turn
    for one in left:
        one.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    server.thaw()
    assert await waits == [b"mine"]
    assert await client.run([echo("next")]) == [b"next"]
    assert [node.dials for node in client._route.nodes] == [1]


async def test_a_server_that_died_is_dialled_again(server: Server, made: Made) -> None:
    """What was under way fails at once, so does what finds nobody; then it is there again."""
    client = made(server.url)
    await client.run([echo("a")])
    server.freeze()
    waits = asyncio.ensure_future(client.run([echo("b")]))
    await asyncio.wait([waits], timeout=0)
    server.kill()
    (answer,) = await waits
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.sent) == (AWAY, True)
    (answer,) = await client.run([echo("c")])
    assert isinstance(answer, Failure)
    assert (answer.kind, answer.sent) == (AWAY, False)
    server.start()
    assert await client.run([echo("d")]) == [b"d"]


async def test_errors_have_words_of_ours(redis: Server, made: Made) -> None:
    """Nothing of what the server or the URL says, since that may be secret."""
    redis.command("ACL", "SETUSER", "poor", "on", ">hush-hush", "~*", "+@all", "-set")
    poor = made(redis.url.replace("redis://", "redis://poor:hush-hush@"))
    wrong = made(redis.url.replace("redis://", "redis://poor:hush-wrong@"))
    unknown = made(redis.url)
    with pytest.raises(Failure, match="may not do that") as denied:
        await poor.do("SET", "hush", "x")
    with pytest.raises(StoreError, match="refuses the user or the password") as refused:
        await wrong.do("GET", "hush")
    with pytest.raises(Failure, match=r"replies with an error \(ERR\)") as strange:
        await unknown.do("HUSH")
    (failed,) = await unknown.run([Call(Text("return hush.hush"), "k", b"")])
    assert [one.value.kind for one in (denied, refused, strange)] == [DENIED, DENIED, BAD]
    redis.command("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(Failure, match="no memory left") as full:
        await unknown.do("SET", "k", "x")
    assert full.value.kind == FULL
    for one in (denied.value, refused.value, strange.value, full.value, failed):
        assert "hush" not in str(one).lower()


async def test_a_replica_is_left(redis: Server, made: Made) -> None:
    """READONLY: the connection is made anew, and when nothing has changed by then, the call says why."""
    client = made(redis.url)
    await client.run([echo("a")])
    redis.command("REPLICAOF", "127.0.0.1", "1")
    (answer,) = await client.run([echo("b")])
    redis.command("REPLICAOF", "NO", "ONE")
    assert isinstance(answer, Failure)
    assert "replica" in str(answer)
    assert await client.run([echo("c")]) == [b"c"]


async def test_somebody_elses_protocol_is_no_redis(made: Made) -> None:
    """A web server, for example."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet, args=(listener,))
        thread.start()
        client = made(f"redis://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(Failure, match="does not speak as Redis does"):
            await client.do("PING")
        thread.join()


def _greet(listener: socket.socket) -> None:
    line, _ = listener.accept()
    with line:
        line.recv(1_000)
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        line.recv(1_000)


async def test_a_line_of_ones_own_blocks_nobody(server: Server, made: Made) -> None:
    """XREAD BLOCK waits on it while others are answered; what nobody answers in time closes it."""
    clock = ManualClock()
    client = made(server.url, clock)
    line = await client.line(b"stream")
    read = asyncio.ensure_future(
        line.do("XREAD", "BLOCK", 0, "STREAMS", "stream", "$", within_us=1_000_000),
    )
    while not server.command("CLIENT", "LIST").count("cmd=xread"):
        await client.do("PING")
    await client.do("XADD", "stream", "1-0", "word", "there")
    assert await read == [[b"stream", [[b"1-0", [b"word", b"there"]]]]]
    silent = asyncio.ensure_future(line.do("XREAD", "BLOCK", 0, "STREAMS", "stream", "$", within_us=1_000_000))
    await clock.advance(1_000_000)
    with pytest.raises(Failure, match="does not answer within 1000 ms"):
        await silent
    with pytest.raises(Failure, match="cut off"):
        await line.do("PING", within_us=1_000_000)


async def test_a_line_can_be_cancelled(server: Server, made: Made) -> None:
    """Who reads is stopped by its owner: that is no time-out."""
    client = made(server.url)
    line = await client.line()
    read = asyncio.ensure_future(line.do("XREAD", "BLOCK", 0, "STREAMS", "s", "$", within_us=LONG_US))
    await asyncio.wait([read], timeout=0)
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read


async def test_databases_unix_sockets_and_tls(tmp_path: Path, made: Made) -> None:
    """Each in its own way; a certificate that nobody vouches for is refused."""
    installed()
    authority = trustme.CA()
    cert = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    cert.private_key_and_cert_chain_pem.write_to_path(tmp_path / "all.pem")
    secure, path = free_port(), tmp_path / "r.sock"
    options = ["--unixsocket", str(path), "--tls-port", str(secure), "--tls-auth-clients", "no"]
    for name in ("--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file"):
        options += [name, str(tmp_path / ("ca.pem" if "ca" in name[6:9] else "all.pem"))]
    one = Server(REDIS, *options)
    try:
        client = made(f"unix://{path}?db=3")
        await client.do("SET", "k", "three")
        safe = made(f"rediss://127.0.0.1:{secure}/3?ssl_ca_certs={tmp_path / 'ca.pem'}")
        assert await safe.do("GET", "k") == b"three"
        assert await made(f"redis://127.0.0.1:{one.port}").do("GET", "k") is None
        with pytest.raises(Failure, match="TLS"):
            await made(f"rediss://127.0.0.1:{secure}").do("PING")
    finally:
        one.close()
    with pytest.raises(ValueError, match="cluster.url: its certificates cannot be read"):
        made("rediss://h?ssl_ca_certs=/nowhere")


async def test_a_closed_client_says_so(server: Server, made: Made) -> None:
    """Who waits, and who comes afterwards."""
    client = made(server.url)
    await client.do("PING")
    server.freeze()
    waits = asyncio.ensure_future(client.run([echo("a")]))
    await asyncio.wait([waits], timeout=0)
    client.close()
    (answer,) = await waits
    assert isinstance(answer, Failure)
    with pytest.raises(Failure, match="closed"):
        await client.do("PING")


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("GET", "a"), b"a"),
        ((b"set", "a", 1), b"a"),
        (("PING",), None),
        (("TIME",), None),
        (("EVALSHA", "sha", 2, "a", "b"), b"a"),
        (("EVAL", "text", 0), None),
        (("XREAD", "BLOCK", 0, "STREAMS", "s", "$"), b"s"),
        (("XGROUP", "CREATE", "s", "g", "$"), b"s"),
        (("CLUSTER", "SLOTS"), None),
    ],
)
def test_the_key_of_a_command(words: tuple[bytes | str | int, ...], key: bytes | None) -> None:
    """By which it finds its server in a cluster."""
    assert key_of(words) == key
