from tests.policy.schedule.crowd import fixed
from tidegate.model.tenant import FREE
from tidegate.policy.schedule.face import Ticket
from tidegate.policy.schedule.fifo import Fifo

A, B = fixed(FREE, 1_000, 5_000)


def test_who_comes_first_goes_first() -> None:
    """Arrival decides, whatever weight, cost and service so far; a call that came back goes before all."""
    scheduler = Fifo()
    scheduler.spent(A, 1_000_000, 0)
    tickets = [Ticket(tenant, cost, at) for at, (tenant, cost) in enumerate([(A, 9), (A, 1), (B, 5), (A, 2)])]
    for ticket in tickets:
        scheduler.push(ticket, ticket.arrived)
    back = Ticket(B, 7, 0)
    scheduler.push(back, 9, front=True)
    assert [scheduler.pop(9) for _ in range(5)] == [back, *tickets]


def test_all_that_waits_is_ahead() -> None:
    """A newcomer of the tier waits for every call in it."""
    scheduler = Fifo()
    for cost in (10, 20, 30):
        scheduler.push(Ticket(A, cost, 0), 0)
    scheduler.push(Ticket(B, 40, 0), 0)
    for tenant in (A, B):
        ahead = scheduler.ahead(tenant, 1, 0)
        assert (ahead.requests, ahead.tokens) == (4, 100)
