"""The HTTP server of imitations: threads, paths and faults."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from tidegate.testing.channels import faults
from tidegate.testing.channels.records import Asked, Imitation, Kept, Said, in_json

_LARGEST: Final = 1_000_000
_PATIENCE_S: Final = 60


class Home(Protocol):
    """Who judges and keeps."""

    over: threading.Event

    @property
    def url(self) -> str: ...

    def find(self, path: str) -> Imitation | None: ...

    def fault(self, channel: str) -> str: ...

    def fail(self, channel: str, fault: str, times: int = 1) -> None: ...

    def take(self, robot: Imitation, asked: Asked) -> Said: ...

    def kept(self, channel: str = "") -> list[Kept]: ...


class Services(ThreadingHTTPServer):
    """On a port of this machine, with a thread for each connection."""

    daemon_threads = True

    def __init__(self, stand: Home, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.stand = stand
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_address[1]}"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are what these servers are for."""


class _Handler(BaseHTTPRequestHandler):
    server: Services

    timeout = _PATIENCE_S

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(min(int(self.headers.get("content-length") or 0), _LARGEST))
        query = dict(parse_qsl(parts.query))
        if parts.path == "/_fault":
            self.server.stand.fail(query.get("channel", ""), query.get("kind", ""), int(query.get("times", "1")))
            self._say(in_json(200, {}))
            return
        robot = self.server.stand.find(parts.path)
        if robot is None:
            self._say(Said(404, b"no such service", "text/plain"))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(parts.path, query, headers, body)
        fault = self.server.stand.fault(robot.name)
        if not fault:
            self._say(self.server.stand.take(robot, asked))
        elif fault in (faults.SLOW, faults.LOST):
            self.server.stand.take(robot, asked)
        if fault:
            self._misbehave(fault)

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/_kept":
            self._say(in_json(200, [one._asdict() for one in self.server.stand.kept()]))
        else:
            self._say(Said(405, b"", "text/plain"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: addresses hold tokens."""

    def _say(self, said: Said) -> None:
        self.send_response(said.status)
        for name, value in (("Content-Type", said.content_type), *said.headers):
            self.send_header(name, value)
        if said.status != 204:  # which has no body, and says so by itself
            self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    def _misbehave(self, fault: str) -> None:
        self.close_connection = True
        if fault == faults.SLOW:
            self.server.stand.over.wait(_PATIENCE_S)
        elif fault in (faults.ENDLESS, faults.DRIP):
            self._go_on(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", fault)
        elif fault == faults.ERROR:
            self._say(Said(503, b"out of order", "text/plain"))
        elif fault == faults.THROTTLED:
            self._say(Said(429, b"", "text/plain", (("Retry-After", str(faults.RETRY_AFTER_S)),)))
        elif fault == faults.PAGE:
            self._say(Said(200, b"<html><body>Please log in</body></html>", "text/html"))
        elif fault == faults.REDIRECT:
            self._say(Said(302, b"", "text/plain", (("Location", f"{self.server.stand.url}/elsewhere"),)))

    def _go_on(self, head: bytes, fault: str) -> None:
        """Until the other side has enough."""
        piece = b" " * 512 if fault == faults.ENDLESS else b"X-More: x\r\n"
        try:
            self.wfile.write(head + (b"\r\n" if fault == faults.ENDLESS else b""))
            while not self.server.stand.over.wait(0.01):
                self.wfile.write(piece)
        except OSError:
            return
