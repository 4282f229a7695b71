"""Many at once, in threads and in processes of their own: nothing is handed out twice, nothing ends twice."""

import multiprocessing
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from tests.jobs.rows.made import done, new
from tidegate.jobs.records import Dispatch, End
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import JobSettings

_JOBS = 120
_CROWD = 4
_BROKER = "redis://cache.example:6379/1"
_Said = tuple[list[tuple[str, int]], list[str], int]


def _work(url: str, number: int, backend: str) -> _Said:
    """One of the crowd: what it was handed, what it brought to an end, how many it buried.

    Every fifth job it loses, and every few turns it looks at leases from so far ahead that others lose theirs.
    """
    rows = open_rows(JobSettings(database=url), "", Path())
    handed: list[tuple[str, int]] = []
    ended: list[str] = []
    buried = 0
    for turn in count(1):
        leases = rows.claim(backend, 7, f"r{number}", 1_000, turn)
        if not leases and not rows.depths():
            break
        handed += [(lease.id, lease.fence) for lease in leases]
        ends = [done(lease, call_id=f"{number}") for place, lease in enumerate(leases) if (place + turn) % 5]
        told = rows.finish(ends, turn)
        ended += [end.id for end, counts in zip(ends, told, strict=True) if counts]
        if turn % 5 == number:
            buried += len(rows.reap(1_000, 1_000_000).dead)
    rows.engine.dispose()
    return handed, ended, buried


def _judge(rows: JobRows, said: Sequence[_Said]) -> None:
    handed = Counter(one for each in said for one in each[0])
    ended = Counter(one for each in said for one in each[1])
    assert max(handed.values()) == 1, "the same job and fence went to two"
    assert ended == Counter(f"j{number}" for number in range(_JOBS)), "each job ends, once"
    assert [(depth.state, depth.jobs) for depth in rows.ended()] == [("done", _JOBS)]
    for name in ("j0", "j1"):
        assert [one.fence for one in rows.attempts(name)] == sorted(fence for job, fence in handed if job == name)


def _url(rows: JobRows) -> str:
    return rows.engine.url.render_as_string(hide_password=False)


def _backlog(rows: JobRows, backend: str = "") -> None:
    rows.submit([new(f"j{number}", f"t{number % 3}", backend=backend) for number in range(_JOBS)], 1)


def test_threads_share_a_backlog(rows: JobRows) -> None:
    """Each with connections of its own."""
    _backlog(rows)
    with ThreadPoolExecutor(_CROWD) as pool:
        said = list(pool.map(_work, [_url(rows)] * _CROWD, range(_CROWD), [""] * _CROWD))
    _judge(rows, said)


@pytest.mark.parametrize("which", ["sqlite", "postgresql"])
def test_processes_share_a_backlog(which: str, request: pytest.FixtureRequest) -> None:
    """As runners do."""
    rows: JobRows = request.getfixturevalue(which)
    _backlog(rows)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        said = pool.starmap(_work, [(_url(rows), number, "") for number in range(3)], chunksize=1)
    _judge(rows, said)


def test_a_message_is_good_for_one(rows: JobRows) -> None:
    """However often its broker gives it, and to how many at the same time."""
    _backlog(rows, _BROKER)
    sent = rows.dispatch(_BROKER, _JOBS, 1_000, 2)
    assert len({message.id for message in sent}) == _JOBS

    def lease(messages: Sequence[Dispatch]) -> list[tuple[str, int]]:
        found = [rows.lease(message, "r", 1_000, 3) for message in messages]
        return [(one.id, one.fence) for one in found if one is not None]

    with ThreadPoolExecutor(_CROWD) as pool:
        handed = Counter(one for each in pool.map(lease, [sent] * _CROWD) for one in each)
    assert handed == Counter((f"j{number}", 1) for number in range(_JOBS))


def test_two_clerks_give_a_broker_no_more_than_it_may_have(rows: JobRows) -> None:
    """As gates do that share a database."""
    _backlog(rows, _BROKER)

    def dispatch(_number: int) -> list[str]:
        return [message.id for _ in range(5) for message in rows.dispatch(_BROKER, 50, 1_000, 2)]

    with ThreadPoolExecutor(_CROWD) as pool:
        sent = Counter(one for each in pool.map(dispatch, range(_CROWD)) for one in each)
    assert (sent.total(), max(sent.values())) == (50, 1)


def test_a_key_is_used_once_by_a_crowd(rows: JobRows) -> None:
    """Who asks at the same time is given the same job."""

    def submit(number: int) -> str:
        return rows.submit([new(f"x{number}", once=b"k", digest=b"d"), new(f"y{number}")], 1)[0].id

    with ThreadPoolExecutor(_CROWD) as pool:
        assert len(set(pool.map(submit, range(12)))) == 1
    assert sum(depth.jobs for depth in rows.depths()) == 13


def test_a_crowd_ends_what_one_cancels(rows: JobRows) -> None:
    """Ends, cancels and looks at leases, all of the same jobs at the same time: one end each, and all counted."""
    _backlog(rows)
    leases = rows.claim("", _JOBS // 2, "r", 1_000, 2)

    def meddle(number: int) -> int:
        if number == 0:
            return sum(rows.finish([done(lease) for lease in leases], 3))
        if number == 1:
            ends = [End(id=lease.id, fence=lease.fence, state="failed") for lease in reversed(leases)]
            return sum(sum(rows.finish([end], 3)) for end in ends)
        if number == 2:
            return sum(rows.cancel(f"j{job}", None, 3) is None for job in reversed(range(_JOBS)))
        found = rows.reap(1, 5_000)
        return len(found.dead)

    with ThreadPoolExecutor(_CROWD) as pool:
        list(pool.map(meddle, range(_CROWD)))
    rows.reap(1, 5_000)
    assert sum(depth.jobs for depth in rows.ended()) == _JOBS
    with rows.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT sum(jobs) FROM job_open").scalar() == 0
