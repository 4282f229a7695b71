"""A fleet of one's own: `tidegate jobs worker`, plain `celery worker`, and Flower that watches them."""

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Iterator

import pytest

from harness.ports import free_port
from tests.jobs.engines.stand import PATIENCE, Program, Stand
from tests.jobs.run.standin import reply
from tidegate.jobs.celery.names import TASK
from tidegate.model.jobs import DONE, QUEUED, RUNNING

CELERY = ("celery", "-A", "tidegate.jobs.celery.app")
pytestmark = pytest.mark.timeout(180)  # a dozen processes are started


class Programs:
    """Of one test."""

    def __init__(self) -> None:
        self._started: list[Program] = []

    def __call__(self, stand: Stand, *words: str, **environ: str) -> Program:
        self._started.append(Program(stand.state_dir, *words, **environ))
        return self._started[-1]

    def close(self) -> None:
        for one in self._started:
            one.close()


@pytest.fixture
def program() -> Iterator[Programs]:
    made = Programs()
    yield made
    made.close()


def surroundings(stand: Stand) -> dict[str, str]:
    return {
        "TIDEGATE_CONFIG": str(stand.configuration()),
        "TIDEGATE_STATE_DIR": str(stand.state_dir),
        "TIDEGATE_QUEUE_BACKEND": stand.backend,
    }


@pytest.mark.parametrize("stand", ["embedded", "rabbitmq"], indirect=True)
async def test_a_worker_of_ones_own(stand: Stand, program: Programs) -> None:
    """It runs the jobs of its backend; told to end, it hands back what runs, and says nothing of a password."""
    given = ["--config", str(stand.configuration()), "--state-dir", str(stand.state_dir), "--concurrency", "3"]
    worker = program(stand, "tidegate", "jobs", "worker", *given, "--backend", stand.backend or "sqlite://")
    stand.submit("one")
    assert (await stand.ended("one")).state == DONE
    stand.gate.answer = lambda _request: b""
    stand.submit("two")
    await stand.asked_for("two")
    assert await asyncio.to_thread(worker.end) == 0
    back = await stand.until("two", lambda job: job.state != RUNNING)
    assert (back.state, back.crashes) == (QUEUED, 0)
    assert "of-the-broker" not in worker.said


@pytest.mark.parametrize("stand", ["redis"], indirect=True)
async def test_plain_celery_and_flower(stand: Stand, program: Programs) -> None:
    """`celery worker` needs no more than its environment; Flower shows the worker, and the task with its job."""
    port = free_port()
    environ = surroundings(stand)
    stand.gate.answer = lambda request: reply() if request.body != b"two" else b""
    flower = program(stand, *CELERY, "flower", f"--port={port}", "--address=127.0.0.1", **environ,
                     FLOWER_UNAUTHENTICATED_API="true")  # fmt: skip
    worker = program(stand, *CELERY, "worker", "--task-events", "--loglevel", "WARNING", **environ)
    stand.submit("one")
    assert (await stand.ended("one")).state == DONE
    shown = await told(port, flower, "/api/tasks")
    numbers = iter(range(100))
    while not any(task["state"] == "SUCCESS" for task in shown.values()):
        stand.submit(f"more {next(numbers)}")  # events began to be heard only now
        shown = await told(port, flower, "/api/tasks")
    assert {task["name"] for task in shown.values()} == {TASK}
    done = next(task for task in shown.values() if task["state"] == "SUCCESS")
    assert re.fullmatch(r"(one|more \d+)\.\d+", done["uuid"])
    assert (await told(port, flower, "/api/workers?refresh=1")).keys() == {done["worker"]}

    stand.submit("two")
    await stand.asked_for("two")
    assert await asyncio.to_thread(worker.end) == 0
    assert (await stand.until("two", lambda job: job.state != RUNNING)).state == QUEUED


async def told(port: int, flower: Program, path: str) -> dict[str, dict[str, str]]:
    """What Flower's API says, as soon as it says something."""
    limit = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < limit, flower.said
        found = await asyncio.to_thread(_asked, port, path)
        if found:
            return found
        await asyncio.sleep(0.1)


def _asked(port: int, path: str) -> dict[str, dict[str, str]] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
            found: dict[str, dict[str, str]] = json.load(answer)
            return found
    except OSError:
        return None


@pytest.mark.parametrize("stand", ["redis"], indirect=True)
@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("TIDEGATE_CONFIG", "it names the gate's configuration file"),
        ("TIDEGATE_STATE_DIR", "it names the gate's state directory"),
        ("TIDEGATE_QUEUE_BACKEND", "it names the URL of the broker, as redis://localhost:6379/0 or"),
    ],
)
async def test_what_is_missing_is_named(stand: Stand, missing: str, said: str) -> None:
    """Plain Celery without one of the three variables: the message says which, and what it is."""
    from tidegate.jobs.celery.plain import plain_app

    environ = {name: value for name, value in surroundings(stand).items() if name != missing}
    with pytest.raises(SystemExit, match=re.escape(f"error: the variable {missing} is not set: {said}")):
        plain_app(environ)
