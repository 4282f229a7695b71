"""Who may call, as records."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.directory.scenes import CHANGES, NAMES
from tests.edge.known import digest
from tidegate.edge.access.roster import Roster, declared
from tidegate.model.directory import Change, Gone, PutDrain, PutKey, PutNamespace, PutUser, drain_name
from tidegate.model.snapshot import ClientKey, Namespace, Snapshot, User


@dataclass
class Plain:
    """What the changes come to, as plainly as it can be said."""

    namespaces: dict[str, Namespace] = field(default_factory=dict)
    users: dict[tuple[str, str], User] = field(default_factory=dict)
    keys: dict[str, tuple[str, ClientKey]] = field(default_factory=dict)
    keyed: bool = False

    def apply(self, change: Change) -> None:
        match change:
            case PutNamespace(namespace):
                self.namespaces[namespace.name] = namespace
            case PutUser(name, user):
                self.users[name, user.name] = user
            case PutKey(name, key):
                self.keyed = True
                held = self.keys.get(key.name, (name, key))[0]
                others = [one.digest for at, (_, one) in self.keys.items() if at != key.name]
                if held == name and key.digest not in others:
                    self.keys[key.name] = name, key
            case Gone("key", name, gone):
                self.keyed = True
                if self.keys.get(gone, ("", None))[0] == name:
                    del self.keys[gone]
            case Gone("user", name, gone):
                self.users.pop((name, gone), None)
            case Gone("namespace", _, gone):
                self.namespaces.pop(gone, None)
                self.users = {at: user for at, user in self.users.items() if at[0] != gone}
                self.keys = {at: held for at, held in self.keys.items() if held[0] != gone}


@given(st.lists(CHANGES, max_size=30))
def test_any_sequence_of_changes(changes: list[Change]) -> None:
    """After each the roster knows what a plain model knows, by name and by digest."""
    roster, plain = Roster(), Plain()
    for change in changes:
        roster.apply(change)
        plain.apply(change)
        found = {name: roster.by_name(name) for name in NAMES}
        assert {name: (e.tenancy.name, e.key) for name, e in found.items() if e is not None} == plain.keys
        for number in range(4):
            entry = roster.by_digest(bytes([number]) * 32)
            held = [key.name for _, key in plain.keys.values() if key.digest == bytes([number]) * 32]
            assert ([] if entry is None else [entry.key.name]) == held
        tenancies = roster.tenancies.items()
        assert {name: one.namespace for name, one in tenancies if one.namespace is not None} == plain.namespaces
        assert {(name, user): one.users[user] for name, one in tenancies for user in one.users} == plain.users
        assert roster.keyed == plain.keyed


def test_a_namespace_that_comes_back_has_none_of_its_keys() -> None:
    """They went with it; one of the same name and digest may be made anew, also in another namespace."""
    roster = Roster()
    key = ClientKey("web", digest("web"))
    for change in (PutNamespace(Namespace("a")), PutKey("a", key), Gone("namespace", "a", "a")):
        roster.apply(change)
    roster.apply(PutNamespace(Namespace("a")))
    assert (roster.by_name("web"), roster.by_digest(digest("web"))) == (None, None)
    roster.apply(PutKey("b", key))
    entry = roster.by_digest(digest("web"))
    assert entry is not None
    assert entry.tenancy.name == "b"


def test_what_the_file_declares() -> None:
    """Keys of namespaces, keys with a namespace's name, and others; several may have one name."""
    lone = tuple(ClientKey(name, digest(secret)) for name, secret in (("team", "f1"), ("team", "f2"), ("acme", "f3")))
    acme = Namespace("acme", clients=(ClientKey("web", digest("w"), user="ann"),), users=(User("ann"),))
    roster = declared(Snapshot(version=1, providers=(), clients=lone, namespaces=(acme, Namespace("idle"))))
    found = [roster.by_digest(digest(secret)) for secret in ("f1", "f2", "f3", "w")]
    named = [(entry.key.name, entry.tenancy.name) for entry in found if entry is not None]
    assert named == [("team", ""), ("team", ""), ("acme", "acme"), ("web", "acme")]
    first = roster.by_name("team")
    assert first is not None
    assert first.key.digest == digest("f1")
    assert roster.tenancies["acme"].users == {"ann": User("ann")}
    assert roster.keyed
    assert not declared(Snapshot(version=1, providers=(), namespaces=(Namespace("idle"),))).keyed


def test_what_cannot_be_read_may_name_keys() -> None:
    """So they are needed."""
    roster = Roster()
    roster.distrust()
    assert roster.keyed


@pytest.mark.parametrize("most", [1, 7, 1_000])
def test_it_is_let_go_of_in_parts(most: int) -> None:
    """Until nothing is left."""
    roster = Roster()
    for number in range(200):
        roster.apply(PutKey("a", ClientKey(str(number), digest(str(number)))))
    turns = 1
    while roster.let_go(most):
        turns += 1
    assert turns >= 400 // most - 1


def test_what_is_out_of_service() -> None:
    """Until it is gone from there; nobody needs a key because of it."""
    roster = Roster()
    for change in (PutDrain("openai", "main"), PutDrain("openai", "main", "0123abcd"), PutDrain("openai", "main")):
        roster.apply(change)
    assert roster.drained == {("openai", "main", ""), ("openai", "main", "0123abcd")}
    roster.apply(Gone("drain", "openai", drain_name("main", "")))
    roster.apply(Gone("drain", "openai", drain_name("none", "")))
    assert roster.drained == {("openai", "main", "0123abcd")}
    assert not roster.keyed
