"""OpenAI's Files and Batch API by the official SDK."""

import json
import stat

import httpx2
import openai
import pytest
from sqlalchemy import update

from tests.jobs.batches.stand import CHAT, Stand, echo, jsonl, line, read
from tidegate.jobs.batches.tables import BATCHES
from tidegate.jobs.hooks.claims import claim
from tidegate.jobs.records import Lease, Result
from tidegate.model.jobs import DEAD, FAILED, WebhookSettings
from tidegate.store.engine import writing

DAY_US = 86_400_000_000
BOTH = pytest.mark.parametrize("rows", ["sqlite", "postgresql"], indirect=True)


async def created(stand: Stand, data: bytes, **more: object) -> openai.types.Batch:
    client = stand.openai()
    file = await client.files.create(file=("in.jsonl", data), purpose="batch")
    return await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h", **more)  # type: ignore[arg-type]


@BOTH
async def test_a_batch_runs_from_upload_to_output(stand: Stand) -> None:
    """Lines come out in the input's order, each with its custom id, its status, its request id and its body."""
    client = stand.openai()
    batch = await created(stand, jsonl(*(line(f"l{i}", f"text {i}") for i in range(1_203))), metadata={"for": "tests"})
    assert batch.status == "validating"
    assert batch.metadata == {"for": "tests"}
    await stand.keep()
    running = await client.batches.retrieve(batch.id)
    assert running.status == "in_progress"
    assert running.request_counts is not None
    assert running.request_counts.total == 1_203
    stand.runner.all()
    await stand.keep()
    done = await client.batches.retrieve(batch.id)
    assert done.status == "completed"
    assert done.model == "m"
    assert done.error_file_id is None
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (1_203, 0)
    assert done.usage is not None
    assert done.usage.total_tokens == 1_203 * 5
    assert done.output_file_id is not None
    moments = [done.created_at, done.in_progress_at, done.finalizing_at, done.completed_at]
    assert moments == sorted(moment for moment in moments if moment)
    text = (await client.files.content(done.output_file_id)).content
    output = read(text)
    assert [one["custom_id"] for one in output] == [f"l{i}" for i in range(1_203)]
    assert all(one["response"]["status_code"] == 200 and one["error"] is None for one in output)
    assert output[7]["response"]["body"]["choices"][0]["message"]["content"] == "text 7"
    assert output[7]["response"]["request_id"].startswith("req_")
    assert len({one["id"] for one in output}) == 1_203
    assert len(stand.runner.ran) == 1_203
    held = await client.files.retrieve(done.output_file_id)
    assert (held.purpose, held.bytes) == ("batch_output", len(text))


@BOTH
async def test_bad_lines_are_told_with_their_number_while_the_rest_runs(stand: Stand) -> None:
    """Each kind of bad line is in the error file with its line, its reason, and its custom id where it has one."""
    data = jsonl(
        line("good"),
        b"{not json",
        {"method": "POST", "url": CHAT, "body": {}},
        line("good", "again"),
        line("get", method="GET"),
        line("other", url="/v1/embeddings"),
        line("list", body=[1]),
        b"",
        line("stream", body={"model": "m", "messages": [], "stream": True}),
        line("nothing", body={"model": "m"}),
        b'{"custom_id": "long", "body": "' + b"x" * 17_000_000 + b'"}',
        line("last"),
    )
    client = stand.openai()
    batch = await created(stand, data)
    await stand.through()
    done = await client.batches.retrieve(batch.id)
    assert done.status == "completed"
    assert done.request_counts is not None
    counts = done.request_counts
    assert (counts.total, counts.completed, counts.failed) == (11, 2, 9)
    assert done.output_file_id is not None
    assert done.error_file_id is not None
    output = read((await client.files.content(done.output_file_id)).content)
    assert [one["custom_id"] for one in output] == ["good", "last"]
    errors = read((await client.files.content(done.error_file_id)).content)
    told = [(one["error"]["line"], one["custom_id"], one["error"]["code"]) for one in errors]
    assert told == [
        (2, None, "invalid_json_line"),
        (3, None, "missing_required_parameter"),
        (4, "good", "duplicate_custom_id"),
        (5, "get", "invalid_method"),
        (6, "other", "invalid_url"),
        (7, "list", "invalid_request"),
        (9, "stream", "invalid_request"),
        (10, "nothing", "invalid_request"),
        (11, None, "line_too_long"),
    ]
    assert all(one["response"] is None for one in errors)


