"""The accounts of a pool that one was picked of, as the admin API tells them."""

from msgspec.structs import replace

from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import put
from tests.journal.facts import record
from tidegate.model.story import COOLING, OPEN, PICKED, LaneSeen, Step

SEEN = (LaneSeen("x", COOLING, 12_000_000, 2, 60, 1_800, 60_000, 0, 0, 3, 29), LaneSeen("z", OPEN, score=983))
PICK = Step(PICKED, 7, 0, "openai/z/gpt-4o", "headroom", (("pool", "main"), ("lanes", 2)), SEEN)


def test_a_calls_chain_has_the_accounts_and_how_they_stood(desk: Desk) -> None:
    """Written by a worker, kept in the database, and read again: figures for pages, words for people."""
    put(desk, replace(record(1), at_us=WALL - 1_000_000, story=(PICK,)))
    answer = desk.ask("GET", "/calls/1")
    assert answer.status_code == 200, answer.text
    stage = next(one for one in answer.json()["stages"] if one["stage"] == PICKED)
    assert (stage["target"], stage["why"]) == ("openai/z/gpt-4o", "headroom")
    x, z = stage["lanes"]
    assert x == {
        "scope": "x", "state": COOLING, "wait_us": 12_000_000, "requests": 2, "request_limit": 60, "tokens": 1_800,
        "token_limit": 60_000, "outputs": 0, "output_limit": 0, "calls": 3, "score": 29, "says": x["says"],
    }  # fmt: skip
    assert x["says"].startswith("cooling down after a refusal, for 12.00 s; 2 of 60 requests")
    assert (z["scope"], z["state"]) == ("z", "taken")
    assert all(one["lanes"] == [] for one in answer.json()["stages"] if one["stage"] != PICKED)
