"""Somebody who answers at the socket of a worker's playground, and remembers what came."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.model.playground import SOCKET

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1f\r\ncontent-length: 2\r\n\r\n{}"
CHUNKS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: mine\r\ntransfer-encoding: chunked\r\n\r\n"
    b"6\r\ndata: \r\n3;x\r\n1\n\n\r\n0\r\n\r\n"
)


class Heard(list[bytes]):
    """Requests as they came."""


@contextmanager
def playing(folder: Path, answer: bytes = WHOLE) -> Iterator[Heard]:
    """While it lasts, each request has this answer, and then the connection ends."""
    heard = Heard()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines = [line := self.rfile.readline()]
            while line.strip():
                lines.append(line := self.rfile.readline())
            size = next(int(one.split(b":")[1]) for one in lines if one.startswith(b"content-length:"))
            heard.append(b"".join(lines) + self.rfile.read(size))
            self.wfile.write(answer)

    server = socketserver.ThreadingUnixStreamServer(str(folder / SOCKET), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
