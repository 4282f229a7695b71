"""One answer behind a real port, for an official SDK to read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    content = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        kind = "application/json" if self.content.startswith(b"{") else "text/event-stream"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@contextmanager
def served(content: bytes) -> Iterator[openai.OpenAI]:
    """OpenAI's client of a server that answers every POST with `content`, JSON or events."""
    handler = type("_Answer", (_Handler,), {"content": content})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        with openai.OpenAI(api_key="k", base_url=url, max_retries=0) as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
