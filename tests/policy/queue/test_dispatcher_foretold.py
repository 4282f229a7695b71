"""What is foretold of a queue: waits, places, and who is told when things become worse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from tidegate.policy.queue.appointments import EARLY_US, MAX_PLACES
from tidegate.policy.queue.dispatcher import Dispatcher
from tidegate.policy.queue.forecast import LOOKED_AT
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.quota.window import SLOTS, SlidingLog

# ── what is foretold ─────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=12), st.integers(0, 60_000), st.integers(1_000, 120_000))
def test_the_prediction_is_when_it_is_served(costs: list[int], spent: int, tpm: int) -> None:
    """First come, first served, one outlet: to the microsecond."""
    dispatcher = desk_of(outlet(tpm=tpm))
    drain(dispatcher)
    dispatcher.outlets.all[0].quota.tokens[0].take(spent, 0)
    told = []
    for place, cost in enumerate(costs):
        charge = Charge(min(cost, tpm - 1))  # a full bucket is waited for a little longer
        told.append((place, dispatcher.predict(ACME, charge, 0).wait_us))
        join(dispatcher, charge.tokens, name=str(place))
    assert [(int(str(name)), at) for name, at, _ in run(dispatcher)] == told


def test_nobody_ahead_is_no_wait_and_too_large_is_never() -> None:
    """0 is only for an empty queue."""
    dispatcher = desk_of()
    assert dispatcher.predict(ACME, Charge(60_000), 0).wait_us == 0
    assert dispatcher.predict(ACME, Charge(60_001, 60_001), 0).wait_us == NEVER
    drain(dispatcher)
    join(dispatcher, 1_000)
    assert dispatcher.predict(ACME, Charge(0), 5 * SECOND).wait_us == 1


@pytest.mark.parametrize("count", [2, 5, LOOKED_AT + 4])
def test_several_outlets_share_what_is_ahead(count: int) -> None:
    """A backlog of ten seconds of the whole pool is told as ten seconds, however many outlets share it."""
    dispatcher = desk_of(*(outlet(str(number)) for number in range(count)))
    drain(dispatcher)
    for _ in range(10 * count):
        join(dispatcher, 1_000)
    told = dispatcher.predict(ACME, Charge(1_000), 0).wait_us
    *_, (_, at, _) = run(dispatcher)
    assert at == 10 * SECOND
    assert told == 11 * SECOND


def test_outlets_that_refuse_take_no_part() -> None:
    """Their part of what is ahead falls to the others."""
    good, bad = outlet("good"), outlet("bad")
    dispatcher = desk_of(good, bad)
    drain(dispatcher)
    health = bad.breaker._healths[2]
    health.fail(health.epoch, LATE)
    for _ in range(10):
        join(dispatcher, 1_000)
    assert dispatcher.predict(ACME, Charge(1_000), 0).wait_us == 11 * SECOND


def test_what_reservations_really_cost_is_learnt() -> None:
    """Those ahead reserve twice what they come to cost: half of it counts."""
    dispatcher = desk_of()
    for _ in range(200):
        dispatcher.settled(ACME, 2_000, 1_000, 0)
    dispatcher.settled(ACME, 100_000, 0, 0)  # refused unread: no price at all
    drain(dispatcher)
    for _ in range(10):
        join(dispatcher, 2_000)
    told = dispatcher.predict(ACME, Charge(2_000), 0).wait_us
    assert 12 * SECOND <= told <= 12.1 * SECOND


def test_the_share_is_of_late() -> None:
    """What was a million tokens ago weighs little against what is now."""
    dispatcher = desk_of()
    for share in (1, 1, 1, 2, 2, 2):
        for _ in range(10):
            dispatcher.settled(ACME, 100_000, 100_000 // share, 0)
    drain(dispatcher)
    join(dispatcher, 10_000)
    assert 4.4 * SECOND < dispatcher.predict(ACME, Charge(1), 0).wait_us < 6.5 * SECOND


def test_a_lower_tier_is_told_what_higher_ones_take() -> None:
    """Half of the service of late went to vip: free gets the other half."""
    dispatcher = desk_of(tiered=True)
    for tenant in (ONE_VIP, ONE_FREE):
        one = dispatcher.pass_now(tenant, Charge(20_000), 0, 0)
        assert one is not None
    drain(dispatcher)
    assert dispatcher.predict(ONE_VIP, Charge(1_000), 0).wait_us == SECOND
    assert dispatcher.predict(ONE_FREE, Charge(1_000), 0).wait_us == 2 * SECOND


def test_a_lower_tier_is_not_foretold_by_those_behind_it() -> None:
    """A vip has nothing ahead but its own tier."""
    dispatcher = desk_of(how="dynamic", tiered=True)
    drain(dispatcher)
    for _ in range(20):
        join(dispatcher, 1_000, ONE_FREE)
    assert dispatcher.predict(ONE_VIP, Charge(1_000), 0).wait_us <= 2 * SECOND
    assert dispatcher.predict(ONE_FREE, Charge(1_000), 0).wait_us >= 21 * SECOND


# ── appointments ─────────────────────────────────────────────────────────────────────────────────────────────────────


def busy_desk(queued: int) -> Dispatcher:
    """1,000 tokens a second, all of them a higher tier's of late, and so many of its tokens that wait."""
    dispatcher = desk_of(how="dynamic", tiered=True)
    drain(dispatcher)
    for _ in range(1_000):
        dispatcher._forecast.served(ONE_VIP, 1_000, 0)
    for _ in range(queued // 1_000):
        join(dispatcher, 1_000, ONE_VIP)
    return dispatcher


def test_a_lower_tier_counts_on_its_floor_however_much_goes_before_it() -> None:
    """A twentieth of all service after 30 s: 600 s of a higher tier's work are not waited for."""
    dispatcher = busy_desk(600_000)
    told = dispatcher.predict(ONE_BATCH, Charge(1_000), 0).wait_us
    assert told == 30 * SECOND + 20 * SECOND
    join(dispatcher, 4_000, ONE_BATCH)
    assert dispatcher.predict(ONE_BATCH, Charge(1_000), 0).wait_us == told + 80 * SECOND
    assert dispatcher.predict(ONE_FREE, Charge(1_000), 0).wait_us == told + 80 * SECOND
    assert dispatcher.promise(ONE_BATCH, Charge(1_000), 0, 0) >= told + 80 * SECOND
    assert (
        dispatcher.predict(ONE_BATCH, Charge(1_000), 0).wait_us >= told + 100 * SECOND
    )  # behind the one that was told


def test_who_counts_on_its_floor_is_not_sent_away() -> None:
    """Also when everybody is looked at; who has no time for it is."""
    dispatcher = busy_desk(600_000)
    patient, hasty = (
        join(dispatcher, 1_000, ONE_BATCH, give_up_at=200 * SECOND),
        join(dispatcher, 1_000, ONE_FREE, give_up_at=9),
    )
    gone = list(dispatcher.review(0, tripped=False))
    assert hasty in gone
    assert patient not in gone


def test_who_gives_way_is_no_queue_for_a_higher_tier() -> None:
    """Places that nobody redeems hold nobody up while only lower tiers wait: else these have what higher ones may."""
    dispatcher = desk_of(how="dynamic", tiered=True)
    drain(dispatcher)
    for _ in range(20):
        dispatcher.promise(GLOBEX, Charge(1_000), 0, 0)
    alone = dispatcher.predict(ACME, Charge(1_000), 0).wait_us
    join(dispatcher, 1_000, ONE_BATCH)
    assert dispatcher.predict(ACME, Charge(1_000), 0).wait_us == alone


def test_a_told_time_is_kept() -> None:
    """Who was refused and comes back exactly then goes before its tenant's others, once."""
    dispatcher = desk_of(how="dynamic")
    drain(dispatcher)
    for place in range(10):
        join(dispatcher, 1_000, name=f"q{place}")
    wait = dispatcher.predict(ACME, Charge(1_000), 0).wait_us
    assert dispatcher.book(ACME, Charge(1_000), wait, 0)
    run(dispatcher, until=5 * SECOND)
    for place in range(10):
        join(dispatcher, 1_000, name=f"n{place}", now=6 * SECOND)
    left = run(dispatcher, 6 * SECOND, wait - 1)
    assert "n0" not in names(left[:4])
    join(dispatcher, 1_000, name="back", now=wait)
    join(dispatcher, 1_000, name="no place", now=wait)
    rest = names(run(dispatcher, wait))
    assert rest.index("back") == 0
    assert rest[-1] == "no place"


def test_a_newcomer_is_told_of_places_before_it() -> None:
    """Twice the same time is told to nobody."""
    dispatcher = desk_of()
    drain(dispatcher)
    first = dispatcher.promise(ACME, Charge(1_000), 0, 0)
    second = dispatcher.promise(GLOBEX, Charge(1_000), 0, 0)
    assert (first, second) == (SECOND, 2 * SECOND)
    assert (
        dispatcher.predict(ACME, Charge(1_000), first - EARLY_US).wait_us == EARLY_US
    )  # its own place is not ahead of it


def test_on_a_window_no_place_is_worth_an_idle_moment() -> None:
    """Whoever has had more than its share may go all the same when nobody waits, and queue behind a short queue."""
    log = SlidingLog(60_000, window_us=MINUTE)
    dispatcher = desk_of(Outlet("log", Quota((), (log,))), how="dynamic")
    for _ in range(20):
        assert dispatcher.pass_now(ACME, Charge(1_000), 0, 0) is not None
        log.take(1_000, 0)
    assert dispatcher.book(GLOBEX, Charge(60_000), SECOND, 0)
    assert not dispatcher.scheduler.honours(ACME, 0)
    assert dispatcher.predict(ACME, Charge(1_000), 0).wait_us == 0
    assert dispatcher._welcome.wait(ACME, Charge(1_000), 0, strict=True) > 0
    drain(dispatcher)
    soon = MINUTE + MINUTE // SLOTS
    assert dispatcher.predict(ACME, Charge(1_000), 0).wait_us == soon
    join(dispatcher, 1_000)
    assert dispatcher.predict(ACME, Charge(1_000), 0).wait_us == soon
    join(dispatcher, 1_000)
    assert dispatcher.predict(ACME, Charge(1_000), 0).wait_us > soon


def test_a_place_is_used_once_by_who_passes_at_once() -> None:
    """Without a queue, too."""
    dispatcher = desk_of()
    assert dispatcher.book(ACME, Charge(1_000), 0, 0)
    assert dispatcher.pass_now(ACME, Charge(1_000), 0, 0)
    assert len(dispatcher.appointments) == 0


def test_places_are_bounded() -> None:
    """A tenant that never comes back fills nobody's memory."""
    dispatcher = desk_of()
    kept = [dispatcher.book(ACME, Charge(1), SECOND, 0) for _ in range(MAX_PLACES)]
    assert 100 < kept.count(True) <= MAX_PLACES // 8
    assert dispatcher.book(GLOBEX, Charge(1), SECOND, 0)


def test_a_pool_without_outlets_serves_nobody() -> None:
    """Nobody waits for it either."""
    dispatcher = desk_of()
    dispatcher.outlets.arrange(())
    assert dispatcher.pass_now(ACME, Charge(1), 0, 0) is None
    assert dispatcher.predict(ACME, Charge(1), 0).wait_us == NEVER


# ── when things become worse ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_review_takes_out_who_cannot_be_served_in_time() -> None:
    """And nobody else, to the microsecond."""
    dispatcher = desk_of()
    drain(dispatcher)
    for place in range(1, 4):
        join(dispatcher, 1_000, name=f"just {place}", give_up_at=place * SECOND)
    hurried = join(dispatcher, 1_000, name="hurried", give_up_at=4 * SECOND - 1)
    assert list(dispatcher.review(0, tripped=False)) == [hurried]
    assert names(run(dispatcher)) == ["just 1", "just 2", "just 3"]


def test_a_review_of_a_pool_that_trips() -> None:
    """Who has another target goes there."""
    dispatcher = desk_of()
    drain(dispatcher)
    mobile = join(dispatcher, 1_000, elsewhere=True)
    bound = join(dispatcher, 1_000)
    assert list(dispatcher.review(0, tripped=True)) == [mobile]
    assert list(dispatcher.review(0, tripped=False)) == []
    assert run(dispatcher) == [(bound.ctx, SECOND, "one")]


def test_a_review_knows_that_a_rare_tenant_is_served_before_a_flood() -> None:
    """It came last and is next: it need not be sent away."""
    dispatcher = desk_of(how="dynamic")
    drain(dispatcher)
    for _ in range(100):
        join(dispatcher, 1_000, GLOBEX)
    rare = join(dispatcher, 1_000, ACME, give_up_at=10 * SECOND)
    assert rare not in list(dispatcher.review(0, tripped=False))
    assert names(run(dispatcher)).index("acme") < 10
