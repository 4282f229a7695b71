"""Jobs by the admin API: what there is, what is cancelled, and what begins anew."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.control.admin.desk import DECLARED, WALL, Desk
from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.jobs.records import End, NewJob, Owner, Result
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import DEAD, DONE, JobSettings

SETTINGS = JobSettings(enabled=True, backend="redis://:secret@cache:6379/0")
HOUR = 3_600_000_000
ANN = Owner("team", "team-app", "ann")


@pytest.fixture
def rows(tmp_path: Path) -> JobRows:
    return open_rows(SETTINGS, "", tmp_path)


@pytest.fixture
def busy(tmp_path: Path, rows: JobRows) -> Desk:
    """Of `team` one job that waits, one that is dead and one that is done; of another namespace one."""
    desk = Desk(tmp_path, replace(DECLARED, jobs=SETTINGS))
    for name in ("team", "other"):
        desk.made("/namespaces", {"name": name})
    rows.submit([new("waits"), new("dead"), new("done"), new("theirs", Owner("other", "other-app"))], WALL - HOUR)
    leases = {lease.id: lease for lease in rows.claim("", 4, "me", HOUR, WALL - HOUR)}
    answer = Result(200, b"content-type: application/json\r\n", b"{}")
    ends = [
        End(id="dead", fence=leases["dead"].fence, state=DEAD, reason="spent: five attempts failed"),
        End(id="done", fence=leases["done"].fence, state=DONE, result=answer, call_id="req_1f"),
        End(id="waits", fence=leases["waits"].fence, state="queued", counts=False),
    ]
    assert rows.finish(ends, WALL - HOUR // 2) == [True, True, True]
    return desk


def new(name: str, owner: Owner = ANN) -> NewJob:
    path = "/v1/chat/completions"
    return NewJob(id=name, owner=owner, path=path, body=b"{}", model="gpt-4o", deadline_us=WALL + HOUR, tags=("mail",))


def test_jobs_are_listed_page_by_page_with_what_is_known_of_them(busy: Desk) -> None:
    """Each once, and narrowed by state, tag and namespace."""
    first = busy.ask("GET", "/jobs?limit=3").json()
    second = busy.ask("GET", f"/jobs?limit=3&before={first['next']}").json()
    assert sorted(job["id"] for job in first["jobs"] + second["jobs"]) == ["dead", "done", "theirs", "waits"]
    assert "next" not in second
    dead = busy.ask("GET", "/jobs?state=dead&state=failed&tag=mail&namespace=team").json()["jobs"]
    assert [(job["id"], job["reason"], job["key"], job["user"]) for job in dead] == [
        ("dead", "spent: five attempts failed", "team-app", "ann")
    ]


def test_jobs_are_listed_by_the_key_that_made_them(busy: Desk, rows: JobRows) -> None:
    """Of a namespace one key's, and a key's of whichever namespace."""
    rows.submit([new("second", Owner("team", "team-other"))], WALL)
    for where in ("?key=team-other", "?namespace=team&key=team-other"):
        assert [job["id"] for job in busy.ask("GET", f"/jobs{where}").json()["jobs"]] == ["second"]
    assert busy.ask("GET", "/jobs?namespace=other&key=team-other").json()["jobs"] == []


def test_a_job_is_told_with_each_time_that_it_was_handed_out(busy: Desk) -> None:
    """By whom, what came of it, and the call that it was."""
    found = busy.ask("GET", "/jobs/done").json()
    assert (found["state"], found["status"]) == ("done", 200)
    assert [(one["runner"], one["outcome"], one["call"]) for one in found["tried"]] == [("me", "done", "req_1f")]


def test_an_owner_sees_its_own_jobs_only(busy: Desk) -> None:
    """Another namespace's are not there, to look at or to cancel."""
    token = busy.token("owner", "team")
    assert {job["namespace"] for job in busy.ask("GET", "/jobs", token=token).json()["jobs"]} == {"team"}
    assert busy.ask("GET", "/jobs/theirs", token=token).status_code == 404
    assert busy.ask("POST", "/jobs/theirs/cancel", token=token).status_code == 404


def test_what_waits_is_cancelled_and_what_has_ended_is_not(busy: Desk, rows: JobRows) -> None:
    """And who cancelled it stands in the audit."""
    assert busy.ask("POST", "/jobs/waits/cancel").json()["state"] == "cancelled"
    again = busy.ask("POST", "/jobs/waits/cancel")
    assert (again.status_code, "ended already" in again.text) == (409, True)
    audit = busy.ask("GET", "/audit?action=job.cancel").json()
    assert "waits" in json.dumps(audit)
    assert [(entry["before"], entry["after"]) for entry in audit] == [({"state": "queued"}, {"state": "cancelled"})]


def test_nothing_is_cancelled_that_the_audit_cannot_tell(busy: Desk, rows: JobRows) -> None:
    """Jobs may be kept in another database: while that of the audit is away they are left as they are."""
    busy.token("admin")
    engine, intend = busy.engine, busy.office.changes.intend
    seen = []

    def away(actor: Actor, deed: Deed) -> int:
        seen.append((actor.name, deed.action))
        busy.engine = None
        return intend(actor, deed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Changes, "intend", lambda _self, actor, deed: away(actor, deed))
        assert busy.ask("POST", "/jobs/waits/cancel").status_code == 503
    busy.engine = engine
    assert seen == [("admin-all", "job.cancel")]
    job = rows.find("waits")
    assert job is not None
    assert job.state == "queued"


def test_what_is_dead_begins_anew_and_what_is_done_does_not(busy: Desk, rows: JobRows) -> None:
    """With a deadline from now on; what waits already does not either."""
    found = busy.ask("POST", "/jobs/dead/requeue", {"deadline_seconds": 60}).json()
    assert (found["state"], found["attempts"]) == ("queued", 0)
    job = rows.find("dead")
    assert job is not None
    assert job.deadline_us == WALL + 60_000_000
    assert busy.ask("POST", "/jobs/done/requeue", {}).status_code == 409
    assert busy.ask("POST", "/jobs/dead/requeue", {}).status_code == 409


def test_a_summary_tells_queues_without_their_secrets(busy: Desk) -> None:
    """Open ones by queue and state, and ends ever."""
    answer = busy.ask("GET", "/jobs/summary")
    found = answer.json()
    assert {(one["state"], one["jobs"]) for one in found["open"]} == {("queued", 1), ("running", 1)}
    assert {(one["state"], one["jobs"]) for one in found["ended"]} == {("dead", 1), ("done", 1)}
    assert "secret" not in answer.text


def test_a_gate_without_jobs_says_how_it_would_have_them(desk: Desk) -> None:
    """By the section that is missing."""
    answer = desk.ask("GET", "/jobs")
    assert answer.status_code == 409
    assert "section `jobs`" in answer.text
    assert desk.ask("GET", "/jobs/summary").json() == {"enabled": False, "open": [], "ended": []}
