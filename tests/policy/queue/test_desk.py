"""Who goes next and through which outlet: order, tiers, shares, places, and what is foretold."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tidegate.model.tenant import BATCH, FREE, PAID, VIP, Tenant
from tidegate.model.waits import wait_slot
from tidegate.policy.pick import make as pick
from tidegate.policy.queue.appointments import EARLY_US, MAX_PLACES
from tidegate.policy.queue.desk import Dispatcher, Grant, Rules, Waiting
from tidegate.policy.queue.forecast import LOOKED_AT
from tidegate.policy.queue.outlet import UNTOLD, Cap, Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.window import SLOTS, SlidingLog
from tidegate.policy.schedule.make import DISCIPLINES
from tidegate.policy.schedule.make import make as scheduler

SECOND = 1_000_000
MINUTE = 60 * SECOND
LATE = 10**12
ACME, GLOBEX = Tenant("acme", PAID), Tenant("globex", PAID)
ONE_VIP, ONE_FREE, ONE_BATCH = Tenant("v", VIP), Tenant("f", FREE), Tenant("b", BATCH)


def outlet(name: str = "one", tpm: int = 60_000, rpm: int = 0, cap: int = 0) -> Outlet:
    """1,000 tokens a second when nothing is said."""
    requests = (Bucket(rpm, 0),) if rpm else ()
    return Outlet(name, Quota(requests, (Bucket(tpm, 0),) if tpm else ()), cap=Cap(cap))


def desk_of(*outlets: Outlet, how: str = "fifo", most: int = 1_000, **rules: object) -> Dispatcher:
    made = Outlets(outlets or (outlet(),), pick("headroom"))
    return Dispatcher(made, scheduler(how), lambda: 0.0, Rules(most, **rules), 0)  # type: ignore[arg-type]


def drain(desk: Dispatcher, now: int = 0) -> None:
    """Every outlet's tokens are spent."""
    for one in desk.outlets:
        for allowed in one.quota.tokens:
            allowed.take(allowed.left(now), now)


def join(
    desk: Dispatcher,
    tokens: int,
    tenant: Tenant = ACME,
    now: int = 0,
    *,
    name: str = "",
    give_up_at: int = LATE,
    **how: bool,
) -> Waiting:
    """A call queues. Nobody has to leave for it."""
    front = how.pop("front", False)
    ticket = Waiting(tenant, Charge(tokens), now, give_up_at, ctx=name or tenant.name, **how)
    assert desk.enter(ticket, now, front=front) is None
    return ticket


def run(desk: Dispatcher, now: int = 0, until: int = LATE) -> list[tuple[object, int, str]]:
    """Who is served, when, through which outlet; each call ends as soon as it is sent."""
    turns: list[tuple[object, int, str]] = []
    while now <= until:
        step = desk.dispatch(now)
        if not isinstance(step, Grant):
            if step == UNTOLD:
                break
            now += step
            continue
        chosen = step.outlet
        turns.append((step.ticket.ctx, now, chosen.name if chosen else ""))
        if chosen is not None:
            chosen.take(step.ticket.charge, now)
            chosen.keep(step.ticket.charge.tokens)
    return turns


def names(turns: Sequence[tuple[object, int, str]]) -> list[object]:
    return [name for name, _, _ in turns]


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


# ── what is foretold ─────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=12), st.integers(0, 60_000), st.integers(1_000, 120_000))
def test_the_prediction_is_when_it_is_served(costs: list[int], spent: int, tpm: int) -> None:
    """First come, first served, one outlet: to the microsecond."""
    desk = desk_of(outlet(tpm=tpm))
    drain(desk)
    desk.outlets.all[0].quota.tokens[0].take(spent, 0)
    told = []
    for place, cost in enumerate(costs):
        charge = Charge(min(cost, tpm - 1))  # a full bucket is waited for a little longer
        told.append((place, desk.predict(ACME, charge, 0).wait_us))
        join(desk, charge.tokens, name=str(place))
    assert [(int(str(name)), at) for name, at, _ in run(desk)] == told


def test_nobody_ahead_is_no_wait_and_too_large_is_never() -> None:
    """0 is only for an empty queue."""
    desk = desk_of()
    assert desk.predict(ACME, Charge(60_000), 0).wait_us == 0
    assert desk.predict(ACME, Charge(60_001, 60_001), 0).wait_us == NEVER
    drain(desk)
    join(desk, 1_000)
    assert desk.predict(ACME, Charge(0), 5 * SECOND).wait_us == 1


