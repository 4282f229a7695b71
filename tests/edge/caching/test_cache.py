"""Answers that are known, and answers that are being made."""

import json
from typing import Any

import pytest

from tests.edge.cached import CachedDoor
from tests.line.scenes import DONE, chunk, play_of, provider, refusal, spend, streaming, usage_chunk
from tidegate.model.snapshot import Caching, DegradeStep, Limits
from tidegate.policy.caching.purges import Selector
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer

OK = Reply(200, [], answer())
END = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
USER = [{"role": "user", "content": "What is a tide gate?"}]


@pytest.fixture
async def door() -> CachedDoor:
    return CachedDoor()


async def made(door: CachedDoor, reply: Reply = OK, **fields: Any) -> Any:
    """A call that reaches the provider, and its answer."""
    asked = door.chat(**fields)
    await settle()
    await door.play.provider("openai", reply)
    await settle()
    return asked


async def test_the_second_call_is_not_made(door: CachedDoor) -> None:
    """It gets the same answer at once, is told whose it is and how old, and is counted as a hit."""
    first = await made(door)
    assert first.wire.fields[b"x-tidegate-cache"] == b"miss"
    await door.play.clock.advance(5 * SECOND)
    second = door.chat()
    assert (second.wire.status, second.wire.body) == (200, first.wire.body)
    assert second.wire.fields[b"x-tidegate-cache"] == b"hit"
    assert second.wire.fields[b"age"] == b"5"
    source = second.wire.fields[b"x-tidegate-cache-source"]
    assert source == first.wire.fields[b"x-request-id"] + b"; exact"
    assert door.sent == len(door.records) == 1
    (hit,) = door.hits
    assert (hit.layer, hit.plan, hit.model, hit.age_us) == ("exact", "s", "openai/a", 5 * SECOND)
    assert (hit.prompt_tokens, hit.completion_tokens) == (
        door.records[0].prompt_tokens,
        door.records[0].completion_tokens,
    )
    assert door.notes == ["stored"]


async def test_what_is_asked_in_other_bytes_is_the_same(door: CachedDoor) -> None:
    """Order, space and the fields that change no answer are of no account; anything else is."""
    await made(door, messages=USER, temperature=0.5)
    body = json.dumps({"temperature": 0.5, "messages": USER, "user": "u", "model": "s"}, indent=1).encode()
    assert door.ask(body=body).wire.fields[b"x-tidegate-cache"] == b"hit"
    assert door.ask(body=body).wire.fields[b"x-tidegate-cache"] == b"hit"  # by its bytes alone
    door.chat(messages=USER, temperature=0.6)
    await settle()
    assert door.sent == 2


async def test_its_time_ends(door: CachedDoor) -> None:
    """Then the call is made anew."""
    await made(door)
    await door.play.clock.advance(61 * SECOND)
    door.chat()
    await settle()
    assert door.sent == 2


async def test_a_purge_is_heard(door: CachedDoor) -> None:
    """What was stored before it is not there any more, also for words that were asked before."""
    await made(door)
    assert door.chat().wire.status == 200
    door.purges.add(Selector("strategy", "s"), door.play.clock.wall())
    door.chat()
    await settle()
    assert door.sent == 2


