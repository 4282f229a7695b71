"""The sockets that the supervisor binds."""

import socket

import pytest

from tidegate.supervisor.failure import GateError
from tidegate.supervisor.listen import listen, listen_together, loopback, url


@pytest.mark.parametrize(
    ("host", "is_loopback"), [("127.0.0.1", True), ("127.1.2.3", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_loopback_is_what_only_this_machine_reaches(host: str, is_loopback: bool) -> None:
    """The bound address decides, not its spelling."""
    with listen(host, 0, "--port") as listener:
        assert loopback(listener) is is_loopback


def test_the_url_has_the_real_port() -> None:
    """Also where 0 was asked for, and with brackets around IPv6."""
    with listen("127.0.0.1", 0, "--port") as listener:
        assert url(listener, "http") == f"http://127.0.0.1:{listener.getsockname()[1]}"
    if socket.has_ipv6:
        with listen("::1", 0, "--port") as listener:
            assert url(listener, "https") == f"https://[::1]:{listener.getsockname()[1]}"
            assert loopback(listener)


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("no such host", 0, "cannot resolve host 'no such host'"),
        ("192.0.2.1", 0, "cannot listen on 192.0.2.1 port 0"),
        ("127.0.0.1", 70_000, "--port 70000: a port is a number from 0"),
    ],
)
def test_an_address_that_cannot_be_had_is_named(host: str, port: int, said: str) -> None:
    """The message names host, port and why."""
    with pytest.raises(GateError, match=said):
        listen(host, port, "--port")


def accepted(listeners: list[socket.socket]) -> list[int]:
    """How many connections wait at each."""
    found = []
    for listener in listeners:
        count = 0
        try:
            while True:
                listener.accept()[0].close()
                count += 1
        except BlockingIOError:
            found.append(count)
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("count", [2, 3])
def test_connections_are_spread_over_sockets_of_one_port(host: str, count: int) -> None:
    """Evenly, also where there are few of them: no socket has less than three fifths of its part."""
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    listeners = listen_together(host, 0, "--port", count)
    port = listeners[0].getsockname()[1]
    try:
        assert {listener.getsockname()[1] for listener in listeners} == {port}
        clients = [socket.create_connection((host, port)) for _ in range(200)]
        found = accepted(listeners)
        assert sum(found) == len(clients)
        assert min(found) > 0.6 * len(clients) / count
        for client in clients:
            client.close()
    finally:
        for listener in listeners:
            listener.close()


def test_a_port_is_not_shared_with_a_stranger() -> None:
    """Not even with another gate, which would take half of the calls."""
    first = listen_together("127.0.0.1", 0, "--port", 2)
    try:
        for count in (1, 2):
            with pytest.raises(GateError, match="is in use"):
                listen_together("127.0.0.1", first[0].getsockname()[1], "--port", count)
    finally:
        for listener in first:
            listener.close()
