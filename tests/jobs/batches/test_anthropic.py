"""Anthropic's Message Batches by the official SDK."""

import json
from typing import Any

import anthropic
import httpx2
import pytest
from sqlalchemy import update

from tests.jobs.batches.stand import Stand, ask, echo, jsonl, line
from tidegate.jobs.batches import book, spool
from tidegate.jobs.batches.records import ANTHROPIC, Batch
from tidegate.jobs.batches.tables import BATCHES
from tidegate.jobs.hooks.claims import claim
from tidegate.jobs.records import Lease, Owner, Result
from tidegate.model.jobs import FAILED, WebhookSettings
from tidegate.store.engine import writing

DAY_US = 86_400_000_000
BOTH = pytest.mark.parametrize("rows", ["sqlite", "postgresql"], indirect=True)


async def results(stand: Stand, batch: str) -> list[Any]:
    return [one async for one in await stand.anthropic().messages.batches.results(batch)]


async def test_a_batch_runs_from_requests_to_results(stand: Stand) -> None:
    """Results come in the requests' order, and counts as Anthropic tells them: all are processing until the end."""
    client = stand.anthropic()
    made = await client.messages.batches.create(requests=[ask(f"r{i}", f"text {i}") for i in range(1_100)])
    assert made.processing_status == "in_progress"
    assert made.request_counts.processing == 1_100
    assert made.results_url is None
    await stand.keep()
    stand.runner.finish(stand.runner.claim(10))
    running = await client.messages.batches.retrieve(made.id)
    assert (running.request_counts.processing, running.request_counts.succeeded) == (1_100, 0)
    await stand.through()
    done = await client.messages.batches.retrieve(made.id)
    assert done.processing_status == "ended"
    assert done.ended_at is not None
    assert (done.expires_at - done.created_at).total_seconds() == 86_400
    assert (done.request_counts.processing, done.request_counts.succeeded) == (0, 1_100)
    assert done.results_url == f"{stand.base}/v1/messages/batches/{made.id}/results"
    told = await results(stand, made.id)
    assert [one.custom_id for one in told] == [f"r{i}" for i in range(1_100)]
    assert {one.result.type for one in told} == {"succeeded"}
    assert told[42].result.message.content[0].text == "text 42"


async def test_what_was_asked_is_passed_on(stand: Stand) -> None:
    """The path is the API's, the body as it was given, and Anthropic's headers go with each call."""
    client = stand.anthropic()
    await client.messages.batches.create(requests=[ask("a", temperature=0.5)], extra_headers={"anthropic-beta": "x"})
    await stand.keep()
    (lease,) = stand.runner.claim()
    assert lease.path == "/v1/messages"
    assert json.loads(lease.body) == ask("a", temperature=0.5)["params"]
    assert lease.headers.startswith(b"anthropic-version: 20")
    assert b"anthropic-beta: x\r\n" in lease.headers


@BOTH
async def test_each_kind_of_result(stand: Stand) -> None:
    """Succeeded, errored by the provider and by the request itself, canceled."""
    refusal = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}

    def answer(lease: Lease) -> tuple[str, Result | None]:
        if b"refuse" in lease.body:
            return FAILED, Result(529, b"", json.dumps(refusal).encode())
        return echo(lease)

    client = stand.anthropic()
    wrong = {"custom_id": "wrong", "params": {"model": "m", "stream": True, "messages": [], "max_tokens": 1}}
    made = await client.messages.batches.create(requests=[ask("ok"), ask("no", "refuse"), wrong, ask("late")])  # type: ignore[list-item]
    await stand.keep()
    stand.runner.finish(stand.runner.claim(2), answer)
    canceling = await client.messages.batches.cancel(made.id)
    assert canceling.processing_status == "canceling"
    assert canceling.cancel_initiated_at is not None
    await stand.keep()
    told = {one.custom_id: one.result for one in await results(stand, made.id)}
    assert told["ok"].type == "succeeded"
    assert told["no"].type == "errored"
    assert told["no"].error.error.type == "overloaded_error"
    assert told["wrong"].type == "errored"
    assert told["wrong"].error.error.type == "invalid_request_error"
    assert told["late"].type == "canceled"
    counts = (await client.messages.batches.retrieve(made.id)).request_counts
    assert (counts.succeeded, counts.errored, counts.canceled, counts.processing) == (1, 2, 1, 0)


