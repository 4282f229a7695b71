"""Who goes next and through which outlet: order, tiers, shares, and what it costs."""

from collections.abc import Callable

import pytest

from tests.policy.queue.dispatchers import (
    ACME,
    GLOBEX,
    LATE,
    MINUTE,
    ONE_BATCH,
    ONE_FREE,
    ONE_VIP,
    SECOND,
    desk_of,
    drain,
    join,
    names,
    outlet,
    run,
)
from tidegate.model.tenant import FREE, PAID, Tenant
from tidegate.model.waits import wait_slot
from tidegate.policy.queue.dispatcher import Grant, Waiting
from tidegate.policy.queue.outlet import UNTOLD, Outlet
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.window import SlidingLog
from tidegate.policy.schedule.make import DISCIPLINES

# ── order ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_can_pass_passes_and_nobody_overtakes() -> None:
    """With an empty queue what fits goes at once; behind somebody who waits nothing does, however small."""
    dispatcher = desk_of()
    one = dispatcher.pass_now(ACME, Charge(60_000), 0, 0)
    assert one is not None
    one.take(Charge(60_000), 0)
    assert dispatcher.pass_now(ACME, Charge(1), 0, 0) is None
    join(dispatcher, 30_000, name="large")
    assert dispatcher.pass_now(GLOBEX, Charge(1), 0, 20 * SECOND) is None
    join(dispatcher, 1_000, name="small")
    assert run(dispatcher) == [("large", 30 * SECOND, "one"), ("small", 31 * SECOND, "one")]
    assert dispatcher.waiting == 0
    assert dispatcher.dispatch(31 * SECOND) == UNTOLD


def test_late_binding() -> None:
    """A call is bound to no outlet while it waits: whichever is free first serves it."""
    slow, quick = outlet("slow", 6_000), outlet("quick")
    dispatcher = desk_of(slow, quick)
    drain(dispatcher)
    for name in "abc":
        join(dispatcher, 2_000, name=name)
    assert run(dispatcher) == [("a", 2 * SECOND, "quick"), ("b", 4 * SECOND, "quick"), ("c", 6 * SECOND, "quick")]
    drain(dispatcher, 6 * SECOND)
    join(dispatcher, 5_000, name="d", now=6 * SECOND)
    quick.quota.tokens[0].take(100_000, 6 * SECOND)
    assert run(dispatcher, 6 * SECOND) == [("d", 56 * SECOND, "slow")]


def test_what_no_outlet_can_ever_serve_stands_in_nobodys_way() -> None:
    """It is granted nothing at once, and the next goes on."""
    dispatcher = desk_of()
    drain(dispatcher)
    large = Waiting(ACME, Charge(70_000, 60_001), 0, LATE, ctx="large")
    dispatcher.enter(large, 0)
    join(dispatcher, 1_000, name="next")
    assert run(dispatcher) == [("large", 0, ""), ("next", SECOND, "one")]


def test_an_end_that_nobody_knows() -> None:
    """A scope at its cap: no time is named, a call's end is waited for."""
    one = outlet(cap=1)
    dispatcher = desk_of(one)
    one.take(Charge(5), 0)
    join(dispatcher, 5)
    assert dispatcher.dispatch(0) == UNTOLD
    one.keep(5)
    assert isinstance(dispatcher.dispatch(0), Grant)


def test_a_call_that_had_its_turn_before_goes_first() -> None:
    """Of its tenant's."""
    dispatcher = desk_of()
    drain(dispatcher)
    join(dispatcher, 1_000, name="new")
    join(dispatcher, 1_000, name="again", front=True)
    assert names(run(dispatcher)) == ["again", "new"]


def test_who_leaves_is_not_served() -> None:
    """Once; leaving again changes nothing."""
    dispatcher = desk_of()
    drain(dispatcher)
    gone, _ = join(dispatcher, 1_000, name="gone"), join(dispatcher, 1_000, name="stays")
    assert dispatcher.leave(gone, 0)
    assert not dispatcher.leave(gone, 0)
    assert run(dispatcher) == [("stays", SECOND, "one")]


def test_how_long_the_first_has_waited() -> None:
    """Of whatever tier; nobody has waited no time."""
    dispatcher = desk_of(how="dynamic", tiered=True)
    drain(dispatcher)
    assert dispatcher.oldest_us(SECOND) == 0
    join(dispatcher, 1, ONE_FREE)
    join(dispatcher, 1, ONE_VIP, 2 * SECOND)
    assert dispatcher.oldest_us(5 * SECOND) == 5 * SECOND


