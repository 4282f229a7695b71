"""`tidegate calls`: what is asked of the gate, and how a call's chain looks."""

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Any

import pytest

from tidegate.cli import call_filters, calls
from tidegate.cli.call_tail import follow
from tidegate.cli.call_view import line, waterfall
from tidegate.cli.manage import AdminClient, Failed

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALL: dict[str, Any] = {
    "id": "255", "at": "2026-11-22T21:00:01.234567Z", "namespace": "team", "user": "ann", "key": "app", "tier": "paid",
    "plan": "smart", "model": "smart", "provider": "spare", "scope": "main", "served": "b", "status": 200,
    "attempts": 2, "queued_us": 2_000_000, "waited_us": 0, "duration_us": 4_000_000, "read_us": 0, "tag": "",
    "prompt_tokens": 10, "completion_tokens": 5, "charged_tokens": 20,
    "reserved_tokens": 30, "cost": "0.002", "why": "rate moved",
    "stages": [
        {"stage": "queued", "at_us": 0, "lasted_us": 2_000_000, "target": "openai/main/a",
         "says": "waited for quota at pool main", "figures": {"pool": "main"}},
        {"stage": "attempt", "at_us": 2_000_000, "lasted_us": 2_000_000, "target": "spare/main/b", "says": "429, rate",
         "figures": {"account": "0a1b2c3d", "first_byte_us": 1_500, "reserved_tokens": 7},
         "headers": ["retry-after: 2\u001b[31m"]},
        {"stage": "end", "at_us": 4_000_000, "lasted_us": 0, "says": "answered", "figures": {"bytes": 80}},
    ],
}  # fmt: skip


class Scripted(AdminClient):
    """Answers what it was given, in order, and keeps what it was asked."""

    def __init__(self, *answers: object) -> None:
        super().__init__("http://127.0.0.1:1", "t")
        self.answers = list(answers)
        self.asked: list[str] = []

    def call(self, method: str, path: str, body: object = None) -> object:
        self.asked.append(path)
        found = self.answers.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found


def parsed(line: str) -> Namespace:
    parser = ArgumentParser()
    calls.add_arguments(parser)
    return parser.parse_args(line.split())


def test_filters_as_the_gate_is_asked() -> None:
    """What was not given is not asked for."""
    args = parsed(
        "search --namespace team --errors --fell-back --slower-than 1.5s --waited-longer-than 2m --status 5xx "
        f"--reason rate --trace 00-{TRACE}-00f067aa0ba902b7-01"
    )
    assert call_filters.asked(args) == (
        "?namespace=team&errors=true&fell_back=true&status=5xx&reason=rate"
        f"&trace={TRACE}&slower_ms=1500&waited_ms=120000"
    )
    assert call_filters.asked(parsed("list")) == ""


@pytest.mark.parametrize("bad", ["", "5", "5 s", "-5s", "1d", "1.s", "1.2345s", "s"])
def test_what_is_no_length_of_time(bad: str) -> None:
    """Told with what is."""
    with pytest.raises(ArgumentTypeError, match="800ms"):
        call_filters.milliseconds(bad)


@pytest.mark.parametrize("bad", ["", "x" * 32, TRACE[:-1], TRACE.upper(), f"{TRACE}-"])
def test_what_is_no_trace(bad: str) -> None:
    """Told with what is."""
    with pytest.raises(ArgumentTypeError, match="32 hexadecimal"):
        call_filters.trace(bad)


def test_a_waterfall() -> None:
    """Where in the whole each stage lies, for how long, and what happened; nothing that a terminal would act on."""
    lines = list(waterfall(CALL))
    assert lines[0] == "req_ff  255  ended 2026-11-22T21:00:01.234567Z  took 4.00 s"
    assert "  status 200  attempts 2  why rate moved" in lines
    text = "\n".join(lines)
    assert "█" * 12 + " " * 12 + "    2.00 s  queued" in text
    assert "waited for quota at pool main" in text
    assert "account 0a1b2c3d, first byte after 1.5 ms, 7 reserved tokens" in text
    assert "reserved tokens 30  charged tokens 20" in text
    assert "retry-after: 2?[31m" in text
    assert "80 bytes" in text
    assert list(waterfall({**CALL, "stages": []}))[-1] != ""


