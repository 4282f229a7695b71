"""Refusals as values."""

import dataclasses

import pytest

from tidegate.model.errors import Problem, ProblemKind


def test_a_problem_promises_no_time_unless_it_says_so() -> None:
    """`retry_after_us` of 0 is no promise; `param` of "" blames the whole."""
    problem = Problem(ProblemKind.OVER_QUOTA, "m")
    assert (problem.param, problem.retry_after_us) == ("", 0)


def test_a_problem_is_a_value() -> None:
    """Equal when it says the same, and never changed on its way."""
    problem = Problem(ProblemKind.TOO_LARGE, "m", "max_tokens")
    assert problem == Problem(ProblemKind.TOO_LARGE, "m", "max_tokens")
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.message = "n"  # type: ignore[misc]
