"""Open-loop load that writes down every call, so that what happened when can be read afterwards.

`python -m bench.proofs.cluster.load PORT BODY LOG …`: one row a call in LOG, three 64-bit integers each, the moment at
which it was due and the one at which it ended (monotonic microseconds, as everywhere on this machine), and its status;
0 = its connection was lost.
"""

import argparse
import asyncio
import subprocess
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns
from typing import Final

import uvloop

from bench.flood import Flood, Line, requests_of
from bench.upstreams import ROOT
from tidegate.load.client import allow_many_connections

_PATH: Final = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Call:
    """One row of the log. Microseconds."""

    due_us: int
    done_us: int
    status: int

    @property
    def took_ms(self) -> float:
        return (self.done_us - self.due_us) / 1e3


class Logged(Flood):
    """A flood that writes down. What is under way at the end is missing; a lost connection is dialled again."""

    rows: "array[int]"

    def done(self, line: Line, status: bytes) -> None:
        """A reply is complete."""
        self.rows.extend((line.intended // 1000, monotonic_ns() // 1000, int(status)))
        super().done(line, status)

    def lost(self, line: Line) -> None:
        """What it carried has failed, and another one takes its place."""
        if line not in self._idle and not self._over:
            self.rows.extend((line.intended // 1000, monotonic_ns() // 1000, 0))
        super().lost(line)
        if not self._over:
            self._again = asyncio.get_running_loop().create_task(self._connect())


def read(log: Path) -> list[Call]:
    """All rows, by the moment at which they were due."""
    rows = array("q")
    rows.frombytes(log.read_bytes())
    return sorted((Call(*rows[at : at + 3]) for at in range(0, len(rows), 3)), key=lambda call: call.due_us)


def p99_ms(calls: Iterable[Call]) -> float:
    """Of the answered ones; 0 of none."""
    values = sorted(call.took_ms for call in calls if call.status == 200)
    return values[min(len(values) - 1, int(0.99 * len(values)))] if values else 0.0


def due_in(calls: Iterable[Call], first_us: int, last_us: int) -> list[Call]:
    """Those that were due in [first, last)."""
    return [call for call in calls if first_us <= call.due_us < last_us]


def calm_after(calls: Sequence[Call], since_us: int, worst_ms: float, span_us: int = 100_000) -> float:
    """Seconds after `since` from which on every call is answered, and in no span p99 is above `worst_ms`."""
    later = [call for call in calls if call.due_us >= since_us]
    bad = [
        span
        for span, rows in _spans(later, since_us, span_us).items()
        if any(call.status != 200 for call in rows) or p99_ms(rows) > worst_ms
    ]
    return (max(bad) + 1) * span_us / 1e6 if bad else 0.0


def _spans(calls: Iterable[Call], since_us: int, span_us: int) -> dict[int, list[Call]]:
    found: dict[int, list[Call]] = {}
    for call in calls:
        found.setdefault((call.due_us - since_us) // span_us, []).append(call)
    return found


@dataclass(slots=True)
class Running:
    """The load as a process of its own."""

    child: subprocess.Popen[bytes]
    log: Path

    def calls(self) -> list[Call]:
        """When it has ended. Raises `RuntimeError`."""
        if self.child.wait():
            raise RuntimeError(f"the load ended with {self.child.returncode}")
        return read(self.log)


def started(home: Path, port: int, keys: Sequence[str], rate: float, seconds: float, connections: int = 128) -> Running:
    """Begin it. `home` gets its files."""
    body, names, log = home / "load.json", home / "load.keys", home / f"load-{port}-{monotonic_ns()}.log"
    body.write_text('{"model":"gpt-4o","messages":[{"role":"user","content":"What is a tide gate?"}],"max_tokens":10}')
    names.write_text("\n".join(keys) + "\n")
    words = [str(port), str(body), str(names), str(log), "--rate", str(rate), "--seconds", str(seconds)]
    command = [sys.executable, "-m", "bench.proofs.cluster.load", *words, "--connections", str(connections)]
    return Running(subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=ROOT), log)


async def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="bench.proofs.cluster.load")
    parser.add_argument("port", type=int)
    parser.add_argument("body", type=Path)
    parser.add_argument("keys", type=Path, help="keys to present in turn, one a line")
    parser.add_argument("log", type=Path)
    parser.add_argument("--rate", type=float, default=1000.0, help="calls a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=128)
    options = parser.parse_args()
    allow_many_connections()
    requests = requests_of(_PATH, options.body.read_bytes(), options.keys.read_text().split())
    flood = Logged(options.port, requests, options.rate, options.seconds)
    flood.rows = array("q")
    await flood.run(options.connections)
    options.log.write_bytes(flood.rows.tobytes())


if __name__ == "__main__":
    uvloop.run(main())