def ended(reason: str) -> Reply:
    """An answer with a text that ended so."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": reason}
    return Reply(200, [], json.dumps({**json.loads(answer()), "choices": [choice]}).encode())


@pytest.mark.parametrize(
    ("reply", "word"),
    [(ended("length"), "length"), (ended("content_filter"), "filter"), (refusal(400, "bad"), "error")],
)
async def test_what_is_not_kept(door: CachedDoor, reply: Reply, word: str) -> None:
    """Errors and answers that were cut short or filtered, and the note says why."""
    await made(door, reply)
    door.chat()
    await settle()
    assert door.sent == 2
    assert door.notes[0] == f"unstored: {word}"


async def test_a_stateful_call_has_nothing_to_do_with_it(door: CachedDoor) -> None:
    """It is made each time, and says so."""
    first = await made(door, store=True)
    assert first.wire.fields[b"x-tidegate-cache"] == b"bypass"
    assert door.records[0].cache == "bypass: store"
    door.chat(store=True)
    await settle()
    assert door.sent == 2


async def test_tenants_do_not_see_each_other() -> None:
    """One key's answer is no other's, where keys share nothing."""
    door = CachedDoor(Caching(enabled=True, scope="key"), names={"k1": "one", "k2": "two"})
    await made(door, h_authorization=b"Bearer k1")
    assert door.chat(h_authorization=b"Bearer k1").wire.status == 200
    door.chat(h_authorization=b"Bearer k2")
    await settle()
    assert door.sent == 2


async def test_what_the_client_wants(door: CachedDoor) -> None:
    """Nothing of it, a new answer, only what is there, or nothing that is older than so."""
    none = door.chat(h_cache_control=b"only-if-cached")
    await settle()
    assert (none.wire.status, none.wire.error["code"]) == (504, "not_cached")
    await made(door)
    await door.play.clock.advance(10 * SECOND)
    assert door.chat(h_cache_control=b"only-if-cached").wire.status == 200
    for headers in (
        {"h_cache_control": b"max-age=5"},
        {"h_x_tidegate_cache": b"bypass"},
        {"h_x_tidegate_cache": b"refresh"},
    ):
        before = door.sent
        await made(door, **headers)
        assert door.sent == before + 1
    wrong = door.chat(h_x_tidegate_cache=b"sometimes")
    assert (wrong.wire.status, wrong.wire.error["param"]) == (400, "x-tidegate-cache")


async def test_what_a_hit_costs_its_tenant() -> None:
    """Nothing, or what the answer had cost, as the strategy says; the hit tells which."""
    for charge in ("nothing", "full"):
        door = CachedDoor(Caching(enabled=True, charge=charge))
        await made(door)
        door.chat()
        assert [hit.charged for hit in door.hits] == [charge == "full"]


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stream_is_kept_and_becomes_a_whole_answer(door: CachedDoor) -> None:
    """And the other way round; the usage is told to who asks for it."""
    asked = door.chat(stream=True)
    await settle()
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    for piece in (chunk("Hel"), chunk("lo"), END, usage_chunk(9, 2), DONE):
        stream.say(piece)
    await settle()
    assert asked.wire.ended
    again = door.chat(stream=True)
    assert again.wire.body == asked.wire.body
    whole = json.loads(door.chat().wire.body)
    assert whole["choices"][0]["message"]["content"] == "Hello"
    assert whole["usage"]["total_tokens"] == 11
    counted = door.chat(stream=True, stream_options={"include_usage": True}).wire.body
    assert b'"total_tokens":11' in counted.replace(b" ", b"")
    assert door.sent == 1


# ── single flight ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_equal_calls_are_one(door: CachedDoor) -> None:
    """A thousand of them; the provider sees one, all get its answer, also when the first client has left."""
    asked = [door.chat() for _ in range(1_000)]
    await settle()
    for one in [asked[0], *asked[10:500]]:
        one.leave()
    await settle()
    await door.play.provider("openai", OK)
    await settle()
    assert door.sent == 1
    assert {one.wire.body for one in asked[1:10] + asked[500:]} == {answer()}
    assert len({one.wire.fields[b"x-request-id"] for one in asked[500:]}) == 500
    assert sorted({record.status for record in door.records}) == [200, 499]
    assert len(door.records) == 491  # who followed and left has one, too
    assert {hit.layer for hit in door.hits} == {"joined"}
    assert len(door.hits) == 509


async def test_nobody_listens_any_more(door: CachedDoor) -> None:
    """Then the call ends with its last listener, and the next one is made anew."""
    asked = [door.chat() for _ in range(3)]
    await settle()
    for one in asked:
        one.leave()
    await settle()
    assert [record.status for record in door.records] == [499] * 3
    await made(door)
    assert door.sent == 2


async def test_a_refusal_is_its_leaders_own(door: CachedDoor) -> None:
    """Who followed asks anew: its limits and its deadline are others."""
    spend(door.play, 60_000)
    first, other = door.chat(max_tokens=5_000, h_x_tidegate_deadline_ms=b"1000"), door.chat(max_tokens=5_000)
    await settle()
    assert first.wire.status == 429
    assert not other.exchange.replied
    await door.play.clock.advance(30 * SECOND)
    await settle()
    await door.play.provider("openai", OK)
    await settle()
    assert other.wire.status == 200
    assert sorted(record.status for record in door.records) == [200, 429]


async def test_a_followers_deadline_is_its_own(door: CachedDoor) -> None:
    """It is told, and the answer is made for the others."""
    first = door.chat()
    await settle()
    hurried = door.chat(h_x_tidegate_deadline_ms=b"500")
    await door.play.clock.advance(SECOND)
    await settle()
    assert (hurried.wire.status, hurried.wire.error["code"]) == (504, "deadline_exceeded")
    await door.play.provider("openai", OK)
    await settle()
    assert first.wire.status == 200
    assert sorted(record.status for record in door.records) == [200, 504]


async def test_a_fault_of_the_request_is_everybodys(door: CachedDoor) -> None:
    """The provider is asked once."""
    asked = [door.chat() for _ in range(5)]
    await settle()
    await door.play.provider("openai", refusal(400, "bad"))
    await settle()
    assert {one.wire.status for one in asked} == {400}
    assert door.sent == 1
    assert [record.status for record in door.records] == [400] * 5


async def test_followers_hear_a_stream_from_its_beginning(door: CachedDoor) -> None:
    """While it runs; who asked for a whole answer gets one at its end."""
    asked = door.chat(stream=True)
    await settle()
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    stream.say(chunk("Hel"))
    await settle()
    beside, whole = door.chat(stream=True), door.chat()
    assert beside.wire.body == asked.wire.body != b""
    asked.leave()
    for piece in (chunk("lo"), END, DONE):
        stream.say(piece)
    await settle()
    assert json.loads(whole.wire.body)["choices"][0]["message"]["content"] == "Hello"
    assert beside.wire.ended
    assert door.sent == 1


# ── whose model, whose fault ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_fallbacks_answer_is_the_fallbacks() -> None:
    """It never stands for the primary's, and is found by who asks the fallback first."""
    caching = Caching(enabled=True)
    second = provider("other", {"b": Limits(3_000, 60_000)})
    play = play_of(provider(), second, primary_model="a", fallback_models=("b",), caching=caching)
    door = CachedDoor(play=play)
    asked = door.chat()
    await settle()
    await door.play.provider("openai", refusal(401))
    await settle()
    await door.play.provider("other", OK)
    await settle()
    assert asked.wire.fields[b"x-tidegate-target"] == b"other/main/b"
    assert door.notes == ["stored"]
    before = len(door.play.sent("openai")) + len(door.play.sent("other"))
    door.chat()
    await settle()
    assert len(door.play.sent("openai")) + len(door.play.sent("other")) == before + 1