async def test_what_has_not_run_in_time_expires(stand: Stand) -> None:
    """24 h after its creation the rest is `expired`."""
    client = stand.anthropic()
    made = await client.messages.batches.create(requests=[ask("a"), ask("b")])
    await stand.keep()
    stand.runner.finish(stand.runner.claim(1))
    stand.clock.ahead = DAY_US
    await stand.keep()
    assert [one.result.type for one in await results(stand, made.id)] == ["succeeded", "expired"]
    done = await client.messages.batches.retrieve(made.id)
    assert (done.processing_status, done.request_counts.expired) == ("ended", 1)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ({"requests": [ask("a"), ask("a")]}, "requests.1.custom_id: 'a' stands twice"),
        ({"requests": [ask("a b")]}, "requests.0.custom_id"),
        ({"requests": [{"custom_id": "a"}]}, "requests.0.params"),
        ({"requests": [1]}, "requests.0.params"),
        ({"requests": []}, "at least one"),
        ({}, "at least one"),
        (
            {"priority": 3, "requests": [ask("a")]},
            "'priority' is not known here. Leave it out; known: requests, webhook",
        ),
        ({"requests": [ask("a")], "metadata": {"requests": 1}}, "'metadata' is not known here"),
        ({"requests": [ask("a")], "webhook": "https://example.com"}, "webhook"),
        ({"requests": [ask("a")], "webhook": {"url": "https://example.com"}}, "webhook: give a URL"),
        (b"{", "not valid JSON"),
        (b'{"requests": [{"custom_id": "\xff"}]}', "not valid JSON"),
    ],
)
async def test_bodies_that_are_refused(stand: Stand, body: Any, match: str) -> None:
    """400 in Anthropic's shape; the message names the request; and nothing stays on disk."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx2.AsyncClient() as http:
        reply = await http.post(f"{stand.base}/v1/messages/batches", content=content, headers=stand.head("key"))
    assert reply.status_code == 400
    told = reply.json()
    assert (told["type"], told["error"]["type"]) == ("error", "invalid_request_error")
    assert match in told["error"]["message"]
    assert stand.left() == set()


@pytest.mark.parametrize("settings", [{"max_batch_lines": 2}])
async def test_too_many_requests_are_413(stand: Stand) -> None:
    """Told in Anthropic's shape, and nothing stays on disk."""
    with pytest.raises(anthropic.APIStatusError, match="requests: a batch may have 2 requests") as refused:
        await stand.anthropic().messages.batches.create(requests=[ask("a"), ask("b"), ask("c")])
    assert refused.value.status_code == 413
    assert stand.left() == set()


