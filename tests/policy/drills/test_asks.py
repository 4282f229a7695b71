"""What a run asks."""

from tidegate.model.drills import Drill, DrillPrompt
from tidegate.policy.drills.asks import asks

ONE, TWO = DrillPrompt("1", "[]", ()), DrillPrompt("2", "[]", ())


def test_of_a_primary_only_the_questions() -> None:
    """As often as they are repeated."""
    drill = Drill("d", ("s",), (ONE, TWO), repeat=3)
    found = list(asks(drill, primary=True))
    assert [(ask.prompt.name, ask.fault) for ask in found] == [("1", "")] * 3 + [("2", "")] * 3


def test_of_a_fallback_the_whole_way_too() -> None:
    """Each fault whole and streamed, a cut streamed only; every question at least once."""
    drill = Drill("d", ("s",), (ONE, TWO))
    way = [ask for ask in asks(drill, primary=False) if ask.fault]
    assert {(ask.fault, ask.streamed) for ask in way} == {
        (fault, streamed)
        for fault in ("429", "5xx", "timeout", "cut")
        for streamed in (False, True)
        if streamed or fault != "cut"
    }
    assert {ask.prompt.name for ask in way} == {"1", "2"}
    many = Drill("d", ("s",), tuple(DrillPrompt(str(number), "[]", ()) for number in range(20)), faults=("429",))
    way = [ask for ask in asks(many, primary=False) if ask.fault]
    assert len(way) == 20
    assert len({ask.prompt.name for ask in way}) == 20


def test_without_faults_nothing_is_broken() -> None:
    """Then the fallbacks themselves are all that is asked."""
    assert len(list(asks(Drill("d", ("s",), (ONE,), faults=()), primary=False))) == 1