async def test_what_the_gate_refuses_is_in_the_error_file(stand: Stand) -> None:
    """A refusal with its status and body, a job that was given up with its reason."""

    def answer(lease: Lease) -> tuple[str, Result | None]:
        text = json.loads(lease.body)["messages"][0]["content"]
        if text == "refuse":
            return FAILED, Result(404, b"", b'{"error": {"message": "no\\nmodel"}}')
        return (DEAD, None) if text == "die" else echo(lease)

    client = stand.openai()
    batch = await created(stand, jsonl(line("a", "refuse"), line("b", "die"), line("c", "ok")))
    await stand.through(answer)
    done = await client.batches.retrieve(batch.id)
    assert done.error_file_id is not None
    errors = read((await client.files.content(done.error_file_id)).content)
    assert [one["custom_id"] for one in errors] == ["a", "b"]
    assert errors[0]["response"]["status_code"] == 404
    assert errors[0]["response"]["body"] == {"error": {"message": "no\nmodel"}}
    assert errors[1]["error"] == {"code": "request_failed", "message": "timeout: it took too long"}
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 2)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n \n", "empty_file"),
        (b"no json\n\xff\xfe\n", "invalid_json_line"),
        (jsonl(*(line(f"l{i}") for i in range(6))), "too_many_lines"),
    ],
)
@pytest.mark.parametrize("settings", [{"max_batch_lines": 5}])
async def test_a_file_that_can_be_no_batch_fails_with_errors(stand: Stand, data: bytes, code: str) -> None:
    """Empty, nothing readable, or too many lines: `failed`, `errors` says why, and nothing runs."""
    batch = await created(stand, data)
    await stand.keep()
    failed = await stand.openai().batches.retrieve(batch.id)
    assert failed.status == "failed"
    assert failed.failed_at
    assert failed.errors is not None
    assert failed.errors.data is not None
    assert failed.errors.data[0].code == code
    stand.runner.all()
    assert stand.runner.ran == []


@BOTH
async def test_cancel_keeps_what_was_done(stand: Stand) -> None:
    """What waits is cancelled, what runs is told to stop, and the output has what was answered before."""
    client = stand.openai()
    batch = await created(stand, jsonl(*(line(f"l{i}") for i in range(20))))
    await stand.keep()
    stand.runner.finish(stand.runner.claim(5))
    running = stand.runner.claim(2)
    cancelling = await client.batches.cancel(batch.id)
    assert cancelling.status == "cancelling"
    assert cancelling.cancelling_at
    await stand.keep()
    assert (await client.batches.retrieve(batch.id)).status == "cancelling"
    told = stand.rows.renew({lease.id: lease.fence for lease in running}, 1_000_000, stand.clock.wall())
    assert set(told.values()) == {"cancel"}
    stand.runner.finish(running[:1])
    stand.runner.finish(running[1:], lambda _: ("cancelled", None))
    await stand.keep()
    done = await client.batches.retrieve(batch.id)
    assert done.status == "cancelled"
    assert done.cancelled_at
    assert done.output_file_id is not None
    assert done.error_file_id is not None
    assert len(read((await client.files.content(done.output_file_id)).content)) == 6
    errors = read((await client.files.content(done.error_file_id)).content)
    assert [one["error"]["code"] for one in errors] == ["batch_cancelled"] * 14
    with pytest.raises(openai.ConflictError, match="Cannot cancel a batch with status 'cancelled'"):
        await client.batches.cancel(batch.id)


