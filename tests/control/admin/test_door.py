"""Tokens: who is let in, and how an address that guesses is slowed."""

import pytest

from tests.control.admin.desk import WALL, Desk
from tidegate.control.admin.auth.authenticator import site_of
from tidegate.control.admin.auth.brake import BURST, EACH_US, MOST, Brake
from tidegate.store import tokens

WRONG = "tga_" + "x" * 43


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dGdhXw==",
        "tga_x",
        "Bearer tgk_" + "x" * 43,
        f"Bearer {WRONG}",
        "Bearer tga_" + "x" * 9_000,
    ],
)
def test_without_a_valid_token_nothing_is_told(desk: Desk, header: str) -> None:
    """401 with what to send; a client's key is no admin token."""
    answer = desk.ask("GET", "/whoami", token=None, headers={"authorization": header} if header else {})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (401, "header.authorization")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert len(header) < 40 or header[-30:] not in answer.text


def test_a_token_opens_until_it_expires_or_is_revoked(desk: Desk) -> None:
    """From that moment on, at once."""
    made = desk.made("/tokens", {"name": "eve", "role": "viewer", "expires": "2026-09-21T14:13:30Z"})
    assert desk.ask("GET", "/whoami", token=made["token"]).json()["name"] == "eve"
    desk.hands.wall = WALL + 10_000_000
    assert desk.ask("GET", "/whoami", token=made["token"]).status_code == 401
    desk.hands.wall = WALL
    assert desk.ask("GET", "/whoami", token=made["token"]).status_code == 200
    assert desk.ask("DELETE", "/tokens/eve").status_code == 204
    assert desk.ask("GET", "/whoami", token=made["token"]).status_code == 401


def test_its_last_use_is_noted_to_the_minute(desk: Desk) -> None:
    """Not with every call: it is a write."""
    token = desk.token("viewer")
    uses = []
    for later in (0, 59_000_000, 60_000_000):
        desk.hands.wall = WALL + later
        desk.ask("GET", "/whoami", token=token)
        with desk.office.engine.connect() as connection:
            found = tokens.token(connection, "viewer-all")
            assert found is not None
            uses.append(found.used_us - WALL)
    assert uses == [0, 0, 60_000_000]


def test_the_last_admin_stays(desk: Desk) -> None:
    """Nobody could make another; an expired one does not count."""
    desk.token("admin")
    refused = desk.ask("DELETE", "/tokens/admin-all")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "path.token")
    other = desk.made("/tokens", {"name": "other", "role": "admin"})
    assert desk.ask("DELETE", "/tokens/admin-all").status_code == 204
    assert desk.ask("GET", "/whoami", token=other["token"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a", "role": "owner"}, "namespace"),
        ({"name": "a", "role": "owner", "namespace": "nowhere"}, "path.namespace"),
        ({"name": "a", "role": "viewer", "namespace": "filed"}, "namespace"),
        ({"name": "a", "role": "god"}, "body.role"),
        ({"name": "a", "role": "viewer", "expires": "2000-01-01"}, "expires"),
        ({"name": "admin-all", "role": "viewer"}, "name"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(desk: Desk, body: object, field: str) -> None:
    """The field is named."""
    desk.token("admin")
    answer = desk.ask("POST", "/tokens", body)
    assert answer.status_code in {404, 409, 422}
    assert answer.json()["errors"][0]["field"] == field


def test_who_guesses_is_slowed_and_who_is_known_is_not(desk: Desk) -> None:
    """Ten wrong tokens, then one every six seconds; a token that was good before passes all the same."""
    assert desk.ask("GET", "/whoami").status_code == 200
    for _ in range(BURST):
        assert desk.ask("GET", "/whoami", token=WRONG).status_code == 401
    slowed = desk.ask("GET", "/whoami", token=WRONG)
    assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "6")
    assert desk.ask("GET", "/whoami").status_code == 200
    desk.hands.now += EACH_US
    assert desk.ask("GET", "/whoami", token=WRONG).status_code == 401
    assert desk.ask("GET", "/whoami", token=WRONG).status_code == 429


def test_a_site_of_ipv6_is_slowed_as_one(desk: Desk) -> None:
    """Who has a /64 has 2**64 addresses; the site next to it is not concerned, and the audit names the site."""
    for number in range(BURST):
        assert desk.ask("GET", "/whoami", token=WRONG, peer=f"2001:db8:0:1:{number:x}::7").status_code == 401
    assert desk.ask("GET", "/whoami", token=WRONG, peer="2001:db8:0:1:ffff::8").status_code == 429
    assert desk.ask("GET", "/whoami", token=WRONG, peer="2001:db8:0:2::7").status_code == 401
    (entry,) = desk.ask("GET", "/audit?action=session.refuse").json()
    assert (entry["address"], entry["target"]) == ("2001:db8:0:1:9::7", "2001:db8:0:1::/64")


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::7%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_what_failures_are_counted_by(address: str, site: str) -> None:
    """IPv4 one by one, however it is written; IPv6 by network; a peer without an address as what it is called."""
    assert site_of(address) == site


def test_the_brake_forgets_and_is_bounded() -> None:
    """A bucket refills with time; of too many addresses the one that failed longest ago goes."""
    brake = Brake()
    for _ in range(BURST):
        assert brake.wait_us("a", 0) == 0
        brake.failed("a", 0)
    assert brake.wait_us("a", 0) == EACH_US
    assert brake.wait_us("a", EACH_US) == 0
    assert brake.wait_us("b", 0) == 0
    for number in range(MOST):
        brake.failed(str(number), 0)
    assert brake.wait_us("a", 0) == 0
