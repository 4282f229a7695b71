"""`tidegate alerts`: what it asks of the admin API, and what it prints."""

import json
from typing import Any

import pytest

from tidegate.cli.main import main
from tidegate.cli.manage import AdminClient


class Asked:
    """Requests that were made; answers by method and path."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.said: list[tuple[str, Any]] = []

    def call(self, method: str, path: str, body: object = None) -> object:
        self.said.append((f"{method} {path}", body))
        return self.answers.get(f"{method} {path}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked({})
    monkeypatch.setenv("TIDEGATE_ADMIN_TOKEN", "tga_x")
    monkeypatch.setattr(AdminClient, "call", found.call)
    return found


ALERT = {
    "id": "a1",
    "severity": "critical",
    "stage": "firing",
    "rule": "r",
    "labels": {"model": "gpt-4o"},
    "value": 3.0,
}


def test_what_is_on(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, as JSON, and a sentence where nothing is."""
    asked.answers = {"GET /alerts?pending=true&severity=critical": [ALERT], "GET /alerts": []}
    assert main(["alerts", "list", "--pending", "--severity", "critical"]) == 0
    assert '{"model": "gpt-4o"}' in capsys.readouterr().out
    assert main(["alerts", "list"]) == 0
    assert capsys.readouterr().out == "nothing is on\n"
    assert main(["alerts", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_one_alert(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """With what became of it; of one that is over only that."""
    event = {"at": "2026-01-01T00:00:00Z", "change": "resolved", "rule": "r", "alert": "a1"}
    asked.answers = {"GET /alerts/a1": {"alert": ALERT, "events": [event]}, "GET /alerts/a0": {"events": [event]}}
    assert main(["alerts", "show", "a1"]) == 0
    out = capsys.readouterr().out
    assert "firing" in out
    assert "resolved" in out
    assert main(["alerts", "show", "a0"]) == 0
    assert "firing" not in capsys.readouterr().out


def test_taking_silencing_and_ending(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """Times are written as people say them."""
    assert main(["alerts", "silence", "rule=limited_seconds", "model=gpt-*", "--for", "2h", "--why", "moving"]) == 0
    body = {"match": {"rule": "limited_seconds", "model": "gpt-*"}, "minutes": 120, "why": "moving"}
    assert asked.said == [("POST /alerts/silences", body)]
    assert main(["alerts", "unsilence", "5f"]) == 0
    assert main(["alerts", "ack", "a1"]) == 0
    assert [said for said, _ in asked.said[1:]] == ["DELETE /alerts/silences/5f", "POST /alerts/a1/ack"]
    assert "ended: 5f" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["rule"], ["=x"], ["a=b", "--for", "soon"], ["a=b", "--for", "0m"], ["a=b"]])
def test_what_cannot_be_read_is_said(asked: Asked, words: list[str]) -> None:
    """Before anybody is asked."""
    with pytest.raises(SystemExit) as ended:
        main(["alerts", "silence", *words])
    assert ended.value.code == 2
    assert asked.said == []


def test_a_test_that_failed_is_a_failure(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason; one that was taken is told."""
    where = "POST /alerts/channels/ops/test"
    asked.answers = {where: {"channel": "ops", "sent": False, "problem": "310000 keywords not in content"}}
    assert main(["alerts", "test", "ops"]) == 1
    assert "keywords not in content" in capsys.readouterr().err
    asked.answers = {where: {"channel": "ops", "sent": True, "problem": ""}}
    assert main(["alerts", "test", "ops"]) == 0
    assert capsys.readouterr().out == "ops was told\n"


def test_lists(asked: Asked) -> None:
    """Rules, channels, silences, messages and the history."""
    for verb in ("rules", "channels", "silences", "notices", "history"):
        asked.answers[f"GET /alerts/{verb}"] = []
        assert main(["alerts", verb]) == 0
    assert [said for said, _ in asked.said] == [
        "GET /alerts/rules", "GET /alerts/channels", "GET /alerts/silences", "GET /alerts/notices?limit=100",
        "GET /alerts/history?limit=100",
    ]  # fmt: skip
