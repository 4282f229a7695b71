"""One at a time does what is done once for all nodes, and the database is the judge."""

import pytest
from sqlalchemy import Engine, text

from tidegate.store import duties
from tidegate.store.duties import Deposed, DutyLease


def test_one_holds_it_until_its_lease_has_ended(postgresql: Engine) -> None:
    """The others are told so; whoever comes then has another fence, and the former one writes nothing any more."""
    first = duties.claim(postgresql, "leader", "a")
    assert first is not None
    assert duties.claim(postgresql, "leader", "b") is None
    assert duties.claim(postgresql, "leader", "a") == first
    with postgresql.begin() as connection:
        connection.execute(text("UPDATE duties SET until_us = 1"))
    with pytest.raises(Deposed), first.writing(postgresql):
        raise AssertionError
    second = duties.claim(postgresql, "leader", "b")
    assert second == DutyLease("leader", "b", first.fence + 1)
    with pytest.raises(Deposed), first.writing(postgresql):
        raise AssertionError
    with second.writing(postgresql) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_nobody_follows_while_a_transaction_of_the_holder_is_open(postgresql: Engine) -> None:
    """Even where its lease ends meanwhile."""
    first = duties.claim(postgresql, "leader", "a", lease_us=1_000_000)
    assert first is not None
    with first.writing(postgresql) as connection:
        connection.execute(text("SELECT pg_sleep(1.01)"))
        with pytest.raises(Exception, match="lock timeout"), postgresql.connect() as other:
            other.execute(text("SET lock_timeout = 50"))
            other.execute(text("UPDATE duties SET holder = 'b'"))


def test_who_leaves_does_not_make_the_next_one_wait(postgresql: Engine) -> None:
    """Its lease ends at once; another's does not."""
    assert duties.claim(postgresql, "leader", "a") is not None
    duties.leave(postgresql, "leader", "b")
    assert duties.claim(postgresql, "leader", "b") is None
    duties.leave(postgresql, "leader", "a")
    assert duties.claim(postgresql, "leader", "b") is not None


def test_a_database_of_one_gate_asks_nobody(sqlite: Engine) -> None:
    """Each leads itself there."""
    hold = duties.claim(sqlite, "leader", "a")
    assert hold is not None
    with hold.writing(sqlite) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    duties.leave(sqlite, "leader", "a")
