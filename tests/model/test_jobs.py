"""The words of jobs: which queues there are, who takes from them, and how they are shown."""

import pytest

from tidegate.model.jobs import JobSettings, shown
from tidegate.model.snapshot import Snapshot, Strategy, backends, runners, runs

REDIS = "redis://u:secret@host:6379/0"


def snapshot(jobs: JobSettings, *queues: str) -> Snapshot:
    return Snapshot(
        1, (), tuple(Strategy(f"s{at}", "p/m", queue_backend=one) for at, one in enumerate(queues)), jobs=jobs
    )


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("", "embedded"),
        ("sqlite://", "embedded"),
        ("sqlite:////var/lib/jobs.db", "embedded"),
        (REDIS, "redis://host:6379/0"),
        ("rediss://:secret@host?password=secret", "rediss://host"),
        ("amqps://u:secret@rabbit:5671/vhost", "amqps://rabbit:5671/vhost"),
        ("amqp://guest:secret@mq//", "amqp://mq"),
    ],
)
def test_a_backend_is_shown_without_what_is_secret(backend: str, said: str) -> None:
    """Neither user nor password nor query."""
    assert shown(backend) == said


@pytest.mark.parametrize(
    ("jobs", "queues", "found"),
    [
        (JobSettings(), ("redis://a",), ()),
        (JobSettings(enabled=True), (), ("",)),
        (JobSettings(enabled=True), ("redis://a", "", "redis://a", "sqlite://"), ("", "redis://a")),
        (JobSettings(enabled=True, backend="redis://b"), ("redis://a",), ("redis://b", "redis://a")),
        (JobSettings(enabled=True, backend="redis://a"), ("", "amqp://b", "sqlite://"), ("redis://a", "amqp://b", "")),
        (JobSettings(enabled=True, backend="sqlite:///jobs.db"), (), ("",)),
    ],
)
def test_queues_are_counted_once(jobs: JobSettings, queues: tuple[str, ...], found: tuple[str, ...]) -> None:
    """The usual one first; strategies without one of their own use it; none without jobs."""
    assert backends(snapshot(jobs, *queues)) == found


def test_each_queue_has_as_many_runners() -> None:
    """By number; a number that is too high is nobody's."""
    every = snapshot(JobSettings(enabled=True, runners=2), "redis://a")
    assert runners(every) == 4
    assert [runs(every, number) for number in range(5)] == ["", "", "redis://a", "redis://a", None]
    none = snapshot(JobSettings(enabled=True, runners=0), "redis://a")
    assert (runners(none), runs(none, 0)) == (0, None)
