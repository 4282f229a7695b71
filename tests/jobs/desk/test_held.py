"""Calls that run as jobs while their clients wait."""

import json
import threading

import pytest
from sqlalchemy.exc import OperationalError

from tests.jobs.desk.stand import ALICE, ANSWER, ASK, CHAT, Stand, Visit, hold
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.handed import Requester
from tidegate.model.jobs import CANCELLED, DEAD, FAILED, HOLD_HEADER

EMBEDDINGS = "/v1/embeddings"
MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"
STREAMED = ASK | {"stream": True}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def held(stand: Stand, body: object = ASK, path: str = CHAT, deadline_ms: int = 20_000, **headers: str) -> Visit:
    return stand.visit("POST", path, body, ALICE, **{HOLD_HEADER.decode(): hold(deadline_ms)}, **headers)


async def test_answered_as_if_made_at_once(stand: Stand) -> None:
    """The gate's status, head lines and body, and the job's id."""
    visit = held(stand)
    lease = await stand.leased()
    assert json.loads(lease.body) == ASK
    stand.finish(lease)
    reply = await visit.reply()
    assert (reply.status, reply.json()) == (200, ANSWER)
    assert reply.headers["x-request-id"] == "req_1"
    assert reply.headers["x-tidegate-job"] == lease.id
    assert "location" not in reply.headers


async def test_what_goes_with_the_job(stand: Stand) -> None:
    """Query and header lines of the call, but what is of its connection, its client's secrets, and the gate's own."""
    told = {
        "authorization": "Bearer s", "cookie": "c", "x-api-key": "k", "user-agent": "u", "openai-beta": "b",
        "x-tidegate-session": "s", "x-tidegate-job-ticket": "t", "x-tidegate-deadline-ms": "1", "prefer": "a",
        "content-type": "application/json", "connection": "x-mine", "x-mine": "1", "x-forwarded-for": "1.2.3.4",
    }  # fmt: skip
    visit = stand.visit("POST", CHAT + "?a=b", ASK, ALICE, **{HOLD_HEADER.decode(): hold()}, **told)
    lease = await stand.leased()
    assert lease.path == CHAT + "?a=b"
    assert lease.headers == b"user-agent: u\r\nopenai-beta: b\r\nx-tidegate-session: s\r\n"
    visit.leave()
    await visit.over()


async def test_a_refusal_is_told_as_it_came(stand: Stand) -> None:
    """Whatever status the gate gave."""
    visit = held(stand, STREAMED)
    error = {"error": {"message": "too long"}}
    stand.finish(await stand.leased(), 400, error, state=FAILED, reason="bad: too long")
    reply = await visit.reply()
    assert (reply.status, reply.json()) == (400, error)


@pytest.mark.parametrize(
    ("state", "reason", "status"),
    [
        (DEAD, "deadline: too late", 504),
        (DEAD, "crashes: 3 runners", 502),
        (FAILED, "odd: x", 502),
        (CANCELLED, "", 409),
    ],
)
async def test_without_an_answer(stand: Stand, state: str, reason: str, status: int) -> None:
    """In the dialect of the API, with the reason and the job; another try would not help."""
    visit = held(stand)
    lease = await stand.leased()
    stand.finish(lease, 0, state=state, reason=reason)
    reply = await visit.reply()
    assert reply.status == status
    assert reason in reply.error["message"]
    assert reply.headers["x-tidegate-job"] == lease.id
    assert reply.headers["x-should-retry"] == "false"


async def test_a_stream(stand: Stand) -> None:
    """The whole answer as its maker's own events; the job asks for a whole one."""
    visit = held(stand, STREAMED)
    lease = await stand.leased()
    assert json.loads(lease.body) == ASK
    stand.finish(lease)
    reply = await visit.reply()
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["x-request-id"] == "req_1"
    assert reply.headers["x-tidegate-job"] == lease.id
    events = [data for _, data in reply.events()]
    assert events[-1] == "[DONE]"
    assert "".join(one["choices"][0]["delta"].get("content") or "" for one in events[:-1]) == "Hello."
    assert not any(one.get("usage") for one in events[:-1])


