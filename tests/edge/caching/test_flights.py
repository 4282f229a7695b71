"""Equal calls that are one: who leaves, who is late, who is refused, and who would not have been given this answer."""

import asyncio
import gc
import json
from datetime import UTC
from functools import partial
from typing import Any

import pytest

from tests.edge.cached import CachedDoor, keeping
from tests.edge.caching.test_cache import END, OK, made
from tests.edge.managed import EMPTY, Managed, gone, key
from tests.edge.test_gateway import CHAT, Asked
from tests.edge.test_gateway_fails import Records
from tests.line.scenes import DONE, chunk, play_of, provider, refusal, streaming
from tidegate.edge import tape
from tidegate.edge.access.principals import Clients
from tidegate.edge.caching import flights
from tidegate.edge.gateway import Runtime
from tidegate.model.directory import PutNamespace
from tidegate.model.facts import CallRecord, Hits
from tidegate.model.snapshot import Allowance, Caching, Limits, Namespace
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.testing import Playbook
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.transport import ScriptedStream

FULL = Allowance(concurrent=50, tokens_day=1 << 40)


@pytest.fixture
async def door() -> CachedDoor:
    return CachedDoor()


class Tenants(Managed):
    """Keys of one namespace, which share answers, and what they may spend."""

    def __init__(self, *names: str, play: Playbook | None = None, **namespace: Any) -> None:
        caching = Caching(enabled=True, charge="full")
        super().__init__(*(key(name, allowance=FULL) for name in names), play=play or play_of(caching=caching))
        self.accounts = Accounts(lambda _: UTC)
        limiting = partial(self.accounts.limits_of, wall=self.play.clock.wall())
        self.gateway.runtime = Runtime(self.play.book, Clients(EMPTY, self.log, limiting))
        keeping(self)
        self.tell(PutNamespace(Namespace("acme", allowance=FULL, **namespace)))

    def chat(self, name: str, **fields: Any) -> Asked:
        body = {"model": "s", "messages": [{"role": "user", "content": "hello"}], **fields}
        return self.by(name, CHAT, body=json.dumps(body).encode())

    def held(self) -> list[tuple[int, int, int]]:
        """Of each account: calls in flight, tokens that are held, and that are spent."""
        tallies = [(account, account.budget("tokens_day").current) for account in self.accounts._known.values()]
        return [(account.running, tally.held, tally.spent) for account, tally in tallies if tally is not None]


async def streams(door: Any) -> ScriptedStream:
    """The provider begins to answer."""
    await settle()
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    return stream


# ── what is held ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_follows_and_leaves_gives_back_what_it_held() -> None:
    """And has its record, as any call that was left."""
    door = Tenants("web", play=play_of(primary_model="a", caching=Caching(enabled=True, charge="full")))
    door.chat("web")
    await settle()
    beside = door.chat("web")
    beside.leave()
    await door.play.provider("openai", OK)
    await settle()
    assert {(busy, held) for busy, held, _ in door.held()} == {(0, 0)}
    assert sorted(record.status for record in door.records) == [200, 499]


