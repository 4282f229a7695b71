"""The sockets that the supervisor binds."""

import socket

import pytest

from tidegate.planes.failure import GateError
from tidegate.planes.listen import listen, loopback, url


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
