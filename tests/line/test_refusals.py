"""Whose fault a refusal is, and the time that it names."""

import pytest

from tests.line.scenes import call_of, close, play_of, provider, spend
from tidegate.line.plan import Plan
from tidegate.line.refusals import Late, expired, failed, too_late
from tidegate.model.errors import ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Answer, Failure
from tidegate.model.snapshot import Limits, ModelEntry
from tidegate.policy.quota.allowance import NEVER
from tidegate.testing import Playbook
from tidegate.testing.clock import SECOND

NOW = 0
BROKEN = Failure(Reason.TRANSIENT, "the connection was cut")
LIMITED = Failure(Reason.RATE, "slow down", Answer(429, [], b"{}"))


@pytest.fixture
def play() -> Playbook:
    """One lane of 60 calls and 60,000 tokens a minute: 1,000 tokens a second."""
    return play_of(provider(limits={"a": Limits(60, 60_000)}))


def plan_of(play: Playbook) -> Plan:
    plan = play.book.plan("a")
    assert plan is not None
    return plan


def late(play: Playbook, wait_us: int, *, full: bool = False) -> Late:
    return Late(plan_of(play).targets[0].pick(call_of(), NOW), wait_us, full=full)


def test_the_quota_alone_stands_before_it(play: Playbook) -> None:
    """429 with the time, which is kept for the call."""
    problem = too_late(call_of(), plan_of(play), None, late(play, 3 * SECOND), NOW).problem
    assert problem.kind is ProblemKind.OVER_QUOTA
    assert problem.retry_after_us >= 3 * SECOND
    assert f"in {problem.retry_after_us / 1e6:.3f} s" in problem.message
    assert "quota" in problem.message


def test_a_queue_stands_before_it(play: Playbook) -> None:
    """That is 503: its own limit is not to blame."""
    problem = too_late(call_of(), plan_of(play), None, late(play, SECOND, full=True), NOW).problem
    assert problem.kind is ProblemKind.QUEUE_FULL


def test_a_provider_that_takes_no_calls_is_said_to(play: Playbook) -> None:
    """Where every lane is closed, no quota is in use."""
    plan = plan_of(play)
    close(plan.targets[0].pools[0].lanes[0], 5 * SECOND)
    refused = too_late(call_of(), plan, None, late(play, 5 * SECOND), NOW)
    assert "takes no calls" in refused.problem.message


def test_what_never_fits_is_too_large(play: Playbook) -> None:
    """No time helps, so none is named; the field to lower is."""
    problem = too_late(call_of(), plan_of(play), None, Late(None, NEVER), NOW).problem
    assert (problem.kind, problem.param, problem.retry_after_us) == (ProblemKind.TOO_LARGE, "max_tokens", 0)


def test_a_failure_is_told_before_a_quota(play: Playbook) -> None:
    """After a provider that failed, its words say more than our wait."""
    refused = too_late(call_of(), plan_of(play), BROKEN, late(play, SECOND), NOW)
    assert refused.failure is BROKEN
    assert refused.problem.kind is ProblemKind.DEADLINE
    assert BROKEN.message in refused.problem.message


def test_a_refusal_that_holds_names_its_time(play: Playbook) -> None:
    """After a 429 whose lane is closed still, the time is the quota's."""
    plan = plan_of(play)
    close(plan.targets[0].pools[0].lanes[0], 5 * SECOND)
    refused = too_late(call_of(), plan, LIMITED, late(play, 5 * SECOND), NOW)
    assert refused.failure is LIMITED
    assert refused.problem.retry_after_us >= 5 * SECOND


def test_time_ran_out_in_the_queue(play: Playbook) -> None:
    """Nobody was asked: the soonest time is named, and there always is one."""
    spend(play, 60_000)
    problem = expired(call_of(), plan_of(play), None, NOW).problem
    assert problem.kind is ProblemKind.OVER_QUOTA
    assert problem.retry_after_us > 0


def test_time_ran_out_where_there_was_room(play: Playbook) -> None:
    """A microsecond: at once."""
    assert expired(call_of(), plan_of(play), None, NOW).problem.retry_after_us == 1


def test_time_ran_out_in_an_attempt(play: Playbook) -> None:
    """504 where nothing was heard; the provider's last word where there is one."""
    assert expired(call_of(), plan_of(play), BROKEN, NOW).problem.kind is ProblemKind.DEADLINE
    assert expired(call_of(), plan_of(play), LIMITED, NOW).problem.kind is ProblemKind.UPSTREAM


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.AUTH, ProblemKind.CREDENTIAL),
        (Reason.TRANSIENT, ProblemKind.UPSTREAM),
        (Reason.OVERLOAD, ProblemKind.UPSTREAM),
    ],
)
def test_every_target_failed(play: Playbook, reason: Reason, kind: ProblemKind) -> None:
    """A refused credential is the gate's own problem; anything else is the provider's."""
    last = Failure(reason, "no")
    refused = failed(call_of(), plan_of(play), last, NOW)
    assert (refused.problem.kind, refused.failure) == (kind, last)


def test_a_deadline_that_passed_meanwhile(play: Playbook) -> None:
    """No answer and no time left: that is a time-out, whatever broke last."""
    call = call_of(deadline=SECOND)
    assert failed(call, plan_of(play), BROKEN, SECOND).problem.kind is ProblemKind.DEADLINE
    assert failed(call, plan_of(play), BROKEN, SECOND - 1).problem.kind is ProblemKind.UPSTREAM


def test_nobody_can_serve_such_a_call() -> None:
    """Each target's reason is named, and what the dialects cannot say with them."""
    play = play_of(provider(models={"a": ModelEntry(tools=False)}))
    refused = failed(call_of(tools=[{"type": "function"}]), plan_of(play), None, NOW, ("b cannot say `n`",))
    assert refused.problem.kind is ProblemKind.BAD_REQUEST
    assert refused.problem.message.endswith("a has no tools; b cannot say `n`.")


def test_what_an_operator_has_taken_out_of_service(play: Playbook) -> None:
    """503 with the remedy and no time, since nobody knows one: at once, and when the deadline passed meanwhile."""
    plan = plan_of(play)
    play.lanes.drain(frozenset({("openai", "main", "")}))
    for refused in (
        too_late(call_of(), plan, None, late(play, plan.targets[0].pick(call_of(), NOW).wait_us), NOW),
        expired(call_of(), plan, None, NOW),
    ):
        assert refused.problem.kind is ProblemKind.DRAINED
        assert refused.problem.retry_after_us == 0
        assert "tidegate accounts restore" in refused.problem.message
    told = failed(call_of(), plan, LIMITED, NOW, late=True).problem
    assert told.retry_after_us == 0
