"""A call that the cache answered, by the admin API: found as any other, and its story."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import put
from tests.journal.facts import record
from tests.journal.hits import hit, said
from tidegate.control.admin.services.kept import stages
from tidegate.model.story import CACHED, REFUSED, Step
from tidegate.store.hit_calls import as_call

AT = WALL - 60_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TOLD = {"read_us": 300, "duration_us": 40, "asked": "smart", "tier": "paid", "request": "r-1"}
ROW: dict[str, Any] = {
    "day": 1, "journal": 1, "call_id": 7, "at_us": AT, "namespace": "team", "user": "", "key": "k", "tier": "paid",
    "tag": "", "plan": "chat", "asked": "smart", "provider": "openai", "model": "gpt-4o", "layer": "exact",
    "source": 255, "similarity_permille": 1_000, "charged": False, "prompt_tokens": 60, "completion_tokens": 40,
    "cost_nano": 7_000, "age_us": 9_000_000, "trace_id": "", "request_id": "", "streamed": False, "read_us": 300,
    "duration_us": 40,
}  # fmt: skip


@pytest.fixture
def asked(desk: Desk) -> Desk:
    """A call of `team`, and three answers that were known: one of them by meaning, one to `other`."""
    for name in ("team", "other"):
        desk.made("/namespaces", {"name": name})
    first = replace(hit(3, at_us=AT + 3, source=1), **TOLD, trace=f"00-{TRACE}-00f067aa0ba902b7-01")
    second = replace(hit(4, at_us=AT + 4, layer="semantic", source=1), similarity_permille=953)
    put(desk, replace(record(1), at_us=AT, tenant="team", cache="miss"),
        said(first, second, replace(hit(5, at_us=AT + 5), tenant="other")))  # fmt: skip
    return desk


def ids(desk: Desk, query: str) -> list[str]:
    return [one["id"] for one in desk.ask("GET", f"/calls{query}").json()["calls"]]


def test_a_hit_is_found_as_a_call_is(asked: Desk) -> None:
    """By its trace and its client's id, among all, or by the cache alone; within a namespace for who sees one."""
    assert ids(asked, "") == ["5", "4", "3", "1"]
    assert ids(asked, f"?trace={TRACE}") == ids(asked, "?request=r-1") == ids(asked, "?model=smart") == ["3"]
    assert ids(asked, "?cache=hit&namespace=team") == ["4", "3"]
    assert (ids(asked, "?cache=semantic"), ids(asked, "?cache=made")) == (["4"], ["1"])
    assert asked.ask("GET", "/calls?cache=magic").status_code == 422
    page = asked.ask("GET", "/calls?limit=2").json()
    assert ids(asked, f"?limit=2&before={page['next']}") == ["3", "1"]
    tail = asked.ask("GET", "/calls/tail").json()
    assert [one["id"] for one in tail["calls"]] == ["1", "3", "4", "5"]
    put(asked, said(hit(6, at_us=AT + 6)))
    news = asked.ask("GET", f"/calls/tail?after={tail['next']}").json()
    assert [(one["id"], one["cache"]) for one in news["calls"]] == [("6", "exact")]
    owner = asked.token("owner", "other")
    assert [one["id"] for one in asked.ask("GET", "/calls", token=owner).json()["calls"]] == ["5"]
    assert asked.ask("GET", "/calls/3", token=owner).status_code == 404


def test_its_story_says_whose_answer_it_was(asked: Desk) -> None:
    """What it saved, and that nothing was billed; of a call that was made nothing of this is told."""
    shown = asked.ask("GET", "/calls/3").json()
    assert (shown["status"], shown["model"], shown["served"], shown["cache"]) == (200, "smart", "gpt/4o", "exact")
    assert (shown["trace_id"], shown["request_id"], shown["duration_us"]) == (TRACE, "r-1", 40)
    assert (shown["cost"], shown["attempts"], shown["tries"]) == ("0", 0, [])
    assert shown["hit"] == {
        "layer": "exact", "source": "1", "similarity": 1.0, "age_us": 9_000_000, "saved_prompt_tokens": 60,
        "saved_completion_tokens": 40, "saved": "0.000007", "charged": False,
    }  # fmt: skip
    assert [(one["stage"], one["at_us"], one["lasted_us"]) for one in shown["stages"]] == [
        ("read", 0, 300), ("cached", 300, 40), ("end", 340, 0),
    ]  # fmt: skip
    assert "hit" not in asked.ask("GET", "/calls/1").json()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "the cache answered (exact): the same was asked before"),
        (
            {"layer": "semantic", "similarity_permille": 953},
            "the cache answered (semantic): what was asked before means the same (0.953)",
        ),
        ({"layer": "joined"}, "the cache answered (joined): the same was being answered for another call"),
        ({"layer": "new"}, "the cache answered (new): new"),
    ],
)
def test_why_the_cache_answered(more: dict[str, Any], says: str) -> None:
    """In words; a layer of a later version is named."""
    told = stages(as_call({**ROW, **more}), (), ())
    words = "the answer of req_ff, 9.00 s old; saved 60 + 40 tokens, 0.000007"
    assert told[1].says == f"{says}; {words}"
    assert ("similarity_permille" in told[1].figures) == (more.get("layer") == "semantic")


def test_what_its_tenant_paid_all_the_same() -> None:
    """Where hits cost as much as calls."""
    told = stages(as_call({**ROW, "charged": True}), (), ())[1]
    assert told.says.endswith("; its tenant paid as if it had been made")
    assert told.figures["charged"] == 1


def test_an_older_answer_stood_in_after_what_was_tried() -> None:
    """The call's own chain is told, and what it was given, before its end."""
    row = {**as_call({**ROW, "layer": "stale"}), "status": 200}
    told = stages(row, (), (Step(REFUSED, 5, 0, "", "upstream"),))
    assert [(one.stage, one.at_us) for one in told] == [("read", 0), (REFUSED, 305), (CACHED, 340), ("end", 340)]
    assert "an older answer stood in" in told[2].says
