"""What no row explains is told, once an hour each."""

import json

import pytest

from tidegate.model.reply import Unexplained
from tidegate.observe.growth import EVERY_US, MOST, Growth
from tidegate.observe.log import Log

ODD = Unexplained(418, "odd_code", "odd_type", "Limit 5 of 'tell me' sk-12")


def told(capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_one_line_of_each_kind_an_hour(capfd: pytest.CaptureFixture[str]) -> None:
    """By provider, status, code and type; the message is no part of it."""
    growth = Growth(Log("worker-0"))
    others = [Unexplained(419, "odd_code", "odd_type", "m"), Unexplained(418, "", "odd_type", "m")]
    for refusal in (ODD, Unexplained(418, "odd_code", "odd_type", "other words"), *others, ODD):
        growth.add("openai", refusal, 0)
    growth.add("azure", ODD, 0)
    lines = told(capfd)
    assert [(line["provider"], line["status"], line["code"], line["type"]) for line in lines] == [
        ("openai", 418, "odd_code", "odd_type"),
        ("openai", 419, "odd_code", "odd_type"),
        ("openai", 418, "", "odd_type"),
        ("azure", 418, "odd_code", "odd_type"),
    ]
    assert lines[0]["message"] == "Limit * of * *"
    growth.add("openai", ODD, EVERY_US - 1)
    assert told(capfd) == []
    growth.add("openai", ODD, EVERY_US)
    growth.add("openai", ODD, EVERY_US + 1)
    assert len(told(capfd)) == 1


def test_a_provider_that_invents_codes_fills_no_log(capfd: pytest.CaptureFixture[str]) -> None:
    """Beyond the bound nothing is told until an hour has passed."""
    growth = Growth(Log("worker-0"))
    for number in range(MOST + 50):
        growth.add("openai", Unexplained(400 + number, "", "", ""), number)
    assert len(told(capfd)) == MOST
    growth.add("openai", ODD, EVERY_US)
    assert len(told(capfd)) == 1


def test_what_is_no_code_is_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    """Keys in its place are all one kind."""
    growth = Growth(Log("worker-0"))
    for key in ("sk-1", "sk-2"):
        growth.add("openai", Unexplained(418, key, key, ""), 0)
    (line,) = told(capfd)
    assert (line["code"], line["type"]) == ("*", "*")
