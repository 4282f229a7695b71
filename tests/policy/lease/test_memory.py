"""What a worker could put a fund back from."""

from tests.policy.lease.test_purse import purse
from tidegate.model.cluster import BUCKET, LOG, OK, SUM, Dim, ExchangeReply, RecoveryState
from tidegate.policy.lease.memory import Recollection


def told(
    memory: RecoveryState | None = None, granted: int = 0, left: int = 0, used: int = 0, epoch: int = 1
) -> ExchangeReply:
    return ExchangeReply(OK, 0, epoch, [granted], [left], used=[used], memory=None if memory is None else [memory])


def test_a_log_is_told_as_it_was_with_what_was_granted_since() -> None:
    """Ages have grown by then."""
    known = Recollection(1)
    known.told(told(RecoveryState(slots=[(500, 7)])), [], 1_000)
    known.told(told(granted=3), [], 1_200)
    (back,) = known.restore([purse(LOG)], 2_000)
    assert back.slots == [(1_500, 7)]
    assert sum(units for _, units in back.given) == 3
    known.told(told(RecoveryState(slots=[(0, 10)])), [], 3_000)
    assert known.restore([purse(LOG)], 3_000)[0].given == []


def test_of_a_bucket_the_level_is_told() -> None:
    """As it was left, in debt too."""
    known = Recollection(1)
    known.told(told(left=-40), [], 1_000)
    assert known.restore([purse(BUCKET)], 2_000)[0].level == -40


def test_what_was_spent_alone_is_owed_until_it_is_told() -> None:
    """Nothing of it is forgotten in between."""
    known = Recollection(1)
    assert not known.owed
    known.spent(0, [(100, 5)], 1_000_000)
    assert known.owed
    assert sum(units for _, units in known.restore([purse(LOG)], 1_000_000)[0].own) == 5
    known.clear()
    assert not known.owed


def test_of_a_sum_what_was_told_since_is_ordered_by_what_all_had_used() -> None:
    """Until the next memory. What is only corrected upwards counts as later than all that was used then."""
    known, said = Recollection(1), Dim(SUM, 1_000, spent=30, corrections=[(0, -5)])
    known.told(told(RecoveryState(level=120, spent=100, used=90), epoch=1), [said], 1_000)
    known.told(told(used=140, epoch=1), [said], 1_100)
    known.told(told(used=140, epoch=1), [Dim(SUM, 1_000, corrections=[(0, 7)])], 1_200)
    (back,) = known.restore([purse(SUM)], 2_000)
    assert (back.level, back.spent, back.used, back.given) == (120, 100, 90, [(140, 25), (141, 7)])


def test_what_another_epoch_told_cannot_be_compared() -> None:
    """Its count of units began anew: what is known is a level, and all that was told since is told."""
    known, said = Recollection(1), Dim(SUM, 1_000, spent=30)
    known.told(told(RecoveryState(level=120, spent=100, used=90), epoch=1), [said], 1_000)
    known.told(told(used=30, epoch=2), [said], 1_100)
    (back,) = known.restore([purse(SUM)], 2_000)
    assert (back.level, back.spent, back.used, back.given) == (120, -1, -1, [(30, 30)])


def test_leases_at_the_end_of_a_log_leave_nobody_knows_when() -> None:
    """Who goes on alone does not count on them."""
    known = Recollection(1)
    known.told(told(RecoveryState(level=2, slots=[(500, 7), (0, 2)])), [], 1_000)
    assert known.slots(0, 0) == [(500, 7)]
    assert known.slots(0, 2_000) == []
