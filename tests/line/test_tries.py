"""What the ledger is told of a call."""

import pytest

from tests.line.scenes import call_of, lane_alone, pass_through, play_of, provider
from tidegate.line.keys import KeyRing
from tidegate.line.lane import Lane
from tidegate.line.slot import Answered, Slot
from tidegate.line.tries import heard, note, note_stopped, recorded, stopped, unstated
from tidegate.model.call import Call, Kind
from tidegate.model.facts import BROKEN, LEFT, CallRecord, tries_of
from tidegate.model.outcome import Usage
from tidegate.model.snapshot import Limits, Price
from tidegate.policy.money import rates
from tidegate.testing.clock import ManualClock

DOLLAR = rates([Price(prompt=1_000_000, completion=2_000_000, cached=500_000)])  # nano a token: 1, 2 and 0.5
WALL = 1_000_000_000


def slot_of(clock: ManualClock) -> Slot:
    lane = lane_alone(clock, Limits(tpm=100_000))
    lane.prices = DOLLAR
    permit = pass_through(lane, clock, 100)
    assert permit is not None
    slot = lane.slot(permit, None, clock.now())
    slot.at_us = WALL
    return slot


def closed(call: Call, lane: Lane | None, usage: Usage = Usage(), status: int = 200, charged: int = 0) -> CallRecord:
    plan = play_of(provider()).book.plan("a")
    assert plan is not None
    return recorded(call, plan, lane, status, usage, charged, 5_000, WALL + 5_000, 4_000)


async def test_a_call_with_one_attempt_is_its_own_record() -> None:
    """Nothing is written twice; its one try is read from it."""
    clock = ManualClock()
    slot, call = slot_of(clock), call_of()
    call.reserved = 100
    record = closed(call, slot.lane, Usage(10, 5, 4), charged=40)
    assert record.tries == ()
    assert (record.prompt_tokens, record.completion_tokens, record.cached_tokens) == (10, 5, 4)
    assert record.cost_nano == 6 + 2 + 10
    (one,) = tries_of(record)
    assert (one.target, one.reason, one.status, one.cost_nano, one.charged_tokens) == ("openai/main/a", "", 200, 18, 40)
    assert (one.at_us, one.duration_us) == (WALL, 5_000)
    assert (record.reserved_tokens, one.reserved_tokens) == (100, 100)


@pytest.mark.parametrize(("status", "why"), [(LEFT, "stopped"), (BROKEN, "cut"), (200, "")])
async def test_how_the_answer_ended_is_told_of_its_attempt(status: int, why: str) -> None:
    """The provider had answered with 200, whatever became of it."""
    slot = slot_of(ManualClock())
    (one,) = tries_of(closed(call_of(), slot.lane, Usage(1, 1, estimated=True), status))
    assert (one.reason, one.status, one.estimated) == (why, 200, True)


async def test_every_attempt_is_added_up() -> None:
    """A call that was tried three times costs what all three have cost, and is charged so."""
    clock = ManualClock()
    slot, call = slot_of(clock), call_of()
    note(call, slot, 429, "rate", Usage(), 100, clock.now())
    note(call, slot, 200, "cut", Usage(10, 3, estimated=True), 50, clock.now())
    call.reserved = 70
    record = closed(call, slot.lane, Usage(20, 7, 8), charged=30)
    assert [one.reason for one in record.tries] == ["rate", "cut", ""]
    assert (record.prompt_tokens, record.completion_tokens, record.cached_tokens) == (30, 10, 8)
    assert record.charged_tokens == 180
    assert record.cost_nano == sum(one.cost_nano for one in record.tries) == (10 + 6) + (12 + 4 + 14)
    assert record.estimated
    assert tries_of(record) == record.tries
    assert [one.reserved_tokens for one in record.tries] == [100, 100, 70]
    assert record.reserved_tokens == 270


async def test_who_was_not_served_has_no_try_of_its_own() -> None:
    """What its failed attempts cost is in its record; without any there is nothing."""
    clock = ManualClock()
    slot, call = slot_of(clock), call_of()
    assert tries_of(closed(call_of(), None, status=429)) == ()
    assert closed(call_of(), None, status=429).reserved_tokens == 0
    note(call, slot, 0, "stopped", Usage(10, 3, estimated=True), 100, clock.now())
    call.reserved = 70  # of an attempt that is noted already
    record = closed(call, None, status=LEFT)
    assert record.reserved_tokens == 100
    assert (record.target, record.prompt_tokens, record.charged_tokens, record.attempts) == ("", 10, 100, 1)
    assert len(tries_of(record)) == 1


async def test_an_attempt_that_was_stopped_is_billed_as_far_as_it_had_come() -> None:
    """By what answers took so far: the prompt, and a token for each piece of the time; never above `max_tokens`."""
    clock = ManualClock()
    slot = slot_of(clock)
    for tokens in (100, 10, 50):
        slot.lane.speed.learn(tokens, 200_000 + tokens * 10_000)
    await clock.advance(500_000)
    found = stopped(call_of(), slot, clock.now())
    assert (found.completion, found.estimated) == (30, True)
    assert found.prompt == slot.lane.estimator.expected(call_of().size) > 0
    assert stopped(call_of(max_tokens=7), slot, clock.now()).completion == 7


