"""Figures at a fixed pace: what the gate adds to the latency, the journal's count, and who waits for a 1 MB body."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import gate
from bench.bodies import chat
from bench.figures import Figure, at_most, exactly, median, spread, told
from bench.openloop import Latencies
from bench.systems import nginx
from bench.upstreams import ROOT, Upstreams
from harness import cpu

_RATE = 1000
_BIG = 1_000_000
_BIG_RATE = 10
_SMALL_RATE = 200
_HIT_RATE = 500
_HIT_KEYS = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """What an open-loop client sends, and to whom."""

    port: int
    body: Path
    keys: Path
    rate: float
    seconds: float

    def command(self) -> list[str]:
        """The client as a process of its own."""
        count = str(int(self.rate * self.seconds))
        options = ["--keys", str(self.keys), "--rate", str(self.rate), "--count", count]
        return [sys.executable, "-m", "bench.openloop", str(self.port), str(self.body), *options]


@contextmanager
def _started(pace: Pace) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(pace.command(), stdout=subprocess.PIPE, cwd=ROOT)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def _result(child: subprocess.Popen[bytes]) -> Latencies:
    output, _ = child.communicate()
    return msgspec.json.decode(output, type=Latencies)


def run(pace: Pace) -> Latencies:
    """One open-loop run to its end."""
    with _started(pace) as child:
        return _result(child)


def added_latency(work: Path, upstreams: Upstreams, rounds: int, seconds: float) -> list[Figure]:
    """Direct, through nginx, through the gate, in turn; and whether the journal holds exactly these calls."""
    body, keys = _files(work, chat(1000))
    for name in ("paced-nginx", "paced-gate"):
        (work / name).mkdir()
    added: dict[str, list[float]] = {"nginx": [], "the gate": []}
    tails: list[float] = []
    sent = 0
    with (
        nginx(work / "paced-nginx", upstreams.static) as proxy,
        gate.starter()(work / "paced-gate", upstreams.static) as ours,
    ):
        for _ in range(rounds):
            direct = run(Pace(upstreams.static, body, keys, _RATE, seconds))
            for name, port in (("nginx", proxy.port), ("the gate", ours.port)):
                through = run(Pace(port, body, keys, _RATE, seconds))
                added[name].append((through.percentile(0.5) - direct.percentile(0.5)) / 1000)
                if name == "the gate":
                    tails.append((through.percentile(0.99) - direct.percentile(0.99)) / 1000)
                    sent += through.answered
        records = gate.call_records(work / "paced-gate" / "state")
    return [
        at_most(f"added p50 at {_RATE:,}/s", median(added["the gate"]), 0.5, "ms", spread(added["the gate"])),
        told(f"added p99 at {_RATE:,}/s", f"{median(tails):.2f} ms", spread(tails)),
        told(f"added p50 at {_RATE:,}/s by nginx", f"{median(added['nginx']):.2f} ms", spread(added["nginx"])),
        exactly("paced requests answered", sent, rounds * int(_RATE * seconds)),
        exactly("journal records for answered requests", records, sent),
    ]


def hits(work: Path, upstreams: Upstreams, rounds: int, seconds: float) -> list[Figure]:
    """The same call again and again, at a pace that leaves the machine idle: the wait for an answer in memory.

    Each key is a tenant of its own, so each one's first call is made.
    """
    body, keys = _files(work, chat(1000), _HIT_KEYS)
    home = work / "paced-hits"
    home.mkdir()
    p50, p99, direct = list[float](), list[float](), list[float]()
    failed = 0
    with gate.starter(gate.Shape(cached=True))(home, upstreams.static) as ours:
        run(Pace(ours.port, body, keys, _HIT_RATE, 1))
        for _ in range(rounds):
            direct.append(run(Pace(upstreams.static, body, keys, _HIT_RATE, seconds)).percentile(0.5) / 1000)
            found = run(Pace(ours.port, body, keys, _HIT_RATE, seconds))
            p50.append(found.percentile(0.5) / 1000)
            p99.append(found.percentile(0.99) / 1000)
            failed += found.failed
        made = gate.call_records(home / "state")
    return [
        at_most(f"p50 of hits at {_HIT_RATE}/s", median(p50), 1, "ms", spread(p50)),
        told(f"p99 of hits at {_HIT_RATE}/s", f"{median(p99):.2f} ms", spread(p99)),
        told(f"p50 of the upstream itself at {_HIT_RATE}/s", f"{median(direct):.2f} ms", spread(direct)),
        exactly("of these calls, made at the provider", made, _HIT_KEYS, "one for each key, each a tenant of its own"),
        exactly("of these calls, without an answer", failed, 0),
    ]


def large_bodies(work: Path, upstreams: Upstreams, rounds: int, seconds: float) -> list[Figure]:
    """Small calls at a fixed pace, alone and beside 1 MB bodies on other connections, in turn."""
    small, keys = _files(work, chat(1000))
    big = work / "big.json"
    big.write_bytes(chat(_BIG))
    (work / "large").mkdir()
    alone: list[Latencies] = []
    beside: list[Latencies] = []
    cost: list[float] = []
    with gate.starter()(work / "large", upstreams.static) as ours:
        paced = Pace(ours.port, small, keys, _SMALL_RATE, seconds)
        for _ in range(rounds):
            before = cpu.spent_us(ours.worker, whole_tree=False)
            alone.append(run(paced))
            between = cpu.spent_us(ours.worker, whole_tree=False)
            with _started(Pace(ours.port, big, keys, _BIG_RATE, seconds)) as child:
                beside.append(run(paced))
                answered = _result(child).answered
            after = cpu.spent_us(ours.worker, whole_tree=False)
            cost.append(((after - between) - (between - before)) / 1000 / max(1, answered))
    p99, worst = _longer(alone, beside, 0.99), _longer(alone, beside, 1)
    return [
        at_most("worker CPU for a whole call with a 1 MB body", median(cost), 5, "ms", "bounds any hold of the loop"),
        at_most("small calls beside 1 MB bodies wait longer, p99", median(p99), 5, "ms", spread(p99)),
        told("small calls beside 1 MB bodies wait longer, worst", f"{median(worst):.2f} ms", spread(worst)),
    ]


def _longer(alone: list[Latencies], beside: list[Latencies], part: float) -> list[float]:
    pairs = zip(alone, beside, strict=True)
    return [(there.percentile(part) - here.percentile(part)) / 1000 for here, there in pairs]


def _files(work: Path, body: bytes, keys: int = 10) -> tuple[Path, Path]:
    paths = work / "paced.json", work / "paced-keys.txt"
    paths[0].write_bytes(body)
    paths[1].write_text("\n".join(gate.client_keys(keys)) + "\n")
    return paths
