"""What tests of runners are set in."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tidegate.clock import SystemClock
from tidegate.jobs.records import Lease, NewJob, Owner
from tidegate.jobs.run.executor import Executor
from tidegate.model.jobs import JobSettings
from tidegate.model.snapshot import Snapshot
from tidegate.ports import Clock, Timer

SECOND = 1_000_000
HOUR = 3_600 * SECOND
SECRET = bytes(range(32))
BODY = b'{"model":"m","messages":[]}'
CHAT = "/v1/chat/completions"


class Executors(Protocol):
    """Makes them, and closes them in the end."""

    def __call__(
        self, settings: Snapshot, state_dir: Path = Path("/nowhere"), clock: Clock | None = None
    ) -> Executor: ...


def luck() -> float:
    """None: pauses are as short as can be."""
    return 0.0


class Hasty(SystemClock):
    """Who sleeps wakes at once, and later: time passes by what was slept."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0
        self.woken: Callable[[], None] = lambda: None

    def now(self) -> int:
        return super().now() + self.slept

    def wall(self) -> int:
        return super().wall() + self.slept

    def call_at(self, when: int, callback: Callable[[], None]) -> Timer:
        return super().call_at(when - self.slept, callback)

    async def sleep(self, duration: int) -> None:
        self.slept += duration
        self.woken()
        await super().sleep(1)


def snapshot(**jobs: object) -> Snapshot:
    """With these settings of jobs."""
    return Snapshot(version=1, providers=(), jobs=JobSettings(enabled=True, **jobs))  # type: ignore[arg-type]


def a_lease(**changed: object) -> Lease:
    """One that is good for an hour."""
    said: dict[str, object] = {
        "id": "job_1",
        "fence": 3,
        "owner": Owner("sales", "ada", "ada@example.com"),
        "path": CHAT,
        "headers": b"",
        "body": BODY,
        "deadline_us": SystemClock().wall() + HOUR,
        "attempts": 0,
        "crashes": 0,
    }
    return Lease(**(said | changed))  # type: ignore[arg-type]


def a_job(name: str, **changed: object) -> NewJob:
    """One that is due."""
    said: dict[str, object] = {
        "id": name,
        "owner": Owner("sales", "ada"),
        "path": CHAT,
        "body": BODY,
        "deadline_us": SystemClock().wall() + HOUR,
    }
    return NewJob(**(said | changed))  # type: ignore[arg-type]
