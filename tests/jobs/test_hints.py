"""Pokes between processes: they come, or are lost, and never get in the way."""

import asyncio
from pathlib import Path

import pytest

from tidegate.jobs.hints import DESK, FOLDER, Ear, UnixHints, runner_name


class Heard:
    """What came, and a way to wait for it."""

    def __init__(self) -> None:
        self.work = 0
        self.changed: list[str] = []
        self.any = asyncio.Event()

    def on_work(self) -> None:
        self.work += 1
        self.any.set()

    def on_changed(self, jobs: list[str]) -> None:
        self.changed += jobs
        self.any.set()


@pytest.fixture
async def heard() -> Heard:
    return Heard()


async def test_everybody_hears_but_who_says_it(tmp_path: Path, heard: Heard) -> None:
    """Who pokes knows already."""
    own = Heard()
    ear, other = Ear(tmp_path, DESK, heard.on_work, heard.on_changed), runner_name(1)
    mine = Ear(tmp_path, other, own.on_work, own.on_changed)
    hints = UnixHints(tmp_path, other)
    hints.work()
    hints.changed(["job_1", "job_2"])
    await heard.any.wait()
    assert heard.work == 1
    assert heard.changed == ["job_1", "job_2"]
    assert not own.any.is_set()
    for one in (ear, mine, hints):
        one.close()
    assert list((tmp_path / FOLDER).iterdir()) == []


async def test_many_pokes_are_heard_as_one(tmp_path: Path, heard: Heard) -> None:
    """Who was busy looks once."""
    ear = Ear(tmp_path, DESK, heard.on_work, heard.on_changed)
    hints = UnixHints(tmp_path)
    for _ in range(1_000):  # more than the kernel keeps: those are lost, and nobody waits
        hints.work()
    await heard.any.wait()
    assert heard.work == 1
    ear.close()
    hints.close()


async def test_many_ids_go_in_pieces(tmp_path: Path, heard: Heard) -> None:
    """No datagram is too long to be sent."""
    ear = Ear(tmp_path, DESK, heard.on_work, heard.on_changed)
    hints = UnixHints(tmp_path)
    jobs = [f"job_{number:032}" for number in range(2_500)]
    hints.changed(jobs)
    await heard.any.wait()
    assert heard.changed == jobs
    ear.close()
    hints.close()


async def test_a_hint_to_nobody_is_lost(tmp_path: Path, heard: Heard) -> None:
    """No folder, a listener that died, and a name that a dead process has left: nothing is raised."""
    hints = UnixHints(tmp_path)
    hints.work()
    ear = Ear(tmp_path, "guest-1", heard.on_work, heard.on_changed)
    ear._loop.remove_reader(ear._socket)
    ear._socket.close()
    hints.changed(["job_1"])
    assert list((tmp_path / FOLDER).iterdir()) == []
    hints.close()
    hints.work()


async def test_who_comes_again_hears_again(tmp_path: Path, heard: Heard) -> None:
    """What the one before left in the way is taken away."""
    dead = Ear(tmp_path, DESK, heard.on_work, heard.on_changed)
    dead._loop.remove_reader(dead._socket)
    dead._socket.close()
    ear = Ear(tmp_path, DESK, heard.on_work, heard.on_changed)
    hints = UnixHints(tmp_path)
    hints.work()
    await heard.any.wait()
    ear.close()
    hints.close()


async def test_where_no_socket_can_be_nobody_is_stopped(tmp_path: Path, heard: Heard) -> None:
    """A path that is too long for a socket: one listens to nothing, and knows why."""
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    ear = Ear(deep, DESK, heard.on_work, heard.on_changed)
    assert "too long" in ear.deaf
    hints = UnixHints(deep)
    hints.work()
    hints.close()
    ear.close()
