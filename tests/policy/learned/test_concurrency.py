"""How many calls a provider carries at once."""

from tidegate.policy.learned.concurrency import Concurrency
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.quota import Charge, Quota

ONE = Charge(1)


def shared(*names: str) -> tuple[Concurrency, list[Outlet]]:
    held, outlets = Concurrency(), [Outlet(name, Quota()) for name in names]
    for outlet in outlets:
        held.share(outlet)
    return held, outlets


def send(outlet: Outlet, calls: int) -> None:
    for _ in range(calls):
        assert outlet.fits(ONE, 0)
        outlet.take(ONE, 0)


def test_nothing_is_bounded_before_the_first_overload() -> None:
    """However many there are, and whoever answers."""
    held, (one, two) = shared("one", "two")
    send(one, 5_000)
    send(two, 5_000)
    held.answered(0)
    assert held.limit == 0
    assert one.crowd is None


def test_overload_leaves_seven_tenths_once_for_all_in_flight() -> None:
    """Over all lanes together: those that left before the limit was lowered are one round."""
    held, (one, two) = shared("one", "two")
    send(one, 60)
    send(two, 40)
    one.keep(1)
    assert held.overloaded(0, 10)
    assert held.limit == 70
    assert not one.fits(ONE, 10)
    assert not two.fits(ONE, 10)
    assert not held.overloaded(10, 20)
    while one.calls > 30:
        one.keep(1)
    assert not two.fits(ONE, 20), "seventy leave no room"
    two.keep(1)
    assert one.fits(ONE, 20)
    one.take(ONE, 20)
    assert not one.fits(ONE, 20)
    one.keep(1)
    assert held.overloaded(20, 30)
    assert held.limit == 49


def test_one_call_is_always_allowed() -> None:
    """However often it is refused."""
    held, (one,) = shared("one")
    for now in range(1, 20):
        one.take(ONE, now)
        one.keep(1)
        held.overloaded(now, now)
        assert one.fits(ONE, now)
    assert held.limit == 1


def test_each_round_of_answers_allows_one_more_until_it_is_free_again() -> None:
    """One more per `limit` answers; twice what was refused is no bound."""
    held, (one,) = shared("one")
    send(one, 10)
    one.keep(1)
    held.overloaded(0, 0)
    while one.calls:
        one.keep(1)
    held.answered(0)
    limits = []
    for now in range(1, 1_000):
        one.take(ONE, now)
        one.keep(1)
        held.answered(now)
        limits.append(held.limit)
    assert limits[5:7] == [7, 8]
    assert max(limits) == 20
    assert limits[-1] == 0
    assert one.crowd is None


def test_who_waits_hears_of_room() -> None:
    """When a call of any lane ends below the bound, when the bound rises, and when it goes."""
    told: list[str] = []
    held, (one, two) = shared("one", "two")
    send(one, 2)
    send(two, 1)
    two.keep(1)
    held.overloaded(0, 0)
    assert held.limit == 2
    cap = two.full()
    assert cap is not None
    cap.listen(lambda: told.append("ended"))
    one.keep(1)
    assert told == ["ended"]
    send(two, 1)
    cap.listen(lambda: told.append("raised"))
    held.answered(1)
    held.answered(1)
    assert told == ["ended", "raised"]
    send(one, 1)
    cap.listen(lambda: told.append("free"))
    for _ in range(100):
        held.answered(1)
        if not held.limit:
            break
        while two.fits(ONE, 0):
            two.take(ONE, 0)
        cap.listen(lambda: told.append("free"))
    assert told[-1] == "free"
    assert two.full() is None


def test_who_comes_later_shares_the_bound_and_who_is_gone_does_not() -> None:
    """A reload adds a scope while the provider is overloaded, and drops another."""
    held, (one,) = shared("one")
    send(one, 4)
    one.keep(1)
    held.overloaded(0, 0)
    late = Outlet("late", Quota())
    late.calls = 3
    held.share(late)
    assert late.crowd is one.crowd is not None
    assert late.crowd.busy == 6
    held.part(late)
    held.part(late)
    for _ in range(40):
        held.answered(1)
    assert one.crowd is None
