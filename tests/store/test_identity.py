"""Namespaces, users and keys as rows."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from tests.store.identities import ALLOWANCE, key
from tidegate.model.directory import PutKey, PutNamespace, PutUser
from tidegate.model.entitlements import Namespace, User
from tidegate.store import identity
from tidegate.store.engine import writing
from tidegate.store.identity_tables import AUDIT, KEYS, NAMESPACES, TOKENS, USERS

TEAM = Namespace("team", tier="vip", models=("gpt-*",), allowance=ALLOWANCE, by_model={"gpt-4o": ALLOWANCE})
ANN = User("ann", models=("gpt-4o",), allowance=ALLOWANCE)


def test_the_migration_makes_the_tables_that_the_code_declares(engine: Engine) -> None:
    """No table of identity differs from what alembic's revisions made."""
    ours = {AUDIT, KEYS, NAMESPACES, TOKENS, USERS}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, NAMESPACES.metadata)
    names = {repr(table.name) for table in ours}
    assert [found for found in differences if any(f"Table({name}" in str(found) for name in names)] == []


def test_records_come_back_as_they_were_put(engine: Engine) -> None:
    """Added, replaced, and listed by name; times tell when."""
    with writing(engine) as connection:
        identity.put_namespace(connection, TEAM, 10)
        identity.put_user(connection, "team", User("ann"), 10)
        identity.put_user(connection, "team", ANN, 20)
        identity.add_key(connection, "team", key("team-app"), "tgk_AbCd", 30)
        stored = identity.user(connection, "team", "ann")
        assert stored is not None
        assert (stored.user, stored.times.created_us, stored.times.changed_us) == (ANN, 10, 20)
        assert [item.namespace for item in identity.namespaces(connection)] == [TEAM]
        found = identity.key(connection, "team", "team-app")
        assert found is not None
        assert (found.key, found.hint, found.revoked_us) == (key("team-app"), "tgk_AbCd", 0)
        assert identity.user(connection, "other", "ann") is None
        assert identity.key(connection, "other", "team-app") is None
        assert list(identity.changes(connection)) == [
            PutNamespace(TEAM), PutUser("team", ANN), PutKey("team", key("team-app")),
        ]  # fmt: skip


def test_a_revoked_key_frees_its_name_and_cannot_sign(engine: Engine) -> None:
    """Its row tells what it was; the log does not know it any more."""
    with writing(engine) as connection:
        identity.add_key(connection, "team", key("team-app", 1), "", 1)
        first = identity.key(connection, "team", "team-app")
        assert first is not None
        identity.revoke_key(connection, first, 2)
        assert not identity.taken(connection, "team-app")
        identity.add_key(connection, "team", key("team-app", 2), "", 3)
        assert [item.revoked_us for item in identity.keys(connection, "team")] == [0, 2]
        assert [item.key.signing_key for item in identity.keys(connection, "team")] == [b"s" * 32, b""]
        assert list(identity.changes(connection)) == [PutKey("team", key("team-app", 2))]
        assert identity.forget_keys(connection, 3) == 1


def test_a_live_name_is_one_key_s(engine: Engine) -> None:
    """Across namespaces: signatures name their key."""
    with pytest.raises(IntegrityError), writing(engine) as connection:
        identity.add_key(connection, "team", key("same", 1), "", 1)
        assert identity.taken(connection, "same")
        identity.add_key(connection, "other", key("same", 2), "", 1)


def test_with_a_namespace_go_its_users_and_keys(engine: Engine) -> None:
    """And nobody else's."""
    with writing(engine) as connection:
        assert not identity.anything(connection)
        for name in ("team", "other"):
            identity.put_namespace(connection, Namespace(name), 1)
            identity.put_user(connection, name, ANN, 1)
            identity.add_key(connection, name, key(f"{name}-app", len(name), "ann"), "", 1)
        assert identity.keys_of(connection, "team", "ann") == ["team-app"]
        identity.drop_namespace(connection, "team")
        identity.drop_user(connection, "other", "ann")
        assert list(identity.changes(connection)) == [
            PutNamespace(Namespace("other")), PutKey("other", key("other-app", 5, "ann")),
        ]  # fmt: skip
        assert identity.anything(connection)


def test_the_key_itself_is_nowhere(engine: Engine) -> None:
    """Neither digest nor signing key stand in the JSON of the row."""
    with writing(engine) as connection:
        identity.add_key(connection, "team", key("team-app"), "", 1)
        entry = connection.execute(KEYS.select()).one().entry
    assert "digest" not in entry or '"digest":""' in entry
    assert "signing_key" not in entry
