"""A purse spends what it holds and asks nobody; of the fund it tells what the fund said, and what came since."""

import pytest

from tidegate.model.cluster import BUCKET, LOG, SLOTS, SUM
from tidegate.policy.failure.drain import DRAINED_US
from tidegate.policy.lease.alone import Alone
from tidegate.policy.lease.purse import AWAY_US, SOON_US, QuotaLease
from tidegate.policy.queue.outlet import needed
from tidegate.policy.quota.allowance import NEVER
from tidegate.units import DAY_US

SECOND = 1_000_000
MINUTE = 60 * SECOND
NOW = 10 * SECOND
HALF = 500_000  # of a limit, in millionths


def purse(kind: int = BUCKET, limit: int = 60_000, *, jitter_us: int = 0, window_us: int = MINUTE) -> QuotaLease:
    return QuotaLease(kind, limit, window_us=window_us, jitter_us=jitter_us)


def filled(granted: int = 1_000, left: int = 5_000, kind: int = BUCKET) -> QuotaLease:
    one = purse(kind)
    one.told(granted, left, 60_000, NOW + 250_000, NOW)
    return one


# ── what is held ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_spends_what_it_holds_until_the_lease_is_void() -> None:
    """A lease that is void serves nobody, whatever is in it."""
    one = filled(1_000)
    assert one.has(1_000, NOW)
    assert not one.has(1_001, NOW)
    one.take(400, NOW)
    assert one.left(NOW) == 600
    assert one.has(600, NOW + 249_999)
    assert not one.has(1, NOW + 250_000)
    assert one.left(NOW + 250_000) == 0


def test_what_costs_nothing_passes_but_in_debt() -> None:
    """A call of no tokens needs no lease; a purse in debt serves nobody."""
    one = purse()
    assert one.has(0, NOW)
    one.take(1, NOW)
    assert not one.has(0, NOW)


def test_no_floor_is_asked_of_it() -> None:
    """The fund keeps floors: what a purse is asked to hold is the call alone."""
    assert needed(filled(), 700, 4_000) == 700


def test_a_new_purse_holds_nothing() -> None:
    """Before the first grant nothing can be spent."""
    assert not purse().has(1, NOW)
    assert purse().wait(1, NOW) == SOON_US


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_spent_is_told_once() -> None:
    """The fund hears of each unit once."""
    one = filled(1_000)
    one.take(300, NOW)
    one.take(200, NOW)
    dim = one.tell(returned=100, target=7, now=NOW + 1)
    assert (dim.spent, dim.returned, dim.target) == (500, 100, 7)
    assert one.left(NOW + 1) == 400
    assert one.tell(0, 0, NOW + 2).spent == 0


def test_a_debt_is_told_as_a_correction() -> None:
    """Of a lease no more can be spent than it had."""
    one = filled(1_000)
    one.take(1_500, NOW)
    dim = one.tell(0, 0, NOW)
    assert dim.spent == 1_000
    assert [by for _, by in dim.corrections] == [500]
    assert one.held == 0


def test_a_call_that_was_never_sent_goes_back_into_the_lease() -> None:
    """What nobody spent is there for the next call."""
    one = filled(1_000)
    one.take(700, NOW)
    one.correct(-700, NOW, NOW)
    assert one.left(NOW) == 1_000
    assert not one.telling


def test_corrections_of_earlier_calls_are_told_by_age() -> None:
    """In slots of 100 ms, as old as the slot's beginning."""
    one = filled(1_000)
    one.take(700, NOW)
    one.tell(0, 0, NOW + 1)
    for taken_at in (NOW, NOW + 10_000, NOW + 150_000):
        one.correct(-100, taken_at, NOW + SECOND)
    assert one.tell(0, 0, NOW + SECOND).corrections == [(SECOND, -200), (900_000, -100)]


def test_however_many_corrections_there_are_the_list_is_short() -> None:
    """Corrections are gathered by their age: memory is bounded."""
    one = filled()
    one.tell(0, 0, NOW + 100 * SECOND)
    for tenth in range(1_000):
        one.correct(-1, NOW + tenth * 100_000, NOW + 100 * SECOND)
    told = one.tell(0, 0, NOW + 100 * SECOND).corrections
    assert len(told) == 64
    assert sum(by for _, by in told) == -1_000
    assert told == sorted(told, reverse=True)


def test_of_places_what_is_in_use_is_no_spending() -> None:
    """What ends goes back into the lease, however long ago it began."""
    one = filled(3, 5, SLOTS)
    one.take(1, NOW)
    one.take(1, NOW)
    dim = one.tell(0, 0, NOW + 1)
    assert (dim.spent, dim.corrections) == (0, [])
    one.correct(-1, NOW, NOW + SECOND)
    assert (one.held, one.spent, one.leased) == (2, 1, True)


def test_a_refusal_empties_it_and_the_fund() -> None:
    """A provider's refusal leaves nothing here and nothing there."""
    one = filled(1_000)
    one.drain(NOW)
    assert not one.has(1, NOW)
    dim = one.tell(0, 0, NOW)
    assert (dim.spent, dim.drained) == (1_000, True)


def test_what_a_reply_showed_is_told_once() -> None:
    """The witness of a reply goes to the fund once."""
    one = filled()
    one.show(4_000, NOW, 60)
    dim = one.tell(0, 0, NOW + 70_000)
    assert (dim.shown, dim.shown_age_us, dim.noise) == (4_000, 70_000, 60)
    assert one.tell(0, 0, NOW + 80_000).shown == -1


def test_where_nothing_is_limited_it_only_counts() -> None:
    """Without a limit nobody is held back."""
    one = purse(limit=0)
    one.take(700, NOW)
    dim = one.tell(0, 0, NOW)
    assert (dim.limit, dim.spent, dim.corrections) == (0, 700, [])


