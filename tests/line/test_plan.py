"""How calls that name one model or strategy are served."""

import dataclasses

import pytest

from tests.line.scenes import CALM, play_of
from tidegate.model.snapshot import RateLimitPolicy, RetryPolicy


def test_a_plan_holds_what_its_strategy_says() -> None:
    """Targets in order, and every rule."""
    retry = RetryPolicy(max_retries=7)
    bound = RateLimitPolicy(max_rpm=5)
    rules = {
        "fallback_models": ("b", "c"),
        "retry": retry,
        "deadline_us": 7,
        "fallback_after_us": 8,
        "rate_limit": bound,
    }
    plan = play_of(**rules).book.plan("s")
    assert plan is not None
    assert plan.name == "s"
    assert [target.model for target in plan.targets] == ["a", "b", "c"]
    assert (plan.retry, plan.smoothing, plan.deadline_us, plan.fallback_after_us) == (retry, CALM, 7, 8)
    assert [target.bound is not None for target in plan.targets] == [True, False, False]


def test_a_plan_is_frozen() -> None:
    """Calls in flight keep the plan they began with: it must not change under them."""
    plan = play_of().book.plan("a")
    assert plan is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.name = "b"  # type: ignore[misc]
