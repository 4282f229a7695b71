"""Namespaces that are deleted and made again, on a gate with jobs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from tests.control.admin.desk import DECLARED, WALL, Desk
from tidegate.jobs.records import Filter, NewJob, Owner
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import CANCELLED, DATABASE, JobSettings
from tidegate.store.engine import writing

ANN = Owner("acme", "acme-app", "ann")
FAR = WALL + 3_600_000_000


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[JobRows]:
    made = open_rows(JobSettings(enabled=True), "", tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def busy(tmp_path: Path, rows: JobRows) -> Desk:
    """A namespace that was made here, with a job that waits."""
    desk = Desk(tmp_path, replace(DECLARED, jobs=JobSettings(enabled=True)))
    desk.made("/namespaces", {"name": "acme"})
    submit(rows, "old")
    return desk


def submit(rows: JobRows, name: str) -> None:
    rows.submit([NewJob(id=name, owner=ANN, path="/v1/chat/completions", body=b"{}", deadline_us=FAR)], WALL)


def test_a_namespace_made_again_has_nothing_of_the_one_before(busy: Desk, rows: JobRows) -> None:
    """Neither its keys nor its owner; what waited is cancelled, and cannot begin anew."""
    assert busy.ask("DELETE", "/namespaces/acme").status_code == 204
    busy.made("/namespaces", {"name": "acme"})
    assert rows.listed(Filter(owner=ANN)) == []
    assert rows.find("old", ANN) is None
    owner = busy.token("owner", "acme")
    assert busy.ask("GET", "/jobs", token=owner).json()["jobs"] == []
    assert busy.ask("GET", "/jobs/old", token=owner).status_code == 404
    assert busy.ask("GET", "/jobs/old").json()["state"] == CANCELLED
    again = busy.ask("POST", "/jobs/old/requeue", {})
    assert (again.status_code, "namespace" in again.text) == (409, True)


def test_what_came_after_a_deletion_is_not_the_next_ones(busy: Desk, rows: JobRows) -> None:
    """A worker may have let one in that had not been told yet."""
    assert busy.ask("DELETE", "/namespaces/acme").status_code == 204
    submit(rows, "late")
    busy.made("/namespaces", {"name": "acme"})
    assert rows.find("late", ANN) is None


def test_who_asks_for_a_name_that_is_taken_cancels_nothing(busy: Desk, rows: JobRows) -> None:
    """Neither does who deletes what is not there."""
    assert busy.ask("POST", "/namespaces", {"name": "acme"}).status_code == 409
    assert busy.ask("DELETE", "/namespaces/filed").status_code == 409
    found = rows.find("old", ANN)
    assert found is not None
    assert found.state == "queued"


def test_jobs_that_are_away_keep_their_namespace(busy: Desk, rows: JobRows) -> None:
    """503 with what to see to; the namespace is still there, and goes when they are back."""
    with writing(rows.engine) as connection:
        connection.execute(text("ALTER TABLE job_tenants RENAME TO elsewhere"))
    refused = busy.ask("DELETE", "/namespaces/acme")
    assert refused.status_code == 503
    assert "jobs.database" in refused.text
    assert busy.ask("GET", "/namespaces/acme").status_code == 200
    with writing(rows.engine) as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO job_tenants"))
    assert busy.ask("DELETE", "/namespaces/acme").status_code == 204


def test_a_database_that_cannot_be_opened_refuses_too(tmp_path: Path) -> None:
    """From the first time on."""
    desk = Desk(tmp_path)
    desk.made("/namespaces", {"name": "acme"})
    (tmp_path / DATABASE).mkdir()
    desk.declaration.now = replace(DECLARED, jobs=JobSettings(enabled=True))
    refused = desk.ask("DELETE", "/namespaces/acme")
    assert (refused.status_code, "jobs.database" in refused.text) == (503, True)
    assert desk.ask("GET", "/namespaces/acme").status_code == 200
