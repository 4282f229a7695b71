"""The commands that manage a gate, against an admin port on a socket."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from msgspec.structs import replace

from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import called, put, write_bodies, write_calls
from tests.control.admin.ledger import said as stored
from tests.control.admin.mind import mind
from tests.journal.facts import record
from tests.journal.hits import hit
from tests.journal.hits import said as hits
from tidegate.cli.main import main
from tidegate.cli.manage import cell
from tidegate.model.facts import Note
from tidegate.observe.meters import AnswersMeter, Report

FREE = "http://127.0.0.1:9"


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A running admin port; commands find it and its admin token in the environment."""
    desk = Desk(tmp_path)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(desk.front.guarded, lifespan="off", ws="none", log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    monkeypatch.setenv("TIDEGATE_ADMIN_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setenv("TIDEGATE_ADMIN_TOKEN", desk.token("admin"))
    yield desk
    server.should_exit = True
    thread.join()
    assert desk.engine is not None
    desk.engine.dispose()


class Said:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, line: str, status: int = 0) -> str:
        """Standard output of a command that ends so; of a failed one what it says."""
        try:
            ended = main(line.split())
        except SystemExit as wrong_usage:
            ended = int(str(wrong_usage.code))
        printed = self._capsys.readouterr()
        assert ended == status, printed.err
        return printed.err if status else printed.out

    def json(self, line: str) -> Any:
        return json.loads(self(f"{line} --json"))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


@pytest.mark.usefixtures("gate")
def test_a_key_from_its_making_to_its_end(said: Said) -> None:
    """Made alone on standard output, so that a script can take it; listed, changed, rotated, revoked."""
    said("namespaces create acme --tier vip --budget-per-month 12.50 --timezone Asia/Shanghai")
    said("users create acme ann --rpm 60")
    made = said(
        "keys create acme app --user ann --rpm 5 --model gpt-* --address 10.0.0.0/8 --expires 2099-01-01"
    ).strip()
    assert made.startswith("tgk_")
    assert made not in said("keys list acme")
    shown = said.json("keys show acme acme-app")
    assert (shown["limits"], shown["user"], shown["expires"]) == ({"rpm": 5}, "ann", "2098-12-31T16:00:00Z")
    changed = said.json("keys change acme acme-app --rpm none --tpm 7 --user none --model none --expires none")
    assert (changed["limits"], changed["models"], "user" in changed) == ({"tpm": 7}, [], False)
    assert said("keys rotate acme acme-app --overlap 60").strip() != made
    assert "revoked" in said("keys revoke acme acme-app")
    assert [key["state"] for key in said.json("keys list")] == ["active", "active", "revoked", "active"]
    assert [key["name"] for key in said.json("keys list acme")] == ["acme-app", "acme-app-r2"]


@pytest.mark.usefixtures("gate")
def test_namespaces_and_users_are_managed(said: Said) -> None:
    """By options and by JSON; what the file declares is shown and not changed."""
    said('namespaces create acme --settings {"by_model":{"gpt-4o":{"limits":{"rpm":1}}},"limits":{"tpm":9}} --rpm 3')
    shown = said.json("namespaces show acme")
    assert (shown["limits"], shown["by_model"]["gpt-4o"]["limits"]) == ({"rpm": 3, "tpm": 9}, {"rpm": 1})
    assert said.json("namespaces change acme --weight 2.5 --on-revoked cut")["weight"] == 2.5
    said("users create acme ann")
    assert said.json("users change acme ann --budget-per-day 3")["budget"] == {"per_day": "3"}
    assert said.json("users show acme ann")["name"] == "ann"
    assert "ann" in said("users list acme")
    said("users delete acme ann")
    said("namespaces delete acme")
    assert "filed" in said("namespaces list")
    assert "configuration file" in said("namespaces change filed --rpm 3", 1)
    assert "path.namespace" in said("namespaces show acme", 1)


def test_tokens_and_the_audit(gate: Desk, said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A token opens what its role may, until it is revoked; the audit says who did what."""
    viewer = said("tokens create eve --role viewer --expires 2099-01-01").strip()
    assert "eve" in said("tokens list")
    (tmp_path / "eve").write_text(viewer + "\n")
    monkeypatch.delenv("TIDEGATE_ADMIN_TOKEN")
    assert "filed" in said(f"namespaces list --token-file {tmp_path / 'eve'}")
    assert "may not" in said(f"namespaces create acme --token-file {tmp_path / 'eve'}", 1)
    monkeypatch.setenv("TIDEGATE_ADMIN_TOKEN", gate.token("admin"))
    said("tokens revoke eve")
    assert "opens nothing" in said(f"namespaces list --token-file {tmp_path / 'eve'}", 1)
    printed = said("audit --action token --limit 2")
    assert "token.revoke" in printed
    assert viewer not in printed


def test_spend_is_a_table_csv_or_json(gate: Desk, said: Said) -> None:
    """By any grouping; the month's end and the utilisation too."""
    gate.made("/namespaces", {"name": "team"})
    write_calls(gate, called(1, "team"), called(2, "team", at_us=WALL - 1, model="claude-x"))
    printed = said("spend --by namespace --by model --zone Asia/Shanghai")
    assert "team       claude-x  1" in printed
    assert "0.004" in printed
    assert said("spend --by model --csv").startswith("model,calls")
    assert said.json("spend --namespace team --model gpt-4o")["total"]["cost"] == "0.002"
    assert said.json("spend --month")["spent"] == "0.004"
    assert "0.5" in said("spend --utilisation")
    assert "query.since" in said("spend --since 2030-01-01", 1)
    assert "--key has no effect with --month" in said("spend --month --key web", 2)
    assert "--tag has no effect with --utilisation" in said("spend --utilisation --tag web", 2)


def test_calls_and_what_they_said(gate: Desk, said: Said) -> None:
    """Found by number or by what `x-request-id` said; nothing that a terminal would act on."""
    write_calls(gate, called(10, "team"), called(11, "team", status=500, model="m"))
    write_bodies(gate, stored(10, "team"))
    assert "team-app" in said("calls list --namespace team")
    assert [one["id"] for one in said.json("calls list --errors --limit 5")] == ["11"]
    assert "openai" in said("calls show req_a")
    printed = said("calls body req_a")
    assert '"a": 1' in printed
    assert "[email] 🌊?" in printed
    assert "body.read" in said("audit --action body")
    assert "nothing is kept" in said("calls body 11", 1)
    assert "is no id of a call" in said("calls body x", 2)


def test_the_cache_is_read_purged_and_judged(gate: Desk, said: Said) -> None:
    """Sums by any grouping with its stores; a hit and a call that was made; what is purged, by one name at a time."""
    gate.made("/namespaces", {"name": "team"})
    made = replace(record(10), at_us=WALL - 1, tenant="team", cache="miss; semantic: below 0.912 req_9")
    put(gate, made, hits(replace(hit(11, at_us=WALL - 1, source=10, layer="semantic"), similarity_permille=985),
                         notes=(Note(10, WALL - 1, "stored", b"\xab" * 32),)))  # fmt: skip
    gate.board.take(Report(0, 1, 1, True, answers=[AnswersMeter("memory", 9, 4, entries=2, bytes=900)]))
    printed = said("cache stats --by layer --by strategy --namespace team")
    assert "semantic  chat      1     1" in printed
    assert "0.000007" in printed
    assert "memory" in printed
    assert said.json("cache stats")["total"]["hit_rate"] == 0.5
    with mind(gate.folder, known=11) as told:
        explained = said("cache explain req_b")
        assert "made by openai/gpt/4o for req_a, 9.0 s before" in explained
        assert "compared with req_5: 0.930, served, judged right" in explained
        assert "embedder" in said("cache stats").lower()
        assert "noted: the answer of req_b was wrong" in said("cache feedback req_b wrong")
        assert "nothing is known" in said("cache feedback 10 right", 1)
    assert told.told == [(11, False), (10, True)]
    explained = said("cache explain 10")
    assert "the cache said: miss; semantic: below 0.912 req_9" in explained
    assert f"its answer: stored under {'ab' * 32}" in explained
    assert "req_b" in explained
    assert said.json("cache explain 10")["served_calls"] == 1
    assert "purged: call 10, as stored until" in said("cache purge --call req_a")
    assert "purged: tag prices of team" in said("cache purge --tag prices --namespace team")
    assert "purged: namespace team, as" in said("cache purge --namespace team")
    assert said.json("cache purge --all")["what"] == "all"
    assert "hexadecimal" in said("cache purge --key x", 1)
    assert "name what is purged" in said("cache purge", 2)
    assert "not allowed with" in said("cache purge --all --tag x", 2)
    assert "cache.purge" in said("audit --action cache.purge")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("keys list", "no admin token"),
        ("keys list --token-file nowhere", "--token-file nowhere"),
        ("keys list --admin-url gate:80", "write it as http"),
    ],
)
def test_wrong_usage_names_the_option(said: Said, monkeypatch: pytest.MonkeyPatch, line: str, words: str) -> None:
    """Exit status 2, before anything is sent."""
    monkeypatch.delenv("TIDEGATE_ADMIN_TOKEN", raising=False)
    if "admin-url" in line:
        monkeypatch.setenv("TIDEGATE_ADMIN_TOKEN", "tga_x")
    assert words in said(line, 2)


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("keys create a b --rpm many", "--rpm"),
        ("keys create a b --settings {", "--settings"),
        ("users create a b --settings []", "--settings"),
        ("namespaces create a --settings @nowhere", "--settings"),
        ("keys", "VERB"),
        ("keys what", "VERB"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_sent(
    said: Said, monkeypatch: pytest.MonkeyPatch, line: str, option: str
) -> None:
    """Exit status 2, and the option by name."""
    monkeypatch.setenv("TIDEGATE_ADMIN_TOKEN", "tga_x")
    assert option in said(line, 2)


def test_a_gate_that_does_not_run_is_told_as_such(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was looked for, and what to do."""
    monkeypatch.setenv("TIDEGATE_ADMIN_TOKEN", "tga_x")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # a proxy is for others
    words = said(f"keys list --admin-url {FREE}", 1)
    assert f"no gate answers at {FREE}" in words
    assert "is it running?" in words


def test_nothing_in_a_table_acts_on_the_terminal() -> None:
    """Names that clients chose stand on one line, without escapes."""
    assert cell({"name": "a\x1b[31m\nb"}, "name") == "a?[31m?b"
    assert cell({"limits": {"rpm": 1}}, "limits") == '{"rpm": 1}'
    assert cell({"models": ["a", "b"]}, "models") == "a,b"
    assert cell({"models": []}, "models") == cell({}, "a.b") == ""
