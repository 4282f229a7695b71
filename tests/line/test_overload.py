"""A provider that is full: fewer calls at once, for all of its scopes, and no key is blamed."""

import msgspec

from tests.line.scenes import CALM, OK, PROFILE, RULES, provider, refusal, served
from tidegate.model.snapshot import Limits, RefusalRule, RetryPolicy, Scope, Snapshot, Strategy
from tidegate.testing import Playbook
from tidegate.testing.clock import SECOND, settle

PATIENT = RetryPolicy(max_retries=5, jitter=False, budget_floor=100)


def playbook() -> Playbook:
    profile = msgspec.structs.replace(PROFILE, refusals=(*RULES, RefusalRule("OVERLOAD", status=529)))
    scopes = tuple(Scope(name, (f"sk-{name}",), {"a": Limits(0, 10_000_000)}) for name in ("one", "two"))
    calm = Strategy("", "", smoothing=CALM, retry=PATIENT)
    return Playbook(Snapshot(1, (provider(scopes=scopes, profile=profile),), defaults=calm))


async def test_529s_lower_what_is_in_flight_and_answers_raise_it() -> None:
    """Of twenty at once three are refused: that is one overload. Fourteen may go on, and later all may."""
    play = playbook()
    running = [play.call("a") for _ in range(20)]
    await settle()
    assert len(play.sent("openai")) == 20
    for _ in range(3):
        await play.provider("openai", refusal(529))
    lanes = [lane for lane in play.lanes if lane.model == "a"]
    assert {lane.concurrency.limit for lane in lanes} == {14}
    assert not any(lane.breaker.limited for lane in lanes), "no scope is closed, no key is out"
    assert sum(lane.calls for lane in lanes) == 17
    newcomer = play.call("a")
    await settle()
    assert len(play.sent("openai")) == 20, "seventeen are still there"
    for _ in range(3):
        await play.provider("openai", OK)
    assert len(play.sent("openai")) == 20
    await play.provider("openai", OK)
    assert len(play.sent("openai")) == 21, "the fourteenth place is free: who waits is woken"
    for second in range(1, 60):
        await play.until(second * SECOND)
        while play.transports["openai"].open:
            await play.provider("openai", OK)
    for task in (*running, newcomer):
        served(await task)
    for _ in range(300):
        again = play.call("a")
        await settle()
        await play.provider("openai", OK)
        served(await again)
    assert lanes[0].concurrency.limit > 14 or lanes[0].concurrency.limit == 0


async def test_rounds_on_end_close_it() -> None:
    """When even fewer calls are refused, and fewer again, the provider is left alone for a while."""
    play = playbook()
    running = play.call("a")
    await settle()
    lane = next(lane for lane in play.lanes if lane.model == "a")
    for at in (0, 1, 3):
        await play.until(at * SECOND)
        await play.provider("openai", refusal(503))
    assert lane.breaker.tripped
    assert lane.concurrency.limit == 1
    running.cancel()
    await settle()
