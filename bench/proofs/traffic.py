"""Playing crowds against gates, several side by side in one loop, and what came of them for their clients."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.figures import Figure, at_most
from tidegate.judge.play import Show as Show
from tidegate.judge.play import perform
from tidegate.load.client import allow_many_connections
from tidegate.load.report import percentiles
from tidegate.load.visits import End, Visit

_ON_TIME_MS = 50


def play(shows: Sequence[Show], beside: Iterable[Coroutine[Any, Any, None]] = ()) -> list[list[Visit]]:
    """All shows at the same time, and what is to happen beside them; the visits of each show."""
    allow_many_connections()
    return uvloop.run(_play(shows, beside))


async def _play(shows: Sequence[Show], beside: Iterable[Coroutine[Any, Any, None]]) -> list[list[Visit]]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(perform(show)) for show in shows]
        for other in beside:
            group.create_task(other)
    return [task.result() for task in tasks]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Calls of a crowd by how their last try ended; times in milliseconds."""

    calls: int
    answered: int
    refused: int
    failed: int
    latency_p50: float
    latency_p99: float
    refused_p99: float
    example: str

    @property
    def share(self) -> float:
        """Of calls that were answered."""
        return self.answered / max(1, self.calls)


def punctual(label: str, visits: Iterable[Visit]) -> Figure:
    """Were the clients on time themselves? Where they were not, the machine was too busy for the row to say much."""
    late = percentiles(visit.tries[0].sent_us - visit.due_us for visit in visits)
    note = f"p50 {late.p50:.1f} ms; above it this machine was too busy to judge by"
    return at_most(f"{label}: the clients' own delay, p99", late.p99, _ON_TIME_MS, "ms", note)


def outcome(visits: Iterable[Visit]) -> Outcome:
    """Sums over visits."""
    by_end: dict[End, list[Visit]] = {kind: [] for kind in End}
    for visit in visits:
        by_end[visit.tries[-1].end].append(visit)
    answered, refused, failed = (by_end[kind] for kind in (End.ANSWERED, End.REFUSED, End.FAILED))
    times = percentiles(visit.tries[-1].done_us - visit.due_us for visit in answered)
    told = percentiles(visit.tries[-1].done_us - visit.tries[-1].sent_us for visit in refused)
    example = failed[0].tries[-1].kind if failed else ""
    total = len(answered) + len(refused) + len(failed)
    return Outcome(total, len(answered), len(refused), len(failed), times.p50, times.p99, told.p99, example)
