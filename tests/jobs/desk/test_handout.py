"""Answers on their way to clients who read slowly, or not at all."""

import asyncio
import json
import resource
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.types import Message

from tests.jobs.desk.stand import ALICE, ANSWER, ASK, BOB, CHAT, Stand, hold
from tidegate.jobs.desk import budget
from tidegate.jobs.desk.answers import PIECE
from tidegate.jobs.desk.budget import MOST, SHARE, Budget
from tidegate.jobs.desk.errors import Unavailable
from tidegate.jobs.desk.server import DeskServer
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.handed import written
from tidegate.model.jobs import CALLER_HEADER, HOLD_HEADER, SOCKET

MIB = 1_048_576
LONG = bytes(range(256)) * (3 * PIECE // 256) + b"end"


async def answered(stand: Stand, body: object = LONG, **fields: Any) -> str:
    """The id of a job with this answer."""
    job = await stand.made(**fields)
    stand.finish(stand.lease(), body=body)
    return job


def test_a_budget() -> None:
    """Full for one tenant, full for all; one answer of each is let in whatever its size, and all is given back."""
    held = Budget()
    with held.held("a", SHARE - 1), held.held("a", 1):
        with pytest.raises(Unavailable, match="on their way to you"), held.held("a", 1):
            pass
        with held.held("b", MOST - SHARE), pytest.raises(Unavailable, match="to clients"), held.held("c", 1):
            pass
    assert held.total == 0
    with held.held("a", 2 * MOST), pytest.raises(Unavailable), held.held("b", 1):
        pass
    assert held.total == 0


async def test_a_long_answer_comes_in_pieces(stand: Stand) -> None:
    """None longer than the limit, with its length told before; whole for who has it held."""
    job = await answered(stand)
    reply = await stand.ask("GET", f"/v1/jobs/{job}/result")
    assert reply.body == LONG
    assert max(map(len, reply.pieces)) == PIECE
    assert reply.headers["content-length"] == str(len(LONG))
    assert stand.desk.budget.total == 0
    visit = stand.visit("POST", CHAT, ASK, ALICE, **{HOLD_HEADER.decode(): hold()})
    stand.finish(await stand.leased(), body=LONG)
    assert max(map(len, (await visit.reply()).pieces)) == PIECE


async def test_a_long_answer_as_a_stream(stand: Stand) -> None:
    """Counts while it is told."""
    text = "long " * PIECE
    choice = ANSWER["choices"][0] | {"message": {"role": "assistant", "content": text}}  # type: ignore[index]
    visit = stand.visit("POST", CHAT, ASK | {"stream": True}, ALICE, **{HOLD_HEADER.decode(): hold()})
    stand.finish(await stand.leased(), body=ANSWER | {"choices": [choice]})
    events = [data for _, data in (await visit.reply()).events()][:-1]
    assert "".join(one["choices"][0]["delta"].get("content") or "" for one in events) == text
    assert stand.desk.budget.total == 0


async def test_too_many_on_their_way(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 that says when to come again; other tenants are served; a held call is told where its answer is."""
    monkeypatch.setattr(budget, "SHARE", 2 * PIECE)
    mine, other = await answered(stand), await answered(stand, caller=BOB)
    with stand.desk.budget.held("n:team", PIECE):
        reply = await stand.ask("GET", f"/v1/jobs/{mine}/result")
        assert (reply.status, reply.headers["retry-after"]) == (503, "2")
        assert (await stand.ask("GET", f"/v1/jobs/{other}/result", caller=BOB)).body == LONG
        for body, answer in ((ASK, LONG), (ASK | {"stream": True}, json.dumps(ANSWER).encode() + b" " * len(LONG))):
            visit = stand.visit("POST", CHAT, body, ALICE, **{HOLD_HEADER.decode(): hold()})
            lease = await stand.leased()
            stand.finish(lease, body=answer)
            reply = await visit.reply()
            assert (reply.status, reply.headers["x-should-retry"]) == (503, "false")
            assert reply.headers["location"] == f"/v1/jobs/{lease.id}"
            assert f"/v1/jobs/{lease.id}/result" in reply.error["message"]
    assert (await stand.ask("GET", f"/v1/jobs/{mine}/result")).status == 200


async def test_a_client_that_leaves_is_read_no_further(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it held is free."""
    job = await answered(stand)
    read: list[int] = []
    piece = JobRows.answer_piece

    def counted(rows: JobRows, number: int, start: int, most: int) -> bytes:
        read.append(start)
        visit.leave()
        return piece(rows, number, start, most)

    monkeypatch.setattr(JobRows, "answer_piece", counted)
    visit = stand.visit("GET", f"/v1/jobs/{job}/result")
    messages = await visit.over()
    assert read == [0]
    assert all(one.get("more_body", True) for one in messages)
    assert stand.desk.budget.total == 0


async def test_an_answer_that_is_gone_meanwhile(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut off, never ended as if it were whole; a database that is away for a moment is asked again."""
    monkeypatch.setattr("tidegate.jobs.desk.handout._AGAIN_US", 1)
    job = await answered(stand)
    piece = JobRows.answer_piece
    troubles = [OperationalError("", None, Exception())]

    def fails(rows: JobRows, number: int, start: int, most: int) -> bytes:
        if start and troubles:
            raise troubles.pop()
        return piece(rows, number, start, most)

    monkeypatch.setattr(JobRows, "answer_piece", fails)
    assert (await stand.ask("GET", f"/v1/jobs/{job}/result")).body == LONG
    monkeypatch.setattr(JobRows, "answer_piece", lambda *_: b"")
    messages: list[Message] = await stand.visit("GET", f"/v1/jobs/{job}/result").over()
    assert [one["type"] for one in messages] == ["http.response.start"]


async def test_readers_that_do_not_read(stand: Stand) -> None:
    """Forty of them, of a long answer, over the desk's own server: its memory grows by what the budget says."""
    job = await answered(stand, b"x" * (16 * MIB))
    ready = asyncio.Event()
    server = DeskServer(stand.app, stand.place / SOCKET, ready.set)
    serving = asyncio.get_running_loop().create_task(server.serve())
    await ready.wait()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    writers = [await asking(stand.place, job) for _ in range(40)]
    async with asyncio.timeout(20):
        while len(server.server_state.tasks) < 30 or stand.desk.budget.total < 30 * 2 * PIECE:
            await stand.clock.sleep(10_000)
    assert stand.desk.budget.total <= SHARE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    for writer in writers:
        writer.close()
    server.should_exit = True
    await serving
    assert stand.desk.budget.total == 0


async def asking(place: Path, job: str) -> asyncio.StreamWriter:
    """Asks for this answer, and reads nothing."""
    reader, writer = await asyncio.open_unix_connection(str(place / SOCKET), limit=1)
    writer.write(b"GET /v1/jobs/%b/result HTTP/1.1\r\nhost: d\r\n" % job.encode())
    writer.write(b"%b: %b\r\n\r\n" % (CALLER_HEADER, written(ALICE)))
    del reader
    return writer
