from tidegate.model.tenant import NOBODY
from tidegate.policy.schedule.face import Ticket


def test_tickets_are_told_apart_by_identity() -> None:
    """Two calls of the same tenant, cost and moment are two."""
    one, other = Ticket(NOBODY, 10, 0), Ticket(NOBODY, 10, 0)
    assert one != other
    assert len({one, other}) == 2


def test_a_new_ticket_waits_nowhere() -> None:
    """It has no seat, no neighbours and no boost."""
    ticket = Ticket(NOBODY, 10, 0, "mine")
    assert ticket.ctx == "mine"
    assert (ticket.seat, ticket.before, ticket.behind, ticket.older, ticket.newer) == (None,) * 5
    assert not ticket.boosted
