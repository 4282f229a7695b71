"""A review in slices: as exact as one in a single piece, and no slice is larger than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.tenant import PAID, Tenant
from tidegate.policy.pick import make as pick
from tidegate.policy.queue.dispatcher import Dispatcher, Rules, Waiting
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.schedule.make import make as scheduler

SECOND = 1_000_000
TENANT = Tenant("acme", PAID)


def full(patience: list[int]) -> tuple[Dispatcher, list[Waiting]]:
    """A dispatcher of 1,000 tokens a second that has none, with calls of 1,000 that wait so many seconds."""
    outlet = Outlet("one", Quota((), (Bucket(60_000, 0),)))
    dispatcher = Dispatcher(Outlets((outlet,), pick("headroom")), scheduler("fifo"), lambda: 0.0, Rules(100_000), 0)
    outlet.take(Charge(60_000), 0)
    tickets = [Waiting(TENANT, Charge(1_000), 0, seconds * SECOND) for seconds in patience]
    for ticket in tickets:
        assert dispatcher.enter(ticket, 0) is None
    return dispatcher, tickets


def in_slices(dispatcher: Dispatcher, most: int) -> list[list[Waiting]]:
    slices = []
    while dispatcher.reviewing:
        slices.append(list(dispatcher.review(0, tripped=False, most=most)))
        assert len(slices) < 1_000
    return slices


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 50))
def test_slices_take_out_whom_a_whole_review_does(patience: list[int], most: int) -> None:
    """In the same order."""
    whole, tickets = full(patience)
    sliced, others = full(patience)
    sliced.worsened()
    gone = [ticket for part in in_slices(sliced, most) for ticket in part]
    assert [others.index(one) for one in gone] == [tickets.index(one) for one in whole.review(0, tripped=False)]
    assert sliced.waiting == whole.waiting


def test_no_slice_looks_at_more_than_it_may() -> None:
    """However many wait, and however often things become worse meanwhile: all are looked at in the end."""
    dispatcher, tickets = full([1_000_000] * 3_000)
    dispatcher.worsened()
    seen = 0
    while any(ticket.reviewed == 0 for ticket in tickets):
        assert not list(dispatcher.review(0, tripped=False, most=64))
        before, seen = seen, sum(ticket.reviewed > 0 for ticket in tickets)
        assert before < seen <= before + 64
        dispatcher.worsened()
    first = dispatcher.review(0, tripped=False, most=64)
    assert not list(first)
    assert sum(ticket.reviewed == 2 for ticket in tickets) <= 64
    assert dispatcher.reviewing


def test_news_during_a_round_begins_another() -> None:
    """Who was found fit before them is looked at once more."""
    dispatcher, tickets = full([1, 2, 3])
    dispatcher.worsened()
    assert not list(dispatcher.review(0, tripped=False, most=2))
    for outlet in dispatcher.outlets:
        outlet.quota.tokens[0].take(1_000, 0)
    dispatcher.worsened()
    assert [ticket for part in in_slices(dispatcher, 2) for ticket in part] == [tickets[2], tickets[0]]
    assert not dispatcher.reviewing


def test_who_comes_during_a_round_was_told_its_time() -> None:
    """It is not looked at before the next round."""
    dispatcher, _ = full([10] * 3)
    dispatcher.worsened()
    list(dispatcher.review(0, tripped=False, most=2))
    late = Waiting(TENANT, Charge(1_000), 0, 0)
    dispatcher.enter(late, 0)
    assert in_slices(dispatcher, 2) == [[]]
    assert list(dispatcher.review(0, tripped=False)) == [late]


def test_who_can_go_elsewhere_does_not_wait_for_its_slice() -> None:
    """When the outlets trip, it goes at once."""
    dispatcher, tickets = full([10] * 5)
    tickets[4].elsewhere = True
    dispatcher.worsened()
    assert list(dispatcher.review(0, tripped=True, most=0)) == [tickets[4]]
    assert dispatcher.reviewing
