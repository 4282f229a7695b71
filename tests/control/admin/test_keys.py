"""Keys by the admin API: shown once, changed, rotated with an overlap, revoked; and the log that workers follow."""

import pytest

from tests.control.admin.desk import WALL, Desk
from tidegate.directory.layout import NAME, payloads
from tidegate.model.directory import Change, Gone, PutKey, decode
from tidegate.model.keys import digest_of, signing_key_of

SECOND = 1_000_000


def log_of(desk: Desk) -> list[Change]:
    return [decode(payload) for payload, _ in payloads((desk.folder / NAME).read_bytes())]


@pytest.fixture
def team(desk: Desk) -> Desk:
    desk.made("/namespaces", {"name": "team"})
    desk.made("/namespaces/team/users", {"name": "ann"})
    return desk


def test_a_key_is_shown_once_and_found_by_its_digest(team: Desk) -> None:
    """The answer that makes it holds it; no later one does; workers hear its SHA-256."""
    made = team.made("/namespaces/team/keys", {"name": "app", "user": "ann", "limits": {"rpm": 7}})
    assert made["name"] == "team-app"
    assert made["key"].startswith("tgk_")
    assert made["hint"] == made["key"][:8]
    shown = team.ask("GET", "/namespaces/team/keys/team-app")
    assert made["key"] not in shown.text
    assert {name: value for name, value in made.items() if name != "key"} == shown.json()
    change = log_of(team)[-1]
    assert isinstance(change, PutKey)
    assert (change.namespace, change.key.digest, change.key.user) == ("team", digest_of(made["key"]), "ann")
    assert change.key.allowance.rpm == 7
    assert change.key.signing_key == b""


def test_what_signs_is_kept_for_keys_that_sign_only(team: Desk) -> None:
    """And a key that never did cannot begin to: what would check it was never kept."""
    made = team.made("/namespaces/team/keys", {"name": "signed", "signing": "required"})
    change = log_of(team)[-1]
    assert isinstance(change, PutKey)
    assert change.key.signing_key == signing_key_of(made["key"])
    team.made("/namespaces/team/keys", {"name": "plain"})
    refused = team.ask("PATCH", "/namespaces/team/keys/team-plain", {"signing": "optional"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "signing")
    assert team.ask("PATCH", "/namespaces/team/keys/team-signed", {"signing": "off"}).json()["signing"] == "off"
    assert team.ask("PATCH", "/namespaces/team/keys/team-signed", {"signing": "optional"}).status_code == 409


def test_a_patch_changes_what_it_names_and_null_puts_it_back(team: Desk) -> None:
    """The rest stays, and so does the key."""
    made = team.made("/namespaces/team/keys", {"name": "app", "limits": {"rpm": 7, "tpm": 9}, "models": ["gpt-*"]})
    changed = team.ask(
        "PATCH", "/namespaces/team/keys/team-app",
        {"limits": {"rpm": None, "concurrent": 2}, "budget": {"per_month": "12.50"}, "expires": "2027-01-01"},
    ).json()  # fmt: skip
    assert changed["limits"] == {"tpm": 9, "concurrent": 2}
    assert changed["budget"] == {"per_month": "12.5"}
    assert (changed["models"], changed["expires"]) == (["gpt-*"], "2027-01-01T00:00:00Z")
    change = log_of(team)[-1]
    assert isinstance(change, PutKey)
    assert change.key.digest == digest_of(made["key"])
    assert change.key.allowance.nano_month == 12_500_000_000


def test_rotation_leaves_both_keys_good_for_the_overlap(team: Desk) -> None:
    """The successor has the same settings and a name of its own; the former one expires."""
    made = team.made("/namespaces/team/keys", {"name": "app", "limits": {"rpm": 7}, "signing": "optional"})
    rotated = team.made("/namespaces/team/keys/team-app/rotate", {"overlap_seconds": 60})
    assert rotated["made"]["name"] == "team-app-r2"
    assert rotated["made"]["limits"] == {"rpm": 7}
    assert rotated["made"]["key"] != made["key"]
    assert rotated["former"]["state"] == "active"
    new, old = log_of(team)[-2:]
    assert isinstance(new, PutKey)
    assert isinstance(old, PutKey)
    assert (old.key.name, old.key.digest, old.key.expires_us) == (
        "team-app",
        digest_of(made["key"]),
        WALL + 60 * SECOND,
    )
    assert new.key.signing_key == signing_key_of(rotated["made"]["key"])
    team.hands.wall += 60 * SECOND
    assert team.ask("GET", "/namespaces/team/keys/team-app").json()["state"] == "expired"
    again = team.made("/namespaces/team/keys/team-app-r2/rotate", {"overlap_seconds": 0})
    assert again["made"]["name"] == "team-app-r3"
    assert again["former"]["state"] == "revoked"
    assert log_of(team)[-1] == Gone("key", "team", "team-app-r2")


def test_an_overlap_does_not_lengthen_a_life(team: Desk) -> None:
    """Who expires in ten seconds still does."""
    team.made("/namespaces/team/keys", {"name": "app", "expires": "2026-09-21T14:13:30Z"})
    rotated = team.made("/namespaces/team/keys/team-app/rotate", {})
    assert rotated["former"]["expires"] == "2026-09-21T14:13:30Z"


def test_who_has_expired_is_rotated_to_a_later_end_only(team: Desk) -> None:
    """Else the new key would be over before it began."""
    team.made("/namespaces/team/keys", {"name": "app", "expires": "2026-09-21T14:13:30Z"})
    team.hands.wall += 60 * SECOND
    refused = team.ask("POST", "/namespaces/team/keys/team-app/rotate", {})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "expires")
    rotated = team.made("/namespaces/team/keys/team-app/rotate", {"expires": "2027-01-01"})
    assert rotated["made"]["expires"] == "2027-01-01T00:00:00Z"
    assert rotated["former"]["state"] == "expired"


