import gc
import sys

from hypothesis import given
from hypothesis import strategies as st

from tests.policy.schedule.crowd import fixed
from tidegate.model.tenant import FREE, Tenant
from tidegate.policy.schedule.dynamic import Dynamic
from tidegate.policy.schedule.face import Ticket
from tidegate.policy.schedule.fifo import _Row
from tidegate.policy.schedule.flow import Flow

A, B, C = fixed(FREE, 1_000, 1_000, 1_000)


@given(st.lists(st.tuples(st.sampled_from(["back", "front", "due", "take"]), st.integers(0, 9)), max_size=40))
def test_rows_are_as_plain_lists(steps: list[tuple[str, int]]) -> None:
    """A tenant's row and its tier's, with calls that come back and leave anywhere; who left carries no link.

    Those that are due go before its others, first come, first served.
    """
    band = _Row(FREE.rank)
    flow = Flow(A, band, 0)
    row: list[Ticket] = []
    tier: list[Ticket] = []
    for verb, at in steps:
        if verb == "take":
            if row:
                ticket = row.pop(at % len(row))
                tier.remove(ticket)
                flow.take(ticket)
                band.take(ticket)
                assert (ticket.seat, ticket.before, ticket.behind, ticket.older, ticket.newer) == (None,) * 5
        else:
            ticket = Ticket(A, at + 1, 0)
            last_due = max((at for at, other in enumerate(row) if other.due), default=-1)
            flow.add(ticket, verb == "front", verb == "due")
            band.add(ticket, verb == "front")
            row.insert({"front": 0, "back": len(row), "due": last_due + 1}[verb], ticket)
            tier.insert(0 if verb == "front" else len(tier), ticket)
        for one, two, its in ((flow.first, flow.last, row), (band.oldest, band.newest, tier)):
            assert (one, two) == ((its[0], its[-1]) if its else (None, None))
        assert (flow.count, flow.tokens) == (band.count, band.tokens) == (len(row), sum(t.cost for t in row))
        assert (flow.due, flow.due_tokens) == (sum(t.due for t in row), sum(t.cost for t in row if t.due))
        assert [t.behind for t in row] == [*row[1:], None][: len(row)]
        assert [t.before for t in row] == [None, *row][: len(row)]
        assert [t.newer for t in tier] == [*tier[1:], None][: len(tier)]
        assert [t.older for t in tier] == [None, *tier][: len(tier)]


def test_a_ring_closes_whoever_parts() -> None:
    """Who joins is last of the ring; who parts is a ring of its own."""
    band = _Row(FREE.rank)
    one, two, three = (Flow(tenant, band, 0) for tenant in (A, B, C))
    one.join(None)
    two.join(one)
    three.join(one)
    assert (one.right, two.right, three.right) == (two, three, one)
    assert (one.left, two.left, three.left) == (three, one, two)
    two.part()
    assert (one.right, three.right, two.right) == (three, one, two)
    three.part()
    assert (one.right, one.left) == (one, one)


def test_a_new_weight_counts_in_the_sum_of_those_who_wait() -> None:
    """The tier's sum of weights follows a tenant that waits, and ignores one that does not."""
    band = _Row(FREE.rank)
    flow = Flow(A, band, 0)
    band.renewed(flow, 3_000)
    assert (band.weight, flow.weight) == (0, 3_000)
    flow.add(Ticket(A, 1, 0), front=False)
    band.weight = 3_000
    band.renewed(flow, 500)
    assert (band.weight, flow.weight) == (500, 500)


def test_who_is_forgotten_is_gone_at_once() -> None:
    """What it held is let go without the collector of cycles."""
    tenant = Tenant("brief", FREE)
    held = sys.getrefcount(tenant)
    flow = Flow(tenant, _Row(FREE.rank), 0)
    flow.forget()
    gc.disable()
    try:
        del flow
        assert sys.getrefcount(tenant) == held
    finally:
        gc.enable()


def test_a_scheduler_lets_strangers_go_at_once() -> None:
    """Who was served past the queue is forgotten when others come, and nothing is left of it."""
    first, others = Tenant("first", FREE), [Tenant(f"other {number}", FREE) for number in range(4)]
    held = sys.getrefcount(first)
    scheduler = Dynamic(keep=1)
    gc.disable()
    try:
        for now, tenant in enumerate([first, *others]):
            scheduler.spent(tenant, 1, now)
        assert sys.getrefcount(first) == held
    finally:
        gc.enable()