async def test_a_request_that_is_too_large_is_refused_before_it_is_in_memory(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """413 as soon as it is known."""
    monkeypatch.setattr(spool, "LONGEST_LINE", 200_000)
    with pytest.raises(anthropic.APIStatusError, match="a request may have 200000 bytes") as refused:
        await stand.anthropic().messages.batches.create(requests=[ask("a"), ask("b", "x" * 1_000_000)])
    assert refused.value.status_code == 413
    assert stand.left() == set()


@pytest.mark.parametrize("settings", [{"webhooks": WebhookSettings(secret=b"s" * 32)}])
async def test_a_webhook_is_due_when_the_batch_has_ended(stand: Stand) -> None:
    """Once, with the batch as the API tells it; what was tried is told by its deliveries."""
    body = {"webhook": "https://example.com/told"}
    made = await stand.anthropic().messages.batches.create(requests=[ask("a")], extra_body=body)
    await stand.through()
    (hook,) = claim(stand.rows.engine, 10, 1, stand.clock.wall() + 1)
    assert (hook.about, hook.url) == (made.id, "https://example.com/told")
    event = json.loads(hook.body)
    assert (event["type"], event["data"]["processing_status"]) == ("batch.completed", "ended")
    async with httpx2.AsyncClient() as http:
        reply = await http.get(f"{stand.base}/v1/messages/batches/{made.id}/deliveries", headers=stand.head("key"))
    assert (reply.status_code, reply.json()["data"]) == (200, [])


async def test_a_deleted_namespace_leaves_nothing_to_the_next_of_its_name(stand: Stand) -> None:
    """Batches that are fed, that wait to be fed and that have ended; uploaded files, and those on disk in time."""
    client = stand.anthropic("acme-app", "acme")
    ended = await client.messages.batches.create(requests=[ask("a")])
    await stand.through()
    await client.messages.batches.create(requests=[ask("b")])
    await stand.keep()
    await client.messages.batches.create(requests=[ask("c")])
    files = stand.openai("acme-app", "acme").files
    await files.create(file=("in.jsonl", jsonl(line("d"))), purpose="batch")
    stand.rows.leave("acme", stand.clock.wall())
    assert (await client.messages.batches.list()).data == []
    assert (await files.list()).data == []
    with pytest.raises(anthropic.NotFoundError):
        await client.messages.batches.retrieve(ended.id)
    ran = len(stand.runner.ran)
    stand.clock.ahead = 1
    await stand.through()
    assert len(stand.runner.ran) == ran
    stand.clock.ahead = 40 * DAY_US
    while stand.keeper.forget(stand.clock.wall()):
        pass
    assert stand.left() == set()
    assert (await client.messages.batches.list()).data == []


async def test_the_results_url_says_how_the_gate_was_reached(stand: Stand) -> None:
    """Host and scheme of the client's own request, also through a proxy that speaks TLS."""
    made = await stand.anthropic().messages.batches.create(requests=[ask("a")])
    await stand.through()
    path = f"/v1/messages/batches/{made.id}"
    async with httpx2.AsyncClient() as http:
        for more, base in (
            ({}, stand.base),
            ({"host": "gate.example:8443", "x-forwarded-proto": "https"}, "https://gate.example:8443"),
            ({"host": "ga te"}, ""),
        ):
            reply = await http.get(stand.base + path, headers=stand.head("key") | more)
            assert reply.json()["results_url"] == f"{base}{path}/results"


async def test_lists_have_pages_both_ways(stand: Stand) -> None:
    """The SDK goes through all of them, the newest first; `before_id` has what is newer."""
    client = stand.anthropic()
    ids = [(await client.messages.batches.create(requests=[ask("a")])).id for _ in range(5)][::-1]
    assert [one.id async for one in client.messages.batches.list(limit=2)] == ids
    page = await client.messages.batches.list(limit=2, before_id=ids[3])
    assert [one.id for one in page.data] == ids[1:3]
    assert page.has_more
    page = await client.messages.batches.list(limit=2, before_id=ids[2])
    assert [one.id for one in page.data] == ids[:2]
    assert not page.has_more


@BOTH
async def test_delete_and_whose_they_are(stand: Stand) -> None:
    """Only what has ended is deleted, with its results; others are told 404; results that are not there too."""
    client, other = stand.anthropic(), stand.anthropic("other")
    made = await client.messages.batches.create(requests=[ask("a")])
    with pytest.raises(anthropic.ConflictError, match="has not ended"):
        await client.messages.batches.delete(made.id)
    with pytest.raises(anthropic.NotFoundError):
        await client.get(f"/v1/messages/batches/{made.id}/results", cast_to=object)
    for call in (other.messages.batches.retrieve, other.messages.batches.cancel, other.messages.batches.delete):
        with pytest.raises(anthropic.NotFoundError):
            await call(made.id)
    assert (await other.messages.batches.list()).data == []
    await stand.through()
    with pytest.raises(anthropic.ConflictError, match="has ended"):
        await client.messages.batches.cancel(made.id)
    assert (await client.messages.batches.delete(made.id)).id == made.id
    with pytest.raises(anthropic.NotFoundError):
        await client.messages.batches.retrieve(made.id)
    assert stand.left() == set()
    while stand.keeper.forget(stand.clock.wall()):
        pass
    assert stand.rows.find(stand.runner.ran[0]) is None


async def test_one_that_others_write_of_is_deleted(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answers leave the rows just then; and of two clients that delete it, the second is told that it is gone."""
    made = await stand.anthropic().messages.batches.create(requests=[ask("a")])
    await stand.through()
    find = book.BatchRepository.find

    def meanwhile(self: book.BatchRepository, name: str, kind: str, owner: Owner) -> Batch | None:
        found = find(self, name, kind, owner) or batch
        with writing(self.engine) as connection:
            connection.execute(update(BATCHES).values(version=BATCHES.c.version + 1))
        return found

    batch = find(book.BatchRepository(stand.rows.engine), made.id, ANTHROPIC, Owner(client="key"))
    monkeypatch.setattr(book.BatchRepository, "find", meanwhile)
    assert (await stand.anthropic().messages.batches.delete(made.id)).id == made.id
    with pytest.raises(anthropic.NotFoundError, match=f"No such message batch: '{made.id}'"):
        await stand.anthropic().messages.batches.delete(made.id)


async def test_its_files_are_nobody_elses(stand: Stand) -> None:
    """What a batch of Anthropic's keeps on disk is no file of the Files API, and its batch none of OpenAI's."""
    made = await stand.anthropic().messages.batches.create(requests=[ask("a")])
    await stand.through()
    client = stand.openai()
    assert (await client.files.list()).data == []
    assert (await client.batches.list()).data == []
    (name, *_) = stand.left()
    async with httpx2.AsyncClient() as http:
        for path in (f"files/{name}", f"files/{name}/content", f"batches/{made.id}"):
            assert (await http.get(f"{stand.base}/v1/{path}", headers=stand.head("key"))).status_code == 404
