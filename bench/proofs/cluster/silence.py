"""The shared state falls silent, dies, forgets, is slow; clocks are stepped: what calls feel of it, and the provider.

Twice: at a pace that half of the quota can carry, where no call may fail or wait; and with all demand on one node at
three times the quota, where nothing may go over and the log shows when all is well again.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bench.figures import Figure, at_most, below, exactly, told
from bench.proofs.cluster import load, skewed
from bench.proofs.cluster.clockstep import ClockStep
from bench.proofs.cluster.proxy import Proxy
from bench.proofs.cluster.stage import Plan, Stage, stage
from bench.proofs.fleet import Quota
from bench.proofs.steps import Context, Row
from harness.node import Place
from harness.servers.redis import REDIS, Server
from tidegate.judge import log as judge
from tidegate.load.crowd import Member

RATE: Final = 1_000.0
ADDED_MS: Final = 30.0
NORMAL_S: Final = 1.0
SLOW_MS: Final = 200.0
_STEP_S: Final = 3_600.0
_ROOM: Final = 2.5  # the quota is so many times the load: either worker's share carries what comes to it
_CALM_S: Final = 8.0
_KEY: Final = Member("paced", "tg-paced", 0.0)


class Shared:
    """A server behind a link, and a clock: what can be struck, each with its opposite."""

    def __init__(self, server: Server, link: Proxy, clock: ClockStep) -> None:
        self.server, self.link, self.clock = server, link, clock

    def faults(self, seconds: float) -> list[tuple[str, Callable[[], None], float, Callable[[], None]]]:
        """Name, what strikes, for how long, and what restores."""
        return [
            ("SIGSTOP", self.server.freeze, seconds, self.server.thaw),
            ("kill -9", self.server.kill, seconds, self.server.start),
            ("FLUSHALL", lambda: self._say("FLUSHALL"), 0.0, _nothing),
            (f"link {SLOW_MS:.0f} ms slow", lambda: self.link.slow(SLOW_MS), seconds, lambda: self.link.slow(0)),
            ("link cut", self.link.cut, seconds, self.link.restore),
            ("clock of a node 1 h ahead", lambda: self.clock.step(_STEP_S), seconds / 2, lambda: self.clock.step(0)),
            ("clock of a node 1 h behind", lambda: self.clock.step(-_STEP_S), seconds / 2, lambda: self.clock.step(0)),
        ]

    def _say(self, *words: str) -> None:
        self.server.command(*words)


def _nothing() -> None:
    """It heals by itself."""


@contextlib.contextmanager
def _shared(home: Path) -> Iterator[Shared]:
    home.mkdir()
    server = Server(REDIS)
    try:
        with Proxy(server) as link:
            yield Shared(server, link, ClockStep(home))
    finally:
        server.close()


def paced(context: Context, row: Row) -> None:
    """One node with two workers at a steady pace."""
    seconds = 10.0 if context.quick else 60.0
    row.commands.append(f"tidegate serve (2 workers, cluster.url), {RATE:.0f} calls/s; each fault for {seconds:.0f} s")
    quota = Quota(accounts=1, rpm=int(RATE * 60 * _ROOM), tpm=10**9, ttft_ms=5.0)
    with _shared(context.work / "paced") as shared:
        places = (shared.clock.place,)
        plan = Plan("paced", (2,), quota, url=shared.link.url, places=places, more=_UNSMOOTHED)
        with stage(context.work, plan, [_KEY]) as run:
            faults = shared.faults(seconds)
            length = 2 * _CALM_S + sum(lasts + _CALM_S for _, _, lasts, _ in faults)
            run.empty_books()
            flow = load.started(context.work / "paced", run.nodes[0].port, [_KEY.key], RATE, length)
            marks = _strike(faults)
            row.figures += _felt(flow.calls(), marks)
            throttled = run.ledger()["throttled"]
            over = judge.over_requests(run.events(), quota.rpm)
            row.figures += [
                exactly("paced: calls over the limit in any window", over, 0, f"{throttled:,} 429s"),
                _changes(run),
            ]


_UNSMOOTHED: Final[dict[str, Any]] = {"defaults": {"smoothing": {"delay_ms": 0}}}
Marks = list[tuple[str, int, int, int]]


def _strike(faults: list[tuple[str, Callable[[], None], float, Callable[[], None]]]) -> Marks:
    """One after the other; when each was struck, undone, and over, in monotonic microseconds."""
    marks: Marks = []
    time.sleep(_CALM_S)
    for name, strike, lasts, restore in faults:
        struck = time.monotonic_ns() // 1000
        strike()
        time.sleep(lasts)
        restore()
        healed = time.monotonic_ns() // 1000
        time.sleep(_CALM_S)
        marks.append((name, struck, healed, time.monotonic_ns() // 1000))
    return marks


def _felt(calls: list[load.Call], marks: Marks) -> list[Figure]:
    first = marks[0][1]
    before = load.p99_ms(load.due_in(calls, first - int(_CALM_S * 7e5), first))
    found = [at_most("paced: p99 before any fault", before, ADDED_MS, "ms", f"{len(calls):,} calls in all")]
    for name, struck, healed, over in marks:
        during = load.due_in(calls, struck, over if healed - struck < 1e6 else healed)
        failed = [call for call in load.due_in(calls, struck, over) if call.status != 200]
        calm = load.calm_after(load.due_in(calls, healed, over), healed, before + ADDED_MS)
        worst = max((call.took_ms for call in during), default=0.0)
        note = f"{len(during):,} calls, longest {worst:.0f} ms"
        found += [
            at_most(f"{name}: added p99", load.p99_ms(during) - before, ADDED_MS, "ms", note),
            exactly(f"{name}: errors", len(failed), 0, ", ".join(sorted({str(call.status) for call in failed}))),
            below(f"{name}: back to normal after", calm, NORMAL_S, "s"),
        ]
    return found


def _changes(run: Stage) -> Figure:
    """One line of the log for each change of state: what it says, for who reads the row."""
    lines = [line for line in run.nodes[0].log().splitlines() if "shared" in line.lower()]
    return told("paced: lines of the log about the shared state", f"{len(lines)}", (lines or [""])[0][:160])


def greedy(context: Context, row: Row) -> None:
    """Two nodes, all demand on the first: nothing goes over, and it has the whole quota again at once."""
    seconds = 8.0 if context.quick else 60.0
    row.commands.append(f"tidegate serve (2 nodes × 1 worker), 3× the quota on one; each fault for {seconds:.0f} s")
    with _shared(context.work / "greedy") as shared:
        places = (shared.clock.place, Place())
        plan = Plan("greedy", (1, 1), skewed.QUOTA, url=shared.link.url, places=places)
        with stage(context.work, plan, skewed.CROWD) as run:
            faults = [
                skewed.Fault(name, _deed(strike), lasts, _deed(restore), NORMAL_S)
                for name, strike, lasts, restore in shared.faults(seconds)
            ]
            row.figures += skewed.figures(run, skewed.run(run, faults))


def _deed(deed: Callable[[], None]) -> skewed.Deed:
    """On the loop's own thread: a server dies with the thread that started it."""

    async def done() -> None:
        deed()
        await asyncio.sleep(0)

    return done
