"""Faults on command, as a client sees them."""

import asyncio
import json
from email.utils import parsedate_to_datetime

import pytest


async def faulty(http, **rule):
    rules = await http.control("POST", "/twin/faults", [rule])
    assert "error" not in rules, rules


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"fault": "429"}, 429, "rate_limit_exceeded"),
        ({"fault": "insufficient_quota"}, 429, "insufficient_quota"),
        ({"fault": "500"}, 500, None),
        ({"fault": "503"}, 503, None),
        ({"fault": "slow_down"}, 503, "slow_down"),
        ({"fault": "529"}, 529, None),
        ({"fault": "status", "status": 418, "code": "teapot"}, 418, "teapot"),
    ],
)
async def test_errors_on_command(http, chat, rule, status, code):
    """Each once, uncharged, unavoidable, with the rate-limit headers of every reply; then all is as before."""
    await faulty(http, count=1, **rule)
    reply = await http.chat(chat(max_tokens=50))
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert reply.headers["x-ratelimit-remaining-tokens"] == "150000"
    ledger = await http.ledger()
    assert (ledger["charged_tokens"], ledger["billed_tokens"], ledger["served"]) == (0, 0, 0)
    assert (ledger["throttled"], ledger["avoidable"]) == (int(status == 429), 0)
    assert (await http.calls())[-1]["charged_tokens"] == 0
    assert (await http.chat(chat(max_tokens=50))).status == 200
    assert (await http.control("GET", "/twin/faults"))["rules"][0]["hits"] == 1


async def test_a_fault_may_charge(http, chat):
    """The provider took the tokens and failed all the same; nothing is billed."""
    await faulty(http, fault="500", charged=True)
    assert (await http.chat(chat(max_tokens=50))).status == 500
    ledger = await http.ledger()
    assert (ledger["charged_tokens"], ledger["billed_tokens"]) == (50, 0)


@pytest.mark.parametrize(
    ("rule", "sent"),
    [
        ({}, {}),
        ({"retry_after": "20"}, {"retry-after": "20"}),
        ({"retry_after": 1.5, "retry_after_ms": 1_500}, {"retry-after": "1.5", "retry-after-ms": "1500"}),
        ({"retry_after": "6m0s"}, {"retry-after": "6m0s"}),
        ({"retry_after": "-1"}, {"retry-after": "-1"}),
        ({"headers": {"x-should-retry": "false"}}, {"x-should-retry": "false"}),
    ],
)
async def test_every_form_of_retry_after(http, chat, rule, sent):
    """Verbatim, and nothing that was not asked for."""
    await faulty(http, fault="429", **rule)
    reply = await http.chat(chat())
    names = ("retry-after", "retry-after-ms", "x-should-retry")
    assert {name: reply.headers[name] for name in names if name in reply.headers} == sent


async def test_an_http_date(http, chat):
    """So many seconds after the reply's own date."""
    await faulty(http, fault="429", retry_after_date=30)
    reply = await http.chat(chat())
    dates = [parsedate_to_datetime(reply.headers[name]) for name in ("retry-after", "date")]
    assert 29 <= (dates[0] - dates[1]).total_seconds() <= 32


@pytest.mark.parametrize(("body", "sent"), [("plain text", b"plain text"), ({"a": [1]}, b'{"a":[1]}'), ("", b"")])
async def test_a_body_on_command(http, chat, body, sent):
    """Text as it is, anything else as JSON."""
    await faulty(http, fault="500", body=body)
    assert (await http.chat(chat())).body == sent


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("rule", "ended"),
    [
        ({"fault": "close"}, "IncompleteReadError"),
        ({"fault": "reset"}, "ConnectionResetError"),
        ({"fault": "close", "rst": True}, "ConnectionResetError"),
    ],
)
async def test_the_end_before_a_reply(http, chat, stream, rule, ended):
    """FIN or RST, without a byte, and uncharged."""
    await faulty(http, **rule)
    reply = await http.chat(chat(stream=stream))
    assert (reply.status, reply.ended) == (0, ended)
    assert (await http.ledger())["charged_tokens"] == 0


