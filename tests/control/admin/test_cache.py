"""What the cache answered and saved, what is purged, and what it had to do with one call, by the admin API."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import put
from tests.control.admin.mind import mind
from tests.journal.facts import record
from tests.journal.hits import hit, said
from tidegate.cache.purge_log import MAGIC, NAME, Purge, purges
from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.model.facts import Note
from tidegate.observe.meters import AnswersMeter, Report

AT = WALL - 60_000_000


def purged(folder: Path) -> list[Purge]:
    return [purge for purge, _ in purges((folder / NAME).read_bytes()[len(MAGIC) :])]


@pytest.fixture
def asked(desk: Desk) -> Desk:
    """Two namespaces; of `team` four calls, of which one was made, and one of `other` in its group."""
    for name in ("team", "other"):
        desk.made("/namespaces", {"name": name})
    made = replace(record(1), at_us=AT, tenant="team", user="ann", cache="miss; semantic: below 0.912 req_9")
    bypassed = replace(record(2), at_us=AT, tenant="team", cache="bypass: store")
    put(
        desk, made, bypassed,
        said(
            hit(3, at_us=AT), hit(4, at_us=AT, layer="semantic"), hit(5, at_us=AT, charged=True),
            replace(hit(6, at_us=AT), tenant="other"), notes=(Note(1, AT, "stored", b"\xab" * 32),),
        ),
    )  # fmt: skip
    return desk


def test_what_was_saved_adds_up_by_any_grouping(asked: Desk) -> None:
    """Hits of hits and misses; by layer, of what was asked for in all; what was paid all the same stands apart."""
    whole = asked.ask("GET", "/cache/stats").json()
    total = {"hits": 4, "misses": 1, "bypassed": 1, "hit_rate": 0.8, "saved_prompt_tokens": 240,
             "saved_completion_tokens": 160, "saved": "0.000028", "charged_hits": 1, "charged": "0.000007"}  # fmt: skip
    assert whole["total"] == total
    assert whole["lines"] == [total]
    by_layer = asked.ask("GET", "/cache/stats?by=namespace&by=layer&namespace=team").json()
    assert [(line["layer"], line["hits"], line["misses"], line["bypassed"]) for line in by_layer["lines"]] == [
        ("exact", 2, 2, 1), ("semantic", 1, 3, 1),
    ]  # fmt: skip
    assert by_layer["total"]["hit_rate"] == 0.75
    strategies = asked.ask("GET", "/cache/stats?by=strategy&by=day&user=ann").json()["lines"]
    assert [(line["strategy"], line["day"], line["misses"]) for line in strategies] == [("chat", "2026-09-21", 1)]
    assert asked.ask("GET", "/cache/stats?strategy=nothing").json()["total"].get("hit_rate") is None
    assert asked.ask("GET", "/cache/stats?since=2026-08-01&until=2026-09-01").json()["lines"] == []


def test_spend_tells_what_was_saved(asked: Desk) -> None:
    """Beside what was spent, also where nothing was; not by scope or tag, of which no sum of hits knows."""
    found = asked.ask("GET", "/spend?by=namespace").json()
    assert [(one["namespace"], one["calls"], one["cache_hits"], one["saved"]) for one in found["lines"]] == [
        ("other", 0, 1, "0.000007"), ("team", 2, 3, "0.000021"),
    ]  # fmt: skip
    assert (found["total"]["calls"], found["total"]["cache_hits"], found["total"]["saved"]) == (2, 4, "0.000028")
    for query in ("by=scope", "by=tag", "tag=nightly"):
        report = asked.ask("GET", f"/spend?{query}").json()
        assert all("saved" not in one for one in (*report["lines"], report["total"]))
    put(asked, said(hit(50, at_us=AT - 7_200_000_000)))
    hours = asked.ask("GET", "/spend?by=hour").json()["lines"]
    assert [(one["calls"], one["cache_hits"]) for one in hours] == [(0, 1), (2, 4)]
    table = asked.ask("GET", "/spend?by=model&output=csv").text
    assert table.splitlines()[0].endswith("cost,currency,cache_hits,saved")


def test_what_was_paid_for_a_hit_is_of_the_budget(asked: Desk) -> None:
    """As the gate's own limits count it."""
    (team, *_) = asked.ask("GET", "/namespaces/team/use").json()
    assert (team["tokens_today"]["used"], team["money_today"]["used"]) == ("300", "0.000007")


