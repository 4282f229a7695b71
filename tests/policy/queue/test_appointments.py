"""Places booked by refusals: sums, redemption, expiry and bounds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tidegate.policy.queue.appointments import (
    CLAIM_US,
    EARLY_US,
    FEW,
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


def test_a_place_is_the_calls_that_was_refused() -> None:
    """No other body takes it while its call may still come; then any of its tenant does."""
    book = Appointments()
    for body in (b"one", b"two"):
        assert book.book("a", 1_000, SECOND, 0, body=body)
    assert book.credit("a", SECOND, b"another") == book.credit("a", SECOND + CLAIM_US) == 0
    assert book.credit("b", SECOND, b"one") == 0
    assert book.credit("a", SECOND, b"two") == 1_000
    assert book.redeem("a", 1_000, SECOND, b"two")
    assert not book.due("a", 1_000, SECOND, b"two")
    assert not book.redeem("a", 1_000, SECOND + CLAIM_US, b"another")
    assert book.redeem("a", 1_000, SECOND + CLAIM_US + 1, b"another")
    assert len(book) == 0


def test_its_own_place_comes_first() -> None:
    """Then what is nobody's in particular, as far as it needs it; what it leaves of its own place is nobody's."""
    book = Appointments()
    book.book("a", 1_000, SECOND, 0)
    book.book("a", 1_000, 2 * SECOND, 0, body=b"one")
    book.book("a", 1_000, 2 * SECOND, 0, body=b"two")
    assert book.credit("a", 2 * SECOND, b"one") == 2_000
    assert book.redeem("a", 1_400, 2 * SECOND, b"one")
    assert (book.credit("a", 2 * SECOND), len(book)) == (600, 2)
    assert book.redeem("a", 600, 2 * SECOND)
    assert book.redeem("a", 200, 2 * SECOND, b"two")
    assert len(book) == 0


def test_what_is_left_of_anothers_place_is_anybodys() -> None:
    """Who it was named to did not come in time, and part of it is gone."""
    book = Appointments()
    book.book("a", 1_000, SECOND, 0, body=b"one")
    late = SECOND + CLAIM_US + 1
    assert book.redeem("a", 400, late, b"two")
    assert book.credit("a", late, b"three") == 600
    assert book.redeem("a", 600, late, b"one")
    assert len(book) == 0


def test_equal_calls_have_their_places_in_common() -> None:
    """Three clients say the same: whoever comes takes the earliest, and there are as many places as clients."""
    book = Appointments()
    for due in (3, 1, 2):
        book.book("a", 1_000, due * SECOND, 0, body=b"same")
    for now in (1, 2, 3):
        assert book.redeem("a", 1_000, now * SECOND, b"same")
        assert not book.redeem("a", 1_000, now * SECOND, b"same")
    assert len(book) == 0


@pytest.mark.parametrize("scattered", [False, True])
def test_a_place_that_others_took_was_not_come_back_for(scattered: bool) -> None:
    """New calls of a busy tenant are no sign that the refused ones return; but to who knows none apart."""
    book, now = Appointments(), SECOND
    book.scattered = scattered
    for number in range(200):
        book.book("a", 10, now, now, body=b"%d" % number)
        assert book.redeem("a", 10, now + 4 * SECOND, b"new %d" % number)
        book.book("a", 10, now, now, body=b"half %d" % number)
        for part in (b"first", b"second"):
            assert book.redeem("a", 5, now + 4 * SECOND, part)
        now += 10 * SECOND
    assert (book.share > 0.99) == scattered


def test_where_no_call_is_known_again_places_are_anybodys() -> None:
    """Each try of this tenant has another body; once some are known again, others have to wait for theirs."""
    book, now = Appointments(), SECOND
    book.book("a", 10, HORIZON_US, 0)  # so that it is never without one, and what it is like is remembered
    for number in range(200):
        book.book("a", 10, now, now, body=b"%d" % number)
        if book.due("a", 10, now, b"other"):
            break
        now += 10 * SECOND
    assert 50 < number < 100
    assert book.redeem("a", 10, now, b"other")
    for number in range(20):
        book.book("a", 10, now, now, body=b"known %d" % number)
        assert book.redeem("a", 10, now, b"known %d" % number)
    book.book("a", 10, now, now, body=b"last")
    assert not book.due("a", 10, now, b"other")


def test_where_workers_share_places_are_anybodys() -> None:
    """Who comes back may do so at another worker, which does not know it; who is known has its own first."""
    book = Appointments()
    book.scattered = True
    book.book("a", 1_000, SECOND, 0, body=b"one")
    book.book("a", 1_000, 2 * SECOND, 0, body=b"two")
    assert book.redeem("a", 1_000, 2 * SECOND, b"two")
    assert book.redeem("a", 1_000, 2 * SECOND, b"another")
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


TENANTS, COSTS, BODIES = st.sampled_from("abcd"), st.integers(1, 10_000), st.sampled_from([None, b"x", b"y"])


class Machine(RuleBasedStateMachine):
    """Against a plain list of places."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 10**9
        self.book = Appointments(max_places=30, max_per_tenant=8)
        self.places: list[tuple[str, int, int, bytes | None]] = []

    def keep(self) -> None:
        first = (self.now - GRACE_US) // SLOT_US
        self.places = [place for place in self.places if place[2] // SLOT_US >= first]

    @rule(step=st.one_of(st.integers(0, 2 * SECOND), st.integers(0, 600 * SECOND)))
    def pass_time(self, step: int) -> None:
        self.now += step

    @rule(tenant=TENANTS, cost=COSTS, body=BODIES, ahead=st.integers(0, HORIZON_US))
    def reserve(self, tenant: str, cost: int, body: bytes | None, ahead: int) -> None:
        self.keep()
        room = len(self.places) < 30 and sum(place[0] == tenant for place in self.places) < 8
        assert self.book.book(tenant, cost, self.now + ahead, self.now, body=body) == room
        if room:
            self.places.append((tenant, cost, self.now + ahead, body))

    def open_to(self, tenant: str, body: bytes | None) -> list[tuple[str, int, int, bytes | None]]:
        """In the order in which they are taken."""
        due = [place for place in self.places if place[0] == tenant and place[2] <= self.now + EARLY_US]
        own = self.book._tenants.get(tenant)
        loose = own is not None and own.known < FEW
        mine = [place for place in due if body and place[3] == body]
        free = [place for place in due if loose or place[3] is None or place[2] < self.now - CLAIM_US]
        by_time = [sorted(some, key=lambda place: place[2]) for some in (mine, free)]
        return by_time[0] + [place for place in by_time[1] if place not in mine]

    @rule(tenant=TENANTS, cost=COSTS, body=BODIES)
    def redeem(self, tenant: str, cost: int, body: bytes | None) -> None:
        self.keep()
        due = self.open_to(tenant, body)
        credit = sum(place[1] for place in due)
        enough = cost * 1_000 <= credit * 1_250
        assert self.book.credit(tenant, self.now, body) == credit
        assert self.book.due(tenant, cost, self.now, body) == enough
        assert self.book.redeem(tenant, cost, self.now, body) == enough
        for place in due:
            if cost <= 0:
                break
            taken = min(cost, place[1])
            cost -= place[1] if place[3] == body else taken
            at = self.places.index(place)
            whole = taken == place[1] or (body and place[3] == body)
            self.places[at : at + 1] = [] if whole else [(tenant, place[1] - taken, place[2], None)]

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
