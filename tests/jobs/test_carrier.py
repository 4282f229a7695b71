"""What a broker is given, over real rows. That real brokers take it, tests/jobs/engines shows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from tests.jobs.run.setting import SECOND, a_job, snapshot
from tests.jobs.run.stage import Told
from tidegate.jobs.carrier import Carrier
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.faces import BackendDown, Rows
from tidegate.jobs.records import Dispatch
from tidegate.jobs.rows.rows import JobRows
from tidegate.observe.log import Log
from tidegate.testing import ManualClock

BROKER = "redis://broker"


class Shelf:
    """A broker that keeps what it is given, and can be away."""

    name = BROKER

    def __init__(self) -> None:
        self.away = False
        self.broken = False
        self.given: list[Dispatch] = []
        self.asked = 0

    def opened(self, _url: str, _rows: Rows) -> "Shelf":
        return self

    def publish(self, sent: Sequence[Dispatch]) -> None:
        self.asked += 1
        if self.broken:
            raise ZeroDivisionError
        if self.away:
            raise BackendDown("redis://broker takes no jobs: it is away")
        self.given += sent

    def close(self) -> None:
        return


class Counter:
    """A carrier, its clock and its broker."""

    def __init__(self, desk: Desk, clock: ManualClock) -> None:
        self.desk = desk
        self.clock = clock
        self.shelf = Shelf()
        self.carrier = Carrier(BROKER, desk, self.shelf.opened)
        self.running = asyncio.get_running_loop().create_task(self.carrier.run())

    def submit(self, count: int) -> None:
        jobs = [a_job(f"job_{n}", backend=BROKER, deadline_us=self.clock.wall() + 3_600 * SECOND) for n in range(count)]
        self.desk.rows.submit(jobs, self.clock.wall())

    async def until(self, true: Callable[[], bool]) -> None:
        """Time passes until this is so."""
        async with asyncio.timeout(20):
            while not true():
                await self.pass_by(SECOND // 10)

    async def asked(self, times: int) -> None:
        """The broker was asked so often."""
        await self.until(lambda: self.shelf.asked >= times)

    async def until_given(self, count: int) -> None:
        """It has so many."""
        await self.until(lambda: len(self.shelf.given) >= count)

    async def pass_by(self, us: int) -> None:
        """Let so much time pass, but none while the carrier waits for what a thread does, however long that takes."""
        for _ in range(us // (SECOND // 10)):
            await self.clock.advance(SECOND // 10)
            while not (self.clock.pending or self.running.done()):
                await self.desk.call_long(int)


@pytest.fixture
async def counter(request: pytest.FixtureRequest, fresh_rows: JobRows, tmp_path: Path) -> AsyncIterator[Counter]:
    """With a fleet of its own, where nothing else is said: how many places that has nobody knows."""
    clock = ManualClock()
    desk = Desk(
        snapshot(concurrency=2, on_backend_failure="refuse", runners=getattr(request, "param", 0)),
        tmp_path, clock, Told(), Log("test"),
    )  # fmt: skip
    desk.rows = fresh_rows
    made = Counter(desk, clock)
    yield made
    made.running.cancel()
    made.carrier.close()
    desk.close()


async def test_a_broker_is_given_a_little_more_than_its_runners_can_take(counter: Counter) -> None:
    """In the rows' order; the next when there is room."""
    counter.submit(20)
    await counter.until_given(8)
    await counter.pass_by(2 * SECOND)
    assert [one.id for one in counter.shelf.given] == [f"job_{n}" for n in range(8)]
    for one in counter.shelf.given[:3]:
        assert counter.desk.rows.lease(one, "r", 60 * SECOND, counter.clock.wall()) is not None
    counter.carrier.poke()
    await counter.until_given(11)
    await counter.pass_by(2 * SECOND)
    assert len(counter.shelf.given) == 11


@pytest.mark.parametrize("counter", [1], indirect=True)
async def test_of_places_that_are_known_a_tenant_has_his_share(counter: Counter) -> None:
    """However much he has waiting."""
    counter.submit(20)
    await counter.until_given(2)
    await counter.pass_by(2 * SECOND)
    assert [one.id for one in counter.shelf.given] == ["job_0", "job_1"]


async def test_what_a_broker_did_not_take_waits_here(counter: Counter, capfd: pytest.CaptureFixture[str]) -> None:
    """It is given when the broker is back; both are told once."""
    counter.shelf.away = True
    counter.submit(3)
    await counter.asked(3)
    assert counter.carrier.problem == "redis://broker takes no jobs: it is away"
    counter.shelf.away = False
    await counter.until_given(3)
    await counter.until(lambda: counter.carrier.problem == "")
    assert {one.id for one in counter.shelf.given} == {"job_0", "job_1", "job_2"}
    told = capfd.readouterr().err
    assert told.count("a broker cannot be reached") == told.count("the broker is back") == 1


async def test_who_would_be_refused_is_known_before_he_comes(counter: Counter) -> None:
    """Also while there is nothing to give, the broker is looked at."""
    await counter.asked(1)
    assert counter.carrier.problem == ""
    counter.shelf.away = True
    await counter.until(lambda: counter.carrier.problem != "")
    counter.shelf.away = False
    await counter.until(lambda: counter.carrier.problem == "")


async def test_what_nobody_takes_is_given_again_ever_less_often(counter: Counter) -> None:
    """A message may be lost, or nobody may be there who takes it."""
    counter.submit(1)
    await counter.asked(1)
    await counter.pass_by(60 * SECOND)
    times = len(counter.shelf.given)
    assert 3 <= times <= 5
    assert {(one.id, one.fence) for one in counter.shelf.given} == {("job_0", 0)}


async def test_a_defect_ends_the_carrier(counter: Counter) -> None:
    """Its owner is told by it, and begins anew."""
    counter.shelf.broken = True
    await counter.asked(1)
    with pytest.raises(ZeroDivisionError):
        await counter.running
