"""A book is composed beside the lanes that serve: until it is adopted, and if it never is, they are as they were."""

from collections.abc import Callable
from random import Random

import msgspec
import pytest

from tests.line.scenes import CALM, OK, lane_of, provider, served, snapshot, tokens_left
from tests.line.test_lanes import ONE, TWO, of, pool
from tidegate.line.routing_table import RoutingTable
from tidegate.model.snapshot import Limits, Provider, RateLimitPolicy, Scope, Snapshot, Strategy
from tidegate.model.tenant import NOBODY
from tidegate.policy.quota.quota import Charge
from tidegate.testing import Playbook, ScriptedTransport
from tidegate.testing.clock import settle

SMALL = {"a": Limits(600, 6_000)}
LESS = Scope("one", ("sk-one",), SMALL, window="fixed", weight=3, max_concurrent=1)
NEXT = of(LESS, Scope("four", ("sk-four",), SMALL), pools=(pool("p", "one", max_waiting=1), pool("q", "one", "four")))


def scripted(_provider: Provider) -> ScriptedTransport:
    return ScriptedTransport()


def standing(play: Playbook) -> dict[str, object]:
    """All that a book may change of what serves."""
    found: dict[str, object] = {}
    for lane in play.lanes:
        found[lane.key] = (
            lane.configured, lane.service, lane.window, lane.keys, lane.weight_milli, lane.pool, lane.cap.limit,
            lane.quota.tokens, lane.quota.requests, len(lane.breaker._listeners),
            len(lane.breaker.healths[1]._watchers), len(lane.concurrency._outlets),
        )  # fmt: skip
    for one in play.lanes.pools:
        found[one.name] = one, one.lanes, one.rules, one.dispatcher
    shelves = play.lanes.shelves
    found["shelves"] = set(shelves.organisations), set(shelves.rings.items()), set(shelves.bounds), str(shelves.named)
    return found


def fails(at: int) -> Callable[[Provider], ScriptedTransport]:
    """The connections to providers, of which one cannot be made."""
    made: list[Provider] = []

    def transport(provider: Provider) -> ScriptedTransport:
        made.append(provider)
        if len(made) > at:
            raise OSError("no such certificate")
        return ScriptedTransport()

    return transport


async def test_a_book_that_is_not_adopted_changes_nothing() -> None:
    """Neither what lanes may spend, nor who waits where, nor who hears of whose failures."""
    play = Playbook(of(ONE, TWO))
    lane_of(play).keys.retire(b"sk-one", 0)
    before = standing(play)
    book = RoutingTable(NEXT, play.lanes, scripted)
    book.plan("a model that nobody names")
    book.drop()
    assert standing(play) == before
    play.lanes.retire()
    first = play.call("a")
    await settle()
    await play.provider("openai", OK)
    served(await first)


@pytest.mark.parametrize("at", [0, 1])
async def test_a_book_that_fails_midway_changes_nothing(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first lane, and after some."""
    play = Playbook(of(ONE, TWO))
    before = standing(play)
    if at:
        whole, made = RoutingTable._target, []

        def target(book: RoutingTable, *more: object) -> object:
            made.append(more)
            if len(made) > at:
                raise KeyError("a defect")
            return whole(book, *more)  # type: ignore[arg-type]

        monkeypatch.setattr(RoutingTable, "_target", target)
    with pytest.raises((OSError, KeyError)):
        RoutingTable(NEXT, play.lanes, scripted if at else fails(0))
    assert standing(play) == before


async def test_what_is_adopted_is_as_it_is_wanted() -> None:
    """Lanes that were there have the new limits and what they had spent; new pools know the lanes as they are now."""
    play = Playbook(of(ONE, TWO))
    one = lane_of(play)
    one.quota.tokens[0].take(59_000, play.clock.now())
    book = RoutingTable(NEXT, play.lanes, scripted).adopt()
    assert (one.configured, one.window, one.weight_milli, one.cap.limit) == (SMALL["a"], "fixed", 3_000, 1)
    assert tokens_left(play) <= 1_000
    plan = book.plan("a")
    assert plan is not None
    names = {pool.name: [lane.name for lane in pool.lanes] for pool in plan.targets[0].pools}
    assert names == {"p/a": ["openai/one/a"], "q/a": ["openai/one/a", "openai/four/a"]}
    assert all(pool.dispatcher.outlets.all == list(pool.lanes) for pool in plan.targets[0].pools)
    assert {pool.rules.max_waiting for pool in plan.targets[0].pools} == {1, play.lanes.max_waiting}


def with_bound(most: int) -> Snapshot:
    """A strategy with limits of its own."""
    calm = Strategy("s", "a", smoothing=CALM, rate_limit=RateLimitPolicy(max_rpm=most))
    return msgspec.structs.replace(snapshot(provider(scopes=(ONE,))), strategies=(calm,))


def test_shares_of_a_new_pool_are_of_the_limits_that_its_lanes_have_then() -> None:
    """A pool is made before its lanes are brought up to date, and is renewed when they are."""
    play = Playbook(of(ONE))
    RoutingTable(of(LESS, pools=(pool("new", "one"),)), play.lanes, scripted).adopt()
    (new,) = (one for one in play.lanes.pools if one.name == "new/a")
    assert new.dispatcher._forecast.per_minute() == SMALL["a"].tpm


def test_a_bound_is_adopted_with_its_book() -> None:
    """And not before."""
    play = Playbook(with_bound(1))
    RoutingTable(with_bound(2), play.lanes, scripted).drop()
    assert [policy.max_rpm for _, policy in play.lanes.shelves.bounds] == [1]
    RoutingTable(with_bound(2), play.lanes, scripted).adopt()
    assert [policy.max_rpm for _, policy in play.lanes.shelves.bounds] == [1, 2]


def test_a_new_pool_picks_by_the_weights_that_its_lanes_have_then() -> None:
    """Not by those of the book before."""
    play = Playbook(of(ONE, TWO))
    play.lanes.luck = Random(7).random
    heavy = (Scope("one", ("sk-one",), ONE.limits, weight=9), TWO)
    RoutingTable(of(*heavy, pools=(pool("new", "one", "two", pick="weighted"),)), play.lanes, scripted).adopt()
    (new,) = (one for one in play.lanes.pools if one.name == "new/a")
    taken = [new.take_nowait(NOBODY, Charge(1), 0, play.clock.now()) for _ in range(100)]
    assert sum(permit is not None and permit.lane.name == "openai/one/a" for permit in taken) > 75