@pytest.mark.parametrize("count", [2, 5, LOOKED_AT + 4])
def test_several_outlets_share_what_is_ahead(count: int) -> None:
    """A backlog of ten seconds of the whole pool is told as ten seconds, however many outlets share it."""
    desk = desk_of(*(outlet(str(number)) for number in range(count)))
    drain(desk)
    for _ in range(10 * count):
        join(desk, 1_000)
    told = desk.predict(ACME, Charge(1_000), 0).wait_us
    *_, (_, at, _) = run(desk)
    assert at == 10 * SECOND
    assert told == 11 * SECOND


def test_outlets_that_refuse_take_no_part() -> None:
    """Their part of what is ahead falls to the others."""
    good, bad = outlet("good"), outlet("bad")
    desk = desk_of(good, bad)
    drain(desk)
    health = bad.breaker._healths[2]
    health.fail(health.epoch, LATE)
    for _ in range(10):
        join(desk, 1_000)
    assert desk.predict(ACME, Charge(1_000), 0).wait_us == 11 * SECOND


def test_what_reservations_really_cost_is_learnt() -> None:
    """Those ahead reserve twice what they come to cost: half of it counts."""
    desk = desk_of()
    for _ in range(200):
        desk.settled(ACME, 2_000, 1_000, 0)
    desk.settled(ACME, 100_000, 0, 0)  # refused unread: no price at all
    drain(desk)
    for _ in range(10):
        join(desk, 2_000)
    told = desk.predict(ACME, Charge(2_000), 0).wait_us
    assert 12 * SECOND <= told <= 12.1 * SECOND


