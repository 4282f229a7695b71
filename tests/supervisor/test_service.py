"""One child under supervision, without the supervisor's loop."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.process import ROOT
from tidegate.supervisor.messages import Drain, Load, Ready, Rejected
from tidegate.supervisor.service import Service, describe


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    monkeypatch.setenv("PYTHONPATH", path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service = Service("worker-0", "tests.supervisor.fake_worker", listener, str(tmp_path), 0)
        yield service
        service.kill()
        if service.process is not None:
            service.process.wait()
        service.close()


def started(service: Service) -> Service:
    """With a channel that blocks, so that the test needs no loop."""
    service.start(time.monotonic()).setblocking(True)
    return service


def test_what_a_child_said_last_is_heard_when_it_is_reaped(service: Service) -> None:
    """Its end may be noticed before its words were read: none of them is lost."""
    started(service).send(Load(b"unwelcome parting"))
    assert service.flush() is False
    assert service.process is not None
    service.process.wait()
    assert service.channel is not None
    service.channel.setblocking(False)
    death = service.reap(time.monotonic())
    assert death is not None
    assert (death.status, death.delay, death.said) == (4, 0.0, [Rejected("I do not like it")])
    assert (service.pid, service.channel, service.reap(time.monotonic())) == (0, None, None)


def test_a_child_that_does_not_read_never_holds_the_supervisor(service: Service) -> None:
    """What the channel does not take stays queued; the rest goes out once it is read."""
    service.start(time.monotonic())
    os.kill(service.pid, signal.SIGSTOP)
    service.send(Load(b"x" * 5_000_000))
    assert service.flush() is True
    os.kill(service.pid, signal.SIGCONT)
    assert service.channel is not None
    service.channel.setblocking(True)
    assert service.flush() is False
    assert service.receive() == [Ready(service.pid)]


def test_messages_to_a_child_that_is_away_are_dropped(service: Service) -> None:
    """A new child starts with what is true then."""
    service.send(Drain())
    assert service.flush() is False
    assert service.receive() is None


def test_an_exit_status_in_words() -> None:
    """Signals and statuses are told apart."""
    assert describe(-9) == "killed by signal 9"
    assert describe(3) == "exit status 3"
