"""The API of the policy without a gate: secrets, conflicts, refusals, files that cannot be written, history."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.control.admin.desk import Desk
from tests.control.admin.policy import SECRET, TEXT, Workers, file_of, with_policy
from tidegate.control.policy import file as files
from tidegate.control.policy.history import History
from tidegate.store import policies


@pytest.fixture
def workers() -> Workers:
    return Workers()


@pytest.fixture
def edited(desk: Desk, workers: Workers) -> Desk:
    with_policy(desk, workers)
    return desk


def shown(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.ask("GET", "/policy").json()
    return found


def apply(desk: Desk, base: str, text: str, status: int = 200) -> Any:
    answer = desk.ask("POST", "/policy/apply", {"base": base, "text": text})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_what_is_shown(edited: Desk) -> None:
    """The text with a mask, the form with every field, and whether it can be changed here."""
    policy = shown(edited)
    assert policy["text"].replace(policy["text"].partition('keys: ["')[2].partition('"')[0], SECRET) == TEXT
    assert (policy["file"], policy["version"], policy["writable"]) == ("tidegate.yaml", 3, True)
    (strategy,) = policy["form"]["strategies"]
    assert strategy["path"] == ["model_strategy"]
    assert strategy["set"] == ["primary_model", "retry_policy.max_retries"]
    assert strategy["caching"]["ttl_seconds"] == 3600
    assert policy["form"]["models"] == ["gpt-4o"]
    assert [one["field"] for one in policy["warnings"]] == ["clients", "providers.openai.scopes[0].keys[0]"]


def test_no_secret_leaves(edited: Desk) -> None:
    """Whatever is asked, and whatever is wrong: not in texts, differences, findings, the audit or the database."""
    policy = shown(edited)
    said = [json.dumps(policy)]
    for text in (
        policy["text"] + "x: [",
        policy["text"].replace("gpt-4o", "gpt-5"),
        policy["text"] + "clients: {k: 1}",
    ):
        said.append(edited.ask("POST", "/policy/preview", {"base": policy["digest"], "text": text}).text)
        said.append(edited.ask("POST", "/policy/apply", {"base": policy["digest"], "text": text}).text)
    said.append(edited.ask("POST", "/policy/preview", {"base": "old"}).text)
    said += [
        edited.ask("GET", path).text for path in ("/policy/history", "/policy/history/1", "/policy/history/2", "/audit")
    ]
    assert "gpt-5" in "".join(said)
    assert SECRET not in "".join(said)
    assert edited.engine is not None
    with edited.engine.connect() as connection:
        assert all(
            SECRET not in text for _, text, _ in filter(None, (policies.version(connection, "a", n) for n in (1, 2)))
        )


def test_the_file_keeps_what_it_is(edited: Desk) -> None:
    """A link stays one, mode and every character that was not changed stay; the secret is in its place again."""
    file = file_of(edited)
    real = file.with_name("real.yaml")
    file.rename(real)
    file.symlink_to(real.name)
    real.chmod(0o640)
    policy = shown(edited)
    done = apply(edited, policy["digest"], policy["text"].replace("max_retries: 3", "max_retries: 5"))
    assert (done["version"], done["changed"]) == (4, True)
    assert file.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_text(encoding="utf-8") == TEXT.replace("max_retries: 3", "max_retries: 5")
    assert apply(edited, done["digest"], shown(edited)["text"])["changed"] is False
    assert [one["by"] for one in edited.ask("GET", "/policy/history").json()] == ["admin-all", ""]


def test_who_comes_second(edited: Desk) -> None:
    """409 with the text as it is now and its digest; the file is the first one's."""
    policy = shown(edited)
    first = apply(edited, policy["digest"], policy["text"].replace("gpt-4o", "gpt-5"))
    told = apply(edited, policy["digest"], policy["text"].replace("gpt-4o", "gpt-6"), 409)
    assert (told["digest"], "gpt-5" in told["text"], told["errors"][0]["field"]) == (first["digest"], True, "base")
    assert "gpt-5" in file_of(edited).read_text(encoding="utf-8")


def test_a_refusal_puts_the_former_text_back(edited: Desk, workers: Workers) -> None:
    """502 with the workers' reason; but what somebody else wrote meanwhile is left alone."""
    workers.reason = "worker 0 refused it: no"
    policy = shown(edited)
    new = policy["text"].replace("gpt-4o", "gpt-5")
    assert "no" in apply(edited, policy["digest"], new, 502)["errors"][0]["problem"]
    assert file_of(edited).read_text(encoding="utf-8") == TEXT
    workers.meanwhile = lambda: file_of(edited).write_text("# mine\n", encoding="utf-8")
    apply(edited, policy["digest"], new, 502)
    assert file_of(edited).read_text(encoding="utf-8") == "# mine\n"