async def test_cancel_before_a_line_was_fed(stand: Stand) -> None:
    """All lines are told as cancelled; none runs."""
    client = stand.openai()
    batch = await created(stand, jsonl(*(line(f"l{i}") for i in range(700))))
    await client.batches.cancel(batch.id)
    await stand.through()
    done = await client.batches.retrieve(batch.id)
    assert done.status == "cancelled"
    assert done.request_counts is not None
    assert (done.request_counts.total, done.request_counts.failed) == (700, 700)
    assert stand.runner.ran == []


@pytest.mark.parametrize("settings", [{"max_queued": 7}])
async def test_a_tenant_that_may_not_have_more_jobs_gets_them_bit_by_bit(stand: Stand) -> None:
    """A batch that is larger than `max_queued` waits for room, and is done all the same."""
    client = stand.openai()
    batch = await created(stand, jsonl(*(line(f"l{i}") if i % 5 else b"bad" for i in range(40))))
    for _ in range(5):
        await stand.keep()
        leases = stand.runner.claim()
        assert len(leases) in {7, 4}
        stand.runner.finish(leases)
    await stand.keep()
    done = await client.batches.retrieve(batch.id)
    assert done.status == "completed"
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (32, 8)


async def test_a_folder_that_cannot_be_written_is_told(stand: Stand) -> None:
    """503 with the system's reason, and the gate's operator is named."""
    stand.files.parent.joinpath("files").write_text("no folder")
    with pytest.raises(openai.InternalServerError, match="cannot write its files") as refused:
        await stand.openai().files.create(file=("in.jsonl", b"{}"), purpose="batch")
    assert refused.value.status_code == 503


@BOTH
async def test_what_has_not_run_in_time_expires(stand: Stand) -> None:
    """24 h after its creation: answers that there are stay, the rest is `batch_expired`."""
    client = stand.openai()
    batch = await created(stand, jsonl(*(line(f"l{i}") for i in range(9))))
    await stand.keep()
    stand.runner.finish(stand.runner.claim(4))
    stand.clock.ahead = DAY_US
    stand.rows.reap(3, stand.clock.wall())
    await stand.keep()
    done = await client.batches.retrieve(batch.id)
    assert done.status == "expired"
    assert done.expired_at
    assert done.expires_at == done.created_at + 86_400
    assert done.error_file_id is not None
    errors = read((await client.files.content(done.error_file_id)).content)
    assert [(one["custom_id"], one["error"]["code"]) for one in errors] == [
        (f"l{i}", "batch_expired") for i in range(4, 9)
    ]


async def test_a_batch_whose_folder_is_gone_ends_all_the_same(stand: Stand) -> None:
    """Another gate leaves it alone until it should have expired long ago; then it tells what there is."""
    client = stand.openai()
    batch = await created(stand, jsonl(*(line(f"l{i}") for i in range(3))))
    unread = await created(stand, jsonl(line("a")))
    await stand.keep()
    with writing(stand.rows.engine) as connection:
        connection.execute(update(BATCHES).values(place="other"))
        connection.execute(update(BATCHES).where(BATCHES.c.id == unread.id).values(in_progress_us=0))
    stand.runner.finish(stand.runner.claim(1))
    stand.files.joinpath(unread.input_file_id).unlink()
    stand.clock.ahead = DAY_US
    await stand.keep()
    assert (await client.batches.retrieve(batch.id)).status == "in_progress"
    stand.clock.ahead = DAY_US + 3_700_000_000
    await stand.keep()
    done = await client.batches.retrieve(batch.id)
    assert done.status == "expired"
    assert done.output_file_id is not None
    assert len(read((await client.files.content(done.output_file_id)).content)) == 1
    failed = await client.batches.retrieve(unread.id)
    assert failed.status == "failed"
    assert failed.errors is not None
    assert failed.errors.data is not None
    assert failed.errors.data[0].code == "file_not_found"


