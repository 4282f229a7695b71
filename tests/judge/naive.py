"""A deliberately bad gateway: passes everything on, retries at once, and ends a broken stream as if it were whole.

python tests/judge/naive.py PORT UPSTREAM_PORT
"""

import http.client
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_TRIES = 6


class Naive(BaseHTTPRequestHandler):
    """One call at a time and thread; nothing is remembered from one to the next."""

    upstream = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        key = f"Bearer sk-{json.loads(body)['model']}"
        for _ in range(_TRIES):
            line = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=3)
            try:
                line.request("POST", "/openai" + self.path, body, {"authorization": key})
                reply = line.getresponse()
            except (OSError, http.client.HTTPException):
                continue
            if reply.status < 429:
                break
        else:
            self.send_error(502)
            return
        self.send_response(reply.status)
        self.send_header("content-type", reply.getheader("content-type") or "")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            while data := reply.read1(65_536):
                self.wfile.write(data)
                self.wfile.flush()
        except (OSError, http.client.HTTPException):
            pass
        self.close_connection = True

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def main(port: int, upstream: int) -> None:
    """Serve until it is killed."""
    Naive.upstream = upstream
    ThreadingHTTPServer(("127.0.0.1", port), Naive).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
