"""Places booked by refusals: sums, redemption, expiry and bounds."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tidegate.policy.queue.appointments import (
    EARLY_US,
    GRACE_US,
    HORIZON_US,
    LOOKED_AT,
    MAX_PER_TENANT,
    SLOT_US,
    Appointments,
)
from tidegate.policy.queue.records import Ahead

SECOND = 1_000_000


def test_a_place_is_redeemed_once_at_its_time() -> None:
    """Not before (but for a small slack), not twice, not by somebody else."""
    book = Appointments()
    assert book.book("a", 1_000, 5 * SECOND, 0)
    assert not book.redeem("a", 1_000, 5 * SECOND - EARLY_US - 1)
    assert not book.redeem("b", 1_000, 5 * SECOND)
    assert book.redeem("a", 1_000, 5 * SECOND - EARLY_US)
    assert not book.redeem("a", 1_000, 5 * SECOND)
    assert len(book) == 0


def test_a_call_may_be_a_quarter_larger() -> None:
    """One that is larger is not covered, but what has come due for its tenant is used up all the same."""
    book = Appointments()
    book.book("a", 1_000, SECOND, 0)
    assert book.due("a", 1_250, SECOND)
    assert not book.due("a", 1_251, SECOND)
    assert not book.redeem("a", 1_251, SECOND)
    assert len(book) == 0


def test_tokens_count_and_not_places() -> None:
    """A large call takes several places, a small one a part: what is left of it keeps its time and its sums."""
    book = Appointments()
    for due in (3, 1, 2):
        book.book("a", 1_000, due * SECOND, 0)
    assert book.credit("a", 2 * SECOND) == 2_000
    assert book.redeem("a", 1_500, 2 * SECOND)
    assert (book.credit("a", 2 * SECOND), len(book)) == (500, 2)
    assert book.booked_before(2 * SECOND, 2 * SECOND) == Ahead(1, 500)
    assert book.booked_before(3 * SECOND, 2 * SECOND) == Ahead(2, 1_500)
    assert book.redeem("a", 1_500, 4 * SECOND)
    assert len(book) == 0


def test_one_call_redeems_a_few_places() -> None:
    """However small they are."""
    book = Appointments()
    for _ in range(LOOKED_AT + 1):
        book.book("a", 10, SECOND, 0)
    assert book.credit("a", SECOND) == 10 * LOOKED_AT
    assert not book.redeem("a", 1_000, SECOND)
    assert len(book) == 1


def test_who_does_not_come_loses_the_place() -> None:
    """After the grace, to the end of its slot; the room is free again and nothing stands ahead."""
    book = Appointments(max_places=1)
    assert book.book("a", 1_000, SECOND, 0)
    assert not book.book("a", 1_000, SECOND, 0)
    assert book.booked_before(2 * SECOND, SECOND + GRACE_US).tokens == 1_000
    gone = SECOND + GRACE_US + SLOT_US
    assert book.booked_before(2 * SECOND, gone).tokens == 0
    assert not book.redeem("a", 1_000, gone)
    assert book.book("a", 1_000, gone + SECOND, gone)


def test_what_is_ahead_is_weighted_by_who_comes() -> None:
    """When nobody comes back, what is booked hardly counts; when everybody does, all of it."""
    book = Appointments()
    for turn in range(200):
        book.book("a", 10, turn * 10 * SECOND, turn * 10 * SECOND)
    now = 2_100 * SECOND
    assert book.booked_before(now, now).tokens == 0
    assert book.share < 0.01
    book.book("a", 1_000_000, now, now)
    assert book.booked_before(now, now).tokens < 10_000
    for turn in range(300):
        at = now + turn * SECOND
        book.book("b", 10, at, at)
        assert book.redeem("b", 10, at)
    assert book.share > 0.99


def test_bounds() -> None:
    """So many for each tenant, so many in all, so far ahead, and none in the past."""
    book = Appointments(max_places=5, max_per_tenant=2)
    assert [book.book("a", 1, SECOND, 0) for _ in range(3)] == [True, True, False]
    assert [book.book(name, 1, SECOND, 0) for name in "bcde"] == [True, True, True, False]
    book = Appointments()
    assert book.book("a", 1, HORIZON_US, 0)
    assert not book.book("a", 1, HORIZON_US + 1, 0)
    assert not book.book("a", 1, SECOND, SECOND + 1)


def test_the_horizon_is_the_last_place() -> None:
    """`now` when there is none, or only overdue ones."""
    book = Appointments()
    assert book.horizon(7) == 7
    book.book("a", 1, 3 * SECOND, 0)
    book.book("a", 1, 2 * SECOND, 0)
    assert book.horizon(SECOND) == 3 * SECOND
    assert book.horizon(4 * SECOND) == 4 * SECOND
    assert book.horizon(60 * SECOND) == 60 * SECOND


def test_a_long_silence_is_cheap_and_forgets() -> None:
    """Years later the first look drops everything at once."""
    book = Appointments()
    for number in range(100):
        book.book(f"t{number}", 5, number * SECOND, 0)
    later = 10**15
    assert book.booked_before(later, later).requests == 0
    assert len(book) == 0
    assert book.book("a", 5, later + SECOND, later)
    assert book.booked_before(later + SECOND, later).requests >= 0


def test_the_first_free_time() -> None:
    """Behind the places without a gap, and in a gap where there is one; lower tiers' places are nobody's there."""
    book = Appointments()
    for number in range(10):
        book.book(f"t{number}", 1_000, (number + 1) * SECOND, 0, rank=2)
    assert book.first_free(0, 2, 0, 11 * SECOND, 1_000.0) == 11 * SECOND
    assert book.redeem("t0", 1_000, SECOND)
    assert book.booked_before(20 * SECOND, 0, 1).tokens == 0
    assert book.booked_before(20 * SECOND, 0, 2).tokens == 9_000
    assert book.first_free(0, 2, 0, 10 * SECOND, 1_000.0) < 2 * SECOND
    assert book.first_free(0, 2, 3 * SECOND, 10 * SECOND, 1_000.0) >= 3 * SECOND


def test_what_a_tenant_has() -> None:
    """The first and the last of its places, and the weight of all that have some."""
    book = Appointments()
    assert (book.span("a"), book.weight) == (None, 0)
    book.book("a", 1, 2 * SECOND, 0, weight=3_000)
    book.book("a", 1, SECOND, 0, weight=3_000)
    book.book("b", 1, SECOND, 0)
    assert (book.span("a"), book.weight) == ((SECOND, 2 * SECOND), 4_000)
    book.redeem("b", 1, SECOND)
    assert book.weight == 3_000


def test_one_tenant_holds_a_part_of_what_is_free() -> None:
    """The more compete with it, the less, but for what everybody may hold."""
    alone, many = Appointments(max_places=8_000), Appointments(max_places=8_000)
    for _ in range(2_000):
        alone.book("a", 1, SECOND, 0)
        many.book("a", 1, SECOND, 0, rivals=50_000)
    assert 800 < len(alone) < 1_001
    assert len(many) == MAX_PER_TENANT


class Machine(RuleBasedStateMachine):
    """Against a plain list of places."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 10**9
        self.book = Appointments(max_places=30, max_per_tenant=8)
        self.places: list[tuple[str, int, int]] = []

    def keep(self) -> None:
        first = (self.now - GRACE_US) // SLOT_US
        self.places = [place for place in self.places if place[2] // SLOT_US >= first]

    @rule(step=st.one_of(st.integers(0, 2 * SECOND), st.integers(0, 600 * SECOND)))
    def pass_time(self, step: int) -> None:
        self.now += step

    @rule(tenant=st.sampled_from("abcd"), cost=st.integers(1, 10_000), ahead=st.integers(0, HORIZON_US))
    def reserve(self, tenant: str, cost: int, ahead: int) -> None:
        self.keep()
        room = len(self.places) < 30 and sum(place[0] == tenant for place in self.places) < 8
        assert self.book.book(tenant, cost, self.now + ahead, self.now) == room
        if room:
            self.places.append((tenant, cost, self.now + ahead))

    @rule(tenant=st.sampled_from("abcd"), cost=st.integers(1, 10_000))
    def redeem(self, tenant: str, cost: int) -> None:
        self.keep()
        due = [place for place in self.places if place[0] == tenant and place[2] <= self.now + EARLY_US]
        credit = sum(place[1] for place in due)
        enough = cost * 1_000 <= credit * 1_250
        assert self.book.credit(tenant, self.now) == credit
        assert self.book.due(tenant, cost, self.now) == enough
        assert self.book.redeem(tenant, cost, self.now) == enough
        for place in sorted(due, key=lambda place: place[2]):
            taken = min(cost, place[1])
            cost -= taken
            at = self.places.index(place)
            self.places[at : at + 1] = [(tenant, place[1] - taken, place[2])] if taken < place[1] else []

    @rule(ahead=st.integers(-2 * GRACE_US, HORIZON_US + GRACE_US))
    def look(self, ahead: int) -> None:
        self.keep()
        until = (self.now + ahead) // SLOT_US
        due = [place for place in self.places if place[2] // SLOT_US <= until]
        seen = self.book.booked_before(self.now + ahead, self.now)
        share = self.book.share
        assert seen.requests == round(len(due) * share)
        assert seen.tokens == round(sum(place[1] for place in due) * share)

    @invariant()
    def counts(self) -> None:
        self.keep()
        self.book.horizon(self.now)
        assert len(self.book) == len(self.places)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.lists(st.tuples(st.integers(0, HORIZON_US), st.integers(1, 10**6)), max_size=60), st.integers(0, HORIZON_US))
def test_sums_over_the_ring(places: list[tuple[int, int]], when: int) -> None:
    """Wherever on the ring the row begins and ends, the sum is that of a walk."""
    now = 123_456_789_012
    book = Appointments()
    for ahead, cost in places:
        book.book("a", cost, now + ahead, now)
    due = [cost for ahead, cost in places if (now + ahead) // SLOT_US <= (now + when) // SLOT_US]
    assert book.booked_before(now + when, now).tokens == sum(due)
