"""What all at the desk share: threads that never hold up the loop, and which queue is whose."""

import asyncio
import threading
from pathlib import Path

import pytest

from tests.jobs.desk.stand import CHAT, Stand
from tidegate.jobs.desk import desk as desks
from tidegate.jobs.desk.errors import Unavailable
from tidegate.model.jobs import EMBEDDED, JobSettings
from tidegate.model.snapshot import Snapshot, Strategy


async def test_a_database_that_hangs(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds up no more than who asks it, and those are told after a while; beyond a number nobody is let in."""
    monkeypatch.setattr(desks, "_LATE_SECONDS", 0.05)
    hangs = threading.Event()
    monkeypatch.setattr(type(stand.desk.rows), "listed", lambda *_: hangs.wait(30))
    visits = [stand.visit("GET", "/v1/jobs") for _ in range(desks._MOST)]
    late = [await visit.reply() for visit in visits]
    assert {reply.status for reply in late} == {503}
    assert "does not answer" in late[0].error["message"]
    hangs.set()
    monkeypatch.setattr(desks, "_LATE_SECONDS", 30.0)
    assert (await stand.ask("GET", "/v1/jobs/none")).status == 404


async def test_who_is_beyond_the_number(stand: Stand) -> None:
    """Is told at once, while the others wait; places come back."""
    stand.desk._places = threading.BoundedSemaphore(1)
    hangs, began = threading.Event(), threading.Event()

    def hang() -> str:
        began.set()
        hangs.wait(30)
        return "done"

    running = asyncio.ensure_future(stand.desk.call(hang))
    assert await stand.desk.call_long(began.wait, 30)
    with pytest.raises(Unavailable, match="does not keep up"):
        await stand.desk.call(str)
    hangs.set()
    assert await running == "done"
    assert await stand.desk.call(str) == ""


async def test_what_a_function_raises(stand: Stand) -> None:
    """Is raised to who asked, also where it is a timeout of its own."""

    def late() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await stand.desk.call(late)


async def test_a_database_that_is_not_there(place: Path) -> None:
    """Its absence is a refusal."""
    stand = Stand(place)
    assert not stand.desk.open
    with pytest.raises(Unavailable):
        _ = stand.desk.rows


def _strategy(name: str, queue: str) -> Strategy:
    return Strategy(name, "m", queue_backend=queue)


@pytest.mark.parametrize(
    ("usual", "named", "model", "queue"),
    [
        ("", "", "s", EMBEDDED),
        ("sqlite://", "", "s", EMBEDDED),
        ("redis://r", "", "s", "redis://r"),
        ("redis://r", "amqp://q", "s", "amqp://q"),
        ("redis://r", "amqp://q", "other", "redis://r"),
        ("redis://r", "sqlite:///jobs.db", "s", EMBEDDED),
    ],
)
async def test_whose_queue(place: Path, usual: str, named: str, model: str, queue: str) -> None:
    """A strategy's own, else the usual one; the embedded one is the rows themselves, however it is written."""
    snapshot = Snapshot(1, (), (_strategy("s", named),), jobs=JobSettings(enabled=True, backend=usual))
    stand = Stand(place, snapshot=snapshot)
    assert stand.desk.backend_of(model) == queue


async def test_settings_that_change(stand: Stand) -> None:
    """Hold from then on, also for the rows."""
    changed = JobSettings(enabled=True, max_queued=1)
    stand.desk.follow(Snapshot(2, (), jobs=changed))
    assert stand.desk.settings is changed
    await stand.made()
    assert (await stand.ask("POST", "/v1/jobs", {"path": CHAT, "body": {"model": "m", "messages": []}})).status == 429
