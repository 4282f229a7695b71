"""Shadow traffic: what a candidate is asked beside a client's call, when, and when it is not."""

from datetime import UTC
from typing import Any

import pytest

from tests.edge.test_gateway import CHAT, Asked, Door
from tests.line.scenes import DONE, chunk, provider, refusal, snapshot, streaming, usage_chunk
from tidegate.edge.shadows import Shadows
from tidegate.model.facts import CallRecord
from tidegate.model.shadow import ANSWERED, FAILED, UNASKED, Compared, ShadowPolicy
from tidegate.model.snapshot import Limits, ModelEntry, Price
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer

ALL = 1_000_000
DEAR = Price(prompt=1_000_000_000, completion=1_000_000_000)  # 15 tokens cost 15,000 billionths
OK = Reply(200, [], answer(text="a refund takes 7 days"))
MESSAGES = b"/v1/messages"


class Place(Door):
    """Strategy `s` of model `a`, with candidate `b` of another provider; both cost money."""

    def __init__(self, *, ppm: int = ALL, nano_day: int = 10**12, **policy: Any) -> None:
        limits, entry = {"b": Limits(3_000, 60_000)}, ModelEntry(prices=(DEAR,))
        shadow = ShadowPolicy("b", ppm, nano_day, **policy)
        given = provider(models={"a": entry}), provider("next", limits, models={"b": entry})
        super().__init__(Playbook(snapshot(*given, primary_model="a", shadow=shadow)))
        self.accounts = Accounts(lambda _: UTC)
        pipeline, clock = self.gateway.pipeline, self.play.clock
        self.shadows = pipeline.shadows = Shadows(
            pipeline, clock, lambda space, user, key: self.accounts.limits_of(space, user, key, clock.wall())
        )

    async def answered(self, reply: Reply = OK, **fields: Any) -> Asked:
        """A call of the strategy that its client was answered."""
        asked = self.ask(CHAT, body={"model": "s", **fields})
        await settle()
        await self.play.provider("openai", reply)
        await settle()
        return asked

    @property
    def asked(self) -> int:
        """Of the candidate."""
        return len(self.play.sent("next"))

    @property
    def compared(self) -> list[Compared]:
        return [fact for fact in self.play.recorder.facts if isinstance(fact, Compared)]

    def by_plan(self, plan: str) -> list[CallRecord]:
        return [record for record in self.records if record.plan == plan]


async def test_the_same_question_and_both_answers_compared() -> None:
    """After the client's reply; in the ledger it is nobody's tenant's, of the last tier, with what it cost."""
    place = Place()
    asked = place.ask(CHAT, body={"model": "s", "temperature": 0})
    await settle()
    assert place.asked == 0
    await place.play.provider("openai", OK)
    assert (asked.wire.status, asked.wire.ended, asked.wire.body) == (200, True, OK.body)
    await settle()
    assert place.asked == 1
    assert b'"temperature":0' in place.play.sent("next")[0].body
    assert b'"model":"b"' in place.play.sent("next")[0].body.replace(b" ", b"")
    await place.play.provider("next", Reply(200, [], answer(20, 5, "a refund takes 9 days")))
    (fact,) = place.compared
    (own,), (shadow,) = place.by_plan("s"), place.by_plan("shadow:s")
    assert (fact.call_id, fact.shadow_id, fact.strategy, fact.candidate) == (own.call_id, shadow.call_id, "s", "b")
    assert (fact.state, fact.permille, fact.agreed) == (ANSWERED, 800, True)
    assert (fact.primary_nano, fact.candidate_nano) == (own.cost_nano, shadow.cost_nano) == (15_000, 25_000)
    assert (fact.primary_chars, fact.candidate_chars) == (21, 21)
    assert (shadow.tenant, shadow.tier, shadow.client, shadow.tag) == ("shadow:s", "batch", "shadow:s", "shadow:s")
    assert (own.model, shadow.model) == ("s", "b")
    assert place.gateway.open == 0


