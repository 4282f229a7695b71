"""The exchange, rule by rule."""

import msgspec
import pytest

from tests.cluster.oracle.central import exchange
from tests.cluster.oracle.fund import Fund
from tidegate.model.cluster import (
    BUCKET,
    FREE,
    LATE,
    LOG,
    LOST,
    OK,
    SLOTS,
    SUM,
    Demand,
    Dim,
    ExchangeReply,
    ExchangeRequest,
    RecoveryState,
)
from tidegate.policy.lease.times import LEASE_US

START = 10**15
MINUTE = 60_000_000


class Desk:
    """One fund, and members that are told."""

    def __init__(self, *dims: Dim) -> None:
        self.dims = list(dims)
        self.fund: Fund | None = None
        self.now = START
        self.seqs: dict[str, int] = {}
        self.epochs: dict[str, int] = {}

    def ask(
        self, name: str = "a", *demands: Demand, dims: list[Dim] | None = None, **fields: object
    ) -> ExchangeRequest:
        ask = ExchangeRequest(
            name, 1, self.seqs.get(name, 0) + 1, self.epochs.get(name, 0), 0, LEASE_US, FREE, 1, dims or self.dims
        )
        return msgspec.structs.replace(ask, demands=list(demands), **fields)

    def put(self, ask: ExchangeRequest) -> ExchangeReply:
        self.fund, told = exchange(self.fund, ask, self.now)
        if told.status == OK and told.epoch:
            self.seqs[ask.member], self.epochs[ask.member] = ask.seq, told.epoch
        return told

    def told(self, name: str = "a", *demands: Demand, **fields: object) -> ExchangeReply:
        return self.put(self.ask(name, *demands, **fields))


def bucket(limit: int = 60_000, **said: object) -> Dim:
    return msgspec.structs.replace(Dim(BUCKET, limit, MINUTE), **said)


def call(units: int, flow: int = 1, *, calls: int = 1, rank: int = 0, floor: int = 0) -> Demand:
    return Demand(rank, flow, 1000, [units], calls, floor)


def test_what_is_granted_is_taken_out_at_once() -> None:
    """Two members share one bucket: what one is granted the other does not find."""
    desk = Desk(bucket())
    assert desk.told("a", call(40_000)).granted == [40_000]
    told = desk.told("b", call(40_000))
    assert (told.granted, told.left) == ([0], [20_000])
    assert told.wait_us == 20_000_000


def test_the_same_exchange_is_done_once() -> None:
    """Its repetition has the same answer; an older one, and a late one, do nothing."""
    desk = Desk(bucket())
    desk.told("a")
    ask = desk.ask("a", call(1_000))
    first = desk.put(ask)
    assert desk.put(ask) == first
    desk.told("a")
    assert desk.put(ask).status == LATE
    assert desk.told("a", not_after=desk.now - 1).status == LATE
    assert desk.told("a").left == [59_000]


