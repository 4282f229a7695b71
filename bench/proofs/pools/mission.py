"""The mission's table: one account, and a pool of sixteen, under thousands of connections, on this machine's cores.

Provider, gate and load are three programs on the same cores. What each of them spent is told apart, by the operating
system, so that the gate's own capacity shows also where the machine is full.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bench.bodies import chat
from bench.figures import Figure, at_least, at_most, missing, told
from bench.flood import FloodResult
from bench.proofs.fleet import Fleet, Policy, Quota, fleet, provider
from bench.proofs.steps import Context, Row, shown
from bench.upstreams import ROOT
from harness import cpu
from tidegate.load.crowd import Member

_ACCOUNT = 1_200  # calls a second
_POOL = 16
_OPEN = 14_200
_P99_MS = 65
_ERRORS = 50  # of a million calls: 0.005 %
_PER_CORE = 7_100
_TENANTS = 64
_ANSWER_MS = 5
_WARM_S = 4
_AMPLE = 10**11


@dataclass(frozen=True, slots=True)
class Shot:
    """One way to load one system."""

    name: str
    connections: int
    rate: int = 0  # 0 = closed loop

    @property
    def label(self) -> str:
        """For a figure's name."""
        loop = f"open loop {self.rate:,}/s" if self.rate else "closed loop"
        return f"{self.name}, {self.connections:,} connections, {loop}"


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of the three programs during one shot, and what came back."""

    flood: FloodResult
    provider_s: float
    gate_s: float
    worker_s: float

    @property
    def qps(self) -> float:
        """Answered calls a second."""
        return self.flood.answered / self.flood.seconds

    @property
    def per_core(self) -> float:
        """Answered calls for each second of CPU that all processes of the gate spent."""
        return self.flood.answered / self.gate_s if self.gate_s else 0.0

    @property
    def errors(self) -> float:
        """Per cent of the calls sent that failed; refusals are told apart."""
        return 100 * self.flood.failed / max(1, self.flood.sent)


def quota(accounts: int) -> Quota:
    """Accounts of 1,200 calls a second each, enforced by the second; tokens do not bind."""
    return Quota(accounts, tpm=_AMPLE, rpm=_ACCOUNT * 60, window="quantised", ttft_ms=_ANSWER_MS, options=("--lean",))


def members() -> list[Member]:
    """Paying tenants, all alike."""
    return [Member(f"tenant-{n}", f"tg-tenant-{n:04d}", 0.0, tier="paid") for n in range(_TENANTS)]


def table(context: Context, row: Row) -> None:
    """Direct, round_robin and dynamic in turn."""
    seconds = 6 if context.quick else 30
    row.commands.append(f"tidegate twin --lean --rpm {_ACCOUNT * 60} --window quantised --ttft-ms {_ANSWER_MS}")
    with provider(context.work, quota(1), "one") as twin:
        shot = Shot("direct to one account", 500)
        keys = _keys(context.work, quota(1).keys)
        flood = _flood(row, twin.port, "/openai/v1/chat/completions", keys, shot, seconds)
        row.figures += _told(shot, Spent(flood, 0, 0, 0))
    for scheduler in ("round_robin", "dynamic"):
        with _pool(context, scheduler) as one:
            for shot in shots(scheduler):
                row.figures += _shoot(context, row, one, shot, seconds)


def shots(scheduler: str) -> list[Shot]:
    """Every way to load a pool, in order."""
    name = f"pool of {_POOL}, {scheduler}"
    ways = [(500, 0), (500, _OPEN), (5_000, 0), (5_000, _OPEN)]
    return [Shot(name, connections, rate) for connections, rate in ways]


@contextlib.contextmanager
def _pool(context: Context, scheduler: str) -> Iterator[Fleet]:
    policy = Policy(scheduler=scheduler, extra={"queue": {"max_calls": 20_000}})
    with fleet(context.work, quota(_POOL), policy, members(), f"pool-{scheduler}") as one:
        yield one


def _shoot(context: Context, row: Row, one: Fleet, shot: Shot, seconds: float) -> list[Figure]:
    keys = _keys(context.work, [member.key for member in members()])
    _flood(row, one.gate.port, "/v1/chat/completions", keys, replace(shot, rate=0), _WARM_S)  # connections are open
    one.empty_books()
    before = _spent(one)
    flood = _flood(row, one.gate.port, "/v1/chat/completions", keys, shot, seconds)
    after = _spent(one)
    spent = Spent(flood, *(then - now for now, then in zip(before, after, strict=True)))
    ledger = one.ledger()
    note = f"429s at the provider {ledger['throttled']:,}, avoidable {ledger['avoidable']:,}; {one.gate.refused}"
    return _judged(shot, spent, note) if "dynamic" in shot.name else _told(shot, spent, note)


def _spent(one: Fleet) -> tuple[float, float, float]:
    worker = next((pid for pid in cpu.tree(one.gate.pid) if "tidegate.worker" in cpu.command(pid)), 0)
    return (
        cpu.spent_us(one.provider.pid) / 1e6,
        cpu.spent_us(one.gate.pid) / 1e6,
        cpu.spent_us(worker, whole_tree=False) / 1e6,
    )


def _keys(work: Path, keys: list[str]) -> Path:
    path = work / f"keys-{len(keys)}.txt"
    path.write_text("\n".join(keys))
    return path


def _flood(row: Row, port: int, path: str, keys: Path, shot: Shot, seconds: float) -> FloodResult:
    body = keys.with_name("body.json")
    body.write_bytes(chat(1_000))
    command = [sys.executable, "-m", "bench.flood", str(port), path, str(body), str(keys)]
    command += ["--rate", str(shot.rate), "--seconds", str(seconds), "--connections", str(shot.connections)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 120, check=False)
    if done.returncode:
        raise RuntimeError(f"{shot.label}: {done.stderr[-300:]}")
    if len(row.commands) < 3:
        row.commands.append(shown(command))
    return msgspec.json.decode(done.stdout, type=FloodResult)


def _told(shot: Shot, spent: Spent, note: str = "") -> list[Figure]:
    flood = spent.flood
    text = f"{spent.qps:,.0f} QPS, p50 {flood.p50_ms:.0f} ms, p99 {flood.p99_ms:.0f} ms, errors {spent.errors:.3f} %"
    return [told(shot.label, text, f"{flood.refused:,} refused of {flood.sent:,}; {_cores(spent)}; {note}")]


def _judged(shot: Shot, spent: Spent, note: str) -> list[Figure]:
    label, flood = shot.label, spent.flood
    aside = f"{flood.refused:,} refused of {flood.sent:,}, {flood.unsent:,} never sent; {_cores(spent)}; {note}"
    figures = [at_most(f"{label}: errors", 1e4 * spent.errors, _ERRORS, "of a million", f"{flood.failed:,} calls")]
    if spent.qps >= _OPEN * 0.999 and shot.rate:
        figures.append(at_least(f"{label}: QPS", spent.qps, _OPEN * 0.999, "", aside))
    elif spent.gate_s:
        told_qps = f"{spent.qps:,.0f} QPS on {os.cpu_count()} cores; {aside}"
        figures.append(at_least(f"{label}: QPS per core of the gate", spent.per_core, _PER_CORE, "", told_qps))
    else:
        figures.append(missing(f"{label}: QPS per core of the gate", f"≥ {_PER_CORE:,}", "no CPU time was seen"))
    p99 = at_most(f"{label}: p99", flood.p99_ms, _P99_MS, "ms", f"p50 {flood.p50_ms:.1f} ms")
    within_reach = shot.rate and spent.qps >= _OPEN * 0.999
    figures.append(p99 if within_reach else told(p99.name, p99.shown, "the machine is full: a queue, not the gate"))
    return figures


def _cores(spent: Spent) -> str:
    if not spent.gate_s:
        return f"load {spent.flood.cpu_seconds / spent.flood.seconds:.2f} cores"
    each = {"provider": spent.provider_s, "gate": spent.gate_s, "load": spent.flood.cpu_seconds}
    each["its worker"] = spent.worker_s
    calls = max(1, spent.flood.answered + spent.flood.refused)
    rows = (f"{name} {s / spent.flood.seconds:.2f} ({s / calls * 1e6:.0f} µs a call)" for name, s in each.items())
    return f"cores: {', '.join(rows)}"
