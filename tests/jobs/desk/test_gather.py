"""Jobs that are submitted at the same time are accepted together."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import DataError, OperationalError

from tests.jobs.desk.stand import ASK, CHAT, Stand
from tidegate.jobs.desk import gather as gathers
from tidegate.jobs.desk.errors import Unavailable
from tidegate.jobs.desk.gather import Gather
from tidegate.jobs.records import NewJob, Owner, Submitted
from tidegate.jobs.rows.rows import JobRows


def new(name: str, body: bytes = b"{}") -> NewJob:
    return NewJob(id=name, owner=Owner("n"), path=CHAT, body=body, deadline_us=1 << 60)


class Slow:
    """Rows that accept a piece when they are let, and say which there were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pieces: list[list[str]] = []
        self.let = threading.Event()
        self.began = threading.Event()
        self.fault: Exception | None = None
        self._real = JobRows.submit
        slow = self

        def submit(rows: JobRows, jobs: Sequence[NewJob], wall: int) -> list[Submitted]:
            return slow.submit(rows, jobs, wall)

        monkeypatch.setattr(JobRows, "submit", submit)

    def submit(self, rows: JobRows, jobs: Sequence[NewJob], wall: int) -> list[Submitted]:
        self.pieces.append([job.id for job in jobs])
        self.began.set()
        assert self.let.wait(30)
        if self.fault is not None and any(job.id == "bad" for job in jobs):
            raise self.fault
        return self._real(rows, jobs, wall)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


async def together(stand: Stand, slow: Slow, *jobs: NewJob) -> list[Submitted | BaseException]:
    """The first alone, and the others while it is written."""
    gather = Gather(stand.desk)
    first, *others = [asyncio.ensure_future(gather.submit(job)) for job in jobs[:1]]
    assert await stand.desk.call_long(slow.began.wait, 30)
    others = [asyncio.ensure_future(gather.submit(job)) for job in jobs[1:]]
    await asyncio.wait(others, timeout=0)
    slow.let.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


async def test_pieces(stand: Stand, slow: Slow) -> None:
    """Who comes alone goes at once, and who comes meanwhile goes together; runners are told once a piece."""
    told = await together(stand, slow, *map(new, "abc"))
    assert told == [Submitted("a"), Submitted("b"), Submitted("c")]
    assert slow.pieces == [["a"], ["b", "c"]]
    assert stand.hints.works == 2


async def test_pieces_are_bounded(stand: Stand, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """In jobs and in bytes."""
    monkeypatch.setattr(gathers, "_PIECE", 2)
    monkeypatch.setattr(gathers, "_PIECE_BYTES", 4)
    await together(stand, slow, *map(new, "abcd"), new("e", b"12345"), new("f"))
    assert slow.pieces == [["a"], ["b", "c"], ["d", "e"], ["f"]]


async def test_a_job_that_cannot_be_written(stand: Stand, slow: Slow) -> None:
    """Is refused alone."""
    slow.fault = DataError("", None, Exception())
    told = await together(stand, slow, new("a"), new("bad"), new("c"))
    assert (told[0], told[2]) == (Submitted("a"), Submitted("c"))
    assert isinstance(told[1], DataError)
    assert slow.pieces == [["a"], ["bad", "c"], ["bad"], ["c"]]


async def test_a_database_that_is_away(stand: Stand, slow: Slow) -> None:
    """Is told to all, and asked no more often."""
    slow.fault = OperationalError("", None, Exception())
    told = await together(stand, slow, new("a"), new("bad"), new("c"))
    assert [isinstance(one, OperationalError) for one in told] == [False, True, True]
    assert slow.pieces == [["a"], ["bad", "c"]]


async def test_too_many(stand: Stand, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number, and beyond so many bytes, they are told to come again."""
    monkeypatch.setattr(gathers, "_MOST_WAITING", 2)
    told = await together(stand, slow, *map(new, "abcd"))
    assert isinstance(told[3], Unavailable)
    monkeypatch.setattr(gathers, "_MOST_BYTES", 0)
    told = await together(stand, slow, new("e"), new("f"), new("g"))
    assert [isinstance(one, Unavailable) for one in told] == [False, False, True]


async def test_who_leaves(stand: Stand, slow: Slow) -> None:
    """Has a job all the same, which its key finds again."""
    gather = Gather(stand.desk)
    leaves = asyncio.ensure_future(gather.submit(new("a")))
    assert await stand.desk.call_long(slow.began.wait, 30)
    leaves.cancel()
    slow.let.set()
    assert await gather.submit(new("b")) == Submitted("b")
    assert stand.desk.rows.find("a") is not None


async def test_a_crowd(stand: Stand) -> None:
    """Each has a job of its own."""
    asks = (stand.ask("POST", "/v1/jobs", {"path": CHAT, "body": ASK}) for _ in range(50))
    replies = await asyncio.gather(*asks)
    assert {reply.status for reply in replies} == {202}
    assert len({reply.json()["id"] for reply in replies}) == 50
    assert stand.hints.works < 50
