"""`tidegate serve` as a user runs it: real loader, worker and control, a provider of our own."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.supervised import READY, command_line
from harness.wait import DEADLINE, wait_gone, wait_until
from tidegate.cli.serve import workers_asked_for
from tidegate.journal.journal import read
from tidegate.model.facts import CallRecord, Fact, Intent
from tidegate.supervisor.failure import GateError

ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
}
QUESTION = json.dumps({"model": "gpt-4o", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]})


class Provider:
    """Answers chat completions, or, while `silent`, takes them and says nothing."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.silent = False
        self.taken = threading.Semaphore(0)
        self.open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        body = json.dumps(ANSWER).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        try:
            while b"hello" in connection.recv(65_536):
                if not self.silent:
                    connection.sendall(head + body)
                self.taken.release()
        except OSError:
            return

    def close(self) -> None:
        self.listener.close()
        for connection in self.open:
            connection.close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


class Serve:
    """The command in a process, with its log in a file."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        self.state = folder / "state"
        config = folder / "tidegate.yaml"
        limits = "{gpt-4o: {rpm: 600, tpm: 100000}}"
        config.write_text(
            f"providers: {{openai: {{dialect: openai, base_url: '{provider.url}', "
            f"scopes: [{{name: main, keys: [sk-x], limits: {limits}}}]}}}}\n"
        )
        options = ["-c", str(config), "--port", "0", "--admin-port", "0", "--state-dir", str(self.state)]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tidegate", "serve", *options], stdout=subprocess.PIPE, stderr=log
            )
        self.port, self.admin_port = self._ready()

    def _ready(self) -> tuple[int, int]:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        assert readable, self.log.read_text()
        found = READY.fullmatch(self.process.stdout.readline().decode())
        assert found, self.log.read_text()
        return int(found[3]), int(found[4])

    def child(self, module: str) -> int:
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next((int(pid) for pid in tasks if module in command_line(int(pid))), 0)

    def ask(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        connection.request("POST", "/v1/chat/completions", QUESTION, {"content-type": "application/json"})
        return connection

    def admin(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=DEADLINE)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def facts(self) -> list[Fact]:
        return list(read(self.state / "journal"))


@pytest.fixture
def serve(tmp_path: Path, provider: Provider) -> Iterator[Serve]:
    serve = Serve(tmp_path, provider)
    children = [serve.child("tidegate.worker"), serve.child("tidegate.control")]
    yield serve
    if serve.process.poll() is None:
        serve.process.kill()
    serve.process.wait()
    assert serve.process.stdout is not None
    serve.process.stdout.close()
    for pid in children:
        wait_gone(pid)


def test_a_call_is_answered_journalled_counted_and_none_is_lost(serve: Serve, provider: Provider) -> None:
    """From the ready line to the last signal.

    An answered call is in the journal and on the metrics page; one in flight when the worker is killed is booked as
    estimated by the next worker, once; SIGTERM ends the gate with 0.
    """
    assert serve.admin("/readyz") == (200, "ready\n")
    connection = serve.ask()
    answer = connection.getresponse()
    assert answer.status == 200
    assert json.loads(answer.read())["usage"]["total_tokens"] == 17
    connection.close()
    assert provider.taken.acquire(timeout=DEADLINE)
    intent, record = serve.facts()
    assert isinstance(intent, Intent)
    assert isinstance(record, CallRecord)
    assert (record.call_id, record.status, record.estimated) == (intent.call_id, 200, False)
    assert (record.prompt_tokens, record.completion_tokens) == (12, 5)
    wait_until(lambda: "tidegate_calls_total{" in serve.admin("/metrics")[1], lambda: "the call on the page")
    assert 'token_usage_rate{model="gpt-4o"}' in serve.admin("/metrics")[1]

    provider.silent = True
    connection = serve.ask()
    assert provider.taken.acquire(timeout=DEADLINE)
    worker = serve.child("tidegate.worker")
    os.kill(worker, signal.SIGKILL)
    wait_gone(worker)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.getresponse()
    connection.close()
    wait_until(lambda: len(serve.facts()) == 4, lambda: f"the lost call's record in {serve.facts()}")
    lost_intent, lost = serve.facts()[2:]
    assert isinstance(lost, CallRecord)
    assert (lost.call_id, lost.status, lost.estimated) == (lost_intent.call_id, 0, True)
    assert lost.charged_tokens > 0
    assert lost.plan == intent.plan

    provider.silent = False
    connection = serve.ask()
    assert connection.getresponse().status == 200
    connection.close()
    serve.process.send_signal(signal.SIGTERM)
    assert serve.process.wait(DEADLINE) == 0
    assert len(serve.facts()) == 6


def test_all_processes_together_are_small(serve: Serve) -> None:
    """At rest, with the metrics page rendered: worker at most 60 MB, all of them at most 200 MB."""
    assert serve.admin("/metrics")[0] == 200
    worker, control = serve.child("tidegate.worker"), serve.child("tidegate.control")
    sizes = {pid: resident_mb(pid) for pid in (serve.process.pid, worker, control)}
    assert sizes[worker] <= 60
    assert sum(sizes.values()) <= 200


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--workers", "0"], 2, "error: --workers 0: write a number from 1 to 64, or auto for one for each core"),
        (["-c", "missing.yaml"], 2, "missing.yaml:1:1: cannot be read"),
    ],
)
def test_what_cannot_be_served_is_said(tmp_path: Path, options: list[str], status: int, said: str) -> None:
    """Wrong usage and a wrong file are 2, on stderr, with nothing on stdout."""
    ended = subprocess.run(
        [sys.executable, "-m", "tidegate", "serve", "--port", "0", "--admin-port", "0", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert (ended.returncode, ended.stdout) == (status, "")
    assert said in ended.stderr


@pytest.mark.parametrize(
    ("given", "environment", "found"),
    [
        (None, {}, 1),
        (None, {"WEB_CONCURRENCY": ""}, 1),
        (None, {"WEB_CONCURRENCY": "3"}, 3),
        ("2", {"WEB_CONCURRENCY": "3"}, 2),
        ("64", {}, 64),
    ],
)
def test_how_many_workers(given: str | None, environment: dict[str, str], found: int) -> None:
    """The option, else what platforms set, else one."""
    assert workers_asked_for(given, environment) == found
    assert 1 <= workers_asked_for("auto", {}) <= 64


@pytest.mark.parametrize("given", ["0", "65", "-1", "two", "1.5", "²"])
def test_what_is_no_number_of_workers(given: str) -> None:
    """It is said with the name of where it stands."""
    with pytest.raises(GateError, match="--workers"):
        workers_asked_for(given, {})
    with pytest.raises(GateError, match="WEB_CONCURRENCY"):
        workers_asked_for(None, {"WEB_CONCURRENCY": given})
