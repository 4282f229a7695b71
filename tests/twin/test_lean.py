"""The lean way: the same limiter and ledger, one fixed answer, and everything else by the ordinary way."""

import asyncio
import json

import pytest

from tests.twin.http import Http, read

INSTANT = {"ttft_ms": 0, "tpot_ms": 0}


@pytest.fixture
async def lean(twins, clients) -> Http:
    """A client of a lean twin that admits three calls."""
    return clients(await twins(limits={"rpm": 3, "tpm": 1_000}, lean=True))


async def test_a_chat_is_answered_and_booked(lean, chat):
    """With usage, headers, charge and bill."""
    reply = await lean.chat(chat(max_tokens=50))
    assert reply.status == 200
    assert reply.json["choices"][0]["message"]["content"] == " t1 t2 t3 t4 t5 t6 t7 t8"
    assert reply.headers["x-ratelimit-remaining-tokens"] == "950"
    ledger = await lean.ledger()
    assert (ledger["calls"], ledger["served"], ledger["charged_tokens"]) == (1, 1, 50)
    assert ledger["billed_tokens"] == reply.json["usage"]["total_tokens"]


async def test_refusals_are_labelled_as_ever(lean, chat):
    """With a time to come back."""
    statuses = [(await lean.chat(chat())).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    ledger = await lean.ledger()
    assert (ledger["throttled"], ledger["avoidable"]) == (1, 1)


async def test_many_calls_on_one_connection_and_a_request_in_pieces(lean, chat):
    """Bytes may be cut anywhere."""
    body = chat()
    reader = await lean.open("POST", "/openai/v1/chat/completions", body)
    assert (await read(reader)).status == 200
    head = b"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: t\r\nAuthorization: Bearer sk-test\r\n"
    request = head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    for part in (request[:30], request[30 : len(head) + 25], request[len(head) + 25 :]):
        lean._writers[-1].write(part)
        await asyncio.sleep(0)
    assert (await read(reader)).status == 200


@pytest.mark.parametrize("fields", [{"stream": True}, {"n": 2}])
async def test_what_is_not_lean_is_answered_all_the_same(lean, chat, fields):
    """By the ordinary way on the same port."""
    reply = await lean.chat(chat(max_tokens=5, **fields))
    assert reply.status == 200
    assert b" t5" in reply.body or b"t5" in reply.body


async def test_a_fault_rule_ends_leanness(lean, chat):
    """Also on heads that were seen before."""
    await lean.chat(chat())
    await lean.control("POST", "/twin/faults", {"fault": "503"})
    assert (await lean.chat(chat())).status == 503


async def test_bad_requests_get_their_problem(lean, chat):
    """Unknown model, and no key."""
    assert (await lean.chat(chat(model="nobody"))).status == 404
    lean.key = ""
    reply = await lean.request("POST", "/openai/v1/chat/completions", chat(), authorization="")
    assert reply.status == 401


async def test_answers_take_the_time_to_the_first_token(twins, clients, chat):
    """All the same time, so they come in order."""
    http = clients(await twins(lean=True, timing={"ttft_ms": 30, "tpot_ms": 0}))
    replies = await asyncio.gather(*(http.chat(chat(max_tokens=tokens)) for tokens in (1, 2, 3)))
    assert {reply.status for reply in replies} == {200}
    assert json.loads(replies[0].body)["model"] == "gpt-4o"