@BOTH
async def test_nothing_of_it_stays_in_the_rows(stand: Stand) -> None:
    """Answers leave the rows once the files have them; a month later all of it is forgotten, files too."""
    client = stand.openai()
    batch = await created(stand, jsonl(line("a"), line("b", "x"), b"bad"))
    await stand.through()
    job = stand.runner.ran[0]
    assert stand.rows.result(job) is None
    assert stand.rows.find(job) is not None
    assert len(stand.left()) == 3
    stand.clock.ahead = 31 * DAY_US
    while stand.keeper.forget(stand.clock.wall()):
        pass
    assert stand.rows.find(job) is None
    assert stand.left() == set()
    with pytest.raises(openai.NotFoundError):
        await client.batches.retrieve(batch.id)


async def test_others_see_nothing(stand: Stand) -> None:
    """A namespace shares files and batches; another one, or another key without one, is told 404."""
    mine, other, alone = stand.openai("a", "n"), stand.openai("a", "o"), stand.openai("a")
    file = await mine.files.create(file=("in.jsonl", jsonl(line("a"))), purpose="batch")
    batch = await mine.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    assert (await stand.openai("b", "n").batches.retrieve(batch.id)).id == batch.id
    assert (await stand.openai("b", "n").files.retrieve(file.id)).id == file.id
    for client in (other, alone):
        for call in (client.batches.retrieve, client.batches.cancel):
            with pytest.raises(openai.NotFoundError):
                await call(batch.id)
        for ask in (client.files.retrieve, client.files.delete, client.files.content):
            with pytest.raises(openai.NotFoundError):
                await ask(file.id)
        assert (await client.batches.list()).data == []
        assert (await client.files.list()).data == []
        with pytest.raises(openai.BadRequestError, match="no such file"):
            await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")


@BOTH
async def test_lists_have_pages(stand: Stand) -> None:
    """The SDK goes through all of them, the newest first; files also the oldest first."""
    client = stand.openai()
    batches = [(await created(stand, jsonl(line("a")))).id for _ in range(5)]
    assert [one.id async for one in client.batches.list(limit=2)] == batches[::-1]
    newest = [one.id async for one in client.files.list(limit=2, purpose="batch")]
    assert newest == [one.id async for one in client.files.list(limit=2, order="asc")][::-1]
    assert len(newest) == 5


async def test_files_are_the_owners_alone_on_disk(stand: Stand) -> None:
    """0600, under the file's id, and gone when it is deleted; not while a batch still reads it."""
    client = stand.openai()
    file = await client.files.create(
        file=("in.jsonl", jsonl(line("a"))), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3_600}
    )
    assert file.expires_at == file.created_at + 3_600
    assert stat.S_IMODE((stand.files / file.id).stat().st_mode) == 0o600
    batch = await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    with pytest.raises(openai.ConflictError, match=batch.id):
        await client.files.delete(file.id)
    await stand.keep()
    assert (await client.files.delete(file.id)).deleted
    assert stand.left() == set()
    await stand.through()
    assert (await client.batches.retrieve(batch.id)).status == "completed"