def test_a_lease_that_is_not_renewed_counts_as_spent() -> None:
    """Its holder is told, and what it spent of it is not charged again."""
    desk = Desk(bucket())
    desk.told("a", call(1_000))
    desk.now += LEASE_US + 1
    told = desk.told("a", dims=[bucket(spent=600, returned=400)])
    assert (told.lapsed, told.used) == (True, [1_000])
    assert told.left == [59_000 + (LEASE_US + 1) * 60_000 // 60_000_000]


def test_a_repetition_after_the_lease_grants_nothing() -> None:
    """Its answer may have been on its way for longer than the fund waits."""
    desk = Desk(bucket())
    ask = desk.ask("a", call(1_000))
    desk.put(ask)
    desk.now += LEASE_US + 1
    told = desk.put(ask)
    assert (told.lapsed, told.granted) == (True, [0])


@pytest.mark.parametrize("limit", [30_000, 120_000, 60_000 * 10**6])
def test_what_came_back_before_a_limit_changed_is_there(limit: int) -> None:
    """By the smaller of both, whatever tick each is counted by; so who changes it often loses nothing by that."""
    desk = Desk(bucket())
    desk.told("a", call(60_000))
    desk.told("a", dims=[bucket(spent=60_000)])
    desk.now += 100_000
    assert desk.told("a", dims=[bucket(limit)]).left == [min(limit, 60_000) // 600]
    desk.now += 100_000
    assert desk.told("a", dims=[bucket()]).left == [2 * min(limit, 60_000) // 600]


def test_a_limit_that_begins_or_counts_in_another_window_begins_now() -> None:
    """What came back before was counted by nobody, or by another measure."""
    desk = Desk(bucket(0))
    desk.told("a")
    desk.now += MINUTE
    assert desk.told("a", call(60_000), dims=[bucket()]).left == [0]
    desk.told("a", dims=[bucket(spent=60_000)])
    desk.now += 100_000
    assert desk.told("a", dims=[bucket(30_000, window_us=MINUTE // 2)]).left == [0]


def test_who_was_told_of_a_fund_that_is_gone_restores_it() -> None:
    """It is refused first; then buckets have nothing, and others are heard once each."""
    desk = Desk(bucket())
    desk.told("a")
    desk.told("b")
    desk.fund = None
    assert desk.told("a", call(1_000)).status == LOST
    assert desk.told("a", call(1_000), restore=[RecoveryState(50_000)]).left == [0]
    epoch = desk.epochs["a"]
    assert desk.told("b").status == LOST
    desk.told("b", restore=[RecoveryState(50_000)])
    assert desk.epochs == {"a": epoch, "b": epoch}


def test_a_fund_that_went_back_in_time_is_put_back_once() -> None:
    """A member whose sequence it does not know begins a new epoch, whoever asks next."""
    desk = Desk(bucket())
    desk.told("a", call(1_000))
    desk.told("b")
    desk.seqs["a"] += 1
    assert desk.told("a").status == LOST
    assert desk.told("b").status == OK
    desk.told("a", restore=[RecoveryState(59_000)])
    assert desk.told("b").status == LOST


def test_who_knows_nothing_does_not_outrun_who_remembers() -> None:
    """A new membership's funds are made only when all who remember had time; what was made is emptied by who does."""
    desk = Desk(bucket())
    told = desk.told("a", call(1_000), state=desk.now)
    assert (told.status, told.epoch, told.granted, told.wait_us) == (OK, 0, [0], LEASE_US)
    desk.now += LEASE_US
    assert desk.told("a", call(1_000), state=desk.now - LEASE_US).granted == [1_000]
    desk.epochs["b"] = 5
    state = desk.now - LEASE_US
    assert desk.told("b", state=state).status == LOST
    assert desk.told("b", state=state, restore=[RecoveryState(9_000)]).left == [0]
    assert desk.told("a", state=state).status == LOST


def test_a_log_is_put_back_by_the_most_that_is_known() -> None:
    """What two remember counts once, what each was given since and spent by itself comes on top."""
    desk = Desk(Dim(LOG, 1_000, MINUTE))
    for name, own in (("a", 10), ("b", 20)):
        desk.epochs[name] = 5
        desk.told(name, restore=[RecoveryState(slots=[(5_000_000, 300)], own=[(1_000_000, own)], given=[(0, 5)])])
    assert desk.told("a", call(1)).granted == [0]
    desk.now += LEASE_US
    assert desk.told("a").left == [1_000 - 300 - 40]


def test_lower_ranks_first_then_who_was_served_less() -> None:
    """What falls to others is left for them, and nobody overtakes the first that does not fit."""
    desk = Desk(bucket(60_000))
    desk.told("b", call(50_000))
    desk.told("a")
    desk.told("b", call(8_000, 2, rank=0, calls=2), dims=[bucket(spent=50_000)])
    told = desk.told("a", call(2_000, 1, rank=1))
    assert (told.granted, told.ahead) == ([0], [(0, 1, 8_000)])
    assert desk.told("a", call(1_000, 1, rank=-1)).granted == [1_000]


def test_a_floor_is_left_for_higher_ranks() -> None:
    """As far as there can be so much."""
    desk = Desk(bucket(1_000))
    desk.told("b", call(1))
    assert desk.told("a", call(600, floor=500)).granted == [0]
    assert desk.told("a", call(600, floor=399)).granted == [600]
    full = Desk(bucket(1_000))
    assert full.told("a", call(900, floor=5_000)).granted == [900]


def test_a_call_above_the_depth_waits_for_a_full_bucket() -> None:
    """And leaves a debt: no cost is too large to be served."""
    desk = Desk(Dim(BUCKET, 60_000, MINUTE, 1_000_000))
    told = desk.told("a", call(60_000))
    assert (told.granted, told.left) == ([60_000], [-1_000])


def test_spare_is_leased_while_nobody_waits() -> None:
    """Never more than a half of all to all members together."""
    desk = Desk(bucket())
    desk.told("b")
    told = desk.told("a", dims=[bucket(target=60_000)])
    assert told.granted == [15_000]
    desk.told("b", call(59_000))
    assert desk.told("a", dims=[bucket(target=60_000)]).granted == [0]


def test_slots_come_back_and_sums_begin_anew() -> None:
    """Slots are held by silence for a while; a sum's next period begins when the old one is over."""
    desk = Desk(Dim(SLOTS, 3), Dim(SUM, 100, period=START + MINUTE))
    both = Demand(0, 1, 1000, [2, 60])
    assert desk.told("a", both).granted == [2, 60]
    assert desk.told("b", both).granted == [0, 0]
    desk.now += LEASE_US + 1
    assert desk.told("b").left == [1, 40]
    desk.now = START + MINUTE
    desk.dims[1].period = START + 2 * MINUTE
    assert desk.told("b").left == [1, 100]
    desk.now += 1_000
    assert desk.told("a", incarnation=2, seq=1, epoch=0).left[0] == 3


def test_what_others_spend_behind_our_back_is_booked() -> None:
    """A reply showed less than can have been left since its call was sent."""
    desk = Desk(bucket())
    desk.told("a")
    desk.now += 600_000
    told = desk.told("a", dims=[bucket(shown=40_000, shown_age_us=300_000, noise=500)])
    assert told.left == [40_000]
    assert desk.told("a", dims=[bucket(drained=True)]).left == [0]
