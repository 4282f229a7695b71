"""A twin over real HTTP: admission, books, keys, control endpoints, pass-through."""

import asyncio
import hashlib
import json

import pytest

from tests.twin.http import read
from tidegate.twin.app import Twin

SLOW = {"timing": {"ttft_ms": 0, "tpot_ms": 5}}


async def ended(http):
    """The last call, once it has ended."""
    while (call := (await http.calls())[-1])["end"] == "open":
        pass
    return call


async def test_the_charge_is_the_larger_of_prompt_and_maximum(http, chat):
    """Documented: max(prompt, max_tokens · n); the bill is what was used."""
    await http.chat(chat(max_tokens=4, n=2))
    await http.chat(chat(max_tokens=50, n=2))
    ledger = await http.ledger()
    assert (ledger["charged_tokens"], ledger["billed_tokens"]) == (10 + 100, 18 + 110)


@pytest.mark.parametrize(("rule", "charged"), [("max", 50), ("sum", 60), ("prompt", 10)])
async def test_other_charge_rules(twins, chat, rule, charged, clients):
    """By the rule of the file."""
    http = clients(await twins(rules={"charge": rule}))
    await http.chat(chat(max_tokens=50))
    assert (await http.ledger())["charged_tokens"] == charged


async def test_settling_returns_what_was_not_used(twins, chat, clients):
    """With `settles` the charge ends as the usage."""
    http = clients(await twins(rules={"settles": True}, timing={"ttft_ms": 0, "tpot_ms": 0, "exact_up_to": 0}))
    await http.chat(chat(max_tokens=100_000))
    ledger = await http.ledger()
    assert ledger["charged_tokens"] == ledger["billed_tokens"] == (await http.calls())[-1]["charged_tokens"] < 50_000
    again = await http.chat(chat(max_tokens=100_000))
    assert again.status == 200


async def test_the_ledger_by_model_and_key(http, chat):
    """Served, throttled and avoidable on every level, and tokens by second."""
    for key in ("sk-a", "sk-b"):
        http.key = key
        await http.chat(chat(max_tokens=100_000))
        assert (await http.chat(chat(max_tokens=100_000))).status == 429
    ledger = await http.ledger()
    sums = {"calls": 4, "served": 2, "throttled": 2, "avoidable": 2, "charged_tokens": 200_000, "billed_tokens": 0}
    assert ledger["billed_tokens"] > 0
    for row in (ledger, ledger["by_model"]["gpt-4o"]):
        assert {name: row[name] for name in sums} | {"billed_tokens": 0} == sums
    one = ledger["by_key"]["sk-a"]["gpt-4o"]
    assert (one["calls"], one["served"], one["throttled"], one["avoidable"]) == (2, 1, 1, 1)
    assert (one["limit_rpm"], one["limit_tpm"]) == (3_000, 150_000)
    assert sum(one["per_second"]) == 100_000
    assert len(one["per_second"]) == len(ledger["by_model"]["gpt-4o"]["per_second"])
    bare = await http.control("GET", "/twin/ledger?by_key=0&per_second=0")
    assert bare["by_key"] == {}
    assert "per_second" not in bare["by_model"]["gpt-4o"]


async def test_keys_of_one_organisation_share_its_quota(twins, chat, clients):
    """And the header tells which organisation that is."""
    twin = await twins(organisations=[{"name": "org-acme", "keys": ["sk-a", "sk-b"]}], unknown_keys="refuse")
    a, b, x = (clients(twin, key) for key in ("sk-a", "sk-b", "sk-stranger-key"))
    reply = await a.chat(chat(max_tokens=100_000))
    assert reply.headers["openai-organization"] == "org-acme"
    assert (await b.chat(chat(max_tokens=100_000))).status == 429
    refused = await x.chat(chat())
    assert (refused.status, refused.json["error"]["code"]) == (401, "invalid_api_key")
    assert "stranger" not in refused.json["error"]["message"]


