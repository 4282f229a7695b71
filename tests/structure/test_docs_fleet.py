"""What docs/jobs.md has an operator type for a fleet of runners: it needs brokers, so that other tests run it."""

import re
import shlex
from argparse import ArgumentParser

import pytest

from tests.jobs.engines.test_fleet import CELERY
from tests.structure.docs import FENCE, ROOT, commands
from tidegate.cli import jobs, jobs_worker

TYPED = [
    shlex.split(command)
    for language, block in FENCE.findall((ROOT / "docs" / "jobs.md").read_text(encoding="utf-8"))
    if language == "text"
    for command in commands(block)
]


def of(*words: str) -> list[list[str]]:
    return [command for command in TYPED if command[: len(words)] == list(words)]


def test_all_of_it_is_known() -> None:
    """A worker of the gate's, Celery's worker, Flower, and what they need in the environment."""
    assert len(of("tidegate", "jobs", "worker")) == len(of(*CELERY, "worker")) == len(of(*CELERY, "flower")) == 1
    assert len(of("export")) == 1
    assert len(TYPED) == 4


def test_the_environment() -> None:
    """What `celery` is told of the gate, and no more."""
    named = {word.partition("=")[0] for word in of("export")[0][1:]}
    assert named == {jobs_worker.CONFIG, jobs_worker.STATE_DIR, jobs_worker.BACKEND}


@pytest.mark.parametrize("command", of("tidegate", "jobs"), ids=shlex.join)
def test_the_worker_takes_its_options(command: list[str]) -> None:
    """As they stand there."""
    parser = ArgumentParser()
    jobs.add_arguments(parser)
    args = parser.parse_args(command[2:])
    assert (args.verb, args.concurrency) == ("worker", 32)
    assert re.match("redis://", args.backend)