# ── tiers ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_waits_are_added_up_for_whoever_leaves() -> None:
    """At once, when its turn comes, or without one; those who wait, so far. A reload forgets none of it."""
    dispatcher = desk_of(outlet())
    assert dispatcher.pass_now(ACME, Charge(1_000), 0, 0) is not None
    drain(dispatcher)
    first, second = join(dispatcher, 1_000, now=SECOND), join(dispatcher, 1_000, now=2 * SECOND)
    assert (dispatcher.left, dispatcher.waited_us, dispatcher.waiting_us(5 * SECOND)) == (1, 0, 7 * SECOND)
    assert dispatcher.leave(second, 6 * SECOND)
    assert not dispatcher.leave(second, 6 * SECOND)
    granted = dispatcher.dispatch(7 * SECOND)
    assert isinstance(granted, Grant)
    assert granted.ticket is first
    assert (dispatcher.left, dispatcher.waited_us, dispatcher.waiting_us(9 * SECOND)) == (3, 10 * SECOND, 0)
    dispatcher.promise(ACME, Charge(1_000), SECOND, 9 * SECOND)
    third = join(dispatcher, 1_000, now=9 * SECOND)
    after = desk_of(outlet())
    after.inherit(dispatcher, 10 * SECOND)
    assert (after.left, after.waited_us, after.refused, after.waiting_us(11 * SECOND)) == (
        3,
        10 * SECOND,
        1,
        2 * SECOND,
    )
    assert after.leave(third, 11 * SECOND)


def test_vip_before_free() -> None:
    """Whoever came first."""
    dispatcher = desk_of(how="dynamic", tiered=True)
    drain(dispatcher)
    for _ in range(3):
        join(dispatcher, 1_000, ONE_FREE)
    join(dispatcher, 1_000, ONE_VIP)
    join(dispatcher, 1_000, ACME)
    assert names(run(dispatcher)) == ["v", "acme", "f", "f", "f"]


def test_a_lower_tier_leaves_tokens_for_a_higher_one() -> None:
    """A vip that called lately finds tokens at once, while free waits for the floor to be there after it."""
    dispatcher = desk_of(tiered=True)
    one = dispatcher.pass_now(ONE_VIP, Charge(1_000), 0, 0)
    assert one is not None
    one.take(Charge(56_000), 0)  # 4,000 left
    assert dispatcher.pass_now(ONE_FREE, Charge(2_001), 0, 0) is None
    assert dispatcher.pass_now(ONE_FREE, Charge(2_000), 0, 0) is one
    one.take(Charge(2_000), 0)
    assert dispatcher.pass_now(ONE_FREE, Charge(1), 0, 0) is None
    join(dispatcher, 1_000, ONE_FREE)
    assert dispatcher.dispatch(0) == SECOND
    join(dispatcher, 1_000, ONE_VIP)
    assert run(dispatcher, until=0) == [("v", 0, "one")]
    assert run(dispatcher) == [("f", 2 * SECOND, "one")]


def test_no_floor_where_only_one_tier_calls() -> None:
    """A pool of one tier uses every token, and a tier that reserves nothing holds nobody."""
    alone = desk_of()
    assert alone.pass_now(ONE_VIP, Charge(1_000), 0, 0)
    assert alone.pass_now(ONE_FREE, Charge(60_000), 0, 0)
    equals = desk_of(tiered=True)
    assert equals.pass_now(GLOBEX, Charge(1_000), 0, 0)
    assert equals.pass_now(ACME, Charge(60_000), 0, 0)
    batch = desk_of(tiered=True)
    assert batch.pass_now(ONE_BATCH, Charge(1_000), 0, 0)
    assert batch.pass_now(ONE_FREE, Charge(60_000), 0, 0)


def test_patient_tiers_leave_room_for_bursts() -> None:
    """Ten seconds of a lane, while somebody higher calls; a minute after the last such call all of it is theirs."""
    dispatcher = desk_of(tiered=True)
    (lane,) = dispatcher.outlets
    assert dispatcher.pass_now(ONE_VIP, Charge(10), 0, 0) is lane
    lane.take(Charge(49_000), 0)
    assert dispatcher.pass_now(ONE_BATCH, Charge(2_000), 0, 0) is None
    assert dispatcher.pass_now(ONE_BATCH, Charge(1_000), 0, 0) is lane
    assert dispatcher.pass_now(ONE_FREE, Charge(2_000), 0, 0) is lane
    join(dispatcher, 2_000, ONE_BATCH)
    assert dispatcher.dispatch(0) == SECOND
    lane.take(Charge(lane.quota.tokens[0].left(MINUTE) - 2_000), MINUTE)
    assert isinstance(dispatcher.dispatch(MINUTE), Grant)


def test_on_a_window_room_for_bursts_would_be_lost() -> None:
    """What nobody takes of a window is gone: patient tiers leave a few calls' worth there, as others do."""
    log = SlidingLog(60_000, window_us=MINUTE)
    dispatcher = desk_of(Outlet("log", Quota((), (log,))), tiered=True)
    assert dispatcher.pass_now(ONE_VIP, Charge(10), 0, 0) is not None
    log.take(50_000, 0)
    assert dispatcher.pass_now(ONE_BATCH, Charge(9_000), 0, 0) is not None


