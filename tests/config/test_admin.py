"""The section `admin`: who signs in to the control room, and how."""

import pytest

from tests.config.conftest import Loads, Refusals
from tidegate.config.split import split
from tidegate.model.admin import AdminSettings, OidcRole

OIDC = """
admin:
  session_seconds: 3600
  idle_seconds: 600
  oidc:
    issuer: https://login.example.com/realms/main/
    client_id: tidegate
    client_secret: ${SECRET}
    roles:
      - {claim: realm_access.roles, value: gate-admin, role: admin}
      - {claim: groups, value: acme, role: owner, namespace: acme}
"""


def test_what_is_written_is_what_is_done(loads: Loads) -> None:
    """The issuer to the letter, durations in microseconds, the secret from the environment."""
    found = loads(OIDC, SECRET="s3cret-of-the-gate")
    admin = found.snapshot.admin
    assert (admin.session_us, admin.idle_us) == (3_600_000_000, 600_000_000)
    assert admin.oidc is not None
    assert (admin.oidc.issuer, admin.oidc.client_secret) == (
        "https://login.example.com/realms/main/",
        "s3cret-of-the-gate",
    )
    assert admin.oidc.roles == (
        OidcRole("realm_access.roles", "gate-admin", "admin"),
        OidcRole("groups", "acme", "owner", "acme"),
    )
    assert not [line for line in found.warnings if "admin" in str(line)]


def test_left_out_there_are_tokens_alone(loads: Loads) -> None:
    """Twelve hours, half an hour."""
    admin = loads("queue: {}").snapshot.admin
    assert admin == AdminSettings(43_200_000_000, 1_800_000_000, None)


def test_no_worker_knows_who_signs_in(loads: Loads) -> None:
    """The secret stays with the control process."""
    for part in split(loads(OIDC, SECRET="s3cret-of-the-gate").snapshot):
        assert part.admin == AdminSettings()


def test_a_secret_in_the_file_is_worth_a_word(loads: Loads) -> None:
    """As a key is; nor does an idle time help that never comes."""
    text = OIDC.replace("${SECRET}", "s3cret-of-the-gate").replace("idle_seconds: 600", "idle_seconds: 7200")
    said = "\n".join(str(line) for line in loads(text).warnings)
    assert "admin.oidc.client_secret" in said
    assert "admin.idle_seconds" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("given", "wrong", "field", "remedy"),
    [
        ("https://login.example.com/realms/main/", "http://login.example.com", "admin.oidc.issuer", "https"),
        ("https://login.example.com/realms/main/", "login.example.com", "admin.oidc.issuer", "discovery"),
        ("https://login.example.com/realms/main/", "https://a:b@login.example.com", "admin.oidc.issuer", "discovery"),
        ("role: admin", "role: king", "admin.oidc.roles[0].role", "operator"),
        ("role: admin", "role: owner", "admin.oidc.roles[0]", "namespace"),
        ("role: owner,", "role: viewer,", "admin.oidc.roles[1]", "leave `namespace` out"),
        ("client_id: tidegate", "client_id: tidegate\n    scopes: [email]", "admin.oidc.scopes", "openid"),
        ("client_id: tidegate", "client_id: tidegate\n    ca_file: none.pem", "admin.oidc.ca_file", "exists"),
        ("idle_seconds: 600", "idle_seconds: 0", "admin.idle_seconds", ""),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(
    refusals: Refusals, given: str, wrong: str, field: str, remedy: str
) -> None:
    """Never with what it holds."""
    (line,) = refusals(OIDC.replace(given, wrong), SECRET="s3cret-of-the-gate")
    assert field in line
    assert remedy in line
    assert "s3cret" not in line
