"""What the outside judge says is told as it is, and no figure is met by what it did not see."""

import pytest

from bench.proofs.dialects.graded import TRIALS, figures, trials

CLEAN = {"errors": 0, "calls": 3, "attempts": 5, "faults_injected": 2, "findings": []}
REQUESTS = [{"seq": 1, "fault": "scenario:429"}, {"seq": 2, "fault": None}]


def finding(code: str, severity: str = "error") -> dict[str, object]:
    return {"code": code, "severity": severity, "title": "so it is", "requests": [1, 2]}


def test_every_trial_in_every_form_and_dialect() -> None:
    """What strikes streams only is tried in streams only; each has a model of its own."""
    tried = trials()
    assert len(tried) == sum(2 if trial.streams else 4 for trial in TRIALS)
    assert len({cell.first for cell, _ in tried}) == len(tried)
    assert all(cell.stream for cell, trial in tried if trial.streams)


def test_without_findings_all_is_met() -> None:
    """Nothing found in calls that were struck."""
    assert all(figure.met for figure in figures(CLEAN, REQUESTS) if figure.target)


def test_a_judge_that_saw_nothing_proves_nothing() -> None:
    """No fault was injected: not met, and not missed."""
    assert [figure.met for figure in figures(CLEAN | {"faults_injected": 0}, [])] == [None]


@pytest.mark.parametrize("code", ["retry_storm", "retry_after_ignored", "truncated_stream_accepted", "new_kind"])
def test_an_error_is_not_met(code: str) -> None:
    """Also one that this version of ours does not know."""
    found = figures(CLEAN | {"errors": 1, "findings": [finding(code)]}, REQUESTS)
    assert any(figure.met is False for figure in found)
    assert any("scenario:429" in figure.shown for figure in found)


def test_a_warning_is_told() -> None:
    """With what it is about; it fails nothing."""
    found = figures(CLEAN | {"findings": [finding("no_backoff", "warning")]}, REQUESTS)
    assert found[-1].name == "warning: no_backoff"
    assert all(figure.met for figure in found if figure.target)
