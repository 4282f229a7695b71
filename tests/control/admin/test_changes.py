"""The directory log equals the store, whatever dies between the two; every change has its audit entry, or none is."""

from pathlib import Path

import pytest

from tests.control.admin.desk import Desk
from tidegate.control.admin.services.caretaker import Caretaker
from tidegate.directory.layout import KEYS_WERE_MANAGED, NAME, payloads
from tidegate.directory.roll import Roll
from tidegate.model.directory import Change, PutNamespace, decode
from tidegate.store import identity
from tidegate.store.engine import writing


def log_of(folder: Path) -> list[Change]:
    return [decode(payload) for payload, _ in payloads((folder / NAME).read_bytes())]


def stored(desk: Desk) -> list[Change]:
    with desk.office.engine.connect() as connection:
        return list(identity.changes(connection))


def names(changes: list[Change]) -> list[str]:
    return [change.namespace.name for change in changes if isinstance(change, PutNamespace)]


def test_what_a_death_left_out_of_the_log_is_healed_at_the_next_look(desk: Desk) -> None:
    """Stored but not appended: another process begins by writing the log from the store."""
    desk.made("/namespaces", {"name": "a"})
    with writing(desk.office.engine) as connection:
        identity.put_namespace(connection, identity.Namespace("b"), 1)
    assert names(log_of(desk.folder)) == ["a"]
    again = Desk(desk.folder)
    Caretaker(again.office).look()
    assert log_of(desk.folder) == stored(again)
    assert names(log_of(desk.folder)) == ["a", "b"]


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_a_log_that_was_touched_is_written_anew(desk: Desk, damage: str) -> None:
    """By the next look, and by the next change."""
    desk.made("/namespaces", {"name": "a"})
    path = desk.folder / NAME
    for heal in (lambda: Caretaker(desk.office).look(), lambda: desk.made("/namespaces", {"name": "b"})):
        if damage == "gone":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(path.read_bytes()[:-3])
        else:
            Roll(path).rewrite([])
        heal()
        assert log_of(desk.folder) == stored(desk)


def test_a_log_that_cannot_be_written_is_told_and_healed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 that says what is stored and not in force; status says so too, until the disk has room."""
    desk.made("/namespaces", {"name": "a"})
    room = [False]
    for method in ("append", "rewrite"):
        whole = getattr(Roll, method)

        def full(self: Roll, changes: object, whole: object = whole) -> None:
            if not room[0]:
                raise OSError(28, "No space left on device")
            whole(self, changes)  # type: ignore[operator]

        monkeypatch.setattr(Roll, method, full)
    answer = desk.ask("POST", "/namespaces", {"name": "b"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (503, "state_dir")
    assert desk.ask("GET", "/status").json()["directory_behind"] is True
    caretaker = Caretaker(desk.office)
    caretaker.look()
    caretaker.look()
    assert len([line for line in desk.log.lines if "No space left" in line]) == 1
    room[0] = True
    caretaker.look()
    assert desk.ask("GET", "/status").json()["directory_behind"] is False
    assert log_of(desk.folder) == stored(desk)
    assert names(log_of(desk.folder)) == ["a", "b"]


def test_nobody_manages_anything_and_nothing_is_written(desk: Desk) -> None:
    """A gate whose file says it all has no log."""
    Caretaker(desk.office).look()
    assert not (desk.folder / NAME).exists()


def test_without_keys_left_the_log_still_closes_the_gate(desk: Desk) -> None:
    """The last key is revoked, the control process starts anew: that there were keys is remembered."""
    desk.made("/namespaces", {"name": "a"})
    desk.made("/namespaces/a/keys", {"name": "k"})
    desk.ask("POST", "/namespaces/a/keys/a-k/revoke")
    again = Desk(desk.folder)
    Caretaker(again.office).look()
    assert log_of(desk.folder)[-1] == KEYS_WERE_MANAGED


def test_the_first_token_is_made_once_and_printed_once(desk: Desk) -> None:
    """Plainly marked; not when there is one, nor at the next start."""
    Caretaker(desk.office).look()
    (line,) = (line for line in desk.log.lines if "FIRST ADMIN TOKEN" in line)
    token = line.partition("tga_")[1] + line.partition("tga_")[2].partition('"')[0]
    assert desk.ask("GET", "/whoami", token=token).json()["role"] == "admin"
    again = Desk(desk.folder)
    Caretaker(again.office).look()
    assert again.log.lines == []


def test_a_database_that_is_away_is_tried_again(desk: Desk) -> None:
    """Said once; then the first token is made after all."""
    engine, desk.engine = desk.engine, None
    caretaker = Caretaker(desk.office)
    caretaker.look()
    caretaker.look()
    assert len(desk.log.lines) == 1
    desk.engine = engine
    caretaker.look()
    assert "FIRST ADMIN TOKEN" in desk.log.lines[-1]


def test_every_change_is_audited_with_what_was_and_what_is(desk: Desk) -> None:
    """Who, from where, before and after; a refused one leaves no entry; no secret ever."""
    desk.made("/namespaces", {"name": "a", "limits": {"rpm": 1}})
    desk.ask("PATCH", "/namespaces/a", {"limits": {"rpm": 2}})
    key = desk.made("/namespaces/a/keys", {"name": "k", "signing": "required"})
    token = desk.made("/tokens", {"name": "t", "role": "viewer"})
    assert desk.ask("POST", "/namespaces", {"name": "a"}).status_code == 409
    entries = desk.ask("GET", "/audit").json()
    assert [entry["action"] for entry in entries] == [
        "token.create", "key.create", "namespace.change", "namespace.create", "token.create",
    ]  # fmt: skip
    change = entries[2]
    assert (change["actor"], change["role"], change["address"]) == ("admin-all", "admin", "127.0.0.1")
    assert (change["before"]["limits"], change["after"]["limits"]) == ({"rpm": 1}, {"rpm": 2})
    assert [entry["action"] for entry in desk.ask("GET", "/audit?action=key&namespace=a").json()] == ["key.create"]
    text = desk.ask("GET", "/audit").text
    assert key["key"] not in text
    assert token["token"] not in text


def test_an_old_audit_is_let_go(desk: Desk) -> None:
    """After `ledger.keep_audit_days`; so are keys that were revoked before."""
    desk.made("/namespaces", {"name": "a"})
    desk.made("/namespaces/a/keys", {"name": "k"})
    desk.ask("POST", "/namespaces/a/keys/a-k/revoke")
    desk.hands.wall += 731 * 86_400_000_000
    Caretaker(desk.office).look()
    assert desk.ask("GET", "/audit").json() == []
    assert desk.ask("GET", "/namespaces/a/keys").json() == []
