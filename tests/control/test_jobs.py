"""Counting jobs for the metrics."""

from pathlib import Path

from tidegate.control.board import Board
from tidegate.control.declared import Declaration, Declared
from tidegate.control.jobs import Jobs, JobsWatch
from tidegate.control.metrics.exposition import render
from tidegate.jobs.records import End, NewJob, Owner
from tidegate.jobs.rows.open import open_rows
from tidegate.model.entitlements import LedgerSettings
from tidegate.model.jobs import FAILED, JobSettings
from tidegate.observe.log import Log

WALL = 1_790_000_000_000_000
SETTINGS = JobSettings(enabled=True)


def page(board: Board) -> list[str]:
    text = render(board.views(), board.standing, {}, board.ledger, board.jobs).decode()
    return [line for line in text.splitlines() if line.startswith("tidegate_jobs") and "_created" not in line]


def test_what_waits_and_what_has_ended_is_on_the_page(tmp_path: Path) -> None:
    """With the age of the oldest."""
    rows, board = open_rows(SETTINGS, "", tmp_path), Board()
    watch = JobsWatch(Jobs(tmp_path, Declaration(Declared(jobs=SETTINGS))), board, Log("test"), lambda: WALL)
    new = [
        NewJob(id=f"j{n}", owner=Owner("team"), path="/v1/chat/completions", body=b"{}", deadline_us=WALL * 2)
        for n in range(3)
    ]
    rows.submit(new, WALL - 90_000_000)
    (lease,) = rows.claim("", 1, "me", 1_000_000, WALL)
    rows.finish([End(id=lease.id, fence=lease.fence, state=FAILED)], WALL)
    watch.look()
    assert page(board) == [
        'tidegate_jobs{backend="embedded",state="queued"} 2.0',
        'tidegate_jobs_oldest_seconds{backend="embedded",state="queued"} 90.0',
        'tidegate_jobs_ended_total{backend="embedded",state="failed"} 1.0',
    ]
    rows.engine.dispose()


def test_without_jobs_nothing_is_said_of_them(tmp_path: Path) -> None:
    """Nor is a database made."""
    board = Board()
    JobsWatch(Jobs(tmp_path, Declaration()), board, Log("test"), lambda: WALL).look()
    assert page(board) == []
    assert not (tmp_path / "jobs.db").exists()


def test_a_database_that_is_away_is_looked_for_ever_more_rarely(tmp_path: Path) -> None:
    """And nothing is said of jobs meanwhile, rather than something old."""
    settings, board = JobSettings(enabled=True, database=f"sqlite:///{tmp_path}/no/such/folder.db"), Board()
    declared = Declared(jobs=settings, ledger=LedgerSettings())
    watch = JobsWatch(Jobs(tmp_path, Declaration(declared)), board, Log("test"), lambda: WALL)
    assert [watch.look(), watch.look()] == [10.0, 20.0]
    assert board.jobs is None
