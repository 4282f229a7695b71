"""CPU per request of several systems under the same load, in interleaved rounds: A B C, A B C and so on."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import median
from bench.install import InstallFailed
from bench.load import Load, WrkResult, wrk
from bench.systems import Starter, System
from harness import cpu
from harness.process import READY_AFTER, NotReady


@dataclass(frozen=True, slots=True)
class Sample:
    """One system in one round. CPU microseconds per completed request."""

    all_us: float
    worker_us: float  # of the process that carries calls, where that is known
    wrk: WrkResult


@dataclass(slots=True)
class Measured:
    """One system over all rounds, or the reason why there is nothing."""

    name: str
    version: str = ""
    failed: str = ""
    ready_s: float = 0.0  # from exec until it answered, or accepted a connection
    resident_mb: float = 0.0  # of all its processes after the last round
    samples: list[Sample] = field(default_factory=list)

    @property
    def problem(self) -> str:
        """Why there is no figure; empty when there is one."""
        if self.failed or not self.samples:
            return self.failed or "not measured"
        if self.bad:
            return f"{self.bad:,} requests failed"
        return "" if all(sample.wrk.requests for sample in self.samples) else "answered nothing in a whole round"

    @property
    def bad(self) -> int:
        """Answers that were no 2xx, and connections that broke."""
        return sum(sample.wrk.not_2xx + sample.wrk.socket_errors for sample in self.samples)

    def cpu_us(self) -> float:
        """Median over the rounds, all processes."""
        return median(sample.all_us for sample in self.samples)

    def ratios(self, other: "Measured", *, worker: bool = False) -> list[float]:
        """What this system costs over what the other costs, round by round; empty when either has no figure."""
        both = pairs(self, other)
        return [(mine.worker_us if worker else mine.all_us) / its.all_us for mine, its in both if its.all_us]


def pairs(one: Measured, other: Measured) -> list[tuple[Sample, Sample]]:
    """Their samples round by round; none when either has no figure."""
    return [] if one.problem or other.problem else list(zip(one.samples, other.samples, strict=False))


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    rounds: int
    seconds: float
    warm_up: float = 1.0


@dataclass(frozen=True, slots=True)
class Entrant:
    """A system and the load it gets."""

    start: Starter
    load: Load


def compare(entrants: Mapping[str, Entrant], work: Path, upstream: int, plan: Plan) -> dict[str, Measured]:
    """Start every system, then measure them in turn, round after round. One that does not start says why."""
    results = {name: Measured(name) for name in entrants}
    with contextlib.ExitStack() as stack:
        up: dict[str, System] = {}
        for name, entrant in entrants.items():
            home = work / name.replace(" ", "-")
            home.mkdir(parents=True)
            try:
                up[name] = stack.enter_context(entrant.start(home, upstream))
            except (NotReady, InstallFailed, OSError) as error:
                results[name].failed = " ".join(str(error).split())[-160:]
                continue
            results[name].version = up[name].version
            results[name].ready_s = READY_AFTER.get(up[name].root, 0.0)
            wrk(up[name].port, entrant.load, plan.warm_up, up[name].headers)
        for _ in range(plan.rounds):
            for name, system in up.items():
                results[name].samples.append(sample(system, entrants[name].load, plan.seconds))
                results[name].resident_mb = cpu.resident_tree_bytes(system.root) / 1e6
    return results


def sample(system: System, load: Load, seconds: float) -> Sample:
    """One run of wrk against one system, with the CPU it cost."""
    everything, worker = cpu.spent_us(system.root), cpu.spent_us(system.worker, whole_tree=False)
    result = wrk(system.port, load, seconds, system.headers)
    time.sleep(0.2)  # what wrk left in flight is finished and belongs to this sample
    requests = max(1, result.requests)
    return Sample(
        (cpu.spent_us(system.root) - everything) / requests,
        (cpu.spent_us(system.worker, whole_tree=False) - worker) / requests if system.worker else 0.0,
        result,
    )