def test_the_accounts_of_a_pool_stand_below_the_choice() -> None:
    """One a line: how it stood; nothing that a terminal would act on."""
    lanes = [{"scope": "x\u001b[31m", "says": "cooling down, for 12.00 s"}, {"scope": "z", "says": "taken"}]
    stage = {"stage": "picked", "at_us": 5, "target": "openai/z/a", "says": "openai/z/a, of the 2", "lanes": lanes}
    text = [one.strip() for one in waterfall({**CALL, "stages": [stage]})]
    assert text[-3].endswith("picked         openai/z/a, of the 2")
    assert text[-2:] == ["x?[31m: cooling down, for 12.00 s", "z: taken"]


def test_a_line_of_a_call_as_it_ends() -> None:
    """When, who, where, how long, and what befell it."""
    assert line(CALL) == (
        "21:00:01.234  req_ff  200     4.00 s  waited 2.00 s  team/ann  smart → spare/main/b  10+5 tokens  [rate moved]"
    )
    assert "nobody" in line({**CALL, "provider": "", "scope": "", "served": ""})


def test_a_call_that_the_cache_answered() -> None:
    """Whose answer it was and what that saved, in its line and in its story; asked for by its layer."""
    hit = {"layer": "exact", "source": "254", "saved_prompt_tokens": 60, "saved_completion_tokens": 40}
    stage = {"stage": "cached", "at_us": 300, "lasted_us": 40, "why": "exact", "says": "the cache answered (exact)"}
    call = {**CALL, "cache": "exact", "why": "", "queued_us": 0, "duration_us": 40, "hit": hit, "stages": [stage]}
    assert line(call).endswith("smart → spare/main/b  60+40 tokens saved by the cache (exact of req_fe)")
    assert any("cached         the cache answered (exact)" in one for one in waterfall(call))
    assert call_filters.asked(parsed("tail --cache exact")) == "?cache=exact"


def test_a_tail_goes_on_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """With the cursor of the answer before, also when the gate was away; told once, and what was too much is told."""
    first = {"calls": [CALL], "next": "7_1.2.3.4"}
    second = {"calls": [{**CALL, "id": "256"}], "next": "8", "missed": True}
    client = Scripted(first, Failed("no gate answers"), Failed("no gate answers"), second, KeyboardInterrupt())
    waited: list[float] = []
    with pytest.raises(KeyboardInterrupt):
        follow(client, parsed("tail --limit 5 --errors"), waited.append)
    said = capsys.readouterr()
    assert [one.split("  ")[1] for one in said.out.splitlines()] == ["req_ff", "req_100"]
    assert client.asked[0] == "/calls/tail?errors=true&limit=5"
    assert client.asked[1:4] == ["/calls/tail?errors=true&limit=5&after=7_1.2.3.4"] * 3
    assert client.asked[4].endswith("after=8")
    assert waited == [1.0, 2.0, 4.0, 1.0]
    assert said.err.splitlines() == ["no gate answers; asking again", "more than 5 calls since: the newest are shown"]


def test_a_tail_that_cannot_begin_ends() -> None:
    """A wrong token, or no gate: asking again would not help."""
    with pytest.raises(Failed):
        follow(Scripted(Failed("opens nothing")), parsed("tail"), lambda _: None)


def test_a_tail_as_json_once(capsys: pytest.CaptureFixture[str]) -> None:
    """One call a line."""
    follow(Scripted({"calls": [CALL, CALL], "next": "1"}), parsed("tail --json --once"), lambda _: None)
    assert [json.loads(one)["id"] for one in capsys.readouterr().out.splitlines()] == ["255", "255"]
