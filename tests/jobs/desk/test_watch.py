"""Who waits for jobs is told of each change, by one look at the rows for all of them."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.jobs.desk.stand import Stand
from tidegate.jobs.desk import watch as watches
from tidegate.jobs.desk.errors import Unavailable
from tidegate.jobs.records import Job, Owner
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import CANCELLED


def job(name: str, version: int = 1) -> Job:
    return Job(id=name, owner=Owner(), path="", model="", backend="", version=version)


def soon(stand: Stand) -> int:
    return stand.clock.now() + 20_000_000


async def test_a_change_is_told(stand: Stand) -> None:
    """Once, to all who wait for that job."""
    made = await stand.made()
    seen = stand.desk.rows.find(made)
    assert seen is not None
    with stand.watch.waiter(seen) as one, stand.watch.waiter(seen) as other:
        stand.desk.rows.cancel(made, None, stand.clock.wall())
        stand.watch.poke([made])
        assert await one.change(soon(stand))
        assert await other.change(soon(stand))
        assert (one.state, one.ended) == (CANCELLED, True)
        assert not await one.change(stand.clock.now())


async def test_what_is_gone(stand: Stand) -> None:
    """A job that is not there any more has ended for who waits."""
    with stand.watch.waiter(job("none")) as waiter:
        assert await waiter.change(soon(stand))
        assert waiter.ended


async def test_news_that_came_early(stand: Stand) -> None:
    """Are not lost: the next wait returns at once."""
    with stand.watch.waiter(job("none")) as waiter:
        waiter.told(("running", 2))
        assert await waiter.change(stand.clock.now())
        waiter.told(("running", 2))
        assert not await waiter.change(stand.clock.now())


async def test_one_look_for_all(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces; a poke is a look at those that were poked and are waited for."""
    monkeypatch.setattr(watches, "_PIECE", 2)
    monkeypatch.setattr(watches, "LOOK_US", 60_000_000)
    looks: asyncio.Queue[Sequence[str]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def standing(_: JobRows, jobs: Sequence[str]) -> dict[str, tuple[str, int]]:
        loop.call_soon_threadsafe(looks.put_nowait, tuple(jobs))
        return dict.fromkeys(jobs, ("queued", 1))

    monkeypatch.setattr(JobRows, "standing", standing)
    waiters = [stand.watch.waiter(job(name)) for name in "abc"]
    for waiter in waiters:
        waiter.__enter__()
    stand.watch.poke(["b", "x"])
    assert await looks.get() == ("b",)
    stand.watch._due = 0
    stand.watch.poke(["c"])
    assert [await looks.get(), await looks.get()] == [("a", "b"), ("c",)]
    for waiter in waiters:
        waiter.__exit__()
    assert len(stand.watch) == 0


async def test_a_database_that_is_away(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is looked at again, and those who wait go on waiting."""
    monkeypatch.setattr(watches, "AWAY_US", 1_000)
    made = await stand.made()
    seen = stand.desk.rows.find(made)
    assert seen is not None
    with stand.watch.waiter(seen) as waiter:
        rename(stand, "jobs", "elsewhere")
        while not stand.watch._away:
            stand.watch.poke([made])
            await stand.desk.call_long(str)
        rename(stand, "elsewhere", "jobs")
        stand.desk.rows.cancel(made, None, stand.clock.wall())
        assert await waiter.change(soon(stand))


def rename(stand: Stand, table: str, name: str) -> None:
    with stand.desk.rows.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")


async def test_too_many(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number they are sent away, and whoever leaves makes room."""
    monkeypatch.setattr(watches, "MOST", 1)
    made = await stand.made()
    visit = stand.visit("GET", f"/v1/jobs/{made}/events")
    await visit.said(b"queued")
    reply = await stand.ask("GET", f"/v1/jobs/{made}/result?wait=9")
    assert reply.status == 503
    assert "Too many clients wait" in reply.error["message"]
    visit.leave()
    await visit.over()
    with stand.watch.waiter(job(made)), pytest.raises(Unavailable), stand.watch.waiter(job(made)):
        pass
