"""What answers come to."""

from tidegate.model.drills import FAILED, NOT_JUDGED, PASSED
from tidegate.policy.drills.expect import Verdict
from tidegate.policy.drills.score import Answered, score

YES, NO, UNKNOWN = Verdict("a", 1, True), Verdict("b", 1, False, "why"), Verdict("judge", 2, None, "judge away")


def direct(*verdicts: Verdict, prompt: str = "1", **more: str) -> Answered:
    return Answered(prompt, "", False, verdicts, **more)


def way(*verdicts: Verdict, **more: str) -> Answered:
    return Answered("1", "429", True, verdicts, **more)


def test_weights_and_questions() -> None:
    """Expectations count by their weight, questions the same."""
    heavy = Verdict("c", 3, True)
    assert score([direct(NO, heavy)], 750) == (PASSED, 750, "1: why")
    assert score([direct(NO, heavy)], 751).state == FAILED
    assert score([direct(YES), direct(NO, prompt="2")], 500).permille == 500


def test_most_answers_to_a_question_decide() -> None:
    """Two of three; half is not most."""
    assert score([direct(YES), direct(YES), direct(NO)], 800).state == PASSED
    assert score([direct(YES), direct(NO)], 800).state == FAILED
    assert score([direct(YES), direct(YES), direct(broken="500")], 800).state == PASSED


def test_who_has_not_judged_has_not_passed_it() -> None:
    """Neither passed nor failed, unless it would have failed whatever the judge had said."""
    unsure = score([direct(YES, UNKNOWN)], 800)
    assert (unsure.state, unsure.permille, unsure.why) == (NOT_JUDGED, 333, "1: judge away")
    assert score([direct(NO, UNKNOWN)], 800).state == FAILED
    assert score([direct(Verdict("a", 8, True), UNKNOWN)], 800).state == PASSED


def test_the_way_has_to_hold() -> None:
    """No score makes up for an answer that did not come, or came from elsewhere."""
    found = score([direct(YES), direct(YES, prompt="2"), way(broken="another target answered")], 10)
    assert (found.state, found.why) == (FAILED, "1, primary 429: another target answered")
    assert score([direct(YES), way(YES)], 800).state == PASSED
    assert score([direct(YES), way(NO)], 800).state == FAILED


def test_what_was_not_asked() -> None:
    """The gate's own quota, a budget that is used up, or nothing at all: not judged."""
    assert score([direct(unasked="429: in use")], 800) == (NOT_JUDGED, 0, "1: 429: in use")
    assert score([direct(YES), way(unasked="429: in use")], 800).state == NOT_JUDGED
    assert score([direct(YES)], 800, stopped="budget") == (NOT_JUDGED, 1_000, "budget")
    assert score([direct(NO)], 800, stopped="budget").state == FAILED
    assert score([], 800).state == NOT_JUDGED


def test_nothing_came() -> None:
    """A question without an answer is worth nothing."""
    assert score([direct(broken="404: no such model")], 1) == (FAILED, 0, "1: 404: no such model")
