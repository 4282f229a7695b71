"""What is said of a gate, and what goes before what."""

from typing import Any

import pytest

from tidegate.observe.live import LiveCache, LiveCalls, LiveLane, LiveQueue, LiveQuota, LiveState, LiveWorkers, Sentence
from tidegate.observe.sentence import sentence

NONE: dict[str, int] = {}


def lane(model: str = "m", used: int = 0, reserved: int = 0, limit: int | None = 1_000, **more: Any) -> LiveLane:
    requests = LiveQuota(0, 0, None, None)
    return LiveLane("p", "s", model, requests, LiveQuota(used, reserved, limit, None), 0, 0, **more)


def calls(per_second: float = 3.5, in_flight: int = 1, error_permille: int = 0) -> LiveCalls:
    return LiveCalls(per_second, in_flight, error_permille, 0, 0)


def queue(waiting: int, longest: int = 1_500, model: str = "m", tier: str = "paid") -> LiveQueue:
    return LiveQueue("pool", tier, model, waiting, 10, longest)


def state(**more: Any) -> LiveState:
    fields: dict[str, Any] = {
        "at": "", "node": "one", "ready": True, "draining": False, "version": 1, "workers": LiveWorkers(1, 1),
        "lanes": [lane(used=100)], "lanes_hidden": 0, "queues": [], "calls": calls(), "cache": LiveCache(0, 0),
        "spend_today": "0", "currency": "USD", "alerts": [], "sentence": Sentence(""), "database_away": False,
        "clustered": False,
    }  # fmt: skip
    return LiveState(**fields | more)


WORSE: list[tuple[dict[str, Any], dict[str, int], Sentence]] = [
    ({"ready": False}, NONE, Sentence("no_worker")),
    ({"database_away": True}, NONE, Sentence("database_away")),
    ({}, {"m": 150, "n": 60}, Sentence("limited", {"model": "m", "provider": "p", "minutes": 2})),
    (
        {"lanes": [lane(closed_since="x"), lane("n")]},
        {"m": 59},
        Sentence("breaker_open", {"provider": "p", "scope": "s", "model": "m"}),
    ),
    (
        {"queues": [queue(2), queue(1, 9_000, tier="free"), queue(2, model="n")]},
        NONE,
        Sentence("queueing", {"model": "m", "waiting": 3, "wait_ms": 9_000}),
    ),
    ({"lanes": [lane(used=100, reserved=800)]}, NONE, Sentence("near_quota", {"model": "m", "percent": 90})),
    ({"calls": calls(error_permille=10)}, NONE, Sentence("failing", {"permille": 10})),
    ({"draining": True, "ready": False}, NONE, Sentence("draining")),
    ({"calls": calls(0, 0)}, NONE, Sentence("idle")),
    ({}, NONE, Sentence("well", {"calls_per_second": 3.5, "percent": 10})),
]


@pytest.mark.parametrize(("fields", "limited", "said"), WORSE, ids=lambda one: getattr(one, "code", ""))
def test_what_is_said(fields: dict[str, Any], limited: dict[str, int], said: Sentence) -> None:
    """Each by what brings it about, alone."""
    assert sentence(state(**fields), limited) == said


@pytest.mark.parametrize("worst", range(len(WORSE) - 1))
def test_the_worst_goes_first(worst: int) -> None:
    """Whatever else is wrong that stands below it: a gate that drains is not said to have no worker, though."""
    fields: dict[str, Any] = {}
    limited: dict[str, int] = {}
    for more, for_so_long, _ in reversed(WORSE[worst:]):
        fields |= more
        limited |= for_so_long
    if worst == 0:
        fields["draining"] = False
    assert sentence(state(**fields), limited).code == WORSE[worst][2].code


def test_a_queue_that_is_empty_now_is_nothing_to_say() -> None:
    """Nor is a lane without limits near one."""
    lanes, queues = [lane(limit=None, used=10**9)], [queue(0)]
    assert sentence(state(lanes=lanes, queues=queues), NONE).code == "well"


def test_nothing_at_all() -> None:
    """A gate without lanes that nobody calls."""
    assert sentence(state(lanes=[], calls=calls(0, 0)), NONE).code == "idle"
    assert sentence(state(lanes=[]), NONE).values["percent"] == 0
