"""Nothing secret is told twice, and nothing that a client sends can forge a line, a header or a path."""

import json

import pytest

from tests.control.admin.desk import Desk
from tidegate.control.admin.auth.secrets import admin_token, client_key
from tidegate.control.admin.services.caretaker import Caretaker

ROUTES = (
    "/namespaces", "/namespaces/team", "/namespaces/team/users", "/namespaces/team/keys", "/keys", "/tokens",
    "/namespaces/team/keys/team-app", "/tokens/t", "/namespaces/team/use", "/audit", "/status", "/whoami",
    "/spend", "/calls",
)  # fmt: skip


@pytest.fixture
def told(desk: Desk) -> tuple[Desk, list[str]]:
    """Keys and tokens of every kind, as they were told when they were made."""
    desk.made("/namespaces", {"name": "team"})
    app = desk.made("/namespaces/team/keys", {"name": "app", "signing": "required"})
    rotated = desk.made("/namespaces/team/keys/team-app/rotate", {"overlap_seconds": 60})
    token = desk.made("/tokens", {"name": "t", "role": "owner", "namespace": "team"})
    Caretaker(desk.office).look()
    return desk, [app["key"], rotated["made"]["key"], token["token"], desk.token("admin")]


def test_no_answer_tells_a_secret_again(told: tuple[Desk, list[str]]) -> None:
    """Neither as it is, nor as digest, nor what signs."""
    desk, secrets = told
    everything = "".join(desk.ask("GET", path).text for path in ROUTES)
    for secret in secrets:
        assert secret not in everything
    assert "digest" not in everything
    assert "signing_key" not in everything


def test_no_file_and_no_log_holds_a_key(told: tuple[Desk, list[str]]) -> None:
    """Database, its journal and the directory log: digests only. The log of the process: none of them."""
    desk, secrets = told
    held = b"".join(path.read_bytes() for path in sorted(desk.folder.rglob("*")) if path.is_file())
    assert not [secret for secret in secrets if secret.encode() in held]
    assert not [line for line in desk.log.lines for secret in secrets if secret in line]


def test_no_repr_tells_a_secret() -> None:
    """A secret shows how it begins."""
    for secret in (client_key(), admin_token()):
        assert secret.text not in repr(secret)
        assert secret.text not in f"{secret} {[secret]}"


@pytest.mark.parametrize("status", ["401", "403", "404", "409", "422", "500"])
def test_no_refusal_repeats_what_it_was_sent(
    told: tuple[Desk, list[str]], status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values stay with who sent them, whatever is wrong with them; a defect tells nothing but that it is one."""
    desk, _ = told
    canary = "canary-8f3a"
    calls = {
        "401": ("GET", "/whoami", None, f"tga_{canary}"),
        "403": ("POST", "/namespaces", {"name": canary}, desk.token("viewer")),
        "404": ("GET", f"/namespaces/{canary}", None, desk.token("admin")),
        "409": ("POST", "/namespaces/team/keys", {"name": "team-app", "models": [canary]}, desk.token("admin")),
        "422": ("POST", "/namespaces", {"name": f"{canary} ", "tier": [canary], "weight": canary}, desk.token("admin")),
        "500": ("GET", "/namespaces/team/users", None, desk.token("admin")),
    }
    if status == "500":

        def broken(*_: object) -> None:
            raise RuntimeError(canary)

        monkeypatch.setattr("tidegate.store.identity.users", broken)
    method, path, body, token = calls[status]
    answer = desk.ask(method, path, body, token=token)
    assert answer.status_code == int(status)
    assert canary not in answer.text
    assert not [line for line in desk.log.lines if canary in line]


@pytest.mark.parametrize(
    "name", ["a\r\nx-evil: 1", "a\nb", "a\x1b[2J", "a\u2028b", "../../a", "a/b", "a%2fb", "a\\b", "", "é"]
)
def test_a_name_is_a_name(desk: Desk, name: str) -> None:
    """It cannot end a line, a header or a path."""
    for path, body in (
        ("/namespaces", {"name": name}),
        ("/namespaces/filed/users", {"name": name}),
        ("/namespaces/filed/keys", {"name": name}),
        ("/tokens", {"name": name, "role": "viewer"}),
    ):
        answer = desk.ask("POST", path, body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.name")
        assert "x-evil" not in answer.headers
    assert all(json.loads(line) for line in desk.log.lines)


def test_a_field_of_the_client_s_choosing_is_told_harmlessly(desk: Desk) -> None:
    """Cut, and without control characters."""
    answer = desk.ask("POST", "/namespaces", {"name": "a", "x\r\nevil\x1b[31m" + "y" * 10_000: 1})
    field = answer.json()["errors"][0]["field"]
    assert field.startswith("body.x??evil?[31m")
    assert len(field) < 120
