"""What watching costs a call: a gate that counts, writes its journal and traces, beside one that does none of it.

The other gate is the same program, whose workers were given a journal that keeps nothing and an observer that counts
nothing, from outside, by a `sitecustomize` on their path: no setting switches that off. Records are made in both; what
making them takes is measured alone, and taken off the blind one.
"""

import contextlib
import http.server
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.figures import at_most, exactly, median, spread, told
from bench.flood import FloodResult
from bench.nodes import Node
from bench.proofs.cluster.price import _flood as flood
from bench.proofs.fleet import MODEL, Quota, provider
from bench.proofs.steps import Context, Row
from harness import cpu
from harness.node import Place
from harness.twin import Twin
from tidegate.config.schema.telemetry import TelemetryConfig
from tidegate.journal.journal import read
from tidegate.model.facts import CallRecord, Intent

_MORE: Final = 1.08
_RATE: Final = 800.0
_QUOTA: Final = Quota(accounts=1, tpm=10**9, rpm=10**8, ttft_ms=5.0, options=("--lean",))
_KEY: Final = "tg-price"
_MADE: Final = 20_000
_BLIND: Final = '''"""Workers that are imported after this write nothing down and count nothing."""

import importlib.abc
import importlib.machinery
import sys

NAME = "tidegate.worker.compose"


class Blind:
    """Stands before the real one: what is said to it in the course of a call is not heard."""

    def __init__(self, real, deaf):
        self.__dict__.update(real=real, **{name: self.nothing for name in deaf})

    def nothing(self, *_args, **_more):
        return None

    def __getattr__(self, name):
        return getattr(self.real, name)


def blinded(module):
    journal, observer = module.Journal, module.lanes.observer
    module.Journal = lambda *args: Blind(journal(*args), ("append",))
    deaf = ("attempt", "finished", "refused", "fell_back", "moved")
    module.lanes.observer = lambda *args: Blind(observer(*args), deaf)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != NAME:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        run = spec.loader.exec_module

        def execute(module):
            run(module)
            blinded(module)

        spec.loader.exec_module = execute
        return spec


sys.meta_path.insert(0, Finder())
'''


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one round, in microseconds a request."""

    worker_us: float
    gate_us: float
    result: FloodResult


def cost(context: Context, row: Row) -> None:
    """Both gates at the same pace, in turn."""
    rounds, seconds = (3, 4.0) if context.quick else (9, 10.0)
    row.commands.append(f"tidegate serve, as it is and blind, {_RATE:.0f} calls/s in turn, {rounds} rounds")
    with contextlib.ExitStack() as stack:
        twin = stack.enter_context(provider(context.work, _QUOTA, "cost"))
        sink = stack.enter_context(_sink())
        seeing = stack.enter_context(_gate(context.work, twin, "seeing", sink))
        blind = stack.enter_context(_gate(context.work, twin, "blind"))
        pairs = []
        for turn in range(rounds):
            one, other = (seeing, blind) if turn % 2 else (blind, seeing)
            spent = {node.name: _round(context.work, node, seconds) for node in (one, other)}
            pairs.append((spent["seeing"], spent["blind"]))
    _judge(row, pairs, _making(row))
    seen, unseen = (_written(context.work / name) for name in ("seeing", "blind"))
    row.figures.append(exactly("facts in the journal of the blind gate", unseen, 0, f"{seen:,} in the other's"))


def _judge(row: Row, pairs: list[tuple[Spent, Spent]], made_us: float) -> None:
    seeing, blind = (median(one[which].worker_us for one in pairs) for which in (0, 1))
    ratios = [one.worker_us / (other.worker_us - made_us) for one, other in pairs]
    note = f"worker: {seeing:.1f} µs, blind {blind:.1f} µs less {made_us:.1f} µs of making records; {spread(ratios)}"
    row.figures.append(at_most("CPU a request, watching ÷ blind", median(ratios), _MORE, "×", note))
    whole, rest = (median(one[which].gate_us for one in pairs) for which in (0, 1))
    row.figures.append(told("the same of all processes, the ledger's included", f"{whole:.1f} µs, blind {rest:.1f} µs"))


def _making(row: Row) -> float:
    """Microseconds that making an intent and a record takes, as the usual call has them."""
    encode = msgspec.msgpack.Encoder().encode
    began = time.perf_counter()
    for number in range(_MADE):
        Intent(number, 1, 1, "lane", 1, 1, 1, "client", "plan", "target", "tenant", "user", 1, 1, "")
        CallRecord(number, 1, "c", "p", "m", "t", 200, 1, False, 0, 0, 1, 1, 1, 1, 0, 1, False)
    made = (time.perf_counter() - began) / _MADE * 1e6
    record = CallRecord(1 << 50, 1, "c", "p", "m", "t", 200, 1, False, 0, 0, 1, 1, 1, 1, 0, 1, False)
    row.figures.append(
        told("making intent and record, which both do", f"{made:.2f} µs", f"a record: {len(encode(record))} B")
    )
    return made


def _written(home: Path) -> int:
    """Facts in the journals of a gate."""
    return sum(1 for path in home.glob("**/journal") for _ in read(path))


def _round(work: Path, node: Node, seconds: float) -> Spent:
    (worker,) = node.workers()
    own, whole = cpu.spent_us(worker, whole_tree=False), cpu.spent_us(node.pid)
    found = flood(work, node.port, _RATE, seconds)
    answered = max(1, found.answered)
    return Spent(
        (cpu.spent_us(worker, whole_tree=False) - own) / answered, (cpu.spent_us(node.pid) - whole) / answered, found
    )


@contextlib.contextmanager
def _gate(work: Path, twin: Twin, name: str, sink: str = "") -> Iterator[Node]:
    """`sink`: where traces go; without one the gate is blind."""
    limits = {MODEL: {"rpm": _QUOTA.rpm, "tpm": _QUOTA.tpm}}
    full: dict[str, Any] = {
        "providers": {
            "openai": {
                "dialect": "openai",
                "base_url": twin.url,
                "scopes": [{"name": "main", "keys": list(_QUOTA.keys), "limits": limits}],
            }
        },
        "namespaces": {"price": {"keys": [_KEY]}},
    }
    env: dict[str, str] = {}
    if not sink:
        path = work / "blindness"
        path.mkdir(exist_ok=True)
        (path / "sitecustomize.py").write_text(_BLIND)
        env["PYTHONPATH"] = os.pathsep.join([str(path), *filter(None, [os.environ.get("PYTHONPATH")])])
    elif "endpoint" in TelemetryConfig.model_fields:
        full["telemetry"] = {"endpoint": sink}
    node = Node(work / name, full, 1, Place(env=env))
    try:
        node.start()
        yield node
    finally:
        node.stop()


@contextlib.contextmanager
def _sink() -> Iterator[str]:
    """Takes whatever is sent, and answers that it was taken."""

    class Taker(http.server.BaseHTTPRequestHandler):
        """One request."""

        def do_POST(self) -> None:
            """As OTLP says."""
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