def test_who_starves_is_held_by_no_floor() -> None:
    """A boosted call passes as soon as the tokens are there, whatever higher tiers might need."""
    dispatcher = desk_of(tiered=True, how="dynamic")
    drain(dispatcher)
    join(dispatcher, 1_000, ONE_FREE)
    for _ in range(100):
        join(dispatcher, 1_000, ONE_VIP)
    turns = run(dispatcher)
    at = names(turns).index("f")
    assert 30 * SECOND <= turns[at][1] <= 32 * SECOND


def test_a_full_queue_pushes_out_the_newest_of_the_lowest_tier() -> None:
    """For somebody of a higher tier; else the newcomer has no room."""
    dispatcher = desk_of(most=2, tiered=True)
    drain(dispatcher)
    older, newer = join(dispatcher, 1, ONE_FREE, name="older"), join(dispatcher, 1, ONE_FREE, name="newer")
    equal = Waiting(ONE_FREE, Charge(1), 0, LATE)
    assert dispatcher.predict(ONE_FREE, Charge(1), 0).full
    assert dispatcher.enter(equal, 0) is equal
    assert not dispatcher.predict(ONE_VIP, Charge(1), 0).full
    assert dispatcher.enter(Waiting(ONE_VIP, Charge(1), 0, LATE, ctx="v"), 0) is newer
    assert dispatcher.enter(Waiting(ACME, Charge(1), 0, LATE, ctx="p"), 0) is older
    last = Waiting(ACME, Charge(1), 0, LATE)
    assert dispatcher.enter(last, 0) is last
    assert dispatcher.waiting == 2
    assert names(run(dispatcher)) == ["v", "p"]


# ── shares ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_share_is_claimed_before_all_tiers() -> None:
    """30 % of 60,000 a minute: 3,000 in ten seconds go first, what is above waits like any other."""
    dispatcher = desk_of(how="dynamic", tiered=True, shares=(("f", 300),))
    drain(dispatcher)
    join(dispatcher, 1_000, ONE_VIP)
    for name in ("claimed 1", "claimed 2", "claimed 3", "above"):
        join(dispatcher, 1_000, ONE_FREE, name=name)
    assert names(run(dispatcher)) == ["claimed 1", "claimed 2", "claimed 3", "v", "above"]


def test_a_share_is_lent_and_taken_back() -> None:
    """Others use all of it while nobody claims; who claims has its part again with the next refill."""
    dispatcher = desk_of(how="dynamic", shares=(("acme", 500),))
    drain(dispatcher)
    for place in range(40):
        join(dispatcher, 1_000, GLOBEX, name=f"g{place}")
    assert len(run(dispatcher, until=9 * SECOND)) == 9  # every token
    for place in range(5):
        join(dispatcher, 1_000, ACME, 10 * SECOND, name=f"a{place}")
    assert [str(name)[0] for name in names(run(dispatcher, 10 * SECOND, 15 * SECOND))][:5] == ["a"] * 5


def test_a_tenants_own_share_is_before_its_tiers() -> None:
    """A tier's is everybody's of that tier who has none."""
    dispatcher = desk_of(how="dynamic", tiered=True, shares=(("free", 100), ("f", 100)))
    drain(dispatcher)
    join(dispatcher, 1_000, ONE_VIP)
    join(dispatcher, 1_000, Tenant("other", FREE))
    join(dispatcher, 1_000, ONE_FREE)
    assert set(names(run(dispatcher))[:2]) == {"other", "f"}


def test_a_claim_of_who_left_returns() -> None:
    """As if it had never been made."""
    dispatcher = desk_of(how="dynamic", shares=(("acme", 100),))
    drain(dispatcher)
    join(dispatcher, 1_000, GLOBEX)
    dispatcher.leave(join(dispatcher, 1_000, ACME), 0)
    join(dispatcher, 1_000, ACME)
    assert names(run(dispatcher)) == ["acme", "globex"]


def test_a_claim_counts_as_its_owners_service() -> None:
    """What it gets by its share it does not get once more by its turn."""
    dispatcher = desk_of(how="dynamic", shares=(("acme", 600),))
    drain(dispatcher)
    for _ in range(20):
        join(dispatcher, 1_000, ACME)
        join(dispatcher, 1_000, GLOBEX)
    served = names(run(dispatcher, until=20 * SECOND))
    assert abs(served.count("acme") - served.count("globex")) <= 3


