"""Jobs taken, shown, listed, cancelled, and their answers handed out."""

import json
from pathlib import Path

import pytest

from tests.jobs.desk.stand import ALICE, ANSWER, ASK, BOB, CHAT, Reply, Stand
from tidegate.jobs.desk.caller import owner_of
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.handed import Requester
from tidegate.model.jobs import CANCELLED, DEAD, FAILED, JobSettings
from tidegate.model.snapshot import Snapshot


async def test_a_job_is_taken(stand: Stand) -> None:
    """202, where it is, and what is known of it; runners are poked."""
    reply = await stand.ask("POST", "/v1/jobs", {"path": CHAT, "body": ASK, "tags": ["night"], "priority": 7})
    job = reply.json()
    assert reply.status == 202
    assert reply.headers["location"] == f"/v1/jobs/{job['id']}"
    assert reply.headers["x-tidegate-job"] == job["id"]
    assert (job["object"], job["state"], job["path"], job["model"]) == ("job", "queued", CHAT, "m")
    assert (job["priority"], job["tags"], job["backend"], job["attempts"]) == (7, ["night"], "embedded", 0)
    assert job["result"] is None
    assert job["finished_at"] is None
    assert stand.hints.works == 1
    lease = stand.lease()
    assert json.loads(lease.body) == ASK
    assert lease.headers == b"x-tidegate-tag: night\r\n"
    assert lease.owner == owner_of(ALICE)


async def test_what_goes_with_the_call(stand: Stand) -> None:
    """Of the header lines those that can be meant for the call; a stream is asked for as a whole answer."""
    body = ASK | {"stream": True, "stream_options": {"include_usage": True}}
    await stand.ask(
        "POST", "/v1/jobs", {"endpoint": CHAT, "body": body}, anthropic_beta="x", authorization="Bearer s", cookie="c",
        x_tidegate_cache="no-store",
    )  # fmt: skip
    lease = stand.lease()
    assert json.loads(lease.body) == ASK
    assert lease.headers == b"anthropic-beta: x\r\nx-tidegate-cache: no-store\r\n"


async def test_its_life(stand: Stand) -> None:
    """Queued, running, done: as it is shown, with its attempts, and its answer as it came."""
    job = await stand.made()
    waits = await stand.ask("GET", f"/v1/jobs/{job}/result")
    assert (waits.status, waits.headers["retry-after"], waits.json()["state"]) == (202, "10", "queued")
    lease = stand.lease()
    shown = (await stand.ask("GET", f"/v1/jobs/{job}")).json()
    assert shown["state"] == "running"
    assert shown["started_at"]
    assert [one["outcome"] for one in shown["history"]] == ["running"]
    stand.finish(lease)
    shown = (await stand.ask("GET", f"/v1/jobs/{job}")).json()
    assert (shown["state"], shown["status"], shown["result"]) == ("done", 200, f"/v1/jobs/{job}/result")
    assert shown["history"][0]["call_id"] == "req_1"
    result = await stand.ask("GET", f"/v1/jobs/{job}/result")
    assert (result.status, result.json()) == (200, ANSWER)
    assert result.headers["x-request-id"] == "req_1"
    assert result.headers["content-type"] == "application/json"
    assert result.headers["x-tidegate-job"] == job


async def test_a_wait_for_the_answer(stand: Stand) -> None:
    """Who waits is answered when it ends, and as it stands when the wait is over."""
    job = await stand.made()
    assert (await stand.ask("GET", f"/v1/jobs/{job}/result?wait=0")).status == 202
    visit = stand.visit("GET", f"/v1/jobs/{job}/result?wait=60")
    stand.finish(await stand.leased())
    assert (await visit.reply()).json() == ANSWER
    assert len(stand.watch) == 0


async def test_its_refusal_is_its_answer(stand: Stand) -> None:
    """What the gate refused is handed out as it was refused."""
    job = await stand.made()
    error = {"error": {"message": "no such model"}}
    stand.finish(stand.lease(), 404, error, state=FAILED, reason="model_not_found: no such model")
    result = await stand.ask("GET", f"/v1/jobs/{job}/result")
    assert (result.status, result.json()) == (404, error)


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [(DEAD, "crashes: 3 runners died", "crashes: 3 runners died"), (CANCELLED, "", "cancelled")],
)
async def test_no_answer(stand: Stand, state: str, reason: str, told: str) -> None:
    """Where there never will be one, that is said, with the reason."""
    job = await stand.made()
    stand.finish(stand.lease(), 0, state=state, reason=reason)
    result = await stand.ask("GET", f"/v1/jobs/{job}/result")
    assert result.status == 410
    assert told in result.error["message"]


async def test_events(stand: Stand) -> None:
    """One event for each change, until the end; then the stream ends."""
    job = await stand.made()
    visit = stand.visit("GET", f"/v1/jobs/{job}/events")
    await visit.said(b"event: queued")
    lease = stand.lease()
    stand.watch.poke([job])
    await visit.said(b"event: running")
    stand.finish(lease)
    events = (await visit.reply()).events()
    assert [name for name, _ in events] == ["queued", "running", "done"]
    assert all(data["id"] == job for _, data in events)
    assert visit.messages[-1]["more_body"] is False