@pytest.mark.parametrize(("rst", "ended"), [(False, "eof"), (True, "ConnectionResetError")])
async def test_a_unary_reply_is_cut(http, chat, rst, ended):
    """After so many bytes of what `content-length` promised."""
    await faulty(http, fault="cut", after_bytes=100, rst=rst)
    reply = await http.chat(chat(max_tokens=50))
    assert (reply.status, len(reply.body), reply.ended) == (200, 100, ended)
    assert int(reply.headers["content-length"]) > 100
    call = (await http.calls())[-1]
    assert (call["end"], call["billed_tokens"]) == ("cut", 60)


@pytest.mark.parametrize(
    ("rule", "ended"),
    [
        ({"fault": "cut"}, "IncompleteReadError"),
        ({"fault": "cut", "rst": True}, "ConnectionResetError"),
        ({"fault": "reset"}, "ConnectionResetError"),
        ({"fault": "malformed_chunk"}, "ValueError"),
    ],
)
@pytest.mark.parametrize("after", [0, 1, 400])
async def test_a_stream_breaks_off(http, chat, rule, ended, after):
    """After exactly so many bytes, in its own way, charged and billed."""
    await faulty(http, after_bytes=after, **rule)
    reply = await http.chat(chat(max_tokens=50, stream=True))
    assert (reply.status, reply.ended, len(reply.body)) == (200, ended, after)
    ledger = await http.ledger()
    assert (ledger["charged_tokens"], ledger["billed_tokens"], ledger["served"]) == (50, 60, 1)
    assert (await http.calls())[-1]["end"] == "cut"


@pytest.mark.parametrize("fault", ["cut", "malformed_chunk"])
async def test_without_a_place_a_reply_breaks_off_at_once(http, chat, fault):
    """The head comes, nothing of the body does."""
    await faulty(http, fault=fault)
    reply = await http.chat(chat(max_tokens=50, stream=True))
    assert (reply.status, reply.body) == (200, b"")
    assert reply.ended in {"IncompleteReadError", "ValueError"}


async def test_a_cut_beyond_the_end_cuts_nothing(http, chat):
    """The reply is complete."""
    await faulty(http, fault="cut", after_bytes=10**6)
    for stream in (False, True):
        assert (await http.chat(chat(max_tokens=5, stream=stream))).ended in {"length", "chunks"}
        assert (await http.calls())[-1]["end"] == "complete"


async def test_a_malformed_event_in_a_stream(http, chat):
    """One line that is no JSON between good ones, which all come."""
    await faulty(http, fault="malformed_json", after_bytes=700)
    reply = await http.chat(chat(max_tokens=50, stream=True))
    broken = [event for event in reply.events if isinstance(event, str)]
    assert len(broken) == 2
    assert broken[1] == "[DONE]"
    good = [event for event in reply.events if not isinstance(event, str)]
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in good).split()[-1] == "t50"
    assert reply.ended == "chunks"


async def test_an_error_event_in_a_stream(http, chat):
    """It is the last one; the transfer ends well."""
    await faulty(http, fault="error_event", after_bytes=700, message="Gone.", code="gone")
    reply = await http.chat(chat(max_tokens=50, stream=True))
    assert reply.events[-1] == {"error": {"message": "Gone.", "type": "server_error", "param": None, "code": "gone"}}
    assert reply.ended == "chunks"


async def test_an_error_event_as_the_first_one(http, chat):
    """Without `after_bytes` nothing comes before it."""
    await faulty(http, fault="error_event", message="Gone.", code="gone")
    reply = await http.chat(chat(max_tokens=50, stream=True))
    assert reply.events == [{"error": {"message": "Gone.", "type": "server_error", "param": None, "code": "gone"}}]
    assert (reply.status, reply.ended) == (200, "chunks")