async def test_a_stream_is_compared_when_it_has_ended() -> None:
    """The candidate is asked for a whole answer; the client gets its events as they come."""
    place = Place(compare="exact")
    asked = place.ask(CHAT, body={"model": "s", "stream": True, "stream_options": {"include_usage": True}})
    reply, stream = streaming()
    await settle()
    await place.play.provider("openai", reply)
    stream.say(chunk("hel"))
    await settle()
    assert (place.asked, asked.wire.ended) == (0, False)
    for event in (chunk("lo"), b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'):
        stream.say(event)
    stream.say(usage_chunk())
    stream.say(DONE)
    stream.end()
    await settle()
    assert asked.wire.ended
    assert b"stream" not in place.play.sent("next")[0].body
    await place.play.provider("next", Reply(200, [], answer(text="hello")))
    (fact,) = place.compared
    assert (fact.permille, fact.agreed, fact.primary_chars) == (1_000, True, 5)


async def test_a_client_of_anthropics_dialect() -> None:
    """Both are translated, and what it reads is compared."""
    place = Place()
    body = {"model": "s", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    asked = place.ask(MESSAGES, body=body, anthropic_version=b"2023-06-01")
    await settle()
    await place.play.provider("openai", OK)
    await settle()
    await place.play.provider("next", OK)
    assert asked.wire.status == 200
    assert [fact.permille for fact in place.compared] == [1_000]


async def test_a_candidate_that_fails_is_nobodys_trouble() -> None:
    """The client has its answer; the candidate is asked once, and what it cost is nothing."""
    place = Place()
    assert (await place.answered()).wire.body == OK.body
    await place.play.provider("next", refusal(503))
    (fact,) = place.compared
    assert (place.asked, fact.state, fact.agreed, fact.candidate_nano) == (1, FAILED, False, 0)
    assert [record.status for record in place.by_plan("s")] == [200]
    assert place.gateway.open == 0
    assert not place.shadows._running


async def test_a_candidate_that_hangs_holds_up_nobody() -> None:
    """Clients are answered in their own time; at its own deadline it has failed."""
    place = Place(concurrent=1)
    for _ in range(3):
        began = place.play.clock.now()
        assert (await place.answered()).wire.body == OK.body
        assert place.play.clock.now() == began
    assert (place.asked, place.compared) == (1, [])
    place.play.clock.stall(121 * SECOND)
    place.play.transports["next"].fail(sent=True)
    await settle()
    assert [fact.state for fact in place.compared] == [FAILED]
    assert place.gateway.open == 0


async def test_a_candidate_without_quota_is_not_asked() -> None:
    """It waits for its turn in the last tier as long as the strategy allows; then it was not asked."""
    place = Place()
    for lane in place.play.lanes:
        if lane.model == "b":
            lane.quota.tokens[0].take(600_000, place.play.clock.now())
    assert (await place.answered()).wire.status == 200
    await place.play.clock.advance(121 * SECOND)
    assert (place.asked, [fact.state for fact in place.compared]) == (0, [UNASKED])
    assert place.gateway.open == 0


async def test_no_more_at_once_than_is_allowed() -> None:
    """What comes meanwhile is left out; as soon as one has ended there is a place again."""
    place = Place(concurrent=2)
    for _ in range(5):
        assert (await place.answered()).wire.status == 200
    assert place.asked == 2
    await place.play.provider("next", OK)
    await place.answered()
    assert place.asked == 3


async def test_the_days_money_ends_it() -> None:
    """It is held before it is spent: only the last call may pass the cap. The next day it begins again."""
    place = Place(nano_day=100_000)
    states = []
    for _ in range(20):
        before = place.asked
        await place.answered(max_tokens=20)
        if place.asked > before:
            await place.play.provider("next", Reply(200, [], answer(10, 20)))
        states.append(place.compared[-1].state)
    spent = sum(record.cost_nano for record in place.by_plan("shadow:s"))
    assert 100_000 - 30_000 < spent < 100_000 + 30_000
    assert (states[0], states[-1]) == (ANSWERED, UNASKED)
    assert place.compared[-1].shadow_id == place.compared[-1].candidate_nano == 0
    assert {record.status for record in place.by_plan("s")} == {200}
    await place.play.clock.advance(86_400 * SECOND)
    await place.answered(max_tokens=20)
    await place.play.provider("next", Reply(200, [], answer(10, 20)))
    assert place.compared[-1].state == ANSWERED


async def test_only_the_sample_is_asked() -> None:
    """Of 200 calls about the share; where nobody is there to ask, none."""
    place = Place(ppm=250_000)
    for _ in range(200):
        before = place.asked
        await place.answered()
        if place.asked > before:
            await place.play.provider("next", OK)
    assert 25 <= place.asked <= 75
    place.gateway.pipeline.shadows = None
    before = place.asked
    for _ in range(20):
        await place.answered()
    assert place.asked == before


@pytest.mark.parametrize("fields", [{"messages": [{"role": "user", "content": "x" * 300_000}]}, {"model": "b"}])
async def test_what_is_left_alone(fields: dict[str, Any]) -> None:
    """Requests that are very long, and calls of other models."""
    place = Place()
    asked = place.ask(CHAT, body={"model": "s", **fields})
    await settle()
    name = "next" if "model" in fields else "openai"
    await place.play.provider(name, OK)
    await settle()
    assert asked.wire.status == 200
    assert place.asked == ("model" in fields)


async def test_what_failed_or_was_cut_is_not_compared() -> None:
    """A refusal is no answer, nor is what its client did not wait for."""
    place = Place()
    asked = await place.answered(refusal(400))
    assert asked.wire.status == 400
    left = place.ask(CHAT, body={"model": "s"})
    await settle()
    left.leave()
    await settle()
    assert (place.asked, place.compared) == (0, [])
    assert place.gateway.open == 0
