"""TLS to brokers: who is not who the URL says is not told a password."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tidegate.jobs.celery.backend import CeleryBackend
from tidegate.jobs.faces import BackendDown
from tidegate.jobs.records import Dispatch

AUTHORITY = trustme.CA()


@pytest.fixture
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Where somebody with a certificate for this name shakes hands, and then says nothing."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(request.param).configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        held = []
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                break
            try:
                held.append(context.wrap_socket(accepted, server_side=True))
            except OSError:
                accepted.close()
        for one in held:
            one.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority is one of the system's."""
    path = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def answer_of(scheme: str, port: int) -> str:
    backend = CeleryBackend(f"{scheme}://me:secret@localhost:{port}/0", "tidegate.jobs.x", 1.0)
    with pytest.raises(BackendDown) as caught:
        backend.publish([Dispatch("job_1", 0)])
    return str(caught.value)


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
@pytest.mark.parametrize("port", ["elsewhere.example"], indirect=True)
@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_host_is_refused(scheme: str, port: int) -> None:
    """Though its authority is trusted."""
    assert "certificate" in answer_of(scheme, port)


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
@pytest.mark.parametrize("port", ["localhost"], indirect=True)
def test_an_unknown_authority_is_refused(scheme: str, port: int) -> None:
    """Though the name is right."""
    assert "certificate" in answer_of(scheme, port)


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
@pytest.mark.parametrize("port", ["localhost"], indirect=True)
@pytest.mark.usefixtures("trusted")
def test_the_right_certificate_is_taken(scheme: str, port: int) -> None:
    """It is spoken to, and is silent, which is another error."""
    assert "it says nothing" in answer_of(scheme, port)
