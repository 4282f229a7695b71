"""What the gate takes beside CPU: memory, also after a million requests, and time until it is ready."""

from collections.abc import Iterator
from pathlib import Path

from bench import gate
from bench.figures import Figure, at_most, median, spread, told
from bench.load import Load, wrk
from bench.systems import System
from bench.upstreams import Upstreams
from harness import cpu

_MB = 1e6
_FLAT_MB = 3.0  # a leak of 4 bytes a request would show


def memory(work: Path, upstreams: Upstreams, load: Load, requests: int) -> list[Figure]:
    """Resident memory while `requests` pass; flat is judged from 100,000 requests on."""
    (work / "memory").mkdir()
    with gate.starter()(work / "memory", upstreams.static) as ours:
        samples = list(_samples(ours, load, requests))
        roles = ", ".join(f"{_role(pid)} {cpu.resident_bytes(pid) / _MB:.0f}" for pid in cpu.tree(ours.root))
        records = gate.call_records(work / "memory" / "state")
    done, worker, everything = samples[-1]
    settled = next((sample for sample in samples if sample[0] >= 100_000), samples[-1])
    passed = f"after {done:,} requests"
    figures = [
        at_most("worker resident", worker / _MB, 60, "MB", passed),
        at_most("all processes resident", everything / _MB, 200, "MB", roles),
        told("journal records", f"{records:,}", f"{done:,} answered; wrk drops what is in flight when a run ends"),
    ]
    if done >= 200_000:
        growth = (worker - settled[1]) / _MB
        note = f"from {settled[0]:,} to {done:,} requests"
        figures.append(at_most("growth of the worker", growth, _FLAT_MB, "MB", note))
    return figures


def _samples(ours: System, load: Load, requests: int) -> Iterator[tuple[int, int, int]]:
    done = 0
    while done < requests:
        done += wrk(ours.port, load, 5 if requests > 200_000 else 2, ours.headers).requests
        yield done, cpu.resident_bytes(ours.worker), cpu.resident_tree_bytes(ours.root)


def _role(pid: int) -> str:
    words = cpu.command(pid).split()
    return next((word.removeprefix("tidegate.") for word in words if word.startswith("tidegate.")), "supervisor")


def start_up(work: Path, upstreams: Upstreams, times: int = 5) -> list[Figure]:
    """From exec to the ready line."""
    seconds = []
    for number in range(times):
        home = work / f"start-{number}"
        home.mkdir()
        seconds.append(gate.seconds_to_ready(home, upstreams.static))
    return [at_most("ready after", median(seconds), 1, "s", spread(seconds))]
