"""However calls end, in whatever order: each is booked once, and nothing stays held.

Random conversations: clients ask, leave, come again under the same key; providers answer, refuse, break off, say half;
time passes; keys are revoked; and some of it is cached, so that calls end as others do, or are answered by what is
known.
"""

import asyncio
import random
from collections import Counter
from datetime import UTC
from functools import partial
from typing import Any

import msgspec
import pytest

from tests.edge import cached
from tests.edge.caching.test_cache import END
from tests.edge.managed import EMPTY, Managed, gone, key
from tests.edge.test_bodies import Kept
from tests.edge.test_gateway import Asked
from tests.line.scenes import DONE, EVENTS, PROFILE, chunk, play_of, provider, refusal, usage_chunk
from tidegate.edge.access.principals import Clients
from tidegate.edge.bodies import CapturePolicy
from tidegate.edge.caching.cache import Cache
from tidegate.edge.gateway import Runtime
from tidegate.model.bodies import BodyPolicy
from tidegate.model.directory import PutNamespace
from tidegate.model.facts import BROKEN, LEFT, CallRecord, Hit, Hits, Intent, tries_of
from tidegate.model.snapshot import (
    Allowance,
    Caching,
    DegradeStep,
    Limits,
    ModelEntry,
    Namespace,
    Price,
    RetryPolicy,
    Scope,
    StreamPolicy,
)
from tidegate.policy.sampling import sampled
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.ports import TransportError
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.testing.transport import ScriptedStream

JSON = [(b"content-type", b"application/json")]
ALLOWED = Allowance(concurrent=50, tpm=1 << 30, tokens_day=1 << 40, nano_month=1 << 50)
NOT_CACHED = Caching()
HALF = BodyPolicy(500_000, errors=True)
KEYS = ("web", "app")
CHAT = {"messages": [{"role": "user", "content": "hello"}]}
ASKS: tuple[tuple[bytes, dict[str, object]], ...] = (
    (b"/v1/chat/completions", {**CHAT, "model": "s", "stream": True}),
    (b"/v1/chat/completions", {**CHAT, "model": "s", "stream": True}),
    (b"/v1/chat/completions", {**CHAT, "model": "s"}),
    (b"/v1/chat/completions", {**CHAT, "model": "a", "max_tokens": 15_000}),
    (b"/v1/messages", {**CHAT, "model": "s", "max_tokens": 10, "stream": True}),
    (b"/v1/messages/count_tokens", {**CHAT, "model": "a"}),
    (b"/v1/responses", {"model": "s", "input": "hello", "stream": True}),
    (b"/v1/embeddings", {"model": "a", "input": "hello"}),
)