async def test_a_call_without_a_key(http, chat):
    """401, in the totals, in no model."""
    reply = await http.request("POST", "/openai/v1/chat/completions", chat(), authorization="")
    assert (reply.status, reply.json["error"]["type"]) == (401, "invalid_request_error")
    ledger = await http.ledger()
    assert (ledger["calls"], ledger["by_model"]) == (1, {})


async def test_unary_answers_take_their_time(twins, chat, clients):
    """No earlier than the time to first token and all of the tokens."""
    http = clients(await twins(timing={"ttft_ms": 20, "tpot_ms": 2}))
    await http.chat(chat(max_tokens=10))
    call = await ended(http)
    assert call["first_byte_us"] - call["arrived_us"] >= 40_000


async def test_streams_take_their_time(twins, chat, clients):
    """The first byte after the time to first token, the last after all of the others, every word once."""
    http = clients(await twins(timing={"ttft_ms": 20, "tpot_ms": 2, "chunk_ms": 3}))
    reply = await http.chat(chat(max_tokens=20, stream=True))
    texts = [event["choices"][0]["delta"].get("content") or "" for event in reply.events[:-1]]
    assert "".join(texts).split() == [f"t{number}" for number in range(1, 21)]
    assert len([text for text in texts if text]) > 2
    call = await ended(http)
    assert call["first_byte_us"] - call["arrived_us"] >= 20_000
    assert call["ended_us"] - call["arrived_us"] >= 58_000


async def test_many_streams_share_the_clock(twins, chat, clients):
    """Two hundred at once, each complete and in order, and none is counted as running afterwards."""
    twin = await twins(timing={"ttft_ms": 5, "tpot_ms": 1})
    http = clients(twin)
    replies = await asyncio.gather(*(http.chat(chat(max_tokens=50, stream=True)) for _ in range(200)))
    for reply in replies:
        assert reply.events[-1] == "[DONE]"
        text = "".join(event["choices"][0]["delta"].get("content") or "" for event in reply.events[:-1])
        assert text.split() == [f"t{number}" for number in range(1, 51)]
    assert twin.state.pace.streams == 0
    assert (await http.ledger())["billed_tokens"] == 200 * 60


@pytest.mark.parametrize("stream", [False, True])
async def test_a_caller_that_leaves_is_noticed_and_billed_for_what_was_made(twins, chat, stream, clients):
    """Prompt and the tokens generated until then; the record says when."""
    http = clients(await twins(**SLOW))
    reader = await http.open("POST", "/openai/v1/chat/completions", chat(max_tokens=10_000, stream=stream))
    if stream:
        await reader.readuntil(b" t3")
    else:
        while not (await http.calls()):
            pass
    http.leave()
    call = await ended(http)
    assert call["end"] == "aborted"
    assert call["ended_us"] >= call["arrived_us"]
    assert (3 if stream else 0) <= call["completion_tokens"] < 10_000
    ledger = await http.ledger()
    assert ledger["billed_tokens"] == call["billed_tokens"] == 10 + call["completion_tokens"]
    assert ledger["charged_tokens"] == 10_000
    assert ledger["served"] == int(stream)


async def test_a_slow_reader_loses_nothing_and_holds_nobody_up(twins, chat, clients):
    """Others are answered meanwhile; when it reads on, every word is there."""
    http = clients(await twins(timing={"ttft_ms": 0, "tpot_ms": 0.01, "chunk_ms": 0, "chunk_tokens": 1}))
    reader = await http.open("POST", "/openai/v1/chat/completions", chat(max_tokens=10_000, stream=True))
    reader._transport.pause_reading()
    assert (await http.chat(chat(max_tokens=1))).status == 200
    reader._transport.resume_reading()
    reply = await read(reader)
    assert reply.ended == "chunks"
    assert [body.rpartition('"')[2] for body in reply.body.decode().split('"},"logprobs"')][:-1] == [
        f" t{number}" for number in range(1, 10_001)
    ]