@pytest.mark.parametrize("stale_us", [0, 600 * SECOND])
async def test_a_stale_answer_stands_in(stale_us: int) -> None:
    """For a provider that fails, as long as it may; it says so, and what was tried has its record."""
    door = CachedDoor(Caching(enabled=True, ttl_seconds=60, stale_us=stale_us))
    await made(door)
    await door.play.clock.advance(100 * SECOND)
    asked = door.chat()
    await settle()
    await door.play.provider("openai", refusal(401))
    await settle()
    if stale_us:
        assert asked.wire.status == 200
        assert asked.wire.fields[b"x-tidegate-cache"] == b"stale"
        assert asked.wire.fields[b"age"] == b"100"
        assert [hit.layer for hit in door.hits] == ["stale"]
    else:
        assert asked.wire.status == 502
    assert len(door.records) == 2


async def test_the_ladder_gives_a_stale_answer() -> None:
    """To the tiers that it is for, in the place of a refusal."""
    caching = Caching(enabled=True, ttl_seconds=60, stale_us=600 * SECOND)
    play = play_of(primary_model="a", caching=caching, degrade=(DegradeStep("stale", ("paid",)),))
    door = CachedDoor(play=play)
    await made(door, max_tokens=5_000)
    await door.play.clock.advance(100 * SECOND)
    spend(door.play, 60_000)
    asked = door.chat(max_tokens=5_000, h_x_tidegate_deadline_ms=b"1000")
    await settle()
    assert asked.wire.fields[b"x-tidegate-cache"] == b"stale"


@pytest.mark.parametrize("status", [400, 503])
async def test_a_stale_answer_hides_no_fault_of_the_request(status: int) -> None:
    """What the provider finds wrong with it now is told; what is wrong with the provider is not."""
    door = CachedDoor(Caching(enabled=True, ttl_seconds=60, stale_us=600 * SECOND))
    await made(door)
    await door.play.clock.advance(100 * SECOND)
    asked = door.chat()
    await settle()
    while door.play.transports["openai"].open:
        await door.play.provider("openai", refusal(status))
        await door.play.clock.advance(30 * SECOND)
    assert asked.wire.status == (400 if status == 400 else 200)


