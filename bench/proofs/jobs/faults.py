"""Whatever is killed: every job ends once, no answer is lost, and the ledger shows each time that one was run."""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bench.figures import at_most, exactly, told
from bench.proofs.jobs.scene import ENGINES, PLENTY, Asker, Scene, scene, submit, until, user
from bench.proofs.steps import Context, Row, Step
from tidegate.jobs.records import Filter
from tidegate.model.jobs import DONE, ENDS, RUNNING

JOBS, QUICK = 10_000, 1_000
_RECOVERY_S = 10
_LONGEST_S = 1_500
_PAGE = 1_000


def killed(engine: str) -> Step:
    """Ten thousand jobs while anything is killed at random."""

    def jobs_under_fire(context: Context, row: Row) -> None:
        count = QUICK if context.quick else JOBS
        row.commands.append(f"tidegate serve -c (jobs on {engine}); {count:,} × POST /v1/jobs; kill -9 at random")
        with scene(context.work, engine, {"concurrency": 32}) as running:
            kills, ids = asyncio.run(_beset(running, count))
            _tell(row, running, ids, kills)

    return jobs_under_fire


async def _beset(running: Scene, count: int) -> tuple[Counter[str], dict[int, str]]:
    luck, kills = random.Random(6), Counter[str]()
    given = asyncio.get_running_loop().create_task(submit(Asker(running.gate.port), range(count)))
    until = time.monotonic() + _LONGEST_S
    while time.monotonic() < until and (not given.done() or not await asyncio.to_thread(running.idle)):
        await asyncio.sleep(2 + 4 * luck.random())  # what is killed takes a moment to be there again
        name = luck.choice(_VICTIMS if running.broker is not None else _VICTIMS[1:])
        kills[name] += 1
        await asyncio.to_thread(_strike, running, name, luck)
    return kills, await given


_VICTIMS = ("broker", "jobs.runner", "jobs.runner", "jobs.desk", "worker", "control", "gate")


def _strike(running: Scene, name: str, luck: random.Random) -> None:
    if name == "gate":
        running.restart()
    elif name != "broker":
        running.kill(name)
    elif running.broker is not None:
        running.broker.kill()
        if luck.random() < 0.5:
            running.broker.lose()
        time.sleep(luck.random())
        running.broker.start()


def _tell(row: Row, running: Scene, ids: dict[int, str], kills: Counter[str]) -> None:
    engine, rows = running.engine, running.rows
    states = Counter(job.state for job in _all(running))
    ended = sum(states[state] for state in ENDS)
    shown = ", ".join(f"{name} {number}" for name, number in sorted(kills.items()))
    told_states = ", ".join(f"{state} {number:,}" for state, number in sorted(states.items()))
    row.figures.append(exactly(f"{engine}: jobs accepted, each once", len(set(ids.values())), len(ids)))
    row.figures.append(exactly(f"{engine}: jobs that ended", ended, len(ids), f"killed: {shown}; {told_states}"))
    unread = sum(rows.result(job) is None for job in ids.values()) if states[DONE] == len(ids) else _unread(running)
    row.figures.append(exactly(f"{engine}: done jobs without an answer", unread, 0))
    made = running.executions()
    never = sum(user(number) not in made for number in ids)
    again = sum(count - 1 for count in made.values())
    note = f"{sum(made.values()):,} executions"
    row.figures.append(exactly(f"{engine}: done and never at the provider", never, 0, note))
    row.figures.append(told(f"{engine}: executions again", f"{again:,}", "work that was under way when it was killed"))
    missing = _unbooked(running, ids, made)
    row.figures.append(exactly(f"{engine}: executions that the ledger does not show", missing, 0))


def _all(running: Scene) -> list[Any]:
    found: list[Any] = []
    while page := running.rows.listed(Filter(before=found[-1].id if found else "", limit=_PAGE)):
        found += page
    return found


def _unread(running: Scene) -> int:
    return sum(job.state == DONE and running.rows.result(job.id) is None for job in _all(running))


def _unbooked(running: Scene, ids: dict[int, str], made: dict[str, int]) -> int:
    """Executions that the provider saw, less those of the ledger, job by job. The ledger is given time to settle."""
    limit = time.monotonic() + 60
    while True:
        booked = Counter(job.partition("#")[0] for (job,) in _ledger(running))
        gone = sum(max(0, made.get(user(number), 0) - booked[id_]) for number, id_ in ids.items())
        if not gone or time.monotonic() > limit:
            return gone
        time.sleep(1)


def _ledger(running: Scene) -> Sequence[tuple[str]]:
    path = running.gate.home / "state" / "tidegate.db"
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        query = "SELECT job FROM calls WHERE job <> ''"
        return connection.execute(query).fetchall()


def recovery(context: Context, row: Row) -> None:
    """A runner is killed over its jobs: how long until each of them runs again."""
    rounds = 3 if context.quick else 20
    for engine in ENGINES:
        with scene(context.work, engine, {"concurrency": 8}, replace(PLENTY, ttft_ms=2_000)) as running:
            waits = asyncio.run(_recover(running, rounds))
        note = f"{len(waits)} jobs of {rounds} kills; median {sorted(waits)[len(waits) // 2]:.1f} s"
        row.figures.append(
            at_most(f"{engine}: a killed runner's job runs again after", max(waits), _RECOVERY_S, "s", note)
        )


async def _recover(running: Scene, rounds: int) -> list[float]:
    waits: list[float] = []
    for turn in range(rounds):
        ids = await submit(Asker(running.gate.port), range(turn * 8, turn * 8 + 8))
        held = list(ids.values())
        await until(partial(_all_in, running, held, (RUNNING,)))
        running.kill("jobs.runner")
        killed_us = int(time.time() * 1e6)
        await until(partial(_all_in, running, held, ENDS))
        for job in held:
            later = [one.began_us for one in running.rows.attempts(job) if one.began_us > killed_us]
            waits += [(later[0] - killed_us) / 1e6] if later else []
    return waits


def _all_in(running: Scene, jobs: Sequence[str], states: Sequence[str]) -> bool:
    return all(state in states for state, _ in running.rows.standing(jobs).values())
