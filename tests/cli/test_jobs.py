"""`tidegate jobs` for operators, against an admin port on a socket."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.cli.test_manage import Said, gate, said
from tests.control.admin.desk import WALL, Desk
from tidegate.jobs.records import End, NewJob, Owner
from tidegate.model.jobs import DEAD, JobSettings

__all__ = ["gate", "said"]
HOUR = 3_600_000_000


@pytest.fixture
def busy(gate: Desk) -> Iterator[Desk]:
    """A job that waits, and one that is dead."""
    gate.declaration.now = replace(gate.declaration.now, jobs=JobSettings(enabled=True))
    rows = gate.office.jobs
    new = [
        NewJob(id=name, owner=Owner("team"), path="/v1/embeddings", body=b"{}", deadline_us=WALL + HOUR)
        for name in ("job_1", "job_2")
    ]
    rows.submit(new[:1], WALL)
    (lease,) = rows.claim("", 1, "me", HOUR, WALL)
    rows.finish([End(id="job_1", fence=lease.fence, state=DEAD, reason="spent: it failed")], WALL)
    rows.submit(new[1:], WALL)
    yield gate
    rows.engine.dispose()


@pytest.mark.usefixtures("busy")
def test_what_there_is_and_how_it_came_to_that(said: Said) -> None:
    """Lists by state, one job with its reason, and the sums."""
    assert "job_1" in said("jobs list --state dead")
    assert "job_2" not in said("jobs list --state dead")
    assert "spent: it failed" in said("jobs show job_1")
    stats = said("jobs stats")
    assert "embedded" in stats
    assert "queued" in stats


@pytest.mark.usefixtures("busy")
def test_each_is_cancelled_or_begun_anew_on_its_own(said: Said) -> None:
    """What one refuses is told, and does not keep the others."""
    assert "queued" in said("jobs requeue job_1 --deadline 60")
    told = said("jobs cancel job_2 nothing", 1)
    assert "nothing" in told
    assert "1 of 2" in told
    assert "cancelled" in said("jobs show job_2")
