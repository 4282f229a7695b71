"""Both sides over a Unix socket: the desk, and the runners of this machine."""

import socket
import stat

import pytest

from tests.wire.app import until
from tidegate.ports import TransportError
from tidegate.wire.endpoint import UNIX, Endpoint, endpoint_of

SECOND = 1_000_000
HEAD = b"POST /echo HTTP/1.1\r\nhost: tidegate\r\n"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("unix:/run/a.sock", "/run/a.sock"),
        ("unix:/run/a.sock:/v1", "/run/a.sock"),
        ("unix:/run/x:y/calls.sock", "/run/x:y/calls.sock"),
        ("unix:/run/plain", "/run/plain"),
        ("unix:/ünd/a.sock:/v1/x.sock", "/ünd/a.sock"),
    ],
)
def test_urls(url, path):
    """Name a path, perhaps with one behind it."""
    endpoint = endpoint_of(url)
    assert endpoint == Endpoint(UNIX, path, 0)
    assert (endpoint.authority, endpoint.host_header, endpoint.tls) == (path, "tidegate", False)


@pytest.mark.parametrize("url", ["unix:", "unix:a.sock", "unix:secret/a.sock"])
def test_paths_are_absolute(url):
    """Whatever the folder of the process is."""
    with pytest.raises(ValueError, match=r"expected unix:/path/of\.sock") as caught:
        endpoint_of(url)
    assert "secret" not in str(caught.value)


async def test_a_request_and_its_reply(server, pools, clock, app, tmp_path):
    """The same server, the same pool: connections are used again, and the peer has no address."""
    path = tmp_path / "calls.sock"
    await server.listen_at(path)
    pool = pools(f"unix:{path}:/v1")
    for body in (b"one", b"two"):
        reply = await pool.send(HEAD, body, stream=False, deadline=clock.now() + SECOND)
        assert (reply.status, reply.body) == (200, body)
    assert (app.seen[0].peer, pool.statistics().opened) == ("", 1)
    assert server.port


async def test_only_its_user_may_connect(server, tmp_path):
    """Whatever the umask is."""
    path = tmp_path / "calls.sock"
    await server.listen_at(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_a_dead_process_left_is_replaced(server, pools, clock, tmp_path):
    """The file stays behind when its process is killed."""
    path = tmp_path / "calls.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    await server.listen_at(path)
    reply = await pools(f"unix:{path}").send(HEAD, b"x", stream=False, deadline=clock.now() + SECOND)
    assert reply.body == b"x"


async def test_nobody_listens(pools, clock, tmp_path):
    """Nothing was sent, and the message says where."""
    path = tmp_path / "away.sock"
    with pytest.raises(TransportError, match=r"cannot connect to .*away\.sock") as caught:
        await pools(f"unix:{path}").send(HEAD, b"x", stream=False, deadline=clock.now() + SECOND)
    assert not caught.value.sent


async def test_a_path_too_long(server, pools, clock, tmp_path):
    """Is an error of the system, on both sides."""
    path = tmp_path / ("a" * 120)
    with pytest.raises(OSError, match="too long"):
        await server.listen_at(path)
    with pytest.raises(TransportError, match="cannot connect"):
        await pools(f"unix:{path}").send(HEAD, b"x", stream=False, deadline=clock.now() + SECOND)


async def test_no_proxy_leads_there(pools):
    """Nor is one behind a socket."""
    with pytest.raises(ValueError, match="no proxy leads"):
        pools("unix:/a.sock", proxy="http://p:1")
    with pytest.raises(ValueError, match="reached by http, not unix"):
        pools("http://a", proxy="unix:/a.sock")


async def test_a_drain_takes_no_more(server, pools, clock, tmp_path):
    """As on the port."""
    path = tmp_path / "calls.sock"
    await server.listen_at(path)
    assert await server.drain(clock.now() + SECOND) == 0
    with pytest.raises(TransportError):
        await pools(f"unix:{path}").send(HEAD, b"x", stream=False, deadline=clock.now() + SECOND)
    await until(lambda: server.statistics().connections == 0)
