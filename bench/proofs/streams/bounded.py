"""A client that reads nothing of a long stream: what the worker keeps of it."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from bench import gate
from bench.figures import at_least, at_most, exactly
from bench.proofs.stage import PATHS, Stage, numbers, provider, question, stage
from bench.proofs.steps import Context, Row
from harness.twin import Twin

TOKENS = 90_000  # of 120 bytes and more each
LIMIT_MB = 20
STALLED_S = 4.0
_TIMING = {"ttft_ms": 0, "tpot_ms": 0, "tokens": 10, "exact_up_to": TOKENS, "chunk_tokens": 1, "chunk_ms": 0}


def bounded(context: Context, row: Row) -> None:
    """In both dialects, served as itself and by translation; afterwards the client reads on and misses nothing."""
    row.commands.append(f"tidegate twin -c, tidegate serve -c; a client that reads nothing for {STALLED_S:.0f} s")
    models = [{"name": maker, "provider": maker, "context": 10**6, "most_output": 10**6} for maker in PATHS]
    with stage(context.work / "bounded", _TIMING, models, _settings) as running:
        worker = gate.worker_of(os.getpid())
        for client in PATHS:
            for model in PATHS:
                _stalled(running, row, client, model, worker)


def _settings(running: Twin) -> dict[str, Any]:
    return {"providers": {maker: provider(running, maker, [maker]) for maker in PATHS}}


def _stalled(running: Stage, row: Row, client: str, model: str, worker: int) -> None:
    running.ask(PATHS[client], question(model, 1_000))  # what any stream needs is there before
    before, name = _peak(worker, reset=True), f"{client}'s client of {model}'s model"
    body = json.dumps(question(model, TOKENS)).encode()
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        line.settimeout(60)
        line.connect(("127.0.0.1", running.port))
        line.sendall(
            f"POST {PATHS[client]} HTTP/1.1\r\nhost: gate\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        )
        time.sleep(STALLED_S)
        grown = (_peak(worker) - before) / 1e6
        got = _rest(line)
    row.figures.append(at_most(f"{name}: growth of the worker's resident memory, peak", grown, LIMIT_MB, "MB"))
    row.figures.append(at_least(f"{name}: size of the stream", len(got) / 1e6, 10, "MB"))
    found = numbers(got.decode())
    row.figures.append(exactly(f"{name}: tokens, in order", len(found) if found == sorted(set(found)) else 0, TOKENS))


def _rest(line: socket.socket) -> bytes:
    pieces: list[bytes] = []
    while not pieces or not pieces[-1].endswith(b"0\r\n\r\n"):
        piece = line.recv(1 << 20)
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces)


def _peak(pid: int, *, reset: bool = False) -> int:
    """The most that was resident since the last reset, in bytes."""
    if reset:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1_024