async def test_a_reset_starts_again(http, chat):
    """Empty books, full windows, no calls remembered."""
    await http.chat(chat(max_tokens=150_000))
    assert (await http.chat(chat(max_tokens=150_000))).status == 429
    assert await http.control("POST", "/twin/reset") == {"reset": True}
    assert await http.calls() == []
    ledger = await http.ledger()
    assert (ledger["calls"], ledger["by_model"], ledger["by_key"]) == (0, {}, {})
    assert (await http.chat(chat(max_tokens=150_000))).status == 200


async def test_limits_change_at_once_and_excuse_until_shown(http, chat):
    """The first 429 after a change is unavoidable and shows the new limit; the second is not."""
    assert (await http.control("POST", "/twin/limits", {"model": "gpt-4o", "tpm": 1_000}))["gpt-4o"]["tpm"] == 1_000
    first = await http.chat(chat(max_tokens=2_000))
    assert first.headers["x-ratelimit-limit-tokens"] == "1000"
    assert (await http.ledger())["avoidable"] == 0
    await http.chat(chat(max_tokens=2_000))
    ledger = await http.ledger()
    assert (ledger["throttled"], ledger["avoidable"]) == (2, 1)
    assert ledger["by_model"]["gpt-4o"]["limit_tpm"] == 1_000
    assert [(call["label"], call["charged_tokens"]) for call in await http.calls()] == [
        ("unseen limit", 0),
        ("avoidable", 0),
    ]


async def test_a_served_reply_shows_the_change_as_well(http, chat):
    """After it the excuse is over."""
    await http.chat(chat(max_tokens=1))
    await http.control("POST", "/twin/limits", {"tpm": 1_000})
    await http.chat(chat(max_tokens=500))
    assert (await http.chat(chat(max_tokens=900))).status == 429
    assert (await http.ledger())["avoidable"] == 1


async def test_a_limit_for_one_key(http, chat):
    """Nobody else's changes."""
    await http.control("POST", "/twin/limits", {"key": "sk-test", "rpm": 1})
    assert [(await http.chat(chat(max_tokens=1))).status for _ in range(2)] == [200, 429]
    http.key = "sk-other"
    assert [(await http.chat(chat(max_tokens=1))).status for _ in range(2)] == [200, 200]


async def test_others_use_is_not_blamed_on_the_caller(twins, chat, clients):
    """A ghost that takes everything: refused, unavoidable."""
    twin = await twins(rules={"ghost": "100%"}, limits={"rpm": 60_000, "tpm": 600_000})
    http = clients(twin)
    await http.chat(chat(max_tokens=599_999))
    meter = twin.state.directory.seat("sk-test", twin.state.directory.organisation("sk-test"), "gpt-4o", 0).meter
    meter._ghost_at -= 10_000_000  # ten seconds of others' use, and of refill, ago
    meter._shadow.refund(100_000, 0, twin.state.clock.now())
    assert (await http.chat(chat(max_tokens=50_000))).status == 429
    assert [call["label"] for call in await http.calls()] == ["", "ghost"]
    assert (await http.ledger())["avoidable"] == 0


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("/twin/limits", {}, "rpm, tpm"),
        ("/twin/limits", {"tpm": 0}, "tpm: 0 is not between"),
        ("/twin/limits", {"tpm": 10**12 + 1}, "tpm: 1000000000001 is not between"),
        ("/twin/limits", {"tpm": "many"}, "tpm"),
        ("/twin/limits", {"tpm": 1, "model": "gpt-9"}, "model: 'gpt-9'"),
        ("/twin/limits", {"tmp": 1}, "tmp"),
        ("/twin/limits", [1], "object"),
        ("/twin/faults", [{"fault": "explode"}], "[0].fault"),
        ("/twin/nothing", {}, "POST /twin/limits"),
    ],
)
async def test_control_errors_name_the_field(http, path, value, words):
    """In JSON."""
    reply = await http.request("POST", path, json.dumps(value).encode())
    assert reply.status == (404 if path == "/twin/nothing" else 400)
    assert words in reply.json["error"]["message"]


