"""Who may change the configuration does not make himself more than he is by it."""

import json
import os
from typing import Any

import pytest

from tests.control.admin.desk import Desk
from tests.control.admin.policy import EDITOR, SECRET, TEXT, file_of, with_policy

OIDC = """\
admin:
  oidc:
    issuer: https://id.example
    client_id: tidegate
    client_secret: "{secret}"
    roles: [{{claim: groups, value: ops, role: {role}}}]
"""
COMMAND = "alerts:\n  channels:\n    more: {kind: command, command: [/bin/true]}\n"
OPERATOR, ADMIN = OIDC.format(secret="s" * 20, role="operator"), OIDC.format(secret="s" * 20, role="admin")


def apply(desk: Desk, token: str, replaced: str, by: str) -> Any:
    policy = desk.ask("GET", "/policy", token=token).json()
    text = policy["text"].replace(replaced, by) if replaced else policy["text"] + by
    return desk.ask("POST", "/policy/apply", {"base": policy["digest"], "text": text}, token=token)


@pytest.mark.parametrize(
    ("before", "replaced", "by", "field"),
    [
        (OPERATOR, "role: operator", "role: admin", "admin.oidc.roles"),
        ("", "", ADMIN, "admin.oidc"),
        ("", "", COMMAND, "alerts.channels.more"),
        (COMMAND, "/bin/true", "/bin/false", "alerts.channels.more"),
        ("", "", '"\\x61dmin": {idle_seconds: 600}\n', "admin.idle_seconds"),
        ("", "http://127.0.0.1:9100", "https://mine.example", "providers.openai.base_url"),
        ("", "base_url:", "proxy: http://mine.example:1\n    base_url:", "providers.openai.proxy"),
        ("", "primary_model: gpt-4o", 'primary_model: "${HOME}"', "model_strategy.primary_model"),
        ("", "", "clients: {keys_file: keys.txt}\n", "clients.keys_file"),
    ],
)
def test_an_operator_is_refused(desk: Desk, before: str, replaced: str, by: str, field: str) -> None:
    """The answer names the field and who may; the file stays as it was. An administrator applies the same."""
    with_policy(desk, text=TEXT + before)
    (desk.folder / "keys.txt").write_text(f"a {'ab' * 32}\n")
    told = apply(desk, "operator", replaced, by)
    assert told.status_code == 403, told.text
    (fault,) = told.json()["errors"]
    assert (fault["field"], "role `admin`" in fault["remedy"]) == (field, True)
    body = {"text": desk.ask("GET", "/policy").json()["text"].replace(replaced, by) if replaced else None}
    if replaced:  # nor is it played with recorded calls, whose report names what the text says
        assert desk.ask("POST", "/policy/dryrun", body, token="operator").status_code == 403
    assert file_of(desk).read_text(encoding="utf-8") == TEXT + before
    assert apply(desk, "admin", replaced, by).status_code == 200


def test_an_operator_changes_all_else(desk: Desk) -> None:
    """Beside such a section, written in other words, and with its secret masked."""
    with_policy(desk, text=TEXT + OPERATOR + COMMAND)
    assert apply(desk, "operator", "max_retries: 3", "max_retries: 4").status_code == 200
    assert apply(desk, "operator", "role: operator}", '"role": "operator"}').status_code == 200
    assert ("s" * 20) in file_of(desk).read_text(encoding="utf-8")


def test_nor_by_a_restore(desk: Desk) -> None:
    """A former text that holds it is as good as a new one."""
    with_policy(desk, text=TEXT + COMMAND)
    assert apply(desk, "operator", COMMAND, "").status_code == 200
    base = desk.ask("GET", "/policy").json()["digest"]
    first = desk.ask("GET", "/policy/history").json()[-1]["id"]
    path, body = f"/policy/history/{first}/restore", {"base": base}
    told = desk.ask("POST", path, body, token="operator")
    assert (told.status_code, told.json()["errors"][0]["field"]) == (403, "alerts.channels.more")
    assert desk.ask("POST", path, body).status_code == 200


def test_an_operator_sends_a_secret_of_his_own(desk: Desk) -> None:
    """To whatever address, beside what is there or in its place; the masked one goes where it went."""
    with_policy(desk)
    mine = (
        "  mine: {dialect: openai, base_url: https://mine.example/v1, scopes: [{name: a, keys: [%s]}]}\nmodel_strategy"
    )
    assert apply(desk, "operator", "model_strategy", mine % "sk-mine-mine-mine").status_code == 200
    assert apply(desk, "operator", "sk-mine", "sk-mine").status_code == 200
    mask = desk.ask("GET", "/policy").json()["text"].partition('keys: ["')[2].partition('"')[0]
    other = mine.replace("mine:", "other:") % f'"{mask}"'
    told = apply(desk, "operator", "model_strategy", other)
    assert (told.status_code, told.json()["errors"][0]["field"]) == (403, "providers.other.scopes[0].keys[0]")


def preview(desk: Desk, token: str, text: str) -> Any:
    digest = desk.ask("GET", "/policy", token=token).json()["digest"]
    told = desk.ask("POST", "/policy/preview", {"base": digest, "text": text}, token=token)
    assert told.status_code == 200, told.text
    return told.json()


@pytest.mark.parametrize("token", ["viewer", "debugger", "operator", "admin"])
def test_no_preview_tells_the_environment(desk: Desk, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not served is told as it is written."""
    monkeypatch.setenv("TIDEGATE_TEST_URL", "postgresql://tide:hunter2@db.example/ledger")
    EDITOR.rest()  # the next one has it
    with_policy(desk)
    extra = "  fallback_models: [{model: '${TIDEGATE_TEST_URL}'}]\n"
    text = (TEXT + extra).replace("9100/openai/v1\n", "9100/openai/v1\n    models: {gpt-4o: {}}\n")
    text = text.replace(
        "model_strategy:",
        "  two: {dialect: openai, base_url: 'https://b/v1', scopes: [{name: s, keys: [k]}]}\nmodel_strategy:",
    )
    policy = desk.ask("GET", "/policy", token=token).json()
    mask = policy["text"].partition('keys: ["')[2].partition('"')[0]
    told = preview(desk, token, text.replace(SECRET, mask))
    assert "hunter2" not in json.dumps(told)
    assert told["errors"] == []
    assert any("${TIDEGATE_TEST_URL}" in one["message"] for one in told["warnings"])


@pytest.mark.parametrize("token", ["viewer", "debugger"])
def test_who_may_not_apply_reads_no_file(desk: Desk, token: str) -> None:
    """A pipe, a path that is there and one that is not are told alike, and nobody waits for any of them."""
    with_policy(desk)
    os.mkfifo(desk.folder / "pipe")
    text = desk.ask("GET", "/policy").json()["text"]
    names = (str(desk.folder / "pipe"), "/proc/self/fd/0", "/etc/passwd", "/none/at/all")
    told = [preview(desk, token, text + f"clients: {{keys_file: {name}}}\n") for name in names]
    assert [(one["errors"], one["warnings"]) for one in told] == [([], told[0]["warnings"])] * len(names)
    assert any(
        one["remedy"] == "ask somebody with role `operator` or `admin` for the rest" for one in told[0]["warnings"]
    )


def test_who_may_apply_waits_for_no_pipe(desk: Desk) -> None:
    """It is refused at once, as no file."""
    with_policy(desk)
    os.mkfifo(desk.folder / "pipe")
    text = desk.ask("GET", "/policy").json()["text"] + "clients: {keys_file: pipe}\n"
    assert [one["message"] for one in preview(desk, "operator", text)["errors"]] == ["this is no file"]