@pytest.mark.parametrize("settings", [{"max_file_bytes": 2_000_000}])
async def test_a_file_that_is_too_large_leaves_nothing(stand: Stand) -> None:
    """413 in OpenAI's words, by its head and by its bytes; and nothing on disk."""
    client = stand.openai()
    with pytest.raises(openai.APIStatusError) as refused:
        await client.files.create(file=("in.jsonl", b"x" * 2_000_001), purpose="batch")
    assert refused.value.status_code == 413
    assert "jobs.max_file_bytes" in refused.value.message
    form = b'--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n' + b"x" * 3_000_000 + b"\r\n--b--"

    async def chunks():  # type: ignore[no-untyped-def]
        for start in range(0, len(form), 65_536):
            yield form[start : start + 65_536]

    head = stand.head("key") | {"content-type": "multipart/form-data; boundary=b"}
    async with httpx2.AsyncClient() as http:
        reply = await http.post(f"{stand.base}/v1/files", content=chunks(), headers=head)
    assert reply.status_code == 413
    assert reply.json()["error"]["param"] == "file"
    assert stand.left() == set()


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ({"purpose": "fine-tune"}, "keeps files for batches only"),
        ({}, "purpose"),
        ({"purpose": "batch", "expires_after[anchor]": "x", "expires_after[seconds]": "3600"}, "expires_after.anchor"),
        ({"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "9"}, "expires_after.s"),
    ],
)
async def test_uploads_that_are_refused(stand: Stand, data: dict[str, str], match: str) -> None:
    """The message names the field and the remedy, and nothing stays on disk."""
    async with httpx2.AsyncClient() as http:
        reply = await http.post(f"{stand.base}/v1/files", data=data, files={"file": b"{}"}, headers=stand.head("key"))
    assert reply.status_code == 400
    assert match in reply.json()["error"]["message"]
    assert stand.left() == set()


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"endpoint": "/v1/images/edits"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {str(i): "" for i in range(17)}}, "metadata"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "output_expires_after.seconds"),
        ({"input_file_id": "file-none"}, "input_file_id"),
        ({"webhook": "https://example.com"}, "webhook"),
        ({"wrong": 1}, "wrong"),
    ],
)
async def test_batches_that_are_refused(stand: Stand, more: dict[str, object], match: str) -> None:
    """The message names the field."""
    file = await stand.openai().files.create(file=("in.jsonl", jsonl(line("a"))), purpose="batch")
    asked = {"input_file_id": file.id, "endpoint": CHAT, "completion_window": "24h"} | more
    async with httpx2.AsyncClient() as http:
        reply = await http.post(f"{stand.base}/v1/batches", json=asked, headers=stand.head("key"))
    assert reply.status_code == 400
    assert match in reply.json()["error"]["message"]


async def test_progress_is_told_as_events(stand: Stand) -> None:
    """How it stands at once, then each change, until it has ended."""
    batch = await created(stand, jsonl(line("a"), line("b")))
    told: list[tuple[str, dict[str, int]]] = []
    async with (
        httpx2.AsyncClient() as http,
        http.stream("GET", f"{stand.base}/v1/batches/{batch.id}/events", headers=stand.head("key")) as reply,
    ):
        event = ""
        async for one in reply.aiter_lines():
            if one.startswith("event: "):
                event = one.removeprefix("event: ")
            elif one.startswith("data: "):
                told.append((event, json.loads(one.removeprefix("data: "))["request_counts"]))
                if len(told) == 1:
                    await stand.through()
    assert told == [
        ("batch.validating", {"total": 0, "completed": 0, "failed": 0}),
        ("batch.completed", {"total": 2, "completed": 2, "failed": 0}),
    ]


async def test_events_end_with_the_desk(stand: Stand) -> None:
    """Who watches is let go when the desk ends, and comes again."""
    batch = await created(stand, jsonl(line("a")))
    stand.over = True
    async with httpx2.AsyncClient() as http:
        reply = await http.get(f"{stand.base}/v1/batches/{batch.id}/events", headers=stand.head("key"))
    assert reply.text.startswith("event: batch.validating\n")


@pytest.mark.parametrize("settings", [{"webhooks": WebhookSettings(secret=b"s" * 32)}])
@pytest.mark.parametrize(("data", "kind"), [(jsonl(line("a")), "batch.completed"), (b"", "batch.failed")])
async def test_a_webhook_is_due_when_the_batch_has_ended(stand: Stand, data: bytes, kind: str) -> None:
    """Once, with the batch as the API tells it, and nothing of what was asked or answered."""
    batch = await created(stand, data, extra_body={"webhook": "https://example.com/told"})
    assert claim(stand.rows.engine, 10, 1, stand.clock.wall()) == []
    await stand.through()
    (hook,) = claim(stand.rows.engine, 10, 1, stand.clock.wall() + 1)
    assert (hook.about, hook.url) == (batch.id, "https://example.com/told")
    event = json.loads(hook.body)
    assert event["type"] == kind
    done = await stand.openai().batches.retrieve(batch.id)
    assert event["data"] == json.loads(done.model_dump_json(by_alias=True)) | {"status": kind.removeprefix("batch.")}