async def test_a_stream_with_its_usage(stand: Stand) -> None:
    """Where it was asked for."""
    visit = held(stand, STREAMED | {"stream_options": {"include_usage": True}})
    stand.finish(await stand.leased())
    events = [data for _, data in (await visit.reply()).events()]
    assert events[-2]["usage"] == ANSWER["usage"]


async def test_a_stream_of_messages(stand: Stand) -> None:
    """In Anthropic's events."""
    body = {"model": "m", "max_tokens": 5, "stream": True, "messages": ASK["messages"]}
    visit = held(stand, body, MESSAGES)
    stand.finish(await stand.leased(), body=MESSAGE)
    names = [name for name, _ in (await visit.reply()).events()]
    assert (names[0], names[-1]) == ("message_start", "message_stop")


async def test_heartbeats(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a stream hears comments meanwhile, then the answer."""
    monkeypatch.setattr("tidegate.jobs.desk.held.BEAT_US", 1_000)
    visit = held(stand, STREAMED)
    await visit.said(b": waiting\n\n: waiting\n\n")
    stand.finish(await stand.leased())
    reply = await visit.reply()
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.events()[-1] == ("", "[DONE]")


async def test_an_error_in_a_stream_that_has_begun(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is its last event, in its maker's words."""
    monkeypatch.setattr("tidegate.jobs.desk.held.BEAT_US", 1_000)
    visit = held(stand, STREAMED)
    await visit.said(b": waiting")
    error = {"error": {"message": "too long", "type": "invalid_request_error"}}
    stand.finish(await stand.leased(), 400, error, state=FAILED)
    reply = await visit.reply()
    assert reply.status == 200
    assert reply.events()[-1] == ("", error)
    visit = held(stand, {"model": "m", "max_tokens": 5} | STREAMED, MESSAGES)
    await visit.said(b": waiting")
    stand.finish(await stand.leased(), 0, state=DEAD, reason="attempts: 5 have failed")
    name, data = (await visit.reply()).events()[-1]
    assert (name, data["error"]["type"]) == ("error", "api_error")
    assert "5 have failed" in data["error"]["message"]


async def test_an_answer_that_has_no_stream(stand: Stand) -> None:
    """Is told as an error that says where it is."""
    visit = held(stand, STREAMED)
    lease = await stand.leased()
    stand.finish(lease, body={"odd": True})
    reply = await visit.reply()
    assert reply.status == 502
    assert f"/v1/jobs/{lease.id}/result" in reply.error["message"]


async def test_embeddings_never_stream(stand: Stand) -> None:
    """Whatever their body says."""
    visit = held(stand, {"model": "m", "input": "a", "stream": True}, EMBEDDINGS)
    stand.finish(await stand.leased(), body={"data": []})
    assert (await visit.reply()).json() == {"data": []}


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_the_deadline_goes_first(stand: Stand, path: str) -> None:
    """504 that names the job and says that the same call should not be sent again; the job goes on."""
    body = ASK | {"max_tokens": 5}
    reply = await held(stand, body, path, deadline_ms=1).reply()
    job = reply.headers["x-tidegate-job"]
    assert (reply.status, reply.headers["x-should-retry"]) == (504, "false")
    assert reply.headers["location"] == f"/v1/jobs/{job}"
    assert job in reply.error["message"]
    if path == MESSAGES:
        assert reply.error["type"] == "timeout_error"
    stand.finish(await stand.leased())
    assert (await stand.ask("GET", f"/v1/jobs/{job}/result")).json() == ANSWER


async def test_the_client_goes_first(stand: Stand) -> None:
    """The job goes on, and nobody waits for it."""
    visit = held(stand)
    lease = await stand.leased()
    visit.leave()
    assert await visit.over() == []
    assert len(stand.watch) == 0
    stand.finish(lease)
    assert (await stand.ask("GET", f"/v1/jobs/{lease.id}/result")).status == 200


async def test_respond_async(stand: Stand) -> None:
    """202 at once, where it is, and that the preference was applied."""
    reply = await held(stand, prefer="respond-async").reply()
    job = reply.json()
    assert (reply.status, reply.headers["preference-applied"]) == (202, "respond-async")
    assert reply.headers["location"] == f"/v1/jobs/{job['id']}"
    assert reply.headers["x-tidegate-job"] == job["id"]
    assert job["state"] == "queued"


async def test_respond_async_after_a_while(stand: Stand) -> None:
    """`wait` is how long its client would wait: an answer that comes meanwhile is the reply."""
    visit = held(stand, prefer="respond-async, wait=20")
    stand.finish(await stand.leased())
    assert (await visit.reply()).json() == ANSWER
    late = await held(stand, STREAMED, deadline_ms=1, prefer="wait=1; x=y, respond-async").reply()
    assert (late.status, late.headers["preference-applied"]) == (202, "respond-async")


async def test_respond_async_hears_no_comments(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that has begun could not become a 202."""
    monkeypatch.setattr("tidegate.jobs.desk.held.BEAT_US", 1_000)
    reply = await held(stand, STREAMED, deadline_ms=30, prefer="respond-async, wait=9").reply()
    assert (reply.status, reply.json()["object"]) == (202, "job")


async def test_a_key_is_used_once(stand: Stand) -> None:
    """Who comes again under it waits for the same job, and is told so."""
    first = held(stand, idempotency_key="k")
    lease = await stand.leased()
    first.leave()
    await first.over()
    second = held(stand, idempotency_key="k")
    stand.finish(lease)
    reply = await second.reply()
    assert (reply.json(), reply.headers["idempotent-replayed"]) == (ANSWER, "true")
    assert reply.headers["x-tidegate-job"] == lease.id
    third = await held(stand, idempotency_key="k").reply()
    assert third.json() == ANSWER
    other = await held(stand, ASK | {"n": 2}, idempotency_key="k").reply()
    assert other.status == 409


async def test_a_tag_of_the_caller(stand: Stand) -> None:
    """Stands at the job, and goes with the call."""
    tagged = Requester("alice", "team", "", "a, b")
    visit = stand.visit("POST", CHAT, ASK, tagged, **{HOLD_HEADER.decode(): hold(1)}, x_tidegate_tag="b,a")
    job = (await visit.reply()).headers["x-tidegate-job"]
    assert (await stand.ask("GET", f"/v1/jobs/{job}")).json()["tags"] == ["a", "b"]
    assert stand.lease().headers == b"x-tidegate-tag: a, b\r\n"


@pytest.mark.parametrize("told", ["", "!", "e30", "bnVsbA", hold()[:-3]])
async def test_a_hold_that_nobody_wrote(stand: Stand, told: str) -> None:
    """Is refused."""
    assert (await stand.ask("POST", CHAT, ASK, **{HOLD_HEADER.decode(): told})).status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model":1}', b'{"model":"m"}', b"\xff"])
async def test_a_body_that_is_none(stand: Stand, body: bytes) -> None:
    """Is refused at once, as by the gate itself."""
    reply = await held(stand, body).reply()
    assert reply.status == 400
    assert await stand.desk.call(stand.desk.rows.depths) == []


async def test_a_body_that_is_too_long(stand: Stand) -> None:
    """Is not read to its end."""
    stand.desk.max_body_bytes = 100
    assert (await held(stand, b" " * 101).reply()).status == 413
    assert (await held(stand, b"", content_length="101").reply()).status == 413


async def test_the_deadline_does_not_wait_for_the_database(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told though the database hangs."""
    visit = held(stand, deadline_ms=300)
    await stand.leased()
    hangs = threading.Event()
    for name in ("find", "answer", "standing"):
        monkeypatch.setattr(JobRows, name, lambda *_: hangs.wait(30))
    assert (await visit.reply()).status == 504
    hangs.set()


async def test_an_answer_that_cannot_be_read(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 that names the job, when the deadline has come."""

    def fails(*_: object) -> None:
        raise OperationalError("", None, Exception())

    visit = held(stand, deadline_ms=2_500)
    lease = await stand.leased()
    monkeypatch.setattr(JobRows, "answer", fails)
    stand.finish(lease)
    reply = await visit.reply()
    assert (reply.status, reply.headers["x-tidegate-job"]) == (503, lease.id)
    assert f"/v1/jobs/{lease.id}/result" in reply.error["message"]
