"""What came of the latest calls."""

from tidegate.semantic.outcomes import Outcome, Outcomes


def test_the_latest_are_kept() -> None:
    """As many as are allowed; one that is told again takes the other's place."""
    outcomes = Outcomes(most=2)
    for call_id in (1, 2, 2, 3):
        outcomes.put(Outcome(call_id, 9, 0, 0, 0.5, served=False, would=False, why="none", judge="answers"))
    assert [outcome.call_id for outcome in outcomes] == [2, 3]
    assert (len(outcomes), outcomes.get(1)) == (2, None)