async def test_a_malformed_unary_body(http, chat):
    """Complete by its framing, no JSON by its content."""
    await faulty(http, fault="malformed_json", after_bytes=100)
    reply = await http.chat(chat())
    assert (reply.status, reply.ended, len(reply.body)) == (200, "length", 100)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_stall_that_ends(http, chat, stream):
    """In the middle of the body or before it; nothing is lost."""
    for after in (None, 300):
        await faulty(http, fault="stall", ms=30, after_bytes=after)
        reply = await http.chat(chat(max_tokens=50, stream=stream))
        assert reply.ended in {"length", "chunks"}
        assert b" t50" in reply.body if not stream else b'" t50"' in reply.body
        call = (await http.calls())[-1]
        assert call["end"] == "complete"
        assert call["ended_us"] - call["arrived_us"] >= 30_000


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("after", [None, 100])
async def test_a_stall_for_ever(http, chat, stream, after):
    """Until the caller leaves, which is noticed."""
    await faulty(http, fault="stall", after_bytes=after)
    reader = await http.open("POST", "/openai/v1/chat/completions", chat(max_tokens=50, stream=stream))
    if after:
        await reader.readuntil(b"chatcmpl")
    else:
        while not await http.calls():
            pass
    assert (await http.calls())[-1]["end"] == "open"
    http.leave()
    while (await http.calls())[-1]["end"] != "aborted":
        pass


async def test_a_slow_first_byte(http, chat):
    """Later by so many milliseconds."""
    await faulty(http, fault="slow", ms=30)
    await http.chat(chat(stream=True))
    call = (await http.calls())[-1]
    assert call["first_byte_us"] - call["arrived_us"] >= 30_000


async def test_lies_in_headers(http, chat):
    """Set, or left out, on an otherwise good reply."""
    await faulty(http, fault="headers", headers={"x-ratelimit-remaining-tokens": "0", "x-request-id": ""})
    reply = await http.chat(chat())
    assert (reply.status, reply.headers["x-ratelimit-remaining-tokens"]) == (200, "0")
    assert "x-request-id" not in reply.headers


async def test_azures_zeros(http, chat):
    """A true 429 with a wait that is not true."""
    await faulty(http, fault="azure")
    await http.chat(chat(max_tokens=150_000))
    reply = await http.chat(chat(max_tokens=150_000))
    told = [reply.headers[name] for name in ("retry-after", "retry-after-ms", "x-ratelimit-reset-tokens")]
    assert (reply.status, told) == (429, ["1", "0", "0"])
    assert (await http.ledger())["avoidable"] == 1


async def test_a_fault_for_one_model_key_and_path(http, chat):
    """Nobody else is hit."""
    await faulty(http, fault="500", match={"model": "gpt-4o-mini", "key": "sk-test", "path": "/chat/completions"})
    assert (await http.chat(chat())).status == 200
    assert (await http.chat(chat(model="gpt-4o-mini"))).status == 500


async def test_faults_strike_what_is_only_forwarded(http):
    """By path."""
    await faulty(http, fault="503", match={"path": "/models"})
    assert (await http.request("GET", "/openai/v1/models")).status == 503
    await http.control("POST", "/twin/faults", [])
    assert (await http.request("GET", "/openai/v1/models")).status == 200


async def test_connections_are_refused_for_a_while(http, chat):
    """ECONNREFUSED, idle connections closed, running calls finished; then all is as before."""
    await faulty(http, fault="refuse", ms=50)
    await asyncio.sleep(0.005)
    with pytest.raises(ConnectionRefusedError):
        await http.chat(chat())
    while True:
        try:
            assert (await http.chat(chat())).status == 200
        except ConnectionRefusedError:
            await asyncio.sleep(0.005)
        else:
            break


async def test_embeddings_can_be_spoiled(twin, clients):
    """As any unary reply."""
    http = clients(twin)
    await faulty(http, fault="cut", after_bytes=10)
    body = json.dumps({"model": "text-embedding-3-small", "input": "a"}).encode()
    reply = await http.request("POST", "/openai/v1/embeddings", body)
    assert (len(reply.body), reply.ended) == (10, "eof")