async def test_an_answer_that_does_not_state_its_usage_is_billed_by_experience() -> None:
    """Never as nothing, which would be in no budget; by its length, while nothing was learnt of such answers."""
    clock = ManualClock()
    slot = slot_of(clock)
    found = unstated(call_of(), slot, b"x" * 400, clock.now())
    assert found == Usage(slot.lane.estimator.expected(call_of().size), 100, estimated=True)
    found = unstated(call_of(max_tokens=7), slot, b"x" * 400, clock.now())
    assert found is not None
    assert found.completion == 7
    slot.lane.speed.learn(30, 1_000_000)
    await clock.advance(1_000_000)
    found = unstated(call_of(), slot, b"x" * 400, clock.now())
    assert found is not None
    assert found.completion == 30


async def test_what_makes_no_tokens_is_not_billed_for_any() -> None:
    """Embeddings cost their prompt; counting costs nothing, whether it is answered or stopped."""
    clock = ManualClock()
    slot, counting, embedding = slot_of(clock), call_of(), call_of()
    slot.lane.prices = rates([Price(prompt=1_000_000, per_request=3)])
    counting.kind, embedding.kind = Kind.COUNT, Kind.EMBEDDING
    found = unstated(embedding, slot, b"x" * 400, clock.now())
    assert found is not None
    assert (found.prompt > 0, found.completion) == (True, 0)
    assert unstated(counting, slot, b"x" * 400, clock.now()) is None
    assert stopped(counting, slot, clock.now()) == Usage()
    assert closed(counting, slot.lane).cost_nano == 0


async def test_a_price_for_each_call_is_not_due_for_what_a_provider_refused() -> None:
    """It bills nothing for an error; what was at work it bills in full."""
    clock = ManualClock()
    slot, call = slot_of(clock), call_of()
    slot.lane.prices = rates([Price(prompt=1_000_000, per_request=3)])
    note(call, slot, 429, "rate", Usage(), 100, clock.now())
    note(call, slot, 0, "stopped", Usage(10, estimated=True), 100, clock.now())
    assert [one.cost_nano for one in closed(call, slot.lane, Usage(20)).tries] == [0, 13, 23]


async def test_an_answer_that_did_not_end_well_is_listed_with_what_its_head_said() -> None:
    """Its provider's support finds it by that; the sums are the same, and there is no story of one attempt."""
    clock = ManualClock()
    slot, call = slot_of(clock), call_of()
    call.reserved, call.account, call.head_us = 100, "0a1b2c3d", 700
    plan = play_of(provider()).book.plan("a")
    assert plan is not None
    used, said = Usage(10, 5, 4, estimated=True), (("x-request-id", "r1"),)
    record = recorded(call, plan, slot.lane, BROKEN, used, 40, 5_000, WALL + 5_000, 4_000, said)
    (one,) = record.tries
    assert (one.headers, one.reason, one.status, one.account, one.first_byte_us) == (said, "cut", 200, "0a1b2c3d", 700)
    assert (one.reserved_tokens, one.charged_tokens, one.at_us, one.duration_us) == (100, 40, WALL, 5_000)
    plain = closed(call_of(), slot.lane, used, BROKEN, 40)
    for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "charged_tokens", "cost_nano", "estimated"):
        assert getattr(record, name) == getattr(plain, name) == getattr(one, name)
    assert (record.attempts, record.target, record.story) == (1, slot.lane.name, ())


async def test_a_head_is_told_without_its_key() -> None:
    """A line that repeats it has stars; where the key has left the configuration since, nothing is told."""
    clock = ManualClock()
    slot = slot_of(clock)
    key = slot.lane.keys.next(0)
    slot.account = slot.lane.keys.accounts[key]
    answered = Answered(slot, 200, [(b"x-request-id", b"r1-" + key), (b"server", b"x")], {}, b"")
    assert heard(answered) == (("x-request-id", "r1-***"),)
    slot.lane.keys = KeyRing(("another",))
    assert heard(answered) == ()


async def test_an_attempt_that_was_settled_is_not_stopped_again() -> None:
    """It is written down once, by who knew most."""
    clock = ManualClock()
    slot, call = slot_of(clock), call_of()
    note_stopped(call, slot, clock.now(), 200, (("x-request-id", "r1"),))
    note_stopped(call, slot, clock.now())
    (one,) = call.tries
    assert (one.status, one.reason, one.headers, one.charged_tokens) == (200, "stopped", (("x-request-id", "r1"),), 100)


async def test_a_service_tier_has_its_price_in_every_attempt() -> None:
    """By what the provider says of each: of one that was stopped, and of the one that answered."""
    clock = ManualClock()
    slot, call = slot_of(clock), call_of()
    slot.lane.prices = rates([Price(prompt=1_000_000), Price(prompt=500_000, tier="flex")])
    note(call, slot, 200, "stopped", Usage(10, estimated=True, tier="flex"), 100, clock.now())
    note(call, slot, 200, "cut", Usage(10), 100, clock.now())
    record = closed(call, slot.lane, Usage(20, tier="flex"))
    assert [one.cost_nano for one in record.tries] == [5, 10, 10]
    assert record.cost_nano == 25
