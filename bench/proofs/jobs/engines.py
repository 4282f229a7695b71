"""What a job costs on each engine: how many a second, and the CPU of all the gate's processes."""

import asyncio
import time
from dataclasses import replace

from bench.figures import missing, told
from bench.proofs.jobs.scene import ENGINES, PLENTY, Asker, Scene, scene, submit, until
from bench.proofs.steps import Context, Row
from harness import cpu
from harness.process import NotReady


def engines(context: Context, row: Row) -> None:
    """Jobs that a provider answers at once, from the first submission to the last end."""
    count = 500 if context.quick else 5_000
    row.commands.append(f"tidegate serve -c (jobs: …) on each engine; {count:,} × POST /v1/jobs")
    for engine in ENGINES:
        name = f"{engine}: {count:,} jobs, submitted and done"
        try:
            row.figures.append(told(name, _measured(context, engine, count), "all processes of the gate"))
        except NotReady as error:  # the other engines have their figures
            row.figures.append(missing(name, "measured", " ".join(str(error).split())[-160:]))


def _measured(context: Context, engine: str, count: int) -> str:
    with scene(context.work, engine, {"concurrency": 64}, replace(PLENTY, ttft_ms=1)) as running:
        asyncio.run(_done(running, range(64)))
        before, began = _spent(running), time.monotonic()
        asyncio.run(_done(running, range(64, 64 + count)))
        took, spent = time.monotonic() - began, _spent(running) - before
    return f"{count / took:,.0f} jobs/s, {spent / count:,.0f} µs CPU a job"


async def _done(running: Scene, numbers: range) -> None:
    await submit(Asker(running.gate.port), numbers)
    await until(running.idle)


def _spent(running: Scene) -> int:
    return cpu.spent_us(running.gate.pid)
