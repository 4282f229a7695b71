"""Accounts of providers: as they stand, taken out of service, and back."""

import pytest

from tests.control.admin.accounts import ONE, TWO, tell, with_accounts
from tests.control.admin.desk import Desk
from tests.control.admin.live import with_live
from tidegate.directory.layout import NAME
from tidegate.directory.reader import Reader
from tidegate.model.directory import Change, Gone, PutDrain

MAIN = "/accounts/openai/main"


@pytest.fixture
def there(desk: Desk) -> Desk:
    with_accounts(desk)
    watch = with_live(desk)
    tell(desk, wait_us=30_000_000)
    watch.turn(1)
    return desk


def log(desk: Desk) -> list[Change]:
    """What workers are told."""
    reader = Reader(desk.folder / NAME)
    try:
        return reader.take(1_000)
    finally:
        reader.close()


def test_how_accounts_stand(there: Desk) -> None:
    """Providers, scopes, lanes and keys; of a URL its host, and of a key its fingerprint only."""
    answer = there.ask("GET", "/accounts")
    assert "secret" not in answer.text
    (provider,) = answer.json()["providers"]
    assert (provider["name"], provider["dialect"], provider["base_url_host"]) == (
        "openai", "openai", "api.example.com:8443",
    )  # fmt: skip
    main, spare = provider["scopes"]
    assert (main["name"], main["in_flight"], "drained" in main) == ("main", 2, False)
    (lane,) = main["lanes"]
    assert lane["limits"] == {"rpm": 600, "tpm": 1_000, "concurrency": 5}
    assert (lane["breaker"], "open_until" in lane) == ("open", True)
    assert lane["tokens"]["limit"] == 1_000
    assert [(key["fingerprint"], key["state"]) for key in main["keys"]] == [(ONE, "good"), (TWO, "dead")]
    assert main["keys"][1]["until"] > "2026"
    assert spare == {"name": "spare", "in_flight": 0, "lanes": [], "keys": []}


def test_drained_and_restored(there: Desk) -> None:
    """It is shown, workers are told, it stands in the audit; draining again says another reason, since when stays."""
    made = there.ask("POST", f"{MAIN}/drain", {"reason": "a bill"}).json()
    assert (made["by"], made["reason"]) == ("admin-all", "a bill")
    there.hands.wall += 5_000_000
    again = there.ask("POST", f"{MAIN}/drain", {"reason": "the bill"}).json()
    assert (again["since"], again["reason"]) == (made["since"], "the bill")
    assert there.ask("POST", f"{MAIN}/keys/{ONE}/drain", {}).status_code == 200
    main = there.ask("GET", "/accounts").json()["providers"][0]["scopes"][0]
    assert main["drained"] == again
    assert main["keys"][0]["drained"]["reason"] == ""
    assert there.ask("POST", f"{MAIN}/restore").status_code == 204
    assert there.ask("POST", f"{MAIN}/keys/{ONE}/restore").status_code == 204
    assert log(there)[-5:] == [
        PutDrain("openai", "main"),
        PutDrain("openai", "main"),
        PutDrain("openai", "main", ONE),
        Gone("drain", "openai", "main#"),
        Gone("drain", "openai", f"main#{ONE}"),
    ]
    audit = [(one["action"], one["target"]) for one in there.ask("GET", "/audit").json() if "account" in one["action"]]
    assert audit[0] == ("account.restore", f"openai/main/{ONE}")
    assert audit[-1] == ("account.drain", "openai/main")


def test_a_log_that_is_made_anew_knows_it(there: Desk) -> None:
    """Where nothing else is managed either: what is drained stays so over the loss of the log."""
    there.ask("POST", f"{MAIN}/drain", {})
    (there.folder / NAME).unlink()
    assert there.office.changes.heal()
    assert log(there) == [PutDrain("openai", "main")]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/accounts/nobody/main/drain", 404, "path.provider"),
        ("/accounts/openai/none/drain", 404, "path.scope"),
        (f"{MAIN}/keys/ffffffff/drain", 404, "path.fingerprint"),
        (f"{MAIN}/keys/sk-secret/drain", 422, "path.fingerprint"),
        (f"{MAIN}/restore", 409, "path.scope"),
    ],
)
def test_what_is_not_there(there: Desk, path: str, status: int, field: str) -> None:
    """Is said, with the field; nothing is changed."""
    answer = there.ask("POST", path, {} if path.endswith("drain") else None)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
    assert there.ask("GET", "/accounts").json()["providers"][0]["scopes"][0].get("drained") is None


def test_what_the_file_does_not_name_any_more_can_be_restored(there: Desk) -> None:
    """A drain outlives its scope."""
    there.ask("POST", f"{MAIN}/drain", {})
    there.declaration.now = there.declared
    assert there.ask("POST", f"{MAIN}/restore").status_code == 204
