"""The two upstreams, each a process of its own: a static nginx and a stream."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.bodies import completion
from harness.ports import accepts, free_port
from harness.process import running

ROOT = Path(__file__).resolve().parent.parent

_LIMITS = {
    "x-request-id": "req_bench",
    "openai-organization": "bench",
    "openai-processing-ms": "1",
    "openai-version": "2020-10-01",
    "x-ratelimit-limit-requests": "1000000000",
    "x-ratelimit-limit-tokens": "1000000000000",
    "x-ratelimit-remaining-requests": "999999999",
    "x-ratelimit-remaining-tokens": "999999999000",
    "x-ratelimit-reset-requests": "1ms",
    "x-ratelimit-reset-tokens": "1ms",
}


def nginx_file(http: str) -> str:
    """A whole nginx configuration around its `http` block: one worker, no access log, endless keep-alive."""
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"{user}worker_processes 1;\ndaemon off;\npid nginx.pid;\nerror_log stderr;\n"
        "events { worker_connections 16384; }\nhttp {\n"
        "  access_log off; keepalive_requests 1000000000; client_max_body_size 64m; client_body_buffer_size 2m;\n"
        "  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n"
        f"{http}\n}}\n"
    )


def nginx_command(home: Path, text: str) -> list[str | Path]:
    """Writes the configuration into `home` and returns the command that runs it."""
    (home / "nginx.conf").write_text(text)
    return ["nginx", "-p", home, "-c", home / "nginx.conf", "-e", "stderr"]


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Ports of 127.0.0.1."""

    static: int
    stream: int


@contextlib.contextmanager
def upstreams(work: Path) -> Iterator[Upstreams]:
    """Both upstreams, until the end of the block."""
    static, stream = free_port(), free_port()
    home = work / "upstream"
    home.mkdir()
    headers = "".join(f"    add_header {name} {value};\n" for name, value in _LIMITS.items())
    server = (
        f"  server {{\n    listen 127.0.0.1:{static} backlog=4096;\n    default_type application/json;\n{headers}"
        f"    location / {{ return 200 '{completion()}'; }}\n  }}"
    )
    command = nginx_command(home, nginx_file(server))
    sse = [sys.executable, "-m", "bench.sse", str(stream)]
    with (
        running(command, work / "upstream.log", lambda: accepts(static)),
        running(sse, work / "sse.log", lambda: accepts(stream), cwd=ROOT),
    ):
        yield Upstreams(static, stream)
