"""Questions and verdicts."""

from tidegate.model.caching import SemanticPolicy
from tidegate.model.comparison import Comparison, MatchResult


def test_they_hold_what_they_are_given_and_nothing_else() -> None:
    """Slots: a word that is misspelt is an error, not an attribute."""
    question = Comparison(bytes(32), "when?", b"", SemanticPolicy("on"), 7)
    verdict = MatchResult(b"k", 960, 6, serve=True, explore=False, why="", call_id=question.call_id)
    assert (verdict.call_id, verdict.source, verdict.similarity_permille) == (7, 6, 960)
    assert not hasattr(question, "__dict__")
    assert not hasattr(verdict, "__dict__")
