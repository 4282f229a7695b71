"""The ladder: what a call is given instead of a refusal, and how it is told."""

from tests.line.scenes import OK, Playbook, play_of, provider, refused, served, spend
from tidegate.model.errors import ProblemKind
from tidegate.model.snapshot import DegradeStep, Limits, ModelEntry
from tidegate.model.tenant import FREE, VIP, Tenant
from tidegate.testing.clock import SECOND, settle

TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
ALL = ("vip", "paid", "free", "batch")
BOTH = {"a": Limits(6_000, 60_000), "b": Limits(6_000, 60_000)}
ONE_VIP, ONE_FREE = Tenant("v", VIP), Tenant("f", FREE)
CLAMP = DegradeStep("clamp", ALL, max_tokens=256)
CHEAPER = DegradeStep("model", ALL, model="b")


def ladder(*steps: DegradeStep, limits: dict[str, Limits] = BOTH, **models: ModelEntry) -> Playbook:
    """Strategy `s` with these steps; the quota of its primary is spent."""
    play = play_of(provider(limits=limits, models=models), degrade=steps)
    spend(play, 60_000)
    return play


def bodies(play: Playbook) -> list[bytes]:
    return [sent.body for sent in play.sent("openai") if isinstance(sent.body, bytes)]


async def test_fewer_tokens_first() -> None:
    """What was asked for does not make the deadline, what is left of it does: the provider is asked for that."""
    play = ladder(CLAMP, CHEAPER)
    running = play.call("s", max_tokens=10_000, deadline=SECOND)
    await play.expect_sent("openai", 1, at=256_000)
    assert b'"max_tokens":256' in bodies(play)[0].replace(b" ", b"")
    assert play.recorder.intents[0].charged_tokens == 256
    await play.provider("openai", OK)
    assert served(await running).lane.model == "a"
    assert play.calls[0].degraded == ("max_tokens=256",)


async def test_then_another_model() -> None:
    """Told when it is the one that served."""
    play = ladder(CLAMP, CHEAPER)
    running = play.call("s", max_tokens=10_000, deadline=100_000)
    await settle()
    assert b'"b"' in bodies(play)[0]
    await play.provider("openai", OK)
    assert served(await running).lane.model == "b"
    assert play.calls[0].degraded == ("max_tokens=256", "model=b")


async def test_then_a_refusal() -> None:
    """With the time of the soonest, which has a place now."""
    play = ladder(CLAMP, CHEAPER)
    spend(play, 60_000 + 1_000, "b")
    running = play.call("s", max_tokens=10_000, deadline=100_000)
    await settle()
    problem = refused(running.result()).problem
    assert (problem.kind, problem.retry_after_us) == (ProblemKind.OVER_QUOTA, 256_000)
    assert bodies(play) == []


async def test_no_step_without_need() -> None:
    """A call that makes its deadline is given what it asked for."""
    play = ladder(CLAMP, CHEAPER)
    play.call("s", max_tokens=10_000, deadline=11 * SECOND)
    await play.expect_sent("openai", 1, at=10 * SECOND)
    assert b"10000" in bodies(play)[0]
    assert play.calls[0].degraded == ()


async def test_a_step_is_for_some_tiers() -> None:
    """Others are refused, or go on to their own step."""
    play = ladder(DegradeStep("clamp", ("free",), max_tokens=256), DegradeStep("model", ("vip",), model="b"))
    vip = play.call("s", max_tokens=10_000, deadline=SECOND, tenant=ONE_VIP)
    paid = play.call("s", max_tokens=10_000, deadline=SECOND)
    await settle()
    assert b'"b"' in bodies(play)[0]
    assert refused(paid.result()).problem.kind is ProblemKind.OVER_QUOTA
    play.call("s", max_tokens=10_000, deadline=SECOND, tenant=ONE_FREE)
    await play.until(SECOND)
    assert [call.degraded for call in play.calls[1:]] == [(), ("max_tokens=256",)]
    await play.provider("openai", OK)
    assert served(await vip).lane.model == "b"
    assert play.calls[0].degraded == ("model=b",)


async def test_a_clamp_that_clamps_nothing_is_no_step() -> None:
    """Who asks for less already is not told that it was given less."""
    play = ladder(CLAMP, CHEAPER)
    running = play.call("s", max_tokens=200, deadline=100_000)
    await settle()
    await play.provider("openai", OK)
    assert served(await running).lane.model == "b"
    assert play.calls[0].degraded == ("model=b",)


async def test_a_model_that_cannot_serve_the_call_is_no_step() -> None:
    """The next one is tried."""
    play = ladder(CHEAPER, DegradeStep("model", ALL, model="c"), b=ModelEntry(tools=False), c=ModelEntry())
    play.call("s", max_tokens=10_000, deadline=SECOND, tools=TOOLS)
    await settle()
    assert b'"c"' in bodies(play)[0]


async def test_a_too_large_call_is_made_smaller() -> None:
    """What no waiting makes possible a clamp does."""
    play = ladder(CLAMP)
    play.call("s", max_tokens=70_000, deadline=SECOND)
    await play.expect_sent("openai", 1, at=256_000)
    assert play.calls[0].degraded == ("max_tokens=256",)
