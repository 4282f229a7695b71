"""What the line hands to the edge."""

from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Answer, Failure, Refused


def test_a_failure_was_sent_unless_it_is_known_not_to_be() -> None:
    """The cautious reading: what may have reached the provider stays charged."""
    failure = Failure(Reason.TRANSIENT, "m")
    assert failure.sent
    assert failure.answer is None
    assert failure.named_us is None


def test_a_refusal_may_come_before_any_attempt() -> None:
    """Then there is no failure to tell of."""
    assert Refused(Problem(ProblemKind.OVER_QUOTA, "m")).failure is None


def test_replies_are_values() -> None:
    """Equal when they say the same."""
    assert Answer(429, [(b"a", b"b")], b"{}") == Answer(429, [(b"a", b"b")], b"{}")


def test_usage_adds_up() -> None:
    """Cached tokens are part of the prompt; an estimate says so."""
    usage = Usage(10, 5, 4)
    assert usage.total == 15
    assert not usage.estimated
