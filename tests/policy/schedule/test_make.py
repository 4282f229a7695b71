import pytest

from tidegate.model.tenant import FREE, VIP, Tenant
from tidegate.policy.schedule.face import Ticket
from tidegate.policy.schedule.make import DISCIPLINES, make


@pytest.mark.parametrize("name", DISCIPLINES)
def test_every_discipline_serves_what_it_is_given(name: str) -> None:
    """What is pushed is popped, and a second scheduler of the same name knows nothing of it."""
    scheduler, other = make(name), make(name)
    ticket = Ticket(Tenant("a", FREE), 100, 0)
    scheduler.push(ticket, 0)
    scheduler.push(Ticket(Tenant("b", VIP), 100, 0), 0)
    assert len(scheduler) == 2
    assert len(other) == 0
    assert scheduler.pop(0).tenant.name == "b"
    assert scheduler.pop(0) is ticket
    assert scheduler.head(0) is None


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    """The message names the field and what may stand there."""
    with pytest.raises(ValueError, match=r"scheduler: there is no 'lottery'; choose one of .*dynamic"):
        make("lottery")
