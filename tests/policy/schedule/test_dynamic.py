from collections.abc import Callable
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.schedule.crowd import SECOND, STEPS, Crowd, fixed
from tidegate.model.tenant import FREE, PAID, Tenant
from tidegate.policy.schedule.dynamic import _UNIT, Dynamic, around
from tidegate.policy.schedule.face import Ticket

A, B = fixed(FREE, 1_000, 1_000)
SIZES: dict[str, Callable[[Random], int]] = {
    "even": lambda chance: chance.randint(1, 4_000),
    "mostly small": lambda chance: 8_000 if chance.random() < 0.02 else chance.randint(1, 200),
    "tiny": lambda chance: chance.randint(1, 3),
    "equal": lambda _: 2_000,
}


class Rivals:
    """Tenants that always have two calls waiting; what each was served, and the spread of each pair's difference."""

    def __init__(self, scheduler: Dynamic, tenants: list[Tenant], size: Callable[[Random], int], seed: int) -> None:
        self.scheduler, self.tenants, self.chance = scheduler, tenants, Random(seed)
        # Half of them send small calls only, which is what turns taken by call get wrong.
        self.sizes = [size if at % 2 else (lambda chance: max(1, size(chance) // 8)) for at in range(len(tenants))]
        self.served = dict.fromkeys((tenant.name for tenant in tenants), 0)
        self.low = dict.fromkeys(combinations(self.served, 2), 0)
        self.high = dict(self.low)
        self.largest = 0
        self.now = 0
        for _ in range(2):
            for at in range(len(tenants)):
                self.call(at)

    def call(self, at: int) -> None:
        cost = self.sizes[at](self.chance)
        self.largest = max(self.largest, cost)
        self.scheduler.push(Ticket(self.tenants[at], cost, self.now, at), self.now)

    def guest(self) -> None:
        """Somebody rare comes, or a call past the queue, or one leaves unserved."""
        rare = Tenant(f"rare{self.chance.randrange(9)}", FREE)
        cost = self.sizes[1](self.chance)
        self.largest = max(self.largest, cost)
        ticket = Ticket(rare, cost, self.now)
        self.scheduler.push(ticket, self.now)
        if self.chance.random() < 0.3:
            self.scheduler.remove(ticket, self.now)
        self.scheduler.spent(rare, self.chance.randrange(20_000), self.now)

    def turn(self) -> None:
        self.now += 30_000
        ticket = self.scheduler.pop(self.now)
        if isinstance(ticket.ctx, int):
            self.served[ticket.tenant.name] += ticket.cost
            self.call(ticket.ctx)
            for pair in self.low:
                if ticket.tenant.name in pair:
                    ahead = self.served[pair[0]] - self.served[pair[1]]
                    self.low[pair] = min(self.low[pair], ahead)
                    self.high[pair] = max(self.high[pair], ahead)

    def gap(self, one: str, other: str) -> int:
        """The greatest difference of service over all intervals: a running difference's spread."""
        return self.high[one, other] - self.low[one, other]

    def jain(self) -> float:
        amounts = list(self.served.values())
        return sum(amounts) ** 2 / (len(amounts) * sum(amount * amount for amount in amounts))


@pytest.mark.parametrize("size", SIZES)
@given(seed=st.integers(0, 10_000), tenants=st.integers(2, 8), weight=st.sampled_from([200, 1_000, 8_000]))
def test_the_gap_between_equals_is_bounded_over_all_intervals(size: str, seed: int, tenants: int, weight: int) -> None:
    """Two tenants of equal weight that wait throughout: ≤ 2.125 largest calls, whoever comes and goes beside them."""
    names = fixed(FREE, *[weight] * tenants)
    scheduler = Dynamic()
    for at, tenant in enumerate(names):
        scheduler.spent(tenant, 10_000 * at, 0)  # what was spent before counts by one largest call at most
    rivals = Rivals(scheduler, names, SIZES[size], seed)
    for _ in range(200):
        if rivals.chance.random() < 0.1:
            rivals.guest()
        rivals.turn()
    assert max(rivals.gap(*pair) for pair in rivals.low) <= 2.125 * rivals.largest + 1


@pytest.mark.parametrize("size", SIZES)
def test_long_runs_are_shared_evenly(size: str) -> None:
    """Jain's index is ≥ 0.999 although half of the tenants send calls an eighth as large."""
    rivals = Rivals(Dynamic(), fixed(FREE, *[1_000] * 6), SIZES[size], 1)
    while sum(rivals.served.values()) < 6 * 100 * rivals.largest:
        rivals.turn()
    assert rivals.jain() >= 0.999


def test_weights_share_in_proportion() -> None:
    """Weights 1, 2 and 5 get tokens as 1 : 2 : 5, within two largest calls each."""
    rivals = Rivals(Dynamic(), fixed(FREE, 1_000, 2_000, 5_000), SIZES["even"], 2)
    for _ in range(4_000):
        rivals.turn()
    unit = sum(rivals.served.values()) / 8
    for share, amount in zip((1, 2, 5), rivals.served.values(), strict=True):
        assert abs(amount - share * unit) <= 5 * 2 * rivals.largest


@given(steps=STEPS)
def test_levels_hold_what_the_header_promises(steps: list) -> None:
    """V ≤ v < V + U + c / weight for all who wait while nothing is corrected, and the lowest level goes first."""
    crowd = Crowd(Dynamic(), renewing=False)
    for step in steps:
        if step[0] == "renew":
            continue
        crowd.play([step] if step[0] != "spent" or not crowd.lists.get(f"t{step[1]}") else [])
        for band in crowd.scheduler._bands.values():
            floor, width = band._base << band._shift, 1 << band._shift
            waiting = {id(t.seat): t.seat for t in crowd.waiting() if t.seat.band is band}.values()
            rings = {level: around(head) for level, head in band._rings.items()}
            assert sum(map(len, rings.values())) == len(waiting)
            assert band._bits == sum(1 << (level - band._base) for level in band._rings)
            for flow in waiting:
                assert flow in rings[flow.level]
                assert floor <= flow.v < floor + 2 * width + 4_000 * _UNIT // flow.weight
            if waiting:
                assert band.turn().v >> band._shift <= min(flow.v for flow in waiting) >> band._shift
    list(crowd.drain())
    assert not any(band._rings or band._bits for band in crowd.scheduler._bands.values())


def test_nobody_saves_up_service() -> None:
    """Who was away while another was served 100 calls shares from now on, and does not catch up."""
    scheduler = Dynamic()
    scheduler.push(Ticket(B, 1_000, 0), 0)
    for _ in range(101):
        scheduler.push(Ticket(A, 1_000, 0), 0)
    for _ in range(100):
        scheduler.pop(0)
    for _ in range(20):
        scheduler.push(Ticket(A, 1_000, 0), 0)
        scheduler.push(Ticket(B, 1_000, 0), 0)
    turns = [scheduler.pop(0).tenant.name for _ in range(20)]
    assert 9 <= turns.count(B.name) <= 11


def test_leaving_does_not_forgive() -> None:
    """A tenant whose queue runs empty after each call is not served more often than one that waits throughout."""
    scheduler = Dynamic()
    for _ in range(200):
        scheduler.push(Ticket(A, 1_000, 0), 0)
    turns = []
    for _ in range(100):
        if B.name not in {ticket.tenant.name for ticket in scheduler}:
            scheduler.push(Ticket(B, 1_000, 0), 0)
        turns.append(scheduler.pop(0).tenant.name)
    assert 49 <= turns.count(B.name) <= 51


def test_recent_service_puts_a_tenant_behind_by_a_call_at_most() -> None:
    """Who had a million tokens past the queue a moment ago starts one largest call behind who had none."""
    scheduler = Dynamic()
    scheduler.spent(A, 1_000_000, 0)
    for _ in range(9):
        scheduler.push(Ticket(A, 1_000, 0), 0)
    for _ in range(9):
        scheduler.push(Ticket(B, 1_000, 0), 0)
    turns = "".join(scheduler.pop(0).tenant.name for _ in range(10))
    assert turns in {"t1" + "t1t0" * 4 + "t1", "t1t1" + "t0t1" * 4, "t1" + "t0t1" * 4 + "t0"}


def test_what_was_spent_decays_by_the_half_life() -> None:
    """4,000 tokens count as 1,000 after two half-lives, and the tenant is forgotten when they count for nothing."""
    scheduler = Dynamic(half_life=10 * SECOND)
    scheduler.spent(A, 4_000, 0)
    flow = scheduler._flows[A.name]
    assert flow.band.lead(flow, 0) == 4 * _UNIT
    assert flow.band.lead(flow, 10 * SECOND) == 2 * _UNIT
    assert flow.band.lead(flow, 15 * SECOND) == 1.5 * _UNIT
    assert flow.band.lead(flow, 20 * SECOND) == _UNIT
    scheduler.spent(B, 1, 1_000 * SECOND)
    assert set(scheduler._flows) == {B.name}


def test_a_tenant_without_recent_service_goes_to_the_front_every_other_turn() -> None:
    """Rare tenants wait for one or two calls, and however many come, those who waited have every second turn."""
    scheduler = Dynamic()
    for at in range(50):
        for _ in range(3):
            scheduler.push(Ticket(Tenant(f"s{at}", FREE), 1_000, 0), 0)
    for _ in range(60):
        scheduler.pop(0)
    turns = []
    for at in range(20):
        scheduler.push(Ticket(Tenant(f"r{at}", FREE), 1_000, 0), 0)
        turns += [scheduler.pop(0).tenant.name[0], scheduler.pop(0).tenant.name[0]]
    assert turns.count("r") >= 18
    assert turns.count("s") >= 18


@given(seed=st.integers(0, 10_000))
def test_corrections_count(seed: int) -> None:
    """Tenants that reserve ten times what they use get their share of what is really used."""
    chance = Random(seed)
    scheduler = Dynamic()
    real = dict.fromkeys((A.name, B.name), 0)
    flying: list[tuple[Tenant, int, int]] = []
    for _ in range(3):
        scheduler.push(Ticket(A, 10_000, 0), 0)
        scheduler.push(Ticket(B, 1_000, 0), 0)
    while sum(real.values()) < 400_000:
        ticket = scheduler.pop(0)
        scheduler.push(Ticket(ticket.tenant, ticket.cost, 0), 0)
        flying.append((ticket.tenant, ticket.cost, chance.randint(800, 1_000)))
        if len(flying) > 10:
            tenant, reserved, used = flying.pop(chance.randrange(3))
            scheduler.spent(tenant, used - reserved, 0)
            real[tenant.name] += used
    assert abs(real[A.name] - real[B.name]) <= 2.125 * 10_000 + 11 * 9_200


def within_a_level(*tenants: Tenant, calls: int) -> Dynamic:
    """Calls far smaller than a level, so that all of them wait in one."""
    scheduler = Dynamic()
    scheduler.push(Ticket(Tenant("large", FREE), 100_000, 0), 0)
    scheduler.pop(0)
    for tenant in tenants:
        for _ in range(calls):
            scheduler.push(Ticket(tenant, 10, 0), 0)
    return scheduler


def test_a_correction_does_not_cost_a_turn() -> None:
    """A tenant that is corrected by a little before each turn keeps its place in the ring."""
    tenants = fixed(FREE, 1_000, 1_000, 1_000)
    scheduler = within_a_level(*tenants, calls=20)
    turns = []
    for _ in range(30):
        scheduler.spent(tenants[1], 1, 0)
        turns.append(scheduler.pop(0).tenant.name)
    assert turns.count("t1") == 10


def test_weights_far_apart_and_great_corrections_stay_in_order() -> None:
    """A thousandth of the weight is a thousandth of the service; a tenant far ahead comes back when V is there."""
    heavy, light = fixed(FREE, 1_000_000, 1_000)
    scheduler = Dynamic()
    for _ in range(3_100):
        scheduler.push(Ticket(heavy, 100, 0), 0)
    for _ in range(10):
        scheduler.push(Ticket(light, 100, 0), 0)
    turns = [scheduler.pop(0).tenant.name for _ in range(3_003)]
    assert 2 <= turns.count(light.name) <= 5
    scheduler.spent(heavy, 10**12, 0)
    scheduler.spent(light, 10**12, 0)
    assert len(list(iter(lambda: scheduler.head(0) and scheduler.pop(0), None))) == 107
    assert not scheduler._bands[FREE.rank]._rings


def test_levels_follow_the_size_of_calls() -> None:
    """After a period of small calls the levels are as narrow as these ask for."""
    scheduler = Dynamic()
    scheduler.push(Ticket(A, 100_000, 0), 0)
    for _ in range(4_000):
        scheduler.push(Ticket(A, 100, 0), 0)
        scheduler.push(Ticket(B, 100, 0), 0)
        scheduler.pop(0)
    band = scheduler._bands[FREE.rank]
    assert band.largest == 100
    assert 16 << band._shift <= 100 * _UNIT // 1_000


def test_tenants_that_wait_no_more_are_forgotten() -> None:
    """10,000 tenants pass; those remembered are at most as many as asked for, the last of them among these."""
    scheduler = Dynamic(keep=50)
    for at in range(10_000):
        tenant = Tenant(f"t{at}", FREE)
        if at % 2:
            scheduler.spent(tenant, 5_000, at)
        else:
            scheduler.push(Ticket(tenant, 5_000, at), at)
            if at % 20 == 10:
                for ticket in list(scheduler):
                    scheduler.pop(at) if at % 40 == 10 else scheduler.remove(ticket, at)
    for _ in list(scheduler):
        scheduler.pop(10_000)
    assert len(scheduler._flows) <= 51
    assert len(scheduler._parked) <= 51
    assert "t9999" in scheduler._flows


def test_another_tier_takes_the_lead_along() -> None:
    """A tenant moved to another tier keeps what it is ahead, and nothing of its old tier's virtual time."""
    scheduler = Dynamic()
    for _ in range(50):
        scheduler.push(Ticket(B, 1_000, 0), 0)
        scheduler.pop(0)
    scheduler.spent(A, 500, 0)
    scheduler.push(Ticket(Tenant(A.name, PAID), 1_000, 0), 0)
    flow = scheduler._flows[A.name]
    assert flow.band is scheduler._bands[PAID.rank]
    assert flow.v == _UNIT // 2


@given(seed=st.integers(0, 10_000), own=st.integers(0, 4))
def test_ahead_is_an_upper_estimate(seed: int, own: int) -> None:
    """Of what waits, what really goes before a newcomer is never more than told and a call of each rival."""
    chance = Random(seed)
    rivals = Rivals(Dynamic(), fixed(FREE, *[1_000] * 5), SIZES["even"], seed)
    for _ in range(100):
        rivals.turn()
    for at in list(range(5)) * chance.randint(0, 30):
        rivals.call(at)
    newcomer = Tenant("new", FREE, chance.choice([500, 1_000, 3_000]))
    for _ in range(own):
        rivals.scheduler.push(Ticket(newcomer, 1_000, rivals.now, "own"), rivals.now)
    for band in rivals.scheduler._bands.values():
        band._tokens = 0.0  # only of what waits
    ahead = rivals.scheduler.ahead(newcomer, 1_000, rivals.now)
    last = Ticket(newcomer, 1_000, rivals.now, "own")
    rivals.scheduler.push(last, rivals.now)
    tokens = 0
    while (ticket := rivals.scheduler.pop(rivals.now)) is not last:
        tokens += ticket.cost
    assert ahead.tokens <= sum(t.cost for t in rivals.scheduler) + tokens
    assert tokens <= ahead.tokens + 5 * rivals.largest


def test_ahead_counts_those_who_come_too() -> None:
    """Where newcomers without lead keep coming, who has a lead is told of their service, not only of what waits."""
    scheduler = Dynamic()
    for number in range(400):
        scheduler.push(Ticket(Tenant(f"new{number}", FREE), 1_000, 0), 0)
        if number >= 10:
            scheduler.pop(0)
    scheduler.spent(A, 1_000, 0)
    waiting = sum(ticket.cost for ticket in scheduler)
    assert scheduler.ahead(A, 1_000, 0).tokens > waiting


@pytest.mark.parametrize("seed", range(3))
def test_what_is_foretold_of_those_who_come_too_is_true_on_the_whole(seed: int) -> None:
    """Twenty tenants whose calls come in bursts: as much is served before a call's turn as was foretold."""
    chance, scheduler = Random(seed), Dynamic()
    tenants = fixed(FREE, *[1_000] * 20)
    told: dict[Ticket, tuple[int, int]] = {}
    served = foretold = real = 0
    for turn in range(3_000):
        for _ in range(0 if turn // 300 % 2 else 3):
            ticket = Ticket(chance.choice(tenants), 2_000, turn)
            scheduler.push(ticket, turn)
            flow = scheduler._flows[ticket.tenant.name]
            told[ticket] = flow.band.drift(flow, flow.weight, turn), served
        if scheduler.head(turn) is not None:
            ticket = scheduler.pop(turn)
            expected, before = told.pop(ticket)
            foretold += expected
            real += served - before
            served += ticket.cost
    assert 0.9 < foretold / real < 1.1


def test_strangers_cannot_starve_who_waits() -> None:
    """A new tenant comes at each turn, and each is served; who waits a call behind them has turns all the same."""
    scheduler = Dynamic()
    scheduler.spent(A, 1_000_000, 0)
    for at in range(10):
        scheduler.push(Ticket(A, 1_000, 0), 0)
        scheduler.push(Ticket(Tenant(f"x{at}", FREE), 1_000, 0), 0)
    turns = []
    for at in range(1_000):
        scheduler.push(Ticket(Tenant(f"y{at}", FREE), 1_000, 0), 0)
        turns.append(scheduler.pop(0).tenant.name)
    assert turns.count(A.name) >= 2


def test_a_guest_that_left_makes_room_for_the_next() -> None:
    """A rare tenant whose call is cancelled does not cost the next one its place at the front."""
    scheduler = Dynamic()
    for tenant in fixed(FREE, *[1_000] * 9):
        for _ in range(3):
            scheduler.push(Ticket(tenant, 1_000, 0), 0)
    for _ in range(12):
        scheduler.pop(0)
    gone, next_one = (Ticket(Tenant(name, FREE), 1_000, 0) for name in ("gone", "next"))
    scheduler.push(gone, 0)
    scheduler.remove(gone, 0)
    scheduler.push(next_one, 0)
    assert scheduler.pop(0) is next_one


def test_one_guest_at_a_time_goes_to_the_front() -> None:
    """The second rare tenant waits behind those of its level until somebody else had a turn."""
    scheduler = within_a_level(A, calls=9)
    assert scheduler.pop(0).tenant is A
    for name in ("one", "two"):
        scheduler.push(Ticket(Tenant(name, FREE), 10, 0), 0)
    assert [scheduler.pop(0).tenant.name for _ in range(4)] == ["one", A.name, "two", A.name]


def test_small_calls_take_turns_within_a_level() -> None:
    """Tenants whose calls are far smaller than a level alternate call by call."""
    scheduler = within_a_level(*fixed(FREE, 500, 500, 500), calls=5)
    turns = [scheduler.pop(0).tenant.name for _ in range(9)]
    assert sorted(turns) == sorted(["t0", "t1", "t2"] * 3)


def test_guests_take_their_turns_in_the_order_in_which_they_came() -> None:
    """Many tenants with one call each: first come, first served, and all that came before is told to be ahead."""
    scheduler = Dynamic()
    for number in range(30):
        newcomer = Tenant(f"n{number}", FREE)
        assert scheduler.ahead(newcomer, 1_000, 0).requests == number
        scheduler.push(Ticket(newcomer, 1_000, 0, number), 0)
    turns = [scheduler.pop(0).ctx for _ in range(30)]
    assert turns == sorted(turns)


def test_a_call_that_is_due_goes_before_newcomers_of_its_tier() -> None:
    """Those that are due in their own order, and only they are ahead of one more."""
    scheduler = Dynamic()
    for tenant in fixed(FREE, *[1_000] * 9):
        scheduler.push(Ticket(tenant, 1_000, 0), 0)
    scheduler.push(Ticket(Tenant("vip", PAID), 1_000, 0), 0)
    back = [Tenant(f"back{number}", FREE) for number in range(3)]
    for tenant in back:
        assert scheduler.honours(tenant, 0)
        scheduler.push(Ticket(tenant, 1_000, 0), 0, due=3_000)
    assert scheduler.ahead_due(Tenant("next", FREE), 0).requests == 4
    assert [scheduler.pop(0).tenant.name for _ in range(4)] == ["vip", *(tenant.name for tenant in back)]


def test_who_had_much_is_not_honoured_before_others() -> None:
    """A due call of a tenant that is a call ahead waits for its turn; one that left is due no more."""
    scheduler = Dynamic()
    for tenant in fixed(FREE, *[1_000] * 9):
        scheduler.push(Ticket(tenant, 1_000, 0), 0)
    much = Tenant("much", FREE)
    scheduler.spent(much, 5_000, 0)
    assert not scheduler.honours(much, 0)
    scheduler.push(Ticket(much, 1_000, 0), 0, due=1_000)
    gone = Ticket(Tenant("gone", FREE), 1_000, 0)
    scheduler.push(gone, 0, due=1_000)
    assert scheduler.remove(gone, 0)
    assert [scheduler.pop(0).tenant.name for _ in range(10)][-1] == "much"


@given(st.integers(0, 2**32))
def test_due_calls_keep_the_gap_within_three_calls(seed: int) -> None:
    """Whoever of those that wait throughout is honoured, and how often, over every interval."""
    chance = Random(seed)
    rivals = Rivals(Dynamic(), list(fixed(FREE, *[1_000] * 6)), SIZES["even"], seed)
    for _ in range(400):
        if chance.random() < 0.5:
            at = chance.randrange(6)
            cost = chance.randint(1, 4_000)
            rivals.largest = max(rivals.largest, cost)
            rivals.scheduler.push(Ticket(rivals.tenants[at], cost, rivals.now), rivals.now, due=6_000)
        ticket = rivals.scheduler.pop(rivals.now)
        rivals.served[ticket.tenant.name] += ticket.cost
        if ticket.ctx is not None:
            rivals.call(ticket.ctx)
        for one, other in rivals.low:
            gap = rivals.served[one] - rivals.served[other]
            rivals.low[one, other] = min(rivals.low[one, other], gap)
            rivals.high[one, other] = max(rivals.high[one, other], gap)
    assert max(rivals.high[pair] - rivals.low[pair] for pair in rivals.low) <= 3 * rivals.largest
