"""Who goes next and through which outlet: order, tiers, shares, and what it costs."""

from collections.abc import Callable

import pytest

from tests.policy.queue.desks import (
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
from tidegate.policy.queue.desk import Grant, Waiting
from tidegate.policy.queue.outlet import UNTOLD, Outlet
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.window import SlidingLog
from tidegate.policy.schedule.make import DISCIPLINES

# ── order ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_can_pass_passes_and_nobody_overtakes() -> None:
    """With an empty queue what fits goes at once; behind somebody who waits nothing does, however small."""
    desk = desk_of()
    one = desk.pass_now(ACME, Charge(60_000), 0, 0)
    assert one is not None
    one.take(Charge(60_000), 0)
    assert desk.pass_now(ACME, Charge(1), 0, 0) is None
    join(desk, 30_000, name="large")
    assert desk.pass_now(GLOBEX, Charge(1), 0, 20 * SECOND) is None
    join(desk, 1_000, name="small")
    assert run(desk) == [("large", 30 * SECOND, "one"), ("small", 31 * SECOND, "one")]
    assert desk.waiting == 0
    assert desk.dispatch(31 * SECOND) == UNTOLD


def test_late_binding() -> None:
    """A call is bound to no outlet while it waits: whichever is free first serves it."""
    slow, quick = outlet("slow", 6_000), outlet("quick")
    desk = desk_of(slow, quick)
    drain(desk)
    for name in "abc":
        join(desk, 2_000, name=name)
    assert run(desk) == [("a", 2 * SECOND, "quick"), ("b", 4 * SECOND, "quick"), ("c", 6 * SECOND, "quick")]
    drain(desk, 6 * SECOND)
    join(desk, 5_000, name="d", now=6 * SECOND)
    quick.quota.tokens[0].take(100_000, 6 * SECOND)
    assert run(desk, 6 * SECOND) == [("d", 56 * SECOND, "slow")]


def test_what_no_outlet_can_ever_serve_stands_in_nobodys_way() -> None:
    """It is granted nothing at once, and the next goes on."""
    desk = desk_of()
    drain(desk)
    large = Waiting(ACME, Charge(70_000, 60_001), 0, LATE, ctx="large")
    desk.enter(large, 0)
    join(desk, 1_000, name="next")
    assert run(desk) == [("large", 0, ""), ("next", SECOND, "one")]


def test_an_end_that_nobody_knows() -> None:
    """A scope at its cap: no time is named, a call's end is waited for."""
    one = outlet(cap=1)
    desk = desk_of(one)
    one.take(Charge(5), 0)
    join(desk, 5)
    assert desk.dispatch(0) == UNTOLD
    one.keep(5)
    assert isinstance(desk.dispatch(0), Grant)


def test_a_call_that_had_its_turn_before_goes_first() -> None:
    """Of its tenant's."""
    desk = desk_of()
    drain(desk)
    join(desk, 1_000, name="new")
    join(desk, 1_000, name="again", front=True)
    assert names(run(desk)) == ["again", "new"]


def test_who_leaves_is_not_served() -> None:
    """Once; leaving again changes nothing."""
    desk = desk_of()
    drain(desk)
    gone, _ = join(desk, 1_000, name="gone"), join(desk, 1_000, name="stays")
    assert desk.leave(gone, 0)
    assert not desk.leave(gone, 0)
    assert run(desk) == [("stays", SECOND, "one")]


def test_how_long_the_first_has_waited() -> None:
    """Of whatever tier; nobody has waited no time."""
    desk = desk_of(how="dynamic", tiered=True)
    drain(desk)
    assert desk.oldest_us(SECOND) == 0
    join(desk, 1, ONE_FREE)
    join(desk, 1, ONE_VIP, 2 * SECOND)
    assert desk.oldest_us(5 * SECOND) == 5 * SECOND


# ── tiers ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_waits_are_added_up_for_whoever_leaves() -> None:
    """At once, when its turn comes, or without one; those who wait, so far. A reload forgets none of it."""
    desk = desk_of(outlet())
    assert desk.pass_now(ACME, Charge(1_000), 0, 0) is not None
    drain(desk)
    first, second = join(desk, 1_000, now=SECOND), join(desk, 1_000, now=2 * SECOND)
    assert (desk.left, desk.waited_us, desk.waiting_us(5 * SECOND)) == (1, 0, 7 * SECOND)
    assert desk.leave(second, 6 * SECOND)
    assert not desk.leave(second, 6 * SECOND)
    granted = desk.dispatch(7 * SECOND)
    assert isinstance(granted, Grant)
    assert granted.ticket is first
    assert (desk.left, desk.waited_us, desk.waiting_us(9 * SECOND)) == (3, 10 * SECOND, 0)
    desk.promise(ACME, Charge(1_000), SECOND, 9 * SECOND)
    third = join(desk, 1_000, now=9 * SECOND)
    after = desk_of(outlet())
    after.inherit(desk, 10 * SECOND)
    assert (after.left, after.waited_us, after.refused, after.waiting_us(11 * SECOND)) == (
        3,
        10 * SECOND,
        1,
        2 * SECOND,
    )
    assert after.leave(third, 11 * SECOND)


def test_vip_before_free() -> None:
    """Whoever came first."""
    desk = desk_of(how="dynamic", tiered=True)
    drain(desk)
    for _ in range(3):
        join(desk, 1_000, ONE_FREE)
    join(desk, 1_000, ONE_VIP)
    join(desk, 1_000, ACME)
    assert names(run(desk)) == ["v", "acme", "f", "f", "f"]


def test_a_lower_tier_leaves_tokens_for_a_higher_one() -> None:
    """A vip that called lately finds tokens at once, while free waits for the floor to be there after it."""
    desk = desk_of(tiered=True)
    one = desk.pass_now(ONE_VIP, Charge(1_000), 0, 0)
    assert one is not None
    one.take(Charge(56_000), 0)  # 4,000 left
    assert desk.pass_now(ONE_FREE, Charge(2_001), 0, 0) is None
    assert desk.pass_now(ONE_FREE, Charge(2_000), 0, 0) is one
    one.take(Charge(2_000), 0)
    assert desk.pass_now(ONE_FREE, Charge(1), 0, 0) is None
    join(desk, 1_000, ONE_FREE)
    assert desk.dispatch(0) == SECOND
    join(desk, 1_000, ONE_VIP)
    assert run(desk, until=0) == [("v", 0, "one")]
    assert run(desk) == [("f", 2 * SECOND, "one")]


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
    desk = desk_of(tiered=True)
    (lane,) = desk.outlets
    assert desk.pass_now(ONE_VIP, Charge(10), 0, 0) is lane
    lane.take(Charge(49_000), 0)
    assert desk.pass_now(ONE_BATCH, Charge(2_000), 0, 0) is None
    assert desk.pass_now(ONE_BATCH, Charge(1_000), 0, 0) is lane
    assert desk.pass_now(ONE_FREE, Charge(2_000), 0, 0) is lane
    join(desk, 2_000, ONE_BATCH)
    assert desk.dispatch(0) == SECOND
    lane.take(Charge(lane.quota.tokens[0].left(MINUTE) - 2_000), MINUTE)
    assert isinstance(desk.dispatch(MINUTE), Grant)


def test_on_a_window_room_for_bursts_would_be_lost() -> None:
    """What nobody takes of a window is gone: patient tiers leave a few calls' worth there, as others do."""
    log = SlidingLog(60_000, window_us=MINUTE)
    desk = desk_of(Outlet("log", Quota((), (log,))), tiered=True)
    assert desk.pass_now(ONE_VIP, Charge(10), 0, 0) is not None
    log.take(50_000, 0)
    assert desk.pass_now(ONE_BATCH, Charge(9_000), 0, 0) is not None


def test_who_starves_is_held_by_no_floor() -> None:
    """A boosted call passes as soon as the tokens are there, whatever higher tiers might need."""
    desk = desk_of(tiered=True, how="dynamic")
    drain(desk)
    join(desk, 1_000, ONE_FREE)
    for _ in range(100):
        join(desk, 1_000, ONE_VIP)
    turns = run(desk)
    at = names(turns).index("f")
    assert 30 * SECOND <= turns[at][1] <= 32 * SECOND


def test_a_full_queue_pushes_out_the_newest_of_the_lowest_tier() -> None:
    """For somebody of a higher tier; else the newcomer has no room."""
    desk = desk_of(most=2, tiered=True)
    drain(desk)
    older, newer = join(desk, 1, ONE_FREE, name="older"), join(desk, 1, ONE_FREE, name="newer")
    equal = Waiting(ONE_FREE, Charge(1), 0, LATE)
    assert desk.predict(ONE_FREE, Charge(1), 0).full
    assert desk.enter(equal, 0) is equal
    assert not desk.predict(ONE_VIP, Charge(1), 0).full
    assert desk.enter(Waiting(ONE_VIP, Charge(1), 0, LATE, ctx="v"), 0) is newer
    assert desk.enter(Waiting(ACME, Charge(1), 0, LATE, ctx="p"), 0) is older
    last = Waiting(ACME, Charge(1), 0, LATE)
    assert desk.enter(last, 0) is last
    assert desk.waiting == 2
    assert names(run(desk)) == ["v", "p"]


# ── shares ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_share_is_claimed_before_all_tiers() -> None:
    """30 % of 60,000 a minute: 3,000 in ten seconds go first, what is above waits like any other."""
    desk = desk_of(how="dynamic", tiered=True, shares=(("f", 300),))
    drain(desk)
    join(desk, 1_000, ONE_VIP)
    for name in ("claimed 1", "claimed 2", "claimed 3", "above"):
        join(desk, 1_000, ONE_FREE, name=name)
    assert names(run(desk)) == ["claimed 1", "claimed 2", "claimed 3", "v", "above"]


def test_a_share_is_lent_and_taken_back() -> None:
    """Others use all of it while nobody claims; who claims has its part again with the next refill."""
    desk = desk_of(how="dynamic", shares=(("acme", 500),))
    drain(desk)
    for place in range(40):
        join(desk, 1_000, GLOBEX, name=f"g{place}")
    assert len(run(desk, until=9 * SECOND)) == 9  # every token
    for place in range(5):
        join(desk, 1_000, ACME, 10 * SECOND, name=f"a{place}")
    assert [str(name)[0] for name in names(run(desk, 10 * SECOND, 15 * SECOND))][:5] == ["a"] * 5


def test_a_tenants_own_share_is_before_its_tiers() -> None:
    """A tier's is everybody's of that tier who has none."""
    desk = desk_of(how="dynamic", tiered=True, shares=(("free", 100), ("f", 100)))
    drain(desk)
    join(desk, 1_000, ONE_VIP)
    join(desk, 1_000, Tenant("other", FREE))
    join(desk, 1_000, ONE_FREE)
    assert set(names(run(desk))[:2]) == {"other", "f"}


def test_a_claim_of_who_left_returns() -> None:
    """As if it had never been made."""
    desk = desk_of(how="dynamic", shares=(("acme", 100),))
    drain(desk)
    join(desk, 1_000, GLOBEX)
    desk.leave(join(desk, 1_000, ACME), 0)
    join(desk, 1_000, ACME)
    assert names(run(desk)) == ["acme", "globex"]


def test_a_claim_counts_as_its_owners_service() -> None:
    """What it gets by its share it does not get once more by its turn."""
    desk = desk_of(how="dynamic", shares=(("acme", 600),))
    drain(desk)
    for _ in range(20):
        join(desk, 1_000, ACME)
        join(desk, 1_000, GLOBEX)
    served = names(run(desk, until=20 * SECOND))
    assert abs(served.count("acme") - served.count("globex")) <= 3


def test_a_share_follows_the_outlets_limits() -> None:
    """Half of the pool is half the claim."""
    desk = desk_of(how="dynamic", shares=(("acme", 600),))
    drain(desk)
    desk.outlets.all[0].quota.tokens[0].resize(30_000, 0)
    desk.changed(0)
    join(desk, 1_000, GLOBEX)
    for _ in range(4):
        join(desk, 1_000, ACME)
    assert names(run(desk)) == ["acme", "acme", "acme", "globex", "acme"]


# ── anything in any order ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_cached_shortens_the_wait_and_is_no_service() -> None:
    """Of ten calls' tokens nine tenths turned out to be cached where they went: so it will be with those ahead."""
    desk = desk_of(how="dynamic")
    drain(desk)
    for _ in range(10):
        join(desk, 10_000)
    assert desk.predict(ACME, Charge(0), 0).wait_us == 100 * SECOND
    for _ in range(10):
        desk.spared(ACME, 9_000, 0)
        desk.settled(ACME, 1_000, 1_000, 0)
    assert desk.predict(ACME, Charge(0), 0).wait_us == pytest.approx(10 * SECOND, rel=0.01)


def test_a_tenant_is_served_what_it_cost() -> None:
    """One pays for a tenth of each call, the other for all of it: the first is served ten times as often."""
    desk = desk_of(how="dynamic")
    drain(desk)
    for _ in range(60):
        join(desk, 1_000, ACME)
        join(desk, 1_000, GLOBEX)
    served: list[str] = []
    now = 0
    while len(served) < 55:
        step = desk.dispatch(now)
        if isinstance(step, int):
            now += step
            continue
        served.append(step.ticket.owner.name)
        if step.ticket.owner is ACME:
            desk.spared(ACME, 900, now)
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
    desk, now = desk_of(*outlets, how=how, most=100_000), MINUTE - 1
    tenants = [Tenant(str(number), PAID) for number in range(20)]
    for number in range(waiting):
        join(desk, 2_000, tenants[number % 20], now)
    ticket = Waiting(tenants[0], Charge(2_000), now, LATE)
    soon = now + MINUTE // 100
    return [
        lines_of(lambda: desk.predict(tenants[0], Charge(2_000), now)),
        lines_of(lambda: desk.promise(tenants[1], Charge(2_000), 1, now)),
        lines_of(lambda: desk.enter(ticket, now)),
        lines_of(lambda: desk.leave(ticket, now)),
        lines_of(lambda: desk.dispatch(now)),
        lines_of(lambda: desk.dispatch(soon)),
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
    desk = desk_of()
    drain(desk)
    join(desk, 1_000, name="served")
    gone = join(desk, 1_000, name="gone")
    assert desk.leave(gone, 5_000)
    assert names(run(desk)) == ["served"]
    assert desk.waits == {ACME.tier.name: {wait_slot(5): 1, wait_slot(1_000): 1}}
    heir = desk_of()
    heir.inherit(desk, 2 * SECOND)
    assert heir.pass_now(ACME, Charge(1), 0, 2 * SECOND) is not None
    assert heir.waits == {ACME.tier.name: {wait_slot(5): 1, wait_slot(1_000): 1}}