async def test_events_without_hints(stand: Stand) -> None:
    """A change that nobody tells of is seen all the same."""
    job = await stand.made()
    visit = stand.visit("GET", f"/v1/jobs/{job}/events")
    await visit.said(b"event: queued")
    stand.desk.rows.cancel(job, None, stand.clock.wall())
    assert [name for name, _ in (await visit.reply()).events()] == ["queued", "cancelled"]


async def test_events_to_who_leaves(stand: Stand) -> None:
    """A client that has left is not waited for."""
    job = await stand.made()
    visit = stand.visit("GET", f"/v1/jobs/{job}/events")
    await visit.said(b"event: queued")
    visit.leave()
    await visit.over()
    assert len(stand.watch) == 0


async def test_events_heartbeat(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing changes a comment is said."""
    monkeypatch.setattr("tidegate.jobs.desk.progress.BEAT_US", 1_000)
    job = await stand.made()
    visit = stand.visit("GET", f"/v1/jobs/{job}/events")
    await visit.said(b": waiting\n\n: waiting\n\n")
    visit.leave()
    await visit.over()


async def test_cancel(stand: Stand) -> None:
    """A waiting one at once, a running one when its runner hears of it, an ended one not at all."""
    waits, runs, done = await stand.made(priority=-5), await stand.made(priority=1), await stand.made(priority=2)
    stand.finish(stand.lease())
    stand.lease()
    told = (await stand.ask("DELETE", f"/v1/jobs/{waits}")).json()
    assert (told["state"], told["cancelling"]) == ("cancelled", False)
    told = (await stand.ask("POST", f"/v1/jobs/{runs}/cancel")).json()
    assert (told["state"], told["cancelling"]) == ("running", True)
    assert stand.hints.told == [waits, runs]
    reply = await stand.ask("POST", f"/v1/jobs/{done}/cancel")
    assert reply.status == 409
    assert reply.headers["x-should-retry"] == "false"
    assert "ended already (done)" in reply.error["message"]
    assert (await stand.ask("DELETE", f"/v1/jobs/{waits}")).status == 200


async def test_list(stand: Stand) -> None:
    """The newest first, a page at a time, by state, model, tag."""
    jobs = [await stand.made(tags=[f"t{number % 2}"]) for number in range(5)]
    page = (await stand.ask("GET", "/v1/jobs?limit=2")).json()
    assert [one["id"] for one in page["data"]] == [jobs[4], jobs[3]]
    assert (page["has_more"], page["last_id"]) == (True, jobs[3])
    rest = (await stand.ask("GET", f"/v1/jobs?limit=3&after={jobs[3]}")).json()
    assert [one["id"] for one in rest["data"]] == [jobs[2], jobs[1], jobs[0]]
    assert rest["has_more"] is False
    tagged = (await stand.ask("GET", "/v1/jobs?tag=t1")).json()
    assert [one["id"] for one in tagged["data"]] == [jobs[3], jobs[1]]
    stand.finish(stand.lease())
    done = (await stand.ask("GET", "/v1/jobs?state=done,failed")).json()
    assert [one["id"] for one in done["data"]] == [jobs[0]]
    assert (await stand.ask("GET", "/v1/jobs?model=other")).json()["data"] == []


async def test_whose(stand: Stand) -> None:
    """A job is seen by its namespace, else by its key alone; others are told that there is none."""
    shared, own = await stand.made(ALICE), await stand.made(BOB)
    friend, stranger = Requester("carol", "team"), Requester("bob", "elsewhere")
    assert (await stand.ask("GET", f"/v1/jobs/{shared}", caller=friend)).status == 200
    for job in (shared, own):
        for method, path in (
            ("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/result"), ("GET", "/events"),
            ("GET", "/deliveries"),
        ):  # fmt: skip
            reply = await stand.ask(method, f"/v1/jobs/{job}{path}", caller=stranger)
            assert reply.status == 404, path
    assert (await stand.ask("GET", "/v1/jobs", caller=stranger)).json()["data"] == []
    assert [one["id"] for one in (await stand.ask("GET", "/v1/jobs", caller=BOB)).json()["data"]] == [own]


async def test_nobody_says_who_asks(stand: Stand) -> None:
    """Such a request is refused, and so is one whose header nobody wrote."""
    assert (await stand.ask("GET", "/v1/jobs", caller=None)).status == 401
    for told in ("", "!", "e30x", "bnVsbA", "eyJjbGllbnQiOjF9"):
        assert (await stand.ask("GET", "/v1/jobs", caller=None, x_tidegate_caller=told)).status == 401


async def test_a_key_may_call_certain_models(stand: Stand) -> None:
    """A job for another one is refused at once."""
    few = Requester("alice", "team", models=("x", "m-*"))
    reply = await stand.ask("POST", "/v1/jobs", {"path": CHAT, "body": ASK}, few)
    assert (reply.status, reply.error["param"]) == (403, "model")
    assert (await stand.ask("POST", "/v1/jobs", {"path": CHAT, "body": ASK | {"model": "m-1"}}, few)).status == 202


async def test_a_key_is_used_once(stand: Stand) -> None:
    """The same request under it is the same job; another one is refused."""
    ask = {"path": CHAT, "body": ASK}
    first = await stand.ask("POST", "/v1/jobs", ask, idempotency_key="k")
    again = await stand.ask("POST", "/v1/jobs", ask, idempotency_key="k")
    assert (again.status, again.json()["id"]) == (200, first.json()["id"])
    assert again.headers["idempotent-replayed"] == "true"
    other = await stand.ask("POST", "/v1/jobs", ask | {"priority": 1}, idempotency_key="k")
    assert (other.status, other.error["code"]) == (409, "idempotency_key_reused")
    mine = await stand.ask("POST", "/v1/jobs", ask, BOB, idempotency_key="k")
    assert mine.json()["id"] != first.json()["id"]
    assert (await stand.ask("POST", "/v1/jobs", ask, idempotency_key="k" * 256)).status == 400


async def test_the_dialect_of_errors(stand: Stand) -> None:
    """Who says an Anthropic version is told in Anthropic's words."""
    openai = await stand.ask("GET", "/v1/jobs/none")
    assert openai.error["type"] == "invalid_request_error"
    anthropic = await stand.ask("GET", "/v1/jobs/none", anthropic_version="2023-06-01")
    assert anthropic.json() == {
        "type": "error",
        "error": {"type": "not_found_error", "message": anthropic.error["message"]},
    }


async def test_a_tenant_has_enough(place: Path) -> None:
    """Beyond `max_queued` a tenant is told to come again; others are not."""
    async with Stand(place, JobSettings(enabled=True, max_queued=1)).open() as stand:
        await stand.made()
        reply = await stand.ask("POST", "/v1/jobs", {"path": CHAT, "body": ASK})
        assert (reply.status, reply.headers["retry-after"], reply.headers["x-should-retry"]) == (429, "60", "true")
        await stand.made(BOB)


async def test_a_broker_that_is_away(place: Path) -> None:
    """Jobs wait for it in the rows, or are refused where the operator wants that."""
    async with Stand(place).open() as stand:
        stand.desk.down = lambda _: "no route"
        await stand.made()
        stand.desk.follow(Snapshot(1, (), jobs=JobSettings(on_backend_failure="refuse")))
        reply = await stand.ask("POST", "/v1/jobs", {"path": CHAT, "body": ASK})
        assert (reply.status, reply.headers["x-should-retry"]) == (503, "true")


async def test_a_database_that_is_not_open(place: Path) -> None:
    """Every request is refused for the moment, and served when it is open."""
    async with Stand(place).open(rows=False) as stand:
        for method, path in (("GET", "/v1/jobs"), ("GET", "/v1/jobs/a/result"), ("DELETE", "/v1/jobs/a")):
            reply = await stand.ask(method, path)
            assert (reply.status, reply.headers["retry-after"]) == (503, "2")
        assert (await stand.ask("POST", "/v1/jobs", {"path": CHAT, "body": ASK})).status == 503
        stand.open_rows()
        await stand.made()


async def test_who_comes_before_the_database_is_open(place: Path) -> None:
    """Waits for it, the first time."""
    async with Stand(place).open(rows=False) as stand:
        stand.desk.tried.clear()
        visit = stand.visit("GET", "/v1/jobs")
        await stand.desk.call(str)
        stand.open_rows()
        assert (await visit.reply()).status == 200


async def test_a_database_that_fails(stand: Stand) -> None:
    """503, and nothing of its words."""
    with stand.desk.rows.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE jobs RENAME TO elsewhere")
    reply = await stand.ask("GET", "/v1/jobs")
    assert reply.status == 503
    assert "elsewhere" not in reply.error["message"]
    assert "SELECT" not in reply.error["message"]


async def test_a_defect(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told as one, in general words; its own are for the log."""

    def fails(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(JobRows, "listed", fails)
    visit = stand.visit("GET", "/v1/jobs")
    with pytest.raises(RuntimeError):
        await visit.over()
    reply = Reply(visit.messages)
    assert (reply.status, reply.error["code"]) == (500, "internal_error")
    assert b"secret" not in reply.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/v1/jobs", 405),
        ("POST", "/v1/jobs/x", 405),
        ("GET", "/v1/jobs/", 404),
        ("GET", "/v1/jobs/x/", 404),
        ("GET", "/v1/nothing", 404),
        ("POST", CHAT, 404),
        ("GET", CHAT, 405),
    ],
)
async def test_other_paths(stand: Stand, method: str, path: str, status: int) -> None:
    """Are told to be none, or to want another method."""
    reply = await stand.ask(method, path, ASK)
    assert reply.status == status
    assert reply.error["message"]
    assert ("allow" in reply.headers) == (status == 405)
