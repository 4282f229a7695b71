"""Rules of other providers over HTTP: cached reads, hidden limits, events, and revoked keys."""

import json

TEXT = "All work and no play makes a long prompt. " * 120  # about 1,200 tokens


def turn(*texts: str, **fields: object) -> bytes:
    messages = [{"role": "user", "content": text} for text in texts]
    return json.dumps({"model": "gpt-4o", "messages": messages, "max_tokens": 1} | fields).encode()


async def test_cached_reads_are_free(twins, clients):
    """The second turn is charged for what is new; usage and ledger say how much was read."""
    http = clients(await twins(rules={"charge": "prompt", "cached_reads": "free"}))
    first = (await http.chat(turn(TEXT))).json["usage"]
    second = (await http.chat(turn(TEXT, "and one more line"))).json["usage"]
    read = second["prompt_tokens_details"]["cached_tokens"]
    ledger = await http.ledger()
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert 1_024 < read < first["prompt_tokens"] + 1
    assert ledger["charged_tokens"] == first["prompt_tokens"] + second["prompt_tokens"] - read
    assert ledger["cached_tokens"] == read


async def test_cached_reads_may_be_charged(twins, clients):
    """OpenAI's way: told, and charged all the same."""
    http = clients(await twins(rules={"charge": "prompt", "cached_reads": "charged"}))
    used = [(await http.chat(turn(TEXT))).json["usage"] for _ in range(2)]
    assert used[1]["prompt_tokens_details"]["cached_tokens"] > 1_024
    assert (await http.ledger())["charged_tokens"] == 2 * used[0]["prompt_tokens"]


async def test_a_refused_call_caches_nothing(twins, clients):
    """What was not admitted was not read either."""
    http = clients(await twins(limits={"rpm": 1}, rules={"charge": "prompt", "cached_reads": "free"}))
    await http.chat(turn("short"))
    assert (await http.chat(turn(TEXT))).status == 429
    await http.control("POST", "/twin/limits", {"rpm": 100})
    assert not http.twin.state.cache._expiry


async def test_organisations_cache_apart(twins, clients):
    """Another organisation's prompt helps nobody."""
    twin = await twins(rules={"cached_reads": "free"})
    await clients(twin, "sk-a").chat(turn(TEXT))
    reply = await clients(twin, "sk-b").chat(turn(TEXT))
    assert reply.json["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


async def test_hidden_limits(twins, clients):
    """No header tells of them, and a 429 names no time."""
    http = clients(await twins(limits={"rpm": 1}, rules={"hide_headers": True}))
    replies = [await http.chat(turn("a")) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 429]
    told = {name for reply in replies for name in reply.headers}
    assert not {name for name in told if name.startswith(("x-ratelimit", "retry-after"))}


async def test_hidden_limits_that_changed_are_known_after_a_refusal_only(twins, clients):
    """A 200 tells nothing of them, so the first 429 is not the caller's fault."""
    http = clients(await twins(limits={"rpm": 100}, rules={"hide_headers": True}))
    await http.control("POST", "/twin/limits", {"rpm": 1})
    for _ in range(3):
        await http.chat(turn("a"))
    ledger = await http.ledger()
    assert (ledger["served"], ledger["throttled"], ledger["avoidable"]) == (1, 2, 1)


async def test_events_tell_whose_call_passed(twins, clients):
    """In the order of the limiter, with refusals."""
    http = clients(await twins(limits={"rpm": 1}, events=10))
    await http.chat(turn("a", user="acme/1", max_tokens=17))
    await http.chat(turn("a", user="acme/2", max_tokens=19))
    page = await http.control("GET", "/twin/events")
    assert page["noted"] == 2
    assert [event[1:] for event in page["events"]] == [
        ["sk-test", "gpt-4o", "acme/1", 17, ""],
        ["sk-test", "gpt-4o", "acme/2", 19, "avoidable"],
    ]
    assert (await http.control("GET", "/twin/events?after=1"))["events"] == page["events"][1:]


async def test_events_must_be_asked_for(http):
    """Without `--events` there are none to tell."""
    reply = await http.request("GET", "/twin/events")
    assert reply.status == 400
    assert "--events" in reply.json["error"]["message"]


async def test_a_key_is_revoked_at_run_time(twin, clients):
    """It gets 401 from then on, the other key goes on."""
    good, bad = clients(twin, "sk-good"), clients(twin, "sk-bad")
    assert (await bad.chat(turn("a"))).status == 200
    await bad.control("POST", "/twin/faults", {"fault": "401", "match": {"key": "sk-bad"}})
    assert [(await client.chat(turn("a"))).status for client in (bad, good, bad)] == [401, 200, 401]