# ── what is predicted ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cost", "ahead", "wait"),
    [
        (1_000, 0, 0),
        (1_001, 0, SOON_US),
        (1_000, 5_000, SOON_US),
        (1_000, 6_000, SECOND),
        (1_000, 64_000, 59 * SECOND),
        (60_001, 0, NEVER),
    ],
)
def test_a_wait_is_what_the_fund_lacks_by_its_whole_rate(cost: int, ahead: int, wait: int) -> None:
    """1,000 tokens a second; 1,000 are held, 5,000 are in the fund."""
    assert filled(1_000, 5_000).wait(cost, NOW, ahead) == wait


def test_what_has_come_back_since_shortens_a_wait() -> None:
    """A prediction counts what has refilled since the fund was heard."""
    assert filled(0, 0).wait(1_000, NOW + 400_000) == 600_000


def test_nothing_comes_while_nobody_may_spend() -> None:
    """However much the fund had: longer than any deadline, also where a prediction counts it many times over."""
    one = filled()
    one.leave()
    one.shut = True
    assert one.wait(1, NOW) == AWAY_US
    assert DAY_US < AWAY_US < 20 * AWAY_US < DRAINED_US
    assert one.wait(60_001, NOW) == NEVER


def test_a_wait_is_zero_exactly_where_it_has() -> None:
    """`wait` and `has` say the same."""
    for now in (NOW, NOW + 249_999, NOW + 250_000):
        for cost in (0, 1, 999, 1_000, 1_001):
            one = filled(1_000)
            assert (one.wait(cost, now) == 0) == one.has(cost, now) or cost == 0


def test_views_are_of_the_fund_and_what_is_held() -> None:
    """What is shown is what anybody here can still spend."""
    one = filled(1_000, 5_000)
    assert one.view(NOW).left == 6_000
    assert one.view(NOW).limit == 60_000
    assert one.view(NOW).reset_us == 54 * SECOND
    assert one.used_permille(NOW) == 900
    assert one.used_permille(NOW + MINUTE) == 0


def test_the_lowest_limit_that_a_worker_knows_is_in_force() -> None:
    """A limit that another worker learnt holds here too."""
    one = purse(limit=60_000)
    one.told(0, 0, 30_000, NOW + 1, NOW)
    assert (one.limit, one.own_limit, one.tell(0, 0, NOW).limit) == (30_000, 60_000, 60_000)
    assert one.wait(30_001, NOW) == NEVER


def test_a_rate_is_its_probable_part() -> None:
    """Of a rate that others use as well it counts on its part."""
    one = purse()
    one.part = 0.25
    assert one.rate() == 250
    assert one.whole_rate() == 1_000


# ── alone ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def alone(kind: int, *slots: tuple[int, int], limit: int = 60_000, share: int = HALF) -> Alone:
    return Alone(kind, limit, MINUTE, 0, share, slots, NOW)


def test_a_bucket_alone_begins_with_nothing_and_refills_by_its_share() -> None:
    """By itself a worker begins at zero."""
    one = alone(BUCKET)
    assert not one.has(1_000, NOW)
    assert one.wait(1_000, NOW) == 2 * SECOND + 1
    assert not one.has(1_000, NOW + 2 * SECOND - 1)
    assert one.has(1_000, NOW + 2 * SECOND)


def test_it_saves_up_one_call() -> None:
    """By itself a worker keeps no more than one call ready."""
    one = alone(BUCKET)
    one.has(1_000, NOW)
    assert one.left(NOW + MINUTE) == 1_000


def test_a_call_beyond_its_share_of_what_there_can_be_waits() -> None:
    """A call that its share can never hold is not sent."""
    one = alone(BUCKET)
    assert not one.has(30_001, NOW + MINUTE * 10)
    assert one.wait(30_001, NOW + MINUTE * 10) > 0


def test_of_a_log_its_share_of_what_leaves_may_be_spent() -> None:
    """And of all the rest only a window later."""
    one = alone(LOG, (NOW - 50 * SECOND, 10_000), (NOW - 20 * SECOND, 4_000))
    assert one.left(NOW) == 0
    assert one.left(NOW + 10 * SECOND) == 5_000
    one.take(5_000, NOW + 10 * SECOND)
    assert one.left(NOW + 40 * SECOND) == 2_000
    assert one.left(NOW + 59 * SECOND) == 2_000
    assert one.left(NOW + 60 * SECOND) == 25_000
    assert one.left(NOW + 72 * SECOND) == 30_000


def test_of_places_its_share_may_be_in_use() -> None:
    """By itself a worker uses its share of the places."""
    one = alone(SLOTS, (NOW, 3), limit=10)
    assert one.left(NOW) == 2
    one.take(2, NOW)
    assert not one.has(1, NOW)
    one.correct(-1, NOW - SECOND, NOW)
    assert one.has(1, NOW)


def test_of_sums_nothing_is_spent() -> None:
    """By itself a worker spends nothing of a budget."""
    assert not alone(SUM).has(1, NOW + MINUTE * 60)


def test_what_was_spent_alone_is_told() -> None:
    """Who comes back says what it spent."""
    one = alone(BUCKET)
    one.take(700, NOW)
    one.take(300, NOW + 250_000)
    own = one.own(NOW + SECOND)
    assert sum(units for _, units in own) == 1_000
    assert all(0 <= age <= SECOND for age, _ in own)


def test_what_is_used_of_the_fund() -> None:
    """What it lacks of its capacity beyond what is held here; unknown to who goes on alone."""
    one = filled(granted=1_000, left=5_000)
    assert one.used(NOW) == one.capacity - 6_000
    one.alone = alone(BUCKET)
    assert one.used(NOW) == -1