def test_long_lists_come_in_parts(team: Desk) -> None:
    """Each record once, in one order; a part that is not full is the last."""
    for name in "abc":
        team.made("/namespaces/team/keys", {"name": name})
    whole = [key["name"] for key in team.ask("GET", "/keys").json()]
    parts: list[str] = []
    while part := team.ask("GET", f"/keys?limit=2&offset={len(parts)}").json():
        parts += [key["name"] for key in part]
    assert parts == whole
    assert len(team.ask("GET", "/namespaces/team/keys?offset=1").json()) == 2
    assert team.ask("GET", "/namespaces?limit=0").json()["errors"][0]["field"] == "query.limit"


def test_a_revoked_key_is_told_to_the_workers_and_stays_on_record(team: Desk) -> None:
    """It can neither be changed nor revoked again; its name may be used by a new one."""
    team.made("/namespaces/team/keys", {"name": "app"})
    revoked = team.ask("POST", "/namespaces/team/keys/team-app/revoke").json()
    assert (revoked["state"], log_of(team)[-1]) == ("revoked", Gone("key", "team", "team-app"))
    for method, path, body in (("PATCH", "", {"models": []}), ("POST", "/revoke", None), ("POST", "/rotate", {})):
        answer = team.ask(method, f"/namespaces/team/keys/team-app{path}", body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "path.key")
    team.made("/namespaces/team/keys", {"name": "app"})
    assert [key["state"] for key in team.ask("GET", "/namespaces/team/keys").json()] == ["active", "revoked"]