def test_a_share_follows_the_outlets_limits() -> None:
    """Half of the pool is half the claim."""
    dispatcher = desk_of(how="dynamic", shares=(("acme", 600),))
    drain(dispatcher)
    dispatcher.outlets.all[0].quota.tokens[0].resize(30_000, 0)
    dispatcher.changed(0)
    join(dispatcher, 1_000, GLOBEX)
    for _ in range(4):
        join(dispatcher, 1_000, ACME)
    assert names(run(dispatcher)) == ["acme", "acme", "acme", "globex", "acme"]


# ── anything in any order ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_cached_shortens_the_wait_and_is_no_service() -> None:
    """Of ten calls' tokens nine tenths turned out to be cached where they went: so it will be with those ahead."""
    dispatcher = desk_of(how="dynamic")
    drain(dispatcher)
    for _ in range(10):
        join(dispatcher, 10_000)
    assert dispatcher.predict(ACME, Charge(0), 0).wait_us == 100 * SECOND
    for _ in range(10):
        dispatcher.spared(ACME, 9_000, 0)
        dispatcher.settled(ACME, 1_000, 1_000, 0)
    assert dispatcher.predict(ACME, Charge(0), 0).wait_us == pytest.approx(10 * SECOND, rel=0.01)


def test_a_tenant_is_served_what_it_cost() -> None:
    """One pays for a tenth of each call, the other for all of it: the first is served ten times as often."""
    dispatcher = desk_of(how="dynamic")
    drain(dispatcher)
    for _ in range(60):
        join(dispatcher, 1_000, ACME)
        join(dispatcher, 1_000, GLOBEX)
    served: list[str] = []
    now = 0
    while len(served) < 55:
        step = dispatcher.dispatch(now)
        if isinstance(step, int):
            now += step
            continue
        served.append(step.ticket.owner.name)
        if step.ticket.owner is ACME:
            dispatcher.spared(ACME, 900, now)
    assert served.count("acme") >= 40


# ── what it costs ────────────────────────────────────────────────────────────────────────────────────────────────────


def work_of(waiting: int, late: int, lines_of: Callable[[Callable[[], object]], int], how: str) -> list[int]:
    """Lines that a prediction, a place, a call's coming and going, and a grant take on used-up windows."""
    outlets = [
        Outlet(str(number), Quota((), (SlidingLog(1_000_000, window_us=MINUTE, spare_permille=10),)))
        for number in range(4)
    ]
    for at in range(0, MINUTE, MINUTE // 500):
        for one in outlets:
            one.quota.tokens[0].take(2_000, at)
            if at // (MINUTE // 500) % 100 < late:
                one.quota.tokens[0].late(at, 50_000)  # type: ignore[attr-defined]
    dispatcher, now = desk_of(*outlets, how=how, most=100_000), MINUTE - 1
    tenants = [Tenant(str(number), PAID) for number in range(20)]
    for number in range(waiting):
        join(dispatcher, 2_000, tenants[number % 20], now)
    ticket = Waiting(tenants[0], Charge(2_000), now, LATE)
    soon = now + MINUTE // 100
    return [
        lines_of(lambda: dispatcher.predict(tenants[0], Charge(2_000), now)),
        lines_of(lambda: dispatcher.promise(tenants[1], Charge(2_000), 1, now)),
        lines_of(lambda: dispatcher.enter(ticket, now)),
        lines_of(lambda: dispatcher.leave(ticket, now)),
        lines_of(lambda: dispatcher.dispatch(now)),
        lines_of(lambda: dispatcher.dispatch(soon)),
    ]


@pytest.mark.parametrize("how", DISCIPLINES)
def test_work_grows_neither_with_the_queue_nor_with_lateness(
    how: str, lines_of: Callable[[Callable[[], object]], int]
) -> None:
    """A hundred that wait or ten thousand, no slot late or all: each decision is about the same number of steps."""
    few = work_of(100, 0, lines_of, how)
    for waiting, late in ((10_000, 0), (100, 100), (10_000, 100)):
        for small, large in zip(few, work_of(waiting, late, lines_of, how), strict=True):
            assert large <= 2 * small + 400, (waiting, late)


def test_how_long_they_had_to_wait_is_counted_by_tier() -> None:
    """Of who was let through and who gave up; who passes at once had not to wait. A reload forgets nothing."""
    dispatcher = desk_of()
    drain(dispatcher)
    join(dispatcher, 1_000, name="served")
    gone = join(dispatcher, 1_000, name="gone")
    assert dispatcher.leave(gone, 5_000)
    assert names(run(dispatcher)) == ["served"]
    assert dispatcher.waits == {ACME.tier.name: {wait_slot(5): 1, wait_slot(1_000): 1}}
    heir = desk_of()
    heir.inherit(dispatcher, 2 * SECOND)
    assert heir.pass_now(ACME, Charge(1), 0, 2 * SECOND) is not None
    assert heir.waits == {ACME.tier.name: {wait_slot(5): 1, wait_slot(1_000): 1}}