async def test_calls_show_what_was_sent(http, chat):
    """With `full` also headers and the body, unknown fields among them."""
    await http.chat(chat(invented=True, stream=True, stream_options={"include_usage": True}))
    (call,) = await http.control("GET", "/twin/calls?full=1&limit=5")
    assert json.loads(call["body"])["invented"] is True
    assert ["authorization", "Bearer sk-test"] in call["headers"]
    assert (call["stream"], call["include_usage"], call["prompt_tokens"]) == (True, True, 10)
    assert (await http.control("GET", "/twin/calls?limit=0")) == []
    assert "limit" in (await http.control("GET", "/twin/calls?limit=x"))["error"]["message"]


async def test_uploads_are_streamed(http):
    """Counted and hashed as they arrive, whatever their size."""
    body = bytes(range(256)) * 4_000
    reply = await http.request("POST", "/openai/v1/files", body)
    assert (reply.json["bytes"], reply.json["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


async def test_an_echo_returns_what_it_gets(http):
    """Byte for byte, with its type."""
    body = bytes(range(256)) * 2_000
    reply = await http.request("POST", "/openai/v1/echo", body, **{"content-type": "text/x-test"})
    assert reply.body == body
    assert reply.headers["content-type"] == "text/x-test"


async def test_downloads(http):
    """As many bytes as the name says."""
    reply = await http.request("GET", "/openai/v1/files/file-200001/content")
    assert len(reply.body) == 200_001
    assert reply.body[-1] == 200_000 % 256


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/openai/v1/nothing"),
        ("GET", "/openai/v1/chat/completions"),
        ("GET", "/openai/v1/files/other/content"),
        ("GET", "/openai/v1/models/gpt-9"),
        ("GET", "/else"),
    ],
)
async def test_unknown_urls(http, method, path):
    """404 in the dialect's form."""
    reply = await http.request(method, path)
    assert reply.status == 404
    assert reply.json["error"]["type"] == "invalid_request_error"


async def test_the_wires_errors_have_the_dialects_form(http):
    """What is no HTTP is refused with an OpenAI error body."""
    reader = await http.open("POST", "/openai/v1/chat/completions", **{"content-length": "x"})
    reply = await read(reader)
    assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request_error")


async def test_a_twin_knows_its_urls(twin: Twin):
    """The dialect's base URL and the control's origin."""
    assert twin.url == twin.origin + "/openai/v1"
    assert twin.origin.startswith("http://127.0.0.1:")


async def test_limits_of_output_can_be_changed(http):
    """At once, of one model; what Azure deploys has limits of its own."""
    await http.control("POST", "/twin/limits", {"model": "claude-sonnet", "otpm": 7})
    limits = await http.control("POST", "/twin/limits", {"model": "azure/gpt-4o", "tpm": 9})
    assert (limits["claude-sonnet"]["otpm"], limits["azure/gpt-4o"]["tpm"], limits["gpt-4o"]["tpm"]) == (7, 9, 150_000)
    body = json.dumps({"model": "claude-sonnet", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9})
    version = {"anthropic-version": "2023-06-01"}
    replies = [await http.request("POST", "/anthropic/v1/messages", body.encode(), **version) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 429]
    row = (await http.ledger())["by_model"]["claude-sonnet"]
    assert (row["limit_otpm"], row["charged_output_tokens"]) == (7, 9)


@pytest.mark.parametrize(
    ("path", "model"), [("/openai/v1/chat/completions", "gpt-4o"), ("/anthropic/v1/messages", "claude-3-haiku")]
)
async def test_a_model_may_bound_its_output(twins, clients, path, model):
    """A larger maximum is refused before anything is charged."""
    provider = "openai" if model == "gpt-4o" else "anthropic"
    http = clients(await twins(models=[{"name": model, "provider": provider, "most_output": 4}]))
    fields = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    for most, status in ((5, 400), (4, 200)):
        body = json.dumps(fields | {"max_tokens": most}).encode()
        reply = await http.request("POST", path, body, **{"anthropic-version": "2023-06-01"})
        assert reply.status == status
