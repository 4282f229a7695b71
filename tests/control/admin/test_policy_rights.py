"""Who may change the configuration does not make himself more than he is by it."""

from typing import Any

import pytest

from tests.control.admin.desk import Desk
from tests.control.admin.policy import TEXT, file_of, with_policy

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
    ],
)
def test_an_operator_is_refused(desk: Desk, before: str, replaced: str, by: str, field: str) -> None:
    """The answer names the field and who may; the file stays as it was. An administrator applies the same."""
    with_policy(desk, text=TEXT + before)
    told = apply(desk, "operator", replaced, by)
    assert told.status_code == 403, told.text
    (fault,) = told.json()["errors"]
    assert (fault["field"], "role `admin`" in fault["remedy"]) == (field, True)
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
