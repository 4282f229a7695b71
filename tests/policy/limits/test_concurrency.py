"""How many calls a provider carries at once."""

from tidegate.policy.limits.concurrency import Concurrency


def entered(held: Concurrency, calls: int) -> list[int]:
    return [held.enter() for _ in range(calls)]


def test_nothing_is_bounded_before_the_first_overload() -> None:
    """However many there are."""
    held = Concurrency()
    entered(held, 10_000)
    assert not held.full


def test_overload_leaves_seven_tenths_once_for_all_in_flight() -> None:
    """And again for those that were sent since; one at least."""
    held = Concurrency()
    began = entered(held, 100)
    assert held.overloaded(began[0])
    assert held.limit == 70
    assert held.full
    for round_ in began[1:]:
        assert not held.overloaded(round_)
        held.leave()
    held.leave()
    assert not held.full
    held = Concurrency()
    for _ in range(5):
        assert held.overloaded(held.enter())
        held.leave()
    assert held.limit == 1


def test_each_round_of_answers_allows_one_more_until_it_is_free_again() -> None:
    """One more per `limit` answers; twice what was refused is no bound."""
    held = Concurrency()
    began = entered(held, 10)
    held.overloaded(began[0])
    for _ in began:
        held.leave()
    assert not held.answered(began[0])
    limits = []
    for _ in range(1_000):
        round_ = held.enter()
        held.answered(round_)
        held.leave()
        limits.append(held.limit)
    assert limits[5:7] == [7, 8]
    assert max(limits) == 20
    assert limits[-1] == 0
