"""How a drill asks, and what it makes of replies."""

import http.server
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tidegate.drills.gate import Away, Gate, Target
from tidegate.model.drills import SOCKET

WHOM = Target("d", "s", "good")
BODY: dict[str, object] = {"model": "s", "messages": []}
OK = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}


class Worker:
    """Answers at a worker's socket as the test says."""

    def __init__(self, folder: Path) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, json.dumps(OK).encode())
        self.asked: list[Any] = []
        self.told: Callable[[], tuple[int, dict[str, str], bytes]] = lambda: self.answer
        worker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["content-length"]))
                worker.asked.append((json.loads(self.headers["x-tidegate-drill"]), json.loads(data)))
                status, headers, body = worker.told()
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def address_string(self) -> str:
                return "unix"

            def log_message(self, *_: object) -> None:
                pass

        folder.mkdir(parents=True, exist_ok=True)
        self.server = socketserver.ThreadingUnixStreamServer(str(folder / SOCKET), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(tmp_path)
    yield made
    made.close()


def gate_of(folder: Path) -> Gate:
    return Gate(folder, lambda: time.monotonic_ns() // 1_000)


def refusal(code: str, message: str = "no") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def test_it_names_whom_it_asks(worker: Worker, tmp_path: Path) -> None:
    """In the head; and reads who answered, and what was left out."""
    worker.answer = (200, {"x-tidegate-target": "b/main/good", "x-tidegate-dropped": "seed, n"}, worker.answer[2])
    told = gate_of(tmp_path).ask(WHOM._replace(fault="429"), BODY, 5)
    assert (told.text, told.target, told.dropped, told.problem) == ("hi", "b/main/good", ("seed", "n"), "")
    assert worker.asked == [(["d", "s", "good", "429"], BODY)]


@pytest.mark.parametrize(
    ("status", "attempts", "code", "fault", "asked"),
    [
        (429, "", "rate_limit_exceeded", "", False),  # the gate's own quota is in use
        (503, "", "queue_full", "", False),
        (404, "", "model_not_found", "", False),  # this worker has no such target
        (404, "b/main/good 404 fatal", "model_not_found", "", True),  # its provider has not
        (400, "", "invalid_request", "", True),  # the target cannot serve such a call
        (500, "b/main/good 500 transient", "", "", True),
        (429, "b/main/good 429 rate", "", "", False),  # it is limited now, which says nothing of its answers
        (429, "drill:a/drill/main 429 rate", "rate_limit_exceeded", "429", True),  # the way ended at the primary
        (429, "drill:a/drill/main 503 overload", "rate_limit_exceeded", "5xx", False),  # the fallback's quota is in use
        (502, "drill:a/drill/main failed transient, b/main/good 500 transient", "", "timeout", True),
    ],
)
def test_whose_doing_a_refusal_is(
    worker: Worker, tmp_path: Path, status: int, attempts: str, code: str, fault: str, asked: bool
) -> None:
    """The target's, which it fails by, or the gate's, which proves nothing."""
    worker.answer = (status, {"x-tidegate-attempts": attempts} if attempts else {}, refusal(code))
    told = gate_of(tmp_path).ask(WHOM._replace(fault=fault), BODY, 5)
    assert told.problem
    assert told.asked is asked


def test_another_worker_may_have_the_target(worker: Worker, tmp_path: Path) -> None:
    """That of an isolated namespace, whose scopes are its own."""
    other = Worker(tmp_path / "workers" / "acme")
    try:
        worker.answer = (404, {}, refusal("model_not_found"))
        assert gate_of(tmp_path).ask(WHOM, BODY, 5).text == "hi"
        assert len(worker.asked) == len(other.asked) == 1
    finally:
        other.close()


def test_nobody_is_there(tmp_path: Path) -> None:
    """Nobody was asked, and that is told."""
    gate = gate_of(tmp_path)
    assert not gate.ready
    told = gate.ask(WHOM, BODY, 5)
    assert told.problem
    assert not told.asked
    (tmp_path / SOCKET).touch()
    with pytest.raises(Away):
        gate.send(WHOM, "/v1/embeddings", {}, 5)
