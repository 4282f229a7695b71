"""A keeper that is killed at any point of its work: nothing is lost, nothing is doubled."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.jobs.batches.killed import POINTS
from tests.jobs.batches.stand import CHAT, Stand, jsonl, line, read
from tidegate.jobs.rows.tables import JOBS

LINES = 1_200
ROOT = Path(__file__).parents[3]
HOUR_US = 3_600_000_000
FEEDING = ("in the transaction that feeds", "behind a piece that was fed", "behind the look at the file")


def killed(stand: Stand, point: str) -> None:
    command = [sys.executable, "-m", "tests.jobs.batches.killed", str(stand.files.parent), point]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
async def test_each_line_is_answered_once(stand: Stand, point: str) -> None:
    """A job for each good line, a line of output for each job, in order; what was left behind is swept."""
    client = stand.openai()
    bad = {7: b"{", 1_101: b"[]"}
    data = jsonl(*(bad.get(i) or line(f"l{i}", str(i)) for i in range(LINES)))
    file = await client.files.create(file=("in.jsonl", data), purpose="batch")
    batch = await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    if point not in FEEDING:
        await stand.keep()
        stand.runner.all()
    killed(stand, point)
    await stand.through()
    done = await client.batches.retrieve(batch.id)
    assert done.status == "completed"
    assert done.request_counts is not None
    counts = done.request_counts
    assert (counts.total, counts.completed, counts.failed) == (LINES, LINES - 2, 2)
    assert done.output_file_id is not None
    assert done.error_file_id is not None
    output = read((await client.files.content(done.output_file_id)).content)
    told = [(one["custom_id"], one["response"]["body"]["choices"][0]["message"]["content"]) for one in output]
    assert told == [(f"l{i}", str(i)) for i in range(LINES) if i not in bad]
    errors = read((await client.files.content(done.error_file_id)).content)
    assert [one["error"]["line"] for one in errors] == [8, 1_102]
    with stand.rows.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(JOBS)) == LINES - 2
    assert len(stand.runner.ran) == LINES - 2
    known = {file.id, done.output_file_id, done.error_file_id}
    stand.keeper.forget(stand.clock.wall() + 2 * HOUR_US)
    assert stand.left() == known