def test_names_of_keys_are_unique_everywhere(team: Desk) -> None:
    """Signatures name their key: neither another namespace's nor the file's may be taken."""
    team.made("/namespaces", {"name": "team-a"})
    team.made("/namespaces/team-a/keys", {"name": "b"})
    assert team.ask("POST", "/namespaces/team/keys", {"name": "a-b"}).status_code == 409
    refused = team.ask("POST", "/namespaces/filed/keys", {"name": "1"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "name")


def test_a_namespace_of_the_file_may_have_managed_keys_and_users(team: Desk) -> None:
    """Those of the file stand beside them, and are the file's to change."""
    team.made("/namespaces/filed/users", {"name": "gina"})
    team.made("/namespaces/filed/keys", {"name": "app", "user": "gina"})
    team.made("/namespaces/filed/keys", {"name": "other", "user": "fred"})
    listed = team.ask("GET", "/namespaces/filed/keys").json()
    assert [(key["name"], key["declared"]) for key in listed] == [
        ("filed-1", "file"), ("filed-app", "managed"), ("filed-other", "managed"),
    ]  # fmt: skip
    for method, path in (("PATCH", ""), ("POST", "/rotate"), ("POST", "/revoke")):
        refused = team.ask(method, f"/namespaces/filed/keys/filed-1{path}", {"models": []} if not path else {})
        assert refused.status_code == 409
        assert "namespaces.filed.keys" in refused.json()["errors"][0]["remedy"]
    everywhere = team.ask("GET", "/keys").json()
    assert {(key["namespace"], key["name"]) for key in everywhere} >= {("", "lone"), ("filed", "filed-1")}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a b"}, "body.name"),
        ({}, "body.name"),
        ({"name": "a", "user": "nobody"}, "user"),
        ({"name": "a", "modles": []}, "body.modles"),
        ({"name": "a", "addresses": ["10.0.0.1/8"]}, "body.addresses.0"),
        ({"name": "a", "models": ["a*b"]}, "body.models.0"),
        ({"name": "a", "limits": {"rpm": 0}}, "body.limits.rpm"),
        ({"name": "a", "limits": {"rpm": "7"}}, "body.limits.rpm"),
        ({"name": "a", "budget": {"per_day": -1}}, "body.budget.per_day"),
        ({"name": "a", "signing": "maybe"}, "body.signing"),
        ({"name": "a", "expires": "soon"}, "body.expires"),
        ({"name": "a", "expires": "2020-01-01"}, "expires"),
        ({"name": "a" * 126}, "name"),
        ([], "body"),
        ("x", "body"),
    ],
)
def test_a_refusal_names_the_field_and_the_remedy(team: Desk, body: object, field: str) -> None:
    """Nothing is made then."""
    before = log_of(team)
    refused = team.ask("POST", "/namespaces/team/keys", body)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    fault = refused.json()["errors"][0]
    assert fault["field"] == field
    assert fault["remedy"]
    assert log_of(team) == before


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "9999-12-31T00:00:00-14:00"])
def test_a_moment_that_no_calendar_has_is_refused(team: Desk, moment: str) -> None:
    """In some zone it is of the year 10000, which nobody could show."""
    for field in ("expires", "not_before"):
        refused = team.ask("POST", "/namespaces/team/keys", {"name": "app", field: moment})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, f"body.{field}")
    assert team.made("/namespaces/team/keys", {"name": "app", "expires": "9999-12-31"})["expires"][:4] == "9999"


def test_names_of_a_longer_namespaces_keys_are_its_own(team: Desk) -> None:
    """An owner can neither take one before it, nor ask which there are: both refusals are one."""
    team.made("/namespaces", {"name": "team-eu"})
    team.made("/namespaces/team-eu/keys", {"name": "app"})
    owner = team.made("/tokens", {"name": "lead", "role": "owner", "namespace": "team"})["token"]
    taken, free = (
        team.ask("POST", "/namespaces/team/keys", {"name": name}, token=owner) for name in ("team-eu-app", "eu-free")
    )
    assert taken.status_code == free.status_code == 409
    assert taken.json() == free.json()
    assert team.made("/namespaces/team/keys", {"name": "europe-app"})["name"] == "team-europe-app"
    assert team.made("/namespaces/team-eu/keys", {"name": "free"})["name"] == "team-eu-free"