def test_stores_are_told_to_who_sees_the_whole_gate(asked: Desk) -> None:
    """As the workers told last; and how the process that compares questions stands, where there is one."""
    meter = AnswersMeter("memory", 9, 4, entries=2, bytes=900)
    asked.board.take(Report(0, 1, 1, True, answers=[meter, AnswersMeter("redis", up=False)]))
    found = asked.ask("GET", "/cache/stats").json()
    assert [(one["layer"], one["gets"], one.get("bytes"), one["up"]) for one in found["stores"]] == [
        ("memory", 9, 900, True), ("redis", 0, None, False),
    ]  # fmt: skip
    assert "semantic" not in found
    with mind(asked.folder):
        semantic = asked.ask("GET", "/cache/stats").json()["semantic"]
    assert (semantic["embedder"], semantic["entries"], semantic["refused"]) == ("offline", 3, {"below": 4})
    owner = asked.ask("GET", "/cache/stats", token=asked.token("owner", "team")).json()
    assert "stores" not in owner
    assert owner["total"]["hits"] == 3


def test_a_call_is_explained(asked: Desk) -> None:
    """A hit by its layer, source and age; a call that was made by what the cache said, and whom its answer served."""
    shown = asked.ask("GET", "/calls/4/cache").json()
    assert (shown["outcome"], shown["layer"], shown["source"], shown["similarity"]) == ("hit", "semantic", "1", 1.0)
    assert (shown["age_seconds"], shown["saved"], shown["charged"], shown["model"]) == (
        9.0, "0.000007", False, "openai/gpt/4o",
    )  # fmt: skip
    with mind(asked.folder):
        made = asked.ask("GET", "/calls/1/cache").json()
    assert (made["outcome"], made["said"]) == ("made", "miss; semantic: below 0.912 req_9")
    assert (made["kept"], made["answer"], made["model"]) == ("stored", "ab" * 32, "openai/gpt-4o")
    assert (made["served_calls"], [one["id"] for one in made["served"]]) == (4, ["6", "5", "4", "3"])
    assert made["compared"] == {"similarity": 0.93, "source": "5", "served": True, "why": "", "judged": "right",
                                "observations": 7}  # fmt: skip
    assert asked.ask("GET", "/calls/2/cache").json()["said"] == "bypass: store"
    assert asked.ask("GET", "/calls/99/cache").status_code == 404


def test_an_owner_knows_its_own_calls_only(asked: Desk) -> None:
    """Not whom its answers served in other namespaces of its group."""
    token = asked.token("owner", "team")
    assert asked.ask("GET", "/calls/6/cache", token=token).status_code == 404
    assert asked.ask("POST", "/calls/6/feedback", {"right": True}, token=token).status_code == 404
    made = asked.ask("GET", "/calls/1/cache", token=token)
    assert made.json()["served_calls"] == 3
    assert "other" not in made.text