def test_the_share_is_of_late() -> None:
    """What was a million tokens ago weighs little against what is now."""
    desk = desk_of()
    for share in (1, 1, 1, 2, 2, 2):
        for _ in range(10):
            desk.settled(ACME, 100_000, 100_000 // share, 0)
    drain(desk)
    join(desk, 10_000)
    assert 4.4 * SECOND < desk.predict(ACME, Charge(1), 0).wait_us < 6.5 * SECOND


def test_a_lower_tier_is_told_what_higher_ones_take() -> None:
    """Half of the service of late went to vip: free gets the other half."""
    desk = desk_of(tiered=True)
    for tenant in (ONE_VIP, ONE_FREE):
        one = desk.pass_now(tenant, Charge(20_000), 0, 0)
        assert one is not None
    drain(desk)
    assert desk.predict(ONE_VIP, Charge(1_000), 0).wait_us == SECOND
    assert desk.predict(ONE_FREE, Charge(1_000), 0).wait_us == 2 * SECOND


def test_a_lower_tier_is_not_foretold_by_those_behind_it() -> None:
    """A vip has nothing ahead but its own tier."""
    desk = desk_of(how="dynamic", tiered=True)
    drain(desk)
    for _ in range(20):
        join(desk, 1_000, ONE_FREE)
    assert desk.predict(ONE_VIP, Charge(1_000), 0).wait_us <= 2 * SECOND
    assert desk.predict(ONE_FREE, Charge(1_000), 0).wait_us >= 21 * SECOND


# ── appointments ─────────────────────────────────────────────────────────────────────────────────────────────────────


def busy_desk(queued: int) -> Dispatcher:
    """1,000 tokens a second, all of them a higher tier's of late, and so many of its tokens that wait."""
    desk = desk_of(how="dynamic", tiered=True)
    drain(desk)
    for _ in range(1_000):
        desk._forecast.served(ONE_VIP, 1_000, 0)
    for _ in range(queued // 1_000):
        join(desk, 1_000, ONE_VIP)
    return desk


def test_a_lower_tier_counts_on_its_floor_however_much_goes_before_it() -> None:
    """A twentieth of all service after 30 s: 600 s of a higher tier's work are not waited for."""
    desk = busy_desk(600_000)
    told = desk.predict(ONE_BATCH, Charge(1_000), 0).wait_us
    assert told == 30 * SECOND + 20 * SECOND
    join(desk, 4_000, ONE_BATCH)
    assert desk.predict(ONE_BATCH, Charge(1_000), 0).wait_us == told + 80 * SECOND
    assert desk.predict(ONE_FREE, Charge(1_000), 0).wait_us == told + 80 * SECOND
    assert desk.promise(ONE_BATCH, Charge(1_000), 0, 0) >= told + 80 * SECOND
    assert desk.predict(ONE_BATCH, Charge(1_000), 0).wait_us >= told + 100 * SECOND  # behind the one that was told


def test_who_counts_on_its_floor_is_not_sent_away() -> None:
    """Also when everybody is looked at; who has no time for it is."""
    desk = busy_desk(600_000)
    patient, hasty = join(desk, 1_000, ONE_BATCH, give_up_at=200 * SECOND), join(desk, 1_000, ONE_FREE, give_up_at=9)
    gone = list(desk.review(0, tripped=False))
    assert hasty in gone
    assert patient not in gone


def test_who_gives_way_is_no_queue_for_a_higher_tier() -> None:
    """Places that nobody redeems hold nobody up while only lower tiers wait: else these have what higher ones may."""
    desk = desk_of(how="dynamic", tiered=True)
    drain(desk)
    for _ in range(20):
        desk.promise(GLOBEX, Charge(1_000), 0, 0)
    alone = desk.predict(ACME, Charge(1_000), 0).wait_us
    join(desk, 1_000, ONE_BATCH)
    assert desk.predict(ACME, Charge(1_000), 0).wait_us == alone


def test_a_told_time_is_kept() -> None:
    """Who was refused and comes back exactly then goes before its tenant's others, once."""
    desk = desk_of(how="dynamic")
    drain(desk)
    for place in range(10):
        join(desk, 1_000, name=f"q{place}")
    wait = desk.predict(ACME, Charge(1_000), 0).wait_us
    assert desk.book(ACME, Charge(1_000), wait, 0)
    run(desk, until=5 * SECOND)
    for place in range(10):
        join(desk, 1_000, name=f"n{place}", now=6 * SECOND)
    left = run(desk, 6 * SECOND, wait - 1)
    assert "n0" not in names(left[:4])
    join(desk, 1_000, name="back", now=wait)
    join(desk, 1_000, name="no place", now=wait)
    rest = names(run(desk, wait))
    assert rest.index("back") == 0
    assert rest[-1] == "no place"


def test_a_newcomer_is_told_of_places_before_it() -> None:
    """Twice the same time is told to nobody."""
    desk = desk_of()
    drain(desk)
    first = desk.promise(ACME, Charge(1_000), 0, 0)
    second = desk.promise(GLOBEX, Charge(1_000), 0, 0)
    assert (first, second) == (SECOND, 2 * SECOND)
    assert desk.predict(ACME, Charge(1_000), first - EARLY_US).wait_us == EARLY_US  # its own place is not ahead of it


def test_on_a_window_no_place_is_worth_an_idle_moment() -> None:
    """Whoever has had more than its share may go all the same when nobody waits, and queue behind a short queue."""
    log = SlidingLog(60_000, window_us=MINUTE)
    desk = desk_of(Outlet("log", Quota((), (log,))), how="dynamic")
    for _ in range(20):
        assert desk.pass_now(ACME, Charge(1_000), 0, 0) is not None
        log.take(1_000, 0)
    assert desk.book(GLOBEX, Charge(60_000), SECOND, 0)
    assert not desk.scheduler.honours(ACME, 0)
    assert desk.predict(ACME, Charge(1_000), 0).wait_us == 0
    assert desk._welcome.wait(ACME, Charge(1_000), 0, strict=True) > 0
    drain(desk)
    soon = MINUTE + MINUTE // SLOTS
    assert desk.predict(ACME, Charge(1_000), 0).wait_us == soon
    join(desk, 1_000)
    assert desk.predict(ACME, Charge(1_000), 0).wait_us == soon
    join(desk, 1_000)
    assert desk.predict(ACME, Charge(1_000), 0).wait_us > soon


def test_a_place_is_used_once_by_who_passes_at_once() -> None:
    """Without a queue, too."""
    desk = desk_of()
    assert desk.book(ACME, Charge(1_000), 0, 0)
    assert desk.pass_now(ACME, Charge(1_000), 0, 0)
    assert len(desk.appointments) == 0


def test_places_are_bounded() -> None:
    """A tenant that never comes back fills nobody's memory."""
    desk = desk_of()
    kept = [desk.book(ACME, Charge(1), SECOND, 0) for _ in range(MAX_PLACES)]
    assert 100 < kept.count(True) <= MAX_PLACES // 8
    assert desk.book(GLOBEX, Charge(1), SECOND, 0)


def test_a_pool_without_outlets_serves_nobody() -> None:
    """Nobody waits for it either."""
    desk = desk_of()
    desk.outlets.arrange(())
    assert desk.pass_now(ACME, Charge(1), 0, 0) is None
    assert desk.predict(ACME, Charge(1), 0).wait_us == NEVER


# ── when things become worse ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_review_takes_out_who_cannot_be_served_in_time() -> None:
    """And nobody else, to the microsecond."""
    desk = desk_of()
    drain(desk)
    for place in range(1, 4):
        join(desk, 1_000, name=f"just {place}", give_up_at=place * SECOND)
    hurried = join(desk, 1_000, name="hurried", give_up_at=4 * SECOND - 1)
    assert list(desk.review(0, tripped=False)) == [hurried]
    assert names(run(desk)) == ["just 1", "just 2", "just 3"]


def test_a_review_of_a_pool_that_trips() -> None:
    """Who has another target goes there."""
    desk = desk_of()
    drain(desk)
    mobile = join(desk, 1_000, elsewhere=True)
    bound = join(desk, 1_000)
    assert list(desk.review(0, tripped=True)) == [mobile]
    assert list(desk.review(0, tripped=False)) == []
    assert run(desk) == [(bound.ctx, SECOND, "one")]


def test_a_review_knows_that_a_rare_tenant_is_served_before_a_flood() -> None:
    """It came last and is next: it need not be sent away."""
    desk = desk_of(how="dynamic")
    drain(desk)
    for _ in range(100):
        join(desk, 1_000, GLOBEX)
    rare = join(desk, 1_000, ACME, give_up_at=10 * SECOND)
    assert rare not in list(desk.review(0, tripped=False))
    assert names(run(desk)).index("acme") < 10


# ── another configuration ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", DISCIPLINES)
def test_who_waits_is_inherited(how: str) -> None:
    """By another discipline: nobody is lost, the order within a tenant stays, and so do places."""
    old, new = desk_of(how="dynamic", shares=(("acme", 100),)), desk_of(how=how)
    drain(old)
    drain(new)
    for place in range(5):
        join(old, 1_000, ACME, name=f"a{place}")
        join(old, 1_000, GLOBEX, name=f"g{place}")
    assert old.book(ACME, Charge(1_000), SECOND, 0)
    new.inherit(old, 0)
    assert (old.waiting, len(old.scheduler), new.waiting) == (0, 0, 10)
    assert len(new.appointments) == 1
    served = [str(name) for name in names(run(new))]
    assert sorted(served) == sorted({*served})
    assert [name for name in served if name[0] == "a"] == [f"a{place}" for place in range(5)]
    assert [name for name in served if name[0] == "g"] == [f"g{place}" for place in range(5)]


def test_what_a_share_no_longer_promises_is_no_claim() -> None:
    """The new rules know no share: who waits by one waits like any other; what they still promise stays claimed."""
    for shares, first in (((), "v"), ((("f", 100),), "f")):
        old = desk_of(how="dynamic", tiered=True, shares=(("f", 100),))
        new = desk_of(how="dynamic", tiered=True, shares=shares)
        drain(old)
        drain(new)
        join(old, 1_000, ONE_FREE)
        join(old, 1_000, ONE_VIP)
        new.inherit(old, 0)
        assert names(run(new))[0] == first


def test_what_tiers_need_is_inherited() -> None:
    """A reload opens no gap in what is kept for vip."""
    old, new = desk_of(tiered=True), desk_of(tiered=True)
    assert old.pass_now(ONE_VIP, Charge(1_000), 0, 0)
    new.inherit(old, 0)
    new.outlets.all[0].take(Charge(1_000), 0)
    assert new.pass_now(ONE_FREE, Charge(57_001), 0, 0) is None
    assert new.pass_now(ONE_FREE, Charge(57_000), 0, 0)


# ── anything in any order ────────────────────────────────────────────────────────────────────────────────────────────


TENANTS = st.sampled_from([ACME, GLOBEX, ONE_VIP, ONE_FREE, ONE_BATCH])


class Machine(RuleBasedStateMachine):
    """Calls come, pass, leave and end in any order: each is served at most once, and none is lost."""

    @initialize(
        how=st.sampled_from([*DISCIPLINES]),
        lanes=st.integers(1, 4),
        tiered=st.booleans(),
        most=st.sampled_from([3, 1_000]),
        shares=st.sampled_from([(), (("acme", 300), ("free", 200))]),
    )
    def build(self, how: str, lanes: int, tiered: bool, most: int, shares: tuple[tuple[str, int], ...]) -> None:
        self.now = 0
        self.outlets = [outlet(str(number), 6_000, 60, cap=3) for number in range(lanes)]
        self.desk = desk_of(*self.outlets, how=how, most=most, tiered=tiered, shares=shares)
        self.here: list[Waiting] = []
        self.ended: list[Waiting] = []
        self.flying: list[tuple[Outlet, Tenant, int, int]] = []

    @rule(tenant=TENANTS, tokens=st.integers(0, 3_000), front=st.booleans())
    def come(self, tenant: Tenant, tokens: int, front: bool) -> None:
        charge = Charge(tokens)
        told = self.desk.predict(tenant, charge, self.now)
        one = self.desk.pass_now(tenant, charge, 0, self.now)
        if one is not None:
            assert not self.here
            one.take(charge, self.now)
            self.flying.append((one, tenant, tokens, self.now))
            return
        ticket = Waiting(tenant, charge, self.now, LATE)
        pushed = self.desk.enter(ticket, self.now, front=front)
        assert told.full == (pushed is ticket)
        if pushed is not ticket:
            self.here.append(ticket)
        if pushed is not None and pushed is not ticket:
            assert pushed.owner.tier.rank > tenant.tier.rank
            self._ends(pushed)
        self.serve()

    def serve(self) -> None:
        while isinstance(step := self.desk.dispatch(self.now), Grant):
            assert step.outlet is not None
            assert step.outlet.cap.busy < step.outlet.cap.limit
            self._ends(step.ticket)
            step.outlet.take(step.ticket.charge, self.now)
            self.flying.append((step.outlet, step.ticket.owner, step.ticket.charge.tokens, self.now))
        assert step > 0

    def _ends(self, ticket: Waiting) -> None:
        assert ticket not in self.ended
        self.here.remove(ticket)
        self.ended.append(ticket)

    @rule(step=st.integers(0, MINUTE))
    def time_passes(self, step: int) -> None:
        self.now += step
        self.serve()

    @rule(which=st.integers(0, 99))
    def leave(self, which: int) -> None:
        if self.here:
            ticket = self.here[which % len(self.here)]
            assert self.desk.leave(ticket, self.now)
            self._ends(ticket)
            self.serve()

    @rule(which=st.integers(0, 99), share=st.floats(0, 1))
    def end(self, which: int, share: float) -> None:
        if self.flying:
            one, tenant, tokens, at = self.flying.pop(which % len(self.flying))
            one.settle(tokens, int(tokens * share), at, self.now)
            self.desk.settled(tenant, tokens, int(tokens * share), self.now)
            self.serve()

    @rule(how=st.sampled_from([*DISCIPLINES]))
    def reload(self, how: str) -> None:
        new = desk_of(*self.outlets, how=how, tiered=True)
        self.desk.outlets.arrange(())
        new.inherit(self.desk, self.now)
        self.desk = new
        self.serve()

    @invariant()
    def nobody_is_lost(self) -> None:
        if hasattr(self, "desk"):
            assert self.desk.waiting == len(self.desk.scheduler) == len(self.here)
            tiers = [ticket.owner.tier.name for ticket in self.here]
            assert {tier: tiers.count(tier) for tier in self.desk.by_tier} == self.desk.by_tier
            assert sum(self.desk.by_tier.values()) == self.desk.waiting
            assert {*self.desk.scheduler} == {*self.here}
            assert sum(one.calls for one in self.outlets) == len(self.flying)

    def teardown(self) -> None:
        """In the end everybody is served."""
        while getattr(self, "here", None):
            self.now += MINUTE
            while self.flying:
                self.end(0, 1.0)
            self.serve()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


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
