"""A call's chain: what its row, its attempts and its story tell together, as a table."""

from typing import Any

import pytest

from tidegate.control.admin.services.chain import Stage, seconds, stages
from tidegate.model.story import (
    ASKED,
    BROKE,
    CACHED,
    CHOSEN,
    COOLING,
    DEGRADED,
    DRAINED,
    LIMITED,
    MOVED,
    OPEN,
    PAUSED,
    PICKED,
    QUEUED,
    REFUSED,
    SHORT,
    SMOOTHED,
    LaneSeen,
    Step,
)  # fmt: skip

END_US = 10_000_000
ROW: dict[str, Any] = {
    "at_us": END_US, "duration_us": 5_000, "read_us": 0, "request_bytes": 0, "answer_bytes": 80, "cache": "",
    "first_token_us": 0, "status": 200, "prompt_tokens": 10, "completion_tokens": 5, "charged_tokens": 20,
    "reserved_tokens": 30,
}  # fmt: skip
TRY: dict[str, Any] = {
    "number": 1, "at_us": END_US - 4_000, "duration_us": 4_000, "provider": "openai", "scope": "main", "model": "a",
    "status": 200, "reason": "", "account": "0a1b2c3d", "first_byte_us": 900, "headers": "", "prompt_tokens": 10,
    "completion_tokens": 5, "charged_tokens": 20, "reserved_tokens": 30,
}  # fmt: skip
REFUSAL = {**TRY, "status": 429, "reason": "rate", "duration_us": 50, "headers": "retry-after: 2\nx-request-id: r"}


def told(row: dict[str, Any], *tries: dict[str, Any], story: tuple[Step, ...] = ()) -> list[Stage]:
    numbered = [{**one, "number": number} for number, one in enumerate(tries, 1)]
    return stages({**ROW, **row}, numbered, story)


def brief(found: list[Stage]) -> list[tuple[str, int, int]]:
    return [(one.stage, one.at_us, one.lasted_us) for one in found]


def test_a_call_that_was_served_at_once() -> None:
    """Its record tells all: one attempt, whose key, when it began."""
    found = told({}, TRY)
    assert brief(found) == [("attempt", 1_000, 4_000), ("end", 5_000, 0)]
    assert (found[0].target, found[0].says, found[0].figures["account"]) == ("openai/main/a", "200", "0a1b2c3d")
    assert found[1].figures["prompt_tokens"] == 10
    assert [(one.figures["reserved_tokens"], one.figures["charged_tokens"]) for one in found] == [(30, 20), (30, 20)]


def test_reading_comes_first_and_shifts_everything() -> None:
    """Times count from the head's arrival; a stream has a first content."""
    found = told({"read_us": 300, "request_bytes": 40, "first_token_us": 2_000, "cache": "miss"}, TRY)
    assert brief(found) == [
        ("read", 0, 300), ("cached", 300, 0), ("attempt", 1_300, 4_000), ("first content", 2_300, 0), ("end", 5_300, 0),
    ]  # fmt: skip
    assert found[1].says == "the cache: miss"


def test_waits_refusals_and_moves_in_their_order() -> None:
    """The steps' own times are exact; an attempt's row adds its key, its bytes and the headers that mattered."""
    story = (
        Step(
            QUEUED,
            0,
            900,
            "openai/main/a",
            "turn",
            (("pool", "main"), ("ahead", 2), ("waiting", 7), ("predicted_us", 1_500_000)),
        ),
        Step(ASKED, 900, 50, "openai/main/a", "rate", (("try", 1), ("status", 429))),
        Step(PAUSED, 950, 1_000, "openai/a", "retry-after (rate)"),
        Step(ASKED, 1_950, 5, "openai/main/a", "transient", (("account", "0a1b2c3d"), ("error", "connection refused"))),
        Step(MOVED, 1_955, 0, "spare/b", "transient", (("from", "openai/a"),)),
        Step(ASKED, 1_960, 3_040, "spare/main/b", "", (("try", 2), ("status", 200))),
    )
    found = told({}, REFUSAL, {**TRY, "provider": "spare", "model": "b"}, story=story)
    assert brief(found) == [
        ("queued", 0, 900), ("attempt", 900, 50), ("paused", 950, 1_000), ("attempt", 1_950, 5), ("moved", 1_955, 0),
        ("attempt", 1_960, 3_040), ("end", 5_000, 0),
    ]  # fmt: skip
    assert [one.says for one in found] == [
        "waited for its turn at pool main; 2 before it, 7 waiting; 1.50 s foretold",
        "429, rate",
        "waited before the next attempt: retry-after (rate)",
        "never left: connection refused",
        "from openai/a to spare/b: transient",
        "200",
        "answered",
    ]
    assert found[1].headers == ("retry-after: 2", "x-request-id: r")
    assert found[5].target == "spare/main/b"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Step(CHOSEN, 0, 0, "b/b", "soonest", (("a/a", 2_000_000), ("b/b", 0))), "b/b, of a/a in 2.00 s, b/b at once"),
        (
            Step(CHOSEN, 0, 0, "", "late", (("a/a", "never"),)),
            "none of a/a never: it is too large: not before the deadline",
        ),
        (
            Step(CHOSEN, 0, 0, "", "full", (("a/a", "5000 full refusing"),)),
            "none of a/a in 5.0 ms (full refusing): no room to wait",
        ),
        (Step(SMOOTHED, 0, 9, "a", "", (("used_permille", 905),)), "held back: 90.5 % of the quota was in use"),
        (
            Step(QUEUED, 0, 9, "", "bound", (("pool", "p"), ("turn", "never came"))),
            "waited for the strategy's own limits at pool p; its turn never came",
        ),
        (Step(DEGRADED, 0, 0, "", "max_tokens=5"), "given less: max_tokens=5"),
        (Step(LIMITED, 0, 0, "", "tokens of team"), "its tenant's own limits: tokens of team"),
        (Step(CACHED, 0, 7, "", "miss"), "the cache: miss"),
        (Step(REFUSED, 0, 0, "", "over_quota", (("told_us", 1_500),)), "over_quota, told to come back in 1.5 ms"),
        (Step(REFUSED, 0, 0, "", "bad_request"), "bad_request"),
        (
            Step(BROKE, 0, 0, "a", "transient", (("then", "fail"), ("sent_bytes", 7))),
            "broke (transient) after 7 bytes; then: fail",
        ),
        (Step(REFUSED, 0, 0, "", "deadline", (("dropped", 3),)), "deadline (3 steps before this one were not kept)"),
        (Step("something new", 0, 0, "", "words"), "words"),
    ],
)
def test_each_step_is_said_in_words(step: Step, says: str) -> None:
    """What a later version writes is shown as it stands."""
    assert told({}, story=(step,))[0].says == says


