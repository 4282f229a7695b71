"""The gate as it is measured: governed by limits that never bind, client keys on."""

import contextlib
import functools
import hashlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.install import InstallFailed
from bench.systems import Starter, System
from bench.wheel import compiled_gate
from harness import cpu
from harness.node import Node
from harness.process import NotReady, end

_NEVER = 1_000_000_000


@functools.cache
def program() -> str:
    """What is measured: BENCH_GATE, else the compiled wheel of these sources, else (said aloud) the plain package."""
    named = os.environ.get("BENCH_GATE")
    if named:
        return named
    try:
        return str(compiled_gate() / "tidegate")
    except InstallFailed as error:
        print(f"the gate is measured as plain Python, several times slower: {error}", file=sys.stderr)
        return str(Path(sys.executable).with_name("tidegate"))


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the configuration is."""

    clients: int = 10
    provider_keys: int = 1
    governed: bool = False  # the keys belong to users of a namespace, with limits and budgets at every level
    signed: bool = False  # and every request must be signed
    cached: bool = False  # answers are kept


def client_keys(count: int) -> list[str]:
    """The keys that applications present."""
    return [f"tg-bench-{number:06d}" for number in range(count)]


def settings(home: Path, upstream: int, shape: Shape) -> dict[str, Any]:
    """The gate's file; its file of client keys is written."""
    scope = {
        "name": "main",
        "keys": [f"sk-bench-{number}" for number in range(shape.provider_keys)],
        "limits": {"gpt-4o": {"rpm": _NEVER, "tpm": _NEVER * 1000}},
    }
    price = {"input": "2.5", "output": "10"}
    provider = {
        "dialect": "openai",
        "base_url": f"http://127.0.0.1:{upstream}/v1",
        "scopes": [scope],
        "models": {"gpt-4o": {"price": price}},
    }
    defaults = {"defaults": {"caching": {"enabled": True}}} if shape.cached else {}
    return {"providers": {"openai": provider}} | defaults | _callers(home, shape)


def _callers(home: Path, shape: Shape) -> dict[str, Any]:
    """Who may call: digests in a file, or keys of users with every kind of limit, none of which binds."""
    keys = client_keys(shape.clients)
    if not shape.governed:
        digests = (f"{key} {hashlib.sha256(key.encode()).hexdigest()}" for key in keys)
        (home / "clients.txt").write_text("\n".join(digests) + "\n")
        return {"clients": {"keys_file": "clients.txt"}}
    limits = {"rpm": _NEVER, "tpm": _NEVER * 1000, "concurrent": 100_000, "tokens_per_day": _NEVER * 1000}
    bounds = {"limits": limits, "budget": {"per_day": 1_000_000, "per_month": 1_000_000}}
    signing = "required" if shape.signed else "off"
    listed = [{"name": key, "key": key, "user": "ann", "signing": signing} | bounds for key in keys]
    namespace = {"users": {"ann": bounds}, "keys": listed} | bounds
    access = {"per_address": {"rpm": _NEVER}, "per_key_and_address": {"rpm": _NEVER}}
    return {"namespaces": {"bench": namespace}, "access": access}


def plain(home: Path, full: Mapping[str, Any], port: int = 0) -> Node:
    """The measured build with this file, without one option that an older build may not know; not started yet."""
    return Node(home, full, program=[program()], port=port)


def worker_of(root: int) -> int:
    """The process that carries calls. Raises `NotReady` when there is none: its cost would pass for zero."""
    for pid in cpu.tree(root):
        if "tidegate.worker" in cpu.command(pid):
            return pid
    raise NotReady("the gate has no worker process")


def starter(shape: Shape = Shape()) -> Starter:
    """How to start the gate with a configuration of this size."""

    @contextlib.contextmanager
    def start(home: Path, upstream: int) -> Iterator[System]:
        with plain(home, settings(home, upstream, shape)) as node:
            yield System("Tidegate", version(), node.port, node.pid, worker_of(node.pid))

    return start


def version() -> str:
    """Of the gate that is measured, and whether it is compiled."""
    from tidegate import __version__

    home = Path(program()).resolve().parent.parent
    compiled = any(home.glob("lib/python*/site-packages/tidegate/**/*.so"))
    return f"{__version__} compiled" if compiled else __version__


def call_records(state: Path) -> int:
    """Calls in the journal of a state directory, however many segments it has."""
    from tidegate.journal.journal import read
    from tidegate.model.facts import CallRecord

    return sum(isinstance(fact, CallRecord) for fact in read(state / "journal"))


def seconds_to_ready(home: Path, upstream: int) -> float:
    """From exec to the line with both URLs, measured at the pipe."""
    command = plain(home, settings(home, upstream, Shape())).command()
    started = time.perf_counter()
    with (home / "log").open("wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
    try:
        assert child.stdout is not None
        for line in itertools.islice(child.stdout, 100):
            if line.count(b"http") >= 2:
                return time.perf_counter() - started
        raise NotReady(f"no line with both URLs; {(home / 'log').read_text()[-400:]}")
    finally:
        end(child)
