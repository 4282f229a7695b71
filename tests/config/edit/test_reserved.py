"""What of a configuration only an administrator may change."""

from typing import Any

import pytest

from tidegate.config.edit.reserved import reserved

COMMAND = {"kind": "command", "command": ["/bin/more-quota"]}
OIDC = {"admin": {"oidc": {"issuer": "https://id.example", "roles": {"ops": "operator"}}}}


def channel(about: Any) -> dict[str, Any]:
    return {"alerts": {"channels": {"ops": about}}}


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ({}, {}, []),
        ({}, {"admin": {}}, []),
        ({"admin": None}, {}, []),
        ({"money": {"currency": "USD"}}, {"money": {"currency": "EUR"}}, []),
        (OIDC, OIDC, []),
        (OIDC, {"admin": {"oidc": {**OIDC["admin"]["oidc"], "roles": {"ops": "admin"}}}}, ["admin.oidc.roles.ops"]),
        (OIDC, {}, ["admin.oidc"]),
        ({}, OIDC, ["admin.oidc"]),
        ({"admin": {"idle_seconds": 1}}, {"admin": {"idle_seconds": True}}, ["admin.idle_seconds"]),
        ({"ledger": {"database": "a"}}, {"ledger": {"database": "b", "keep_days": 2}}, ["ledger.database"]),
        ({"ledger": {"keep_days": 1}}, {"ledger": {"keep_days": 2}}, []),
        ({}, channel(COMMAND), ["alerts.channels.ops"]),
        (channel(COMMAND), channel({**COMMAND, "command": ["/bin/sh"]}), ["alerts.channels.ops"]),
        (channel({"kind": "slack", "url": "x"}), channel(COMMAND), ["alerts.channels.ops"]),
        (channel(COMMAND), channel(COMMAND), []),
        (channel(COMMAND), {}, []),
        ({}, channel({"kind": "slack", "url": "x"}), []),
        ("broken", {"admin": {"oidc": 1}}, ["admin.oidc"]),
        (None, [1], []),
    ],
)
def test_what_differs(before: object, after: object, fields: list[str]) -> None:
    """By what the texts mean: what stands there as it stood is nobody's change."""
    assert [".".join(map(str, path)) for path in reserved(before, after)] == fields


def test_it_is_bounded() -> None:
    """However much is changed, a reader is told a page of it."""
    roles = {f"group-{number}": "admin" for number in range(50)}
    before = {"admin": {"oidc": {"roles": dict.fromkeys(roles, "viewer")}}}
    assert len(reserved(before, {"admin": {"oidc": {"roles": roles}}})) == 20