def play(luck: random.Random, caching: Caching) -> Playbook:
    streams = StreamPolicy(
        on_cut=luck.choice(["fail", "continue", "restart"]),
        on_disconnect=luck.choice(["drain", "cancel"]),
        hedge_after_us=luck.choice([0, SECOND // 10]),
        hedge_permille=1_000,
    )
    limits = {"a": Limits(600, 20_000), "b": Limits(600, 20_000)}
    prices = ModelEntry(prices=(Price(prompt=1_000_000, completion=2_000_000, per_request=5),))
    whose = provider(
        scopes=tuple(Scope(name, (f"sk-{name}",), limits) for name in ("x", "y")),
        profile=msgspec.structs.replace(PROFILE, prefix="partial"),
        models={"a": prices, "b": prices},
    )
    retry = RetryPolicy(base_us=luck.choice([0, 200_000]), jitter=False)
    rules = {"streams": streams, "retry": retry, "caching": caching}
    if caching.enabled:
        rules["degrade"] = (DegradeStep("stale", ("paid",)),)
    return play_of(whose, fallback_models=("b",), **rules)


class Evening:
    """One gateway, and what may happen to it."""

    def __init__(self, luck: random.Random, caching: Caching = NOT_CACHED) -> None:
        self.luck = luck
        self.caches = caching.enabled
        self.play = play(luck, caching)
        self.accounts = Accounts(lambda _: UTC)
        self.door = Managed(*(key(name, allowance=ALLOWED) for name in KEYS), play=self.play)
        self.kept = Kept()
        limiting = partial(self.accounts.limits_of, wall=self.play.clock.wall())
        keeping = partial(CapturePolicy, log=self.kept, wall=self.play.clock.wall)
        clients = Clients(EMPTY, self.door.log, limiting, keeping)
        self.door.gateway.runtime = Runtime(self.play.book, clients)
        if self.caches:
            cached.keeping(self.door)
        self.door.tell(PutNamespace(Namespace("acme", allowance=ALLOWED, on_revoked="cut", bodies=HALF)))
        self.transport = self.play.transports["openai"]
        self.asked: list[Asked] = []
        self.calls = 0  # without those that came again under a key of theirs
        self.streams: list[ScriptedStream] = []

    async def happen(self) -> None:
        await self.luck.choice([self.ask, self.ask, self.answer, self.answer, self.say, self.say, self.say, self.leave,
                                self.wait, self.wait, self.turn, self.turn, self.turn, self.revoke])()  # fmt: skip

    async def ask(self) -> None:
        path, body = self.luck.choice(ASKS[:3] if self.caches and self.luck.random() < 0.7 else ASKS)
        more: dict[str, Any] = {"idempotency_key": b"once"} if self.luck.random() < 0.1 else {}
        if self.luck.random() < 0.1:
            more["x_tidegate_deadline_ms"] = b"500"
        if self.caches and self.luck.random() < 0.2:
            more["x_tidegate_cache"] = self.luck.choice([b"refresh", b"bypass", b"only", b"ttl=1"])
        name = self.luck.choice(KEYS)
        again = "idempotency_key" in more and self.door.gateway.pipeline.once.find(name, b"once") is not None
        self.calls += not again or path.endswith(b"count_tokens")  # which nobody asks for once
        self.asked.append(self.door.by(name, path, body=msgspec.json.encode(body), **more))

    async def answer(self) -> None:
        if not self.transport.open:
            return
        asked, chance = self.luck.choice(self.transport.open), self.luck.random()
        if self.caches:
            chance = max(chance, self.luck.random())  # or little would be kept
        if chance < 0.2:
            asked.answer.set_result(refusal(self.luck.choice([400, 401, 429, 500, 503])))
        elif chance < 0.3:
            sent = self.luck.random() < 0.6
            asked.answer.set_exception(TransportError("broke", sent=sent, begun=sent and self.luck.random() < 0.5))
        elif chance < 0.4:
            asked.answer.set_result(Reply(200, JSON, refusal(429).body))
        elif asked.stream:
            self.streams.append(ScriptedStream())
            asked.answer.set_result(Reply(200, self.luck.choice([EVENTS, EVENTS, EVENTS, JSON]), b"", self.streams[-1]))
        else:
            asked.answer.set_result(Reply(200, JSON, self.luck.choice([answer(9, 3), b'{"choices":[]}'])))

    async def say(self) -> None:
        if not self.streams:
            return
        stream, chance = self.luck.choice(self.streams), self.luck.random()
        if chance < 0.6:
            stream.say(chunk(self.luck.choice([None, "a", "bc"])))
        elif chance < 0.7:
            stream.say(usage_chunk(9, 2))
        else:
            self.streams.remove(stream)
            whole = partial(stream.say, END, DONE)
            self.luck.choice([whole if self.caches else partial(stream.say, DONE), stream.end, stream.cut])()

    async def leave(self) -> None:
        if self.asked:
            one = self.asked.pop(self.luck.randrange(len(self.asked)))
            if not one.wire.ended and not one.wire.aborted:
                one.leave()

    async def pause(self) -> None:
        """A client does not read, or reads on."""
        if self.asked:
            exchange: Any = self.luck.choice(self.asked).exchange
            turn = self.luck.choice([exchange.on_pause, exchange.on_resume, exchange.on_resume])
            if turn is not None and exchange.connection is not None:
                turn()

    async def wait(self) -> None:
        await self.play.clock.advance(self.luck.choice([1_000, 100_000, 600_000]))

    async def turn(self) -> None:
        """Of the loop: what is under way is met in the middle."""
        for _ in range(self.luck.randrange(6)):
            await asyncio.sleep(0)

    async def revoke(self) -> None:
        if self.luck.random() < 0.2:
            name = self.luck.choice(KEYS)
            self.door.tell(gone(name))
            await self.play.clock.advance(1)
            self.door.tell(key(name, allowance=ALLOWED))

    async def end(self) -> None:
        """Every provider breaks off, until nobody waits."""
        while self.door.gateway.open:
            for stream in self.streams:
                stream.cut()
            self.streams.clear()
            while self.transport.open:
                self.transport.fail(sent=True)
            await self.play.clock.advance(10 * SECOND)


def rules_of(luck: random.Random) -> Caching:
    return Caching(
        enabled=True,
        ttl_seconds=2,
        scope=luck.choice(["namespace", "key"]),
        replay=luck.choice(["at_once", "paced"]),
        stale_us=luck.choice([0, 600 * SECOND]),
        charge=luck.choice(["nothing", "full"]),
    )


def check_kept(kept: Kept, served: list[CallRecord]) -> None:
    """Once each, as the record says: those of the sample, and those that failed."""
    told = {record.call_id: record.status for record in served}  # what the gate counts itself is not kept
    assert len({sample.call_id for sample in kept.samples}) == len(kept.samples)
    for sample in kept.samples:  # a stream that the gate cuts counts as left, and its client was told of a failure
        assert sample.status == told[sample.call_id] or {sample.status, told[sample.call_id]} == {LEFT, BROKEN}
    wanted = {number for number, status in told.items() if sampled(number, HALF.sample_ppm) or status >= 400}
    assert wanted == {sample.call_id for sample in kept.samples}


@pytest.mark.parametrize("seed", range(80))
async def test_what_is_cached_is_booked_once_too(seed: int) -> None:
    """Each call has a record or is a hit; what a stale answer stood in for, both. Nothing stays held, or is waiting."""
    luck = random.Random(seed)
    evening = Evening(luck, rules_of(luck))
    for _ in range(120):
        await evening.happen()
        await evening.pause()
    for one in evening.asked:
        if one.exchange.on_resume is not None:
            one.exchange.on_resume()
    await evening.end()
    await evening.play.clock.advance(300 * SECOND)  # what is played as it came
    assert all(one.wire.ended or one.wire.aborted for one in evening.asked)
    gateway, cache = evening.door.gateway, evening.door.gateway.pipeline.cache
    assert isinstance(cache, Cache)
    cache.hits.flush()
    facts = evening.play.recorder.facts
    records = {fact.call_id: fact for fact in facts if isinstance(fact, CallRecord)}
    assert len(records) == sum(isinstance(fact, CallRecord) for fact in facts)
    hits = {hit.call_id: hit for fact in facts if isinstance(fact, Hits) for hit in fact.hits}
    assert len(hits) == sum(len(fact.hits) for fact in facts if isinstance(fact, Hits))
    both = records.keys() & hits.keys()
    assert all(records[one].cache == "stale" and hits[one].layer == "stale" for one in both)
    assert len(records.keys() | hits.keys()) == evening.calls
    assert {fact.call_id for fact in facts if isinstance(fact, Intent)} <= records.keys()
    assert gateway.open == len(cache.flights) == len(gateway.replies.revoking.calls) == 0
    assert all(lane.cap.busy == 0 for lane in evening.play.lanes)
    check_spent(evening, list(records.values()), list(hits.values()))


def check_spent(evening: Evening, records: list[CallRecord], hits: list[Hit]) -> None:
    """Budgets have what was recorded, and what hits were charged with."""
    charged = [hit for hit in hits if hit.charged]
    for who, account in evening.accounts._known.items():
        own = [one for one in (*records, *charged) if not who[2] or one.client == who[2]]
        assert account.running == 0
        for name, spent in (
            ("tokens_day", sum(one.prompt_tokens + one.completion_tokens for one in own)),
            ("nano_month", sum(one.cost_nano for one in own)),
        ):
            budget = account.budget(name)
            tallies = [tally for tally in (budget.before, budget.current) if tally is not None]
            assert [tally.held for tally in tallies] == [0] * len(tallies)
            assert sum(tally.spent for tally in tallies) == spent


@pytest.mark.parametrize("seed", range(60))
async def test_each_call_is_booked_once_and_nothing_stays_held(seed: int) -> None:
    """Its record, its attempts, its tenant's budgets and its providers' places; and all of them agree."""
    evening = Evening(random.Random(seed))
    for _ in range(60):
        await evening.happen()
    await evening.end()
    await settle()
    facts = evening.play.recorder.facts
    records = [fact for fact in facts if isinstance(fact, CallRecord)]
    intents = Counter(fact.call_id for fact in facts if isinstance(fact, Intent))
    assert max(Counter(record.call_id for record in records).values()) == 1
    assert set(intents) <= {record.call_id for record in records}
    for record in records:
        tries = tries_of(record)
        assert len(tries) <= intents[record.call_id]
        for name in ("prompt_tokens", "completion_tokens", "charged_tokens", "cost_nano"):
            assert getattr(record, name) == sum(getattr(one, name) for one in tries)
    assert all(lane.cap.busy == 0 for lane in evening.play.lanes)
    check_kept(evening.kept, [record for record in records if record.attempts or record.status >= 400])
    for who, account in evening.accounts._known.items():
        own = [record for record in records if not who[2] or record.client == who[2]]
        assert account.running == 0
        tokens, money = account.budget("tokens_day"), account.budget("nano_month")
        for budget, spent in (
            (tokens, sum(record.prompt_tokens + record.completion_tokens for record in own)),
            (money, sum(record.cost_nano for record in own)),
        ):
            tallies = [tally for tally in (budget.before, budget.current) if tally is not None]
            assert [tally.held for tally in tallies] == [0] * len(tallies)
            assert sum(tally.spent for tally in tallies) == spent