@pytest.mark.parametrize(
    ("status", "says"),
    [(0, "its end was not seen"), (499, "the client left"), (429, "refused or failed"), (200, "answered")],
)
def test_how_it_ended(status: int, says: str) -> None:
    """In words."""
    assert told({"status": status})[-1].says == says


def test_a_stepped_clock_does_not_put_an_attempt_before_its_call() -> None:
    """The wall clock jumped while it ran."""
    assert told({}, {**TRY, "at_us": 5})[0].at_us == 0


def test_times_as_people_read_them() -> None:
    """Microseconds, milliseconds, seconds."""
    assert [seconds(us) for us in (7, 1_500, 2_345_678)] == ["7 µs", "1.5 ms", "2.35 s"]


def test_the_accounts_that_one_was_picked_of() -> None:
    """Which was taken, why each other was not, and what it had left."""
    seen = (
        LaneSeen("x", COOLING, 12_000_000, 2, 60, 1_800, 60_000, 0, 0, 0, 29),
        LaneSeen("y", DRAINED, score=1_000),
        LaneSeen("z", OPEN, 0, 0, 0, 60_000, 60_000, 0, 0, 3, 983),
        LaneSeen("later", "a later word", 0, 0, 0, -5, 9, 1, 8, 0, 0),
    )
    picked = (("pool", "main"), ("lanes", 9))
    left = "% of its scarcest limit left after the call"
    stage = told({}, story=(Step(PICKED, 7, 0, "openai/z/a", "headroom", picked, seen),))[0]
    assert (stage.stage, stage.says) == ("picked", "openai/z/a, of the 9 accounts of pool main by headroom")
    assert [(one.scope, one.state) for one in stage.lanes] == [
        ("x", COOLING), ("y", DRAINED), ("z", "taken"), ("later", "a later word"),
    ]  # fmt: skip
    assert [one.says for one in stage.lanes] == [
        f"cooling down after a refusal, for 12.00 s; 2 of 60 requests, 1,800 of 60,000 tokens left; 2.9 {left}",
        f"an operator has taken it out of service; 100 {left}",
        f"taken; 60,000 of 60,000 tokens left; 3 in flight; 98.3 {left}",
        f"a later word; -5 of 9 tokens, 1 of 8 output tokens left; 0 {left}",
    ]


@pytest.mark.parametrize(
    ("rule", "score", "says"),
    [
        ("least_loaded", 40, "not enough of its quota left; load 40 ms of its limit"),
        ("weighted", 2_500, "not enough of its quota left; weight 2.5"),
        ("affinity", 750, "not enough of its quota left; 75 % of the calls that it may carry"),
        ("a later one", 7, "not enough of its quota left"),
    ],
)
def test_none_of_the_accounts_and_the_rules_own_measure(rule: str, score: int, says: str) -> None:
    """A rule that a later version has brought is no error."""
    step = Step(PICKED, 0, 0, "", rule, (("pool", "main"), ("lanes", 2)), (LaneSeen("x", SHORT, score=score),))
    stage = told({}, story=(step,))[0]
    assert stage.says == "none of the 2 accounts of pool main could serve"
    assert [(one.state, one.says) for one in stage.lanes] == [(SHORT, says)]


@pytest.mark.parametrize(
    ("waits", "target", "says"),
    [
        ((("p/a", "drained"), ("p/b", 0)), "p/b", "p/b, of p/a drained, p/b at once"),
        ((("p/a", "drained"),), "", "none of p/a: an operator has taken their accounts out of service"),
    ],
)
def test_accounts_that_are_out_of_service(waits: tuple[tuple[str, str | int], ...], target: str, says: str) -> None:
    """Are said to be."""
    found = told({}, TRY, story=(Step(CHOSEN, 0, 0, target, "soonest" if target else "late", waits),))
    assert found[0].says == says