@pytest.mark.parametrize(
    ("body", "what", "value", "namespace"),
    [
        ({"what": "all"}, "all", "", ""),
        ({"what": "tag", "value": "prices"}, "tag", "prices", ""),
        ({"what": "model", "value": "openai/gpt-4o", "namespace": "team"}, "model", "openai/gpt-4o", "team"),
        ({"what": "strategy", "value": "chat"}, "strategy", "chat", ""),
        ({"what": "key", "value": "AB" * 32}, "key", "AB" * 32, ""),
        ({"what": "namespace", "value": "team"}, "namespace", "team", "team"),
        ({"what": "call", "value": "1"}, "source", "1", ""),
        ({"what": "call", "value": "4"}, "source", "1", ""),
    ],
)
def test_what_is_purged_is_in_the_log_and_in_the_audit(
    asked: Desk, body: dict[str, str], what: str, value: str, namespace: str
) -> None:
    """A call that was served stands for the one that made its answer."""
    answer = asked.ask("POST", "/cache/purge", body)
    assert answer.status_code == 200, answer.text
    assert purged(asked.folder) == [Purge(what, value, namespace, WALL)]
    (entry,) = asked.ask("GET", "/audit?action=cache.purge").json()
    assert entry["target"] == f"{body['what']} {body.get('value', '')}".strip()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"what": "all", "value": "x"}, "body.value"),
        ({"what": "tag"}, "body.value"),
        ({"what": "tag", "value": "a\nb"}, "body.value"),
        ({"what": "key", "value": "xyz"}, "body.value"),
        ({"what": "call", "value": "req_1"}, "body.value"),
        ({"what": "tag", "value": "a", "namespace": "nowhere"}, "body.namespace"),
        ({"what": "namespace", "value": "team", "namespace": "other"}, "body.namespace"),
        ({"what": "colour", "value": "red"}, "body.what"),
        ({}, "body.what"),
    ],
)
def test_what_names_nothing_purges_nothing(asked: Desk, body: dict[str, str], field: str) -> None:
    """The field is named with its remedy, and neither log nor audit knows of it."""
    refused = asked.ask("POST", "/cache/purge", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert not (asked.folder / NAME).exists()
    assert asked.ask("GET", "/audit?action=cache").json() == []


def test_an_owner_purges_its_own(asked: Desk) -> None:
    """Whatever it names, within its namespace; another's is not there."""
    token = asked.token("owner", "team")
    for body in ({"what": "all"}, {"what": "namespace", "value": "team"}, {"what": "call", "value": "6"}):
        assert asked.ask("POST", "/cache/purge", body, token=token).status_code == 200
    for body in ({"what": "namespace", "value": "other"}, {"what": "all", "namespace": "other"}):
        refused = asked.ask("POST", "/cache/purge", body, token=token)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (404, "body.namespace")
    assert [(one.what, one.value, one.namespace) for one in purged(asked.folder)] == [
        ("all", "", "team"), ("namespace", "team", "team"), ("source", "6", "team"),
    ]  # fmt: skip


def test_a_purge_that_cannot_be_written_is_none(asked: Desk) -> None:
    """It is told as such, and not in the audit."""
    (asked.folder / f"{NAME}.lock").mkdir()
    refused = asked.ask("POST", "/cache/purge", {"what": "all"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (503, "state_dir")
    assert asked.ask("GET", "/audit?action=cache").json() == []


def test_feedback_reaches_who_compares_questions(asked: Desk) -> None:
    """In the audit before it is told; so are a call that it does not know, and its absence, which are refused."""
    away = asked.ask("POST", "/calls/4/feedback", {"right": False})
    assert (away.status_code, away.json()["errors"][0]["field"]) == (409, "caching.semantic")
    with mind(asked.folder, known=4) as told:
        token = asked.token("owner", "team")
        assert asked.ask("POST", "/calls/4/feedback", {"right": False}, token=token).json() == {
            "id": "4", "right": False,
        }  # fmt: skip
        assert asked.ask("POST", "/calls/5/feedback", {"right": True}).status_code == 404
    assert told.told == [(4, False), (5, True)]
    entries = asked.ask("GET", "/audit?action=cache.feedback").json()
    assert [(one["namespace"], one["target"], one["after"]) for one in entries] == [
        ("team", "5", {"outcome": "refused"}), ("team", "4", {"right": False}), ("team", "4", {"outcome": "refused"}),
    ]  # fmt: skip


def test_nothing_is_judged_that_the_audit_cannot_tell(asked: Desk) -> None:
    """While the audit's database is away nobody hears of a judgement."""
    asked.token("admin")
    engine, intend = asked.engine, asked.office.changes.intend

    def away(actor: Actor, deed: Deed) -> int:
        asked.engine = None
        return intend(actor, deed)

    with mind(asked.folder, known=4) as told, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Changes, "intend", lambda _self, actor, deed: away(actor, deed))
        assert asked.ask("POST", "/calls/4/feedback", {"right": False}).status_code == 503
    asked.engine = engine
    assert told.told == []
