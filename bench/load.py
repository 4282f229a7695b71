"""Closed-loop load by wrk: as fast as the connections allow."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

_BEARING = Path(__file__).with_name("wrk.lua")
_SIGNING = Path(__file__).with_name("signed.lua")


class WrkResult(msgspec.Struct, frozen=True):
    """What wrk saw. Latencies are microseconds in a closed loop: a measure of saturation, not of added delay."""

    requests: int
    micros: int
    p50_us: int
    p99_us: int
    max_us: int
    not_2xx: int
    socket_errors: int

    @property
    def rps(self) -> float:
        """Completed requests per second."""
        return self.requests * 1e6 / max(1, self.micros)


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of request, from files that wrk can read."""

    body: Path
    keys: Path
    connections: int = 64
    headers: dict[str, str] = field(default_factory=dict)
    signed: bool = False  # `keys` then holds names and signing keys, and requests have no other header


def wrk(port: int, load: Load, seconds: float, headers: dict[str, str] | None = None) -> WrkResult:
    """Run wrk with one thread. Raises `RuntimeError` with its output when it gives no result."""
    lines = [f"{name}: {value}" for name, value in {**load.headers, **(headers or {})}.items()]
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
    command += ["-s", str(_SIGNING if load.signed else _BEARING), url, "--", str(load.body), str(load.keys), *lines]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    last = run.stdout.strip().rpartition("\n")[2]
    if run.returncode or not last.startswith("{"):
        raise RuntimeError(f"wrk failed: {run.stdout[-300:]}{run.stderr[-300:]}")
    return msgspec.json.decode(last, type=WrkResult)
