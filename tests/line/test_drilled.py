"""Plans for drills, and what the line makes of them."""

import msgspec
import pytest

from tests.line.scenes import DONE, OK, chunk, provider, served, snapshot, streaming
from tidegate.line.drilled import Asked, DrillPlans, serves, tenant
from tidegate.line.lanes import Lanes
from tidegate.line.plan import Plan
from tidegate.model.call import Kind
from tidegate.model.drills import CUT, FAULTS
from tidegate.model.snapshot import Limits, Pool, Snapshot
from tidegate.model.tenant import BATCH, TIERS
from tidegate.testing import Playbook
from tidegate.testing.clock import SECOND

FREE = Limits(6_000, 60_000)


class Fixed:
    """A book with one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def plan(self, _model: str) -> Plan:
        return self._plan


def world(*pools: Pool) -> tuple[Playbook, DrillPlans]:
    providers = provider("one", {"a": FREE}), provider("two", {"b": FREE, "c": FREE})
    made: Snapshot = snapshot(*providers, primary_model="a", fallback_models=("b",))
    play = Playbook(msgspec.structs.replace(made, pools=pools))
    return play, DrillPlans(made, play.book, lambda: Lanes(play.clock, 16, lambda: 0.0))


def plan_of(plans: DrillPlans, *asked: str) -> Plan:
    plan = plans.plan(Asked("d", *asked))
    assert plan is not None
    return plan


def test_a_target_by_itself() -> None:
    """Nobody else is asked, nothing is retried, cached or lowered; it is booked as the drill's."""
    plan = plan_of(world()[1], "s", "b")
    assert [target.model for target in plan.targets] == ["b"]
    assert (plan.name, plan.ladder, plan.caching, plan.asynchronous) == ("drill:d", (), None, False)
    assert plan.retry.max_retries == 1


def test_who_is_no_target() -> None:
    """Neither of the strategy, nor anybody's; and nothing leads from a primary to itself."""
    _, plans = world()
    for asked in (("s", "c"), ("nobody", "a"), ("s", "a", "429")):
        assert plans.plan(Asked("d", *asked)) is None


def test_a_judge_is_asked_as_anybody_asks_it() -> None:
    """By its model or strategy."""
    assert [target.model for target in plan_of(world()[1], "", "c").targets] == ["c"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_way_leads_to_the_fallback(fault: str) -> None:
    """The primary's double fails; the real one is asked nothing and learns nothing; the fallback answers."""
    play, plans = world()
    plan = plan_of(plans, "s", "b", fault)
    assert [target.provider for target in plan.targets] == ["drill:one", "two"]
    play.book = Fixed(plan)  # type: ignore[assignment]
    task = play.call("s", stream=fault == CUT)
    await play.until(30 * SECOND)
    assert len(play.sent("two")) == 1
    if fault == CUT:
        reply, stream = streaming()
        await play.provider("two", reply)
        stream.say(chunk("hello"), DONE)
    else:
        await play.provider("two", OK)
    assert served(await task).lane.name == "two/main/b"
    assert not play.sent("one")
    assert not any(lane.name.startswith("drill") for lane in play.lanes)
    assert all(lane.breaker.wait(play.clock.now()) == 0 for lane in play.lanes)


def test_whose_call_it_is() -> None:
    """Of the last tier; where a pool serves some only, as one of those."""
    plan = plan_of(world()[1], "s", "b")
    assert (tenant(plan).name, tenant(plan).tier) == ("drill", BATCH)
    assert serves(plan, Kind.CHAT)
    plan = plan_of(world(Pool("kept", "two", ("main",), only=("acme",)))[1], "s", "b")
    assert (tenant(plan).name, tenant(plan).tier) == ("acme", BATCH)
    assert BATCH in TIERS


def test_who_is_left_out_is_asked_by_drills_still() -> None:
    """Else it could never pass again. Calls go past it, until it is taken back; the last one stays."""
    play, plans = world()

    def models() -> list[list[str]]:
        found = [play.book.plan(name) for name in ("s", "a")]
        return [[target.model for target in plan.targets] for plan in found if plan is not None]

    play.book.leave_out(frozenset({("s", "b"), ("other", "a")}))
    assert models() == [["a"], ["a"]]
    assert [target.model for target in plan_of(plans, "s", "b").targets] == ["b"]
    play.book.leave_out(frozenset({("s", "a"), ("s", "b")}))
    assert models() == [["a", "b"], ["a", "b"]]
    play.book.leave_out(frozenset())
    assert models() == [["a", "b"], ["a", "b"]]
    own = play.book.plan("b")
    assert own is not None
    assert [target.model for target in own.targets] == ["b"]