def test_a_file_that_cannot_be_written(edited: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with the text, and who tries all the same is told the way out."""
    monkeypatch.setattr(files, "why_not", lambda _file: "the file is read-only")
    policy = shown(edited)
    assert (policy["writable"], policy["why_not"]) == (False, "the file is read-only")
    told = apply(edited, policy["digest"], policy["text"].replace("gpt-4o", "gpt-5"), 409)
    assert told["errors"][0]["remedy"].startswith("download the text")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a single file is mounted: it is written in its place, and on a disk error comes back."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: 1\nb: 2\n")

    def busy(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(files, "_replace", busy)
    files.write(str(file), b"a: 2\n")
    assert file.read_bytes() == b"a: 2\n"
    assert files.why_not(str(file)) == ""


def test_restoring_fills_masks_from_what_is_in_force(edited: Desk) -> None:
    """A key that was renewed since stays the new one; one that is gone is an error at its line."""
    policy = shown(edited)
    second = apply(edited, policy["digest"], policy["text"].replace("max_retries: 3", "max_retries: 4"))
    file_of(edited).write_text(
        file_of(edited).read_text(encoding="utf-8").replace(SECRET, "sk-renewed-one"), encoding="utf-8"
    )
    base = shown(edited)["digest"]
    assert base != second["digest"]
    answer = edited.ask("POST", "/policy/history/1/restore", {"base": base})
    assert answer.status_code == 200, answer.text
    assert file_of(edited).read_text(encoding="utf-8") == TEXT.replace(SECRET, "sk-renewed-one")
    gone = TEXT.replace(
        '      - {name: main, keys: ["' + SECRET + '"]}  # the account\n', "      - name: main\n        keys: [n]\n"
    )
    file_of(edited).write_text(gone.replace("openai:\n", "other:\n", 1), encoding="utf-8")
    answer = edited.ask("POST", "/policy/history/1/restore", {"base": shown(edited)["digest"]})
    assert answer.status_code == 422, answer.text
    assert [one["line"] for one in answer.json()["findings"]][:1] == [7]


def test_a_file_broken_by_hand_is_shown(edited: Desk) -> None:
    """With its errors and without its secrets, and it can be mended here."""
    file_of(edited).write_text(TEXT + "  : [\n", encoding="utf-8")
    policy = shown(edited)
    assert "form" not in policy
    assert policy["errors"][0]["line"] >= 11
    assert SECRET not in json.dumps(policy)
    apply(edited, policy["digest"], policy["text"].replace("  : [\n", ""))
    assert file_of(edited).read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    "body",
    [
        {"base": "x" * 65},
        {"base": "x", "changes": [{"path": []}]},
        {"base": "x", "changes": [{"path": [1.5]}]},
        {"base": "x", "changes": [{"path": ["a"], "remove": False}]},
        {"base": "x", "text": "a" * 2_200_000},
    ],
)
def test_what_is_no_question(edited: Desk, body: object) -> None:
    """It is refused field by field, whatever its size."""
    assert edited.ask("POST", "/policy/preview", body).status_code == 422


def test_the_first_of_all_is_no_change(desk: Desk) -> None:
    """It is kept; what another hand writes into the file afterwards is one, once."""
    office = with_policy(desk)
    assert len(desk.ask("GET", "/policy/history").json()) == 1
    (desk.folder / "tidegate.yaml").write_text(TEXT.replace("max_retries: 3", "max_retries: 4"), encoding="utf-8")
    assert [office.history.note(office.desk.current()) for _ in range(2)] == [True, False]
    again = History(office.desk, lambda: desk.office.engine, lambda: desk.hands.wall)
    assert not again.note(office.desk.current())


def test_a_database_that_goes_away_meanwhile(edited: Desk, workers: Workers) -> None:
    """The change is in force and told so; the audit says who asked, and the watch files it as theirs."""
    policy, engine = shown(edited), edited.engine

    def away() -> None:
        edited.engine = None

    workers.meanwhile = away
    text = policy["text"].replace("gpt-4o", "gpt-5")
    body = {"base": policy["digest"], "text": text, "comment": "newer"}
    answer = edited.ask("POST", "/policy/apply", body)
    assert edited.engine is None
    edited.engine = engine
    assert answer.status_code == 200, answer.text
    (entry,) = edited.ask("GET", "/audit?action=policy").json()
    assert (entry["actor"], entry["target"], entry["after"]["outcome"]) == (
        "admin-all",
        answer.json()["digest"],
        "asked",
    )
    assert any("noted once the database is back" in line for line in edited.log.lines)
    office = edited.office.policy
    assert office is not None
    assert not office.history.note(office.desk.current())  # it was no change outside of the gate
    newest = edited.ask("GET", "/policy/history").json()[0]
    assert (newest["by"], newest["comment"], newest["digest"]) == ("admin-all", "newer", answer.json()["digest"])
    (entry,) = edited.ask("GET", "/audit?action=policy").json()
    assert (entry["target"], entry["after"]["outcome"]) == (newest["id"], "in force")


def test_without_the_database_nothing_changes(edited: Desk) -> None:
    """What cannot stand in the audit is not done."""
    policy, engine = shown(edited), edited.engine
    edited.ask("GET", "/policy")
    edited.engine, body = None, {"base": policy["digest"], "text": policy["text"].replace("gpt-4o", "gpt-5")}
    assert edited.ask("POST", "/policy/apply", body).status_code == 503
    edited.engine = engine
    assert file_of(edited).read_text(encoding="utf-8") == TEXT


def test_the_audit_says_what_became_of_it(edited: Desk, workers: Workers) -> None:
    """One entry for each attempt to write: in force with its version, or refused."""
    policy = shown(edited)
    workers.reason = "no"
    apply(edited, policy["digest"], policy["text"].replace("gpt-4o", "gpt-5"), 502)
    workers.reason = ""
    done = apply(edited, policy["digest"], policy["text"].replace("gpt-4o", "gpt-5"))
    newest, refused = edited.ask("GET", "/audit?action=policy").json()
    assert refused["after"]["outcome"] == "refused"
    assert (newest["after"]["outcome"], newest["after"]["version"]) == ("in force", done["version"])
