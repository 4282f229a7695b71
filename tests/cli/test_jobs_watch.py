"""`tidegate jobs watch` of message batches, against a server that tells them as Anthropic does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.test_manage import Said, said

__all__ = ["said"]
COUNTS = {"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 0}
BATCHES: dict[str, dict[str, object]] = {
    "msgbatch_good": {"request_counts": COUNTS},
    "msgbatch_late": {"request_counts": COUNTS | {"expired": 1}},
    "msgbatch_cut": {"request_counts": COUNTS, "cancel_initiated_at": "2026-11-22T01:00:00+00:00"},
}


class Gate(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """A batch by its path."""
        folder, _, name = self.path.rpartition("/")
        found = BATCHES.get(name) if folder == "/v1/messages/batches" else None
        self.send_response(404 if found is None else 200)
        self.end_headers()
        ended: dict[str, object] = {
            "id": name,
            "type": "message_batch",
            "processing_status": "ended",
            "cancel_initiated_at": None,
        }
        self.wfile.write(json.dumps(ended | (found or {})).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_message_batch_is_watched_to_its_end(said: Said, url: str) -> None:
    """And told with its counts."""
    heads, values = said(f"jobs watch msgbatch_good --url {url}").splitlines()
    assert "PROCESSING STATUS" in heads
    assert values.split() == ["msgbatch_good", "ended", "2", "1", "0", "0"]


@pytest.mark.parametrize(("name", "state"), [("msgbatch_late", "expired"), ("msgbatch_cut", "cancelled")])
def test_one_that_was_cancelled_or_expired_did_not_end_well(said: Said, url: str, name: str, state: str) -> None:
    """1, as for OpenAI's, and the bar says so."""
    assert state in said(f"jobs watch {name} --url {url}", 1)