async def test_what_was_less_than_asked_for_is_told_and_not_kept() -> None:
    """To those who followed, too: a cheaper model's answer is nobody's later."""
    caching = Caching(enabled=True)
    second = provider("other", {"b": Limits(3_000, 60_000)})
    step = DegradeStep("model", ("paid",), model="b")
    play = play_of(provider(), second, primary_model="a", caching=caching, degrade=(step,))
    door = CachedDoor(play=play)
    spend(play, 60_000)
    asked = [door.chat(max_tokens=5_000, h_x_tidegate_deadline_ms=b"1000") for _ in range(2)]
    await settle()
    await play.provider("other", OK)
    await settle()
    assert [one.wire.fields[b"x-tidegate-degraded"] for one in asked] == [b"model=b"] * 2
    assert door.notes == ["unstored: degraded"]


async def test_what_a_provider_could_not_be_told_is_missing_in_its_answer(door: CachedDoor) -> None:
    """So it is not kept."""
    body = json.dumps({"model": "s", "max_tokens": 10, "messages": USER, "top_k": 5}).encode()
    asked = door.ask(b"/v1/messages", body=body, anthropic_version=b"2023-06-01")
    await settle()
    await door.play.provider("openai", OK)
    await settle()
    assert asked.wire.fields[b"x-tidegate-dropped"] == b"top_k"
    assert door.notes == ["unstored: dropped"]


# ── embeddings ───────────────────────────────────────────────────────────────────────────────────────────────────────

EMBEDDINGS = b"/v1/embeddings"


def vectors(*values: float) -> Reply:
    data = [{"object": "embedding", "index": at, "embedding": [value]} for at, value in enumerate(values)]
    usage = {"prompt_tokens": len(values), "total_tokens": len(values)}
    return Reply(200, [], json.dumps({"object": "list", "data": data, "model": "a", "usage": usage}).encode())


async def embedded(door: CachedDoor, given: object, *values: float) -> list[float]:
    """What is told for these inputs; `values`: what the provider says of those that it is asked for."""
    body = json.dumps({"model": "s", "input": given}).encode()
    asked = door.ask(EMBEDDINGS, body=body)
    await settle()
    if values:
        await door.play.provider("openai", vectors(*values))
        await settle()
    assert asked.wire.status == 200
    return [item["embedding"][0] for item in json.loads(asked.wire.body)["data"]]


async def test_each_input_is_kept(door: CachedDoor) -> None:
    """The provider is asked for those that are not known, in whichever company they come."""
    assert await embedded(door, ["x", "y"], 1.0, 2.0) == [1.0, 2.0]
    assert await embedded(door, ["y", "x"]) == [2.0, 1.0]
    assert await embedded(door, "y") == [2.0]
    assert await embedded(door, ["z", "x", "w"], 3.0, 4.0) == [3.0, 1.0, 4.0]
    assert json.loads(door.play.sent("openai")[-1].body)["input"] == ["z", "w"]
    assert await embedded(door, [["w"]][0]) == [4.0]
    assert door.sent == 2
    assert [hit.layer for hit in door.hits] == ["inputs"] * 3
    assert [record.cache for record in door.records] == ["miss", "miss; 1 of 3 inputs known"]


async def test_an_answer_with_too_few_embeddings_is_nobodys(door: CachedDoor) -> None:
    """It is not told as if it were whole, and not kept."""
    await embedded(door, ["x"], 1.0)
    asked = door.ask(EMBEDDINGS, body=json.dumps({"model": "s", "input": ["x", "y", "z"]}).encode())
    await settle()
    await door.play.provider("openai", vectors(2.0))
    await settle()
    assert asked.wire.status == 502
    assert [(record.status, record.prompt_tokens) for record in door.records] == [(200, 1), (502, 1)]
    assert door.notes == ["stored", "unstored: error"]


async def test_vectors_of_two_models_are_no_answer() -> None:
    """Where another model may stand in, it is asked for all inputs."""
    second = provider("other", {"b": Limits(3_000, 60_000)})
    caching = Caching(enabled=True)
    door = CachedDoor(play=play_of(provider(), second, primary_model="a", fallback_models=("b",), caching=caching))
    await embedded(door, ["x"], 1.0)
    asked = door.ask(EMBEDDINGS, body=json.dumps({"model": "s", "input": ["x", "y"]}).encode())
    await settle()
    await door.play.provider("openai", refusal(401))
    await settle()
    await door.play.provider("other", vectors(7.0, 8.0))
    await settle()
    assert [item["embedding"][0] for item in json.loads(asked.wire.body)["data"]] == [7.0, 8.0]
    assert door.notes == ["stored", "unstored: another model"]