async def test_a_follower_is_charged_as_if_it_had_been_served_alone() -> None:
    """Once."""
    door = Tenants("web", play=play_of(primary_model="a", caching=Caching(enabled=True, charge="full")))
    for _ in range(3):
        door.chat("web")
    await settle()
    await door.play.provider("openai", OK)
    await settle()
    door.chat("web")
    assert set(door.held()) == {(0, 0, 4 * 15)}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_leaves_nothing_to_the_collector(door: CachedDoor, stream: bool) -> None:
    """What a call was made of is let go of with its end, though the collector seldom comes."""
    await made(door)  # what is made once
    gc.collect()
    gc.disable()
    leader, beside = door.chat(stream=stream, seed=1), door.chat(stream=stream, seed=1)
    leaver = door.chat(stream=stream, seed=1)
    if stream:
        running = await streams(door)
        leaver.leave()
        running.say(chunk("x"), END, DONE)
    else:
        await settle()
        leaver.leave()
        await door.play.provider("openai", OK)
    await settle()
    assert leader.wire.ended
    assert beside.wire.ended
    del leader, beside, leaver
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        left = {type(one).__name__ for one in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.enable()
        gc.garbage.clear()
    assert not left & {"Flight", "Listener", "Follower", "Call", "Request"}


class Filling(Records):
    """It takes the leader's record, and no other one."""

    def append(self, fact: Any) -> None:
        if isinstance(fact, CallRecord) and fact.attempts:
            return
        super().append(fact)


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_followers_are_told_though_the_journal_is_full(door: CachedDoor) -> None:
    """Of an error, and of their own deadline: nobody waits for a record that cannot be written."""
    asked = [door.chat(), door.chat(), door.chat(h_x_tidegate_deadline_ms=b"500"), door.chat()]
    await settle()
    door.gateway.replies._journal = Filling()
    await door.play.clock.advance(SECOND)
    await door.play.provider("openai", refusal(400, "bad"))
    await settle()
    assert [one.wire.status for one in asked] == [400, 400, 503, 400]
    assert door.gateway.open == 0


@pytest.mark.parametrize("who", ["leader", "follower"])
async def test_what_broke_is_not_kept_under_an_idempotency_key(door: CachedDoor, who: str) -> None:
    """It ends as an answer does, with an event that tells of the fault: the same key runs anew."""
    once = {"h_idempotency_key": b"order"}
    first, other = (once, {}) if who == "leader" else ({}, once)
    asked = [door.chat(stream=True, **first), door.chat(stream=True, **other)]
    stream = await streams(door)
    stream.say(chunk("one"))
    stream.cut()
    await settle()
    assert all(one.wire.ended and b"error" in one.wire.body for one in asked)
    door.chat(stream=True, **once)
    await settle()
    assert door.sent == 2
    assert door.hits == []  # to have heard half of an answer is no hit
    assert [record.status for record in door.records] == [502, 502]
    assert door.notes == ["unstored: cut"]


async def test_a_fault_in_keeping_costs_nobody_the_answer(door: CachedDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and not kept."""
    monkeypatch.setattr(door.answers, "_memory", None)
    asked = door.chat(stream=True, h_cache_control=b"no-cache")
    stream = await streams(door)
    stream.say(chunk("x"), END, DONE)
    await settle()
    assert asked.wire.ended


async def test_a_shared_error_is_told_under_each_ones_own_id(door: CachedDoor) -> None:
    """Not under the leader's, which may be another tenant's."""
    first, beside = door.chat(h_x_request_id=b"mine"), door.chat(h_x_request_id=b"yours")
    await settle()
    await door.play.provider("openai", refusal(400, "bad"))
    await settle()
    assert [one.wire.fields[b"x-request-id"] for one in (first, beside)] == [b"mine", b"yours"]


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_many_in_a_hurry_do_not_make_the_patient_late(door: CachedDoor) -> None:
    """Whoever leads: a deadline is the leader's own."""
    hurried = [door.chat(h_x_tidegate_deadline_ms=b"500") for _ in range(8)]
    patient = door.chat()
    await settle()
    door.play.clock.stall(SECOND)
    door.play.transports["openai"].fail(sent=True)
    await settle()
    await door.play.clock.advance(1)
    assert all(one.wire.status in {429, 504} for one in hurried)
    assert not patient.exchange.replied
    while door.play.transports["openai"].open:
        await door.play.provider("openai", OK)
        await settle()
    assert patient.wire.status == 200


async def test_who_wants_the_whole_of_a_stream_has_its_deadline_for_it(door: CachedDoor) -> None:
    """Until its last byte, as for any whole answer; the stream goes on."""
    asked = door.chat(stream=True)
    stream = await streams(door)
    stream.say(chunk("one"))
    await settle()
    whole = door.chat(h_x_tidegate_deadline_ms=b"500")
    await door.play.clock.advance(SECOND)
    assert whole.wire.status == 504
    stream.say(END, DONE)
    await settle()
    assert asked.wire.ended


# ── whom an answer suits ─────────────────────────────────────────────────────────────────────────────────────────────


class Slow:
    """A layer whose answer is told when the test says so."""

    layered = True

    def __init__(self, answers: Any) -> None:
        self.answers = answers
        self.waiting: list[asyncio.Future[Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.answers, name)

    def now(self, key: bytes) -> Any:
        return None

    async def later(self, key: bytes, deadline: int) -> Any:
        self.waiting.append(asyncio.get_running_loop().create_future())
        await self.waiting[-1]
        return self.answers.now(key)

    async def lead(self, key: bytes, deadline: int, rank: int, patience_us: int) -> Any:
        return await self.later(key, deadline) or False


async def test_a_follower_takes_nothing_that_is_too_old_for_it(door: CachedDoor) -> None:
    """What was found in a slower layer for another is held against what this one said."""
    await made(door)
    await door.play.clock.advance(10 * SECOND)
    cache = door.cache
    slow = Slow(door.answers)
    cache.change(slow, None, frozenset())
    first, strict = door.chat(), door.chat(h_cache_control=b"max-age=5")
    await settle()
    slow.waiting[0].set_result(None)
    await settle()
    assert first.wire.fields[b"x-tidegate-cache"] == b"hit"
    assert not strict.exchange.replied
    slow.waiting[1].set_result(None)
    await settle()
    await door.play.provider("openai", OK)
    await settle()
    assert strict.wire.fields[b"x-tidegate-cache"] == b"miss"


async def test_another_strategys_fallback_is_no_answer() -> None:
    """Who asked by another plan with the same first model asks anew; who asked by the same one is told."""
    caching = Caching(enabled=True)
    second = provider("other", {"b": Limits(3_000, 60_000)})
    play = play_of(provider(), second, primary_model="a", fallback_models=("b",), caching=caching)
    strict = play_of(provider(), second, name="strict", primary_model="a", caching=caching)
    play.book._plans["strict"] = strict.book._plans["strict"]
    door = CachedDoor(play=play)
    first, same, other = door.chat(), door.chat(), door.chat(model="strict")
    await settle()
    assert len(play.sent("openai")) == 1
    await play.provider("openai", refusal(401))
    await settle()
    await play.provider("other", OK)
    await settle()
    assert [one.wire.status for one in (first, same)] == [200, 200]
    assert not other.exchange.replied


async def test_only_what_is_known_leads_nobody(door: CachedDoor) -> None:
    """Who wants a call made makes it."""
    cache = door.cache
    slow = Slow(door.answers)
    cache.change(slow, None, frozenset())
    door.chat(h_cache_control=b"only-if-cached")
    await settle()
    door.chat()
    await settle()
    assert len(cache.flights) == 1
    assert len(slow.waiting) == 2
    for one in slow.waiting:
        one.set_result(None)
    await settle()
    assert door.sent == 1


# ── long answers ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_slow_follower_holds_nobody_up(door: CachedDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an answer that is too long to keep it is cut, before too much is kept for it; the others hear all of it."""
    monkeypatch.setattr(tape, "MAX_BYTES", 500)
    monkeypatch.setattr(flights, "MOST_BEHIND", 1_000)
    first, slow = door.chat(stream=True), door.chat(stream=True)
    stream = await streams(door)
    exchange: Any = slow.exchange
    exchange.on_pause()
    words = [chunk("x" * 100) for _ in range(20)]
    stream.say(*words)
    await settle()
    assert not stream.paused
    assert slow.wire.aborted
    stream.say(END, DONE)
    await settle()
    assert first.wire.body == b"".join(words) + END + DONE
    assert sorted(record.status for record in door.records) == [200, 499]


async def test_a_long_stream_is_not_kept_for_who_wants_it_whole(
    door: CachedDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks anew, and memory stays bounded."""
    monkeypatch.setattr(tape, "MAX_BYTES", 500)
    first, whole = door.chat(stream=True), door.chat()
    stream = await streams(door)
    flight = door.cache.flights._flights
    one = next(iter(flight.values()))
    stream.say(*[chunk("x" * 100) for _ in range(20)])
    await settle()
    assert one.behind < 500
    assert door.sent == 2
    await door.play.provider("openai", OK)
    await settle()
    assert whole.wire.status == 200
    stream.say(END, DONE)
    await settle()
    assert first.wire.ended


# ── keys that are revoked ────────────────────────────────────────────────────────────────────────────────────────────


async def two(stream: bool) -> tuple[Tenants, Asked, Asked]:
    play = play_of(primary_model="a", caching=Caching(enabled=True, charge="full"))
    door = Tenants("web", "app", play=play, on_revoked="cut")
    return door, door.chat("web", stream=stream), door.chat("app", stream=stream)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_leader_who_is_revoked_cuts_nobody_else(stream: bool) -> None:
    """Its client hears of it; the call goes on for who has a key."""
    door, first, beside = await two(stream)
    running = await streams(door) if stream else ScriptedStream()
    running.say(chunk("one"))
    await settle()
    door.tell(gone("web"))
    await door.play.clock.advance(1)
    assert first.wire.aborted if stream else first.wire.status == 401
    assert not beside.wire.ended
    if stream:
        running.say(END, DONE)
    else:
        await door.play.provider("openai", OK)
    await settle()
    assert beside.wire.ended
    assert not beside.wire.aborted
    assert {(busy, held) for busy, held, _ in door.held()} == {(0, 0)}
    assert door.gateway.replies.revoking.calls == {}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_follower_who_is_revoked_hears_no_more(stream: bool) -> None:
    """As whoever leads; the call goes on, and both have their records."""
    door, first, beside = await two(stream)
    running = await streams(door) if stream else ScriptedStream()
    running.say(chunk("one"))
    await settle()
    door.tell(gone("app"))
    await door.play.clock.advance(1)
    assert beside.wire.aborted if stream else beside.wire.status == 401
    if stream:
        running.say(END, DONE)
    else:
        await door.play.provider("openai", OK)
    await settle()
    assert first.wire.ended
    assert sorted(record.status for record in door.records) == [200, 401]
    assert {(busy, held) for busy, held, _ in door.held()} == {(0, 0)}
    assert door.gateway.replies.revoking.calls == {}


async def test_hits_and_records_are_the_calls(door: CachedDoor) -> None:
    """Each has one of them, also where a stream tells its usage to one and not to the other."""
    asked = [door.chat(stream=True), door.chat(stream=True, stream_options={"include_usage": True}), door.chat()]
    stream = await streams(door)
    stream.say(chunk("x"), END, DONE)
    await settle()
    assert all(one.wire.ended for one in asked)
    door.cache.hits.flush()
    told = [hit.call_id for fact in door.play.recorder.facts if isinstance(fact, Hits) for hit in fact.hits]
    told += [record.call_id for record in door.records]
    assert len(told) == len(set(told)) == 3
