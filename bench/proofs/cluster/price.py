"""What sharing costs: CPU a request beside a gate by itself, commands of Redis, two workers beside one, connections."""

import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.bodies import chat
from bench.figures import Figure, at_most, median, spread, told
from bench.flood import FloodResult
from bench.nodes import Node, nodes, worker_of
from bench.proofs.fleet import MODEL, Quota, provider
from bench.proofs.steps import Context, Row
from bench.upstreams import ROOT
from harness import cpu
from harness.servers.redis import VALKEY, Server
from harness.twin import Twin

_SHARED: Final = 1.15
_COMMANDS: Final = 0.2
_WORKERS: Final = 1.10
_SPLIT: Final = 60.0
_RATE: Final = 1_200.0
_CONNECTIONS: Final = 400
_QUOTA: Final = Quota(accounts=1, tpm=10**9, rpm=10**8, ttft_ms=5.0, options=("--lean",))
_KEY: Final = "tg-price"


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU of one round, in microseconds a request."""

    gate_us: float
    beside_us: float  # of the shared state, which is told apart
    result: FloodResult


def shared(context: Context, row: Row) -> None:
    """One worker with `cluster.url` beside one without, in turn at the same pace; then as fast as they can."""
    rounds, seconds = (3, 5.0) if context.quick else (7, 10.0)
    row.commands.append(f"tidegate serve with and without cluster.url, {_RATE:.0f} calls/s in turn, {rounds} rounds")
    with contextlib.ExitStack() as stack:
        twin, server = stack.enter_context(provider(context.work, _QUOTA, "price")), stack.enter_context(_server())
        local = stack.enter_context(_node(context, twin, "local", 1))
        ours = stack.enter_context(_node(context, twin, "shared", 1, server))
        ratios, with_it, without = [], [], []
        for _ in range(rounds):
            alone = _round(context.work, local, None, _RATE, seconds)
            together = _round(context.work, ours, server, _RATE, seconds)
            ratios.append(together.gate_us / alone.gate_us)
            with_it.append(together)
            without.append(alone)
        note = f"{median(one.gate_us for one in without):.0f} µs alone; {spread(ratios)}"
        row.figures += [
            at_most("CPU a request, shared state ÷ local state", median(ratios), _SHARED, "×", note),
            told("CPU of Valkey a request", f"{median(one.beside_us for one in with_it):.1f} µs"),
        ]
        row.figures += _commands(context, ours, server, seconds)


def _commands(context: Context, node: Node, server: Server, seconds: float) -> list[Figure]:
    before = _calls(server)
    found = _round(context.work, node, server, 0.0, seconds)
    after = _calls(server)
    made = {name: after[name] - before[name] for name in after if after[name] > before[name]}
    requests = found.result.answered
    each = sum(made.values()) / max(1, requests)
    note = ", ".join(f"{name} {count:,}" for name, count in sorted(made.items(), key=lambda one: -one[1])[:5])
    pace = requests / found.result.seconds
    return [
        at_most(f"commands of Redis a request at {pace:,.0f} requests/s", each, _COMMANDS, "", note),
        told("at that pace: CPU a request of the gate, of Valkey", f"{found.gate_us:.0f}, {found.beside_us:.1f} µs"),
    ]


def workers(context: Context, row: Row) -> None:
    """Two workers beside one, each with what they share; and how connections fall to them."""
    rounds, seconds = (3, 5.0) if context.quick else (7, 10.0)
    row.commands.append(f"tidegate serve --workers 2 beside one, as fast as they can in turn, {rounds} rounds")
    with contextlib.ExitStack() as stack:
        twin = stack.enter_context(provider(context.work, _QUOTA, "two"))
        one, two = (stack.enter_context(_node(context, twin, f"two-{count}", count)) for count in (1, 2))
        ratios, each = [], []
        for _ in range(rounds):
            single = _round(context.work, one, None, 0.0, seconds)
            double = _round(context.work, two, None, 0.0, seconds)
            ratios.append(double.gate_us / single.gate_us)
            each.append(single.gate_us)
        note = f"all processes, the Valkey between them included; one: {median(each):.0f} µs; {spread(ratios)}"
        row.figures.append(at_most("CPU a request, 2 workers ÷ 1", median(ratios), _WORKERS, "×", note))
        counts = Counter(_connections(two))
        most = 100 * max(counts.values()) / sum(counts.values())
        row.figures.append(at_most("connections of the busier worker", most, _SPLIT, "%", f"{dict(counts)}"))


def _connections(node: Node) -> Iterator[int]:
    """Which worker has each of many connections."""
    for _ in range(_CONNECTIONS):
        reply = node.ask(node.port, "/v1/chat/completions", _body(), {"authorization": f"Bearer {_KEY}"})
        yield worker_of(reply.headers)


def _body() -> bytes:
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "Which worker?"}], "max_tokens": 5}
    return json.dumps(asked).encode()


@contextlib.contextmanager
def _server() -> Iterator[Server]:
    server = Server(VALKEY)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def _node(context: Context, twin: Twin, name: str, workers: int, server: Server | None = None) -> Iterator[Node]:
    limits = {MODEL: {"rpm": _QUOTA.rpm, "tpm": _QUOTA.tpm}}
    scope = {"name": "main", "keys": list(_QUOTA.keys), "limits": limits}
    full: dict[str, Any] = {
        "providers": {"openai": {"dialect": "openai", "base_url": twin.url, "scopes": [scope]}},
        "namespaces": {"price": {"keys": [_KEY]}},
    }
    if server is not None:
        full["cluster"] = {"url": server.url, "prefix": name}
    with nodes(context.work, name, full, (workers,)) as started:
        yield started[0]


def _round(work: Path, node: Node, server: Server | None, rate: float, seconds: float) -> Spent:
    before, beside = cpu.spent_us(node.pid), _server_us(server)
    found = _flood(work, node.port, rate, seconds)
    spent, other = cpu.spent_us(node.pid) - before, _server_us(server) - beside
    answered = max(1, found.answered)
    return Spent(spent / answered, other / answered, found)


def _flood(work: Path, port: int, rate: float, seconds: float) -> FloodResult:
    body, keys = work / "price.json", work / "price.keys"
    body.write_bytes(chat(1000))
    keys.write_text(_KEY + "\n")
    options = ["--rate", str(rate), "--seconds", str(seconds), "--connections", "64"]
    command = [sys.executable, "-m", "bench.flood", str(port), "/v1/chat/completions", str(body), str(keys), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return msgspec.json.decode(done.stdout, type=FloodResult)


def _server_us(server: Server | None) -> int:
    return cpu.spent_us(server.pid, whole_tree=False) if server is not None else 0


def _calls(server: Server) -> Counter[str]:
    """Commands that clients sent, by name; what scripts call within is not a command of a client."""
    stats = server.info("commandstats")
    found = Counter({name.removeprefix("cmdstat_"): int(row["calls"]) for name, row in stats.items()})
    return Counter({name: count for name, count in found.items() if name not in _WITHIN})


_WITHIN: Final = frozenset(("time", "get", "set", "del", "pexpire", "pexpireat", "info", "client|setinfo"))
