"""Admin tokens as rows."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from tidegate.store import tokens
from tidegate.store.engine import writing
from tidegate.store.tokens import Token


def token(name: str, role: str = "admin", namespace: str = "", expires_us: int = 0) -> Token:
    return Token(name, name.encode() * 4, role, namespace, 1, expires_us, 0)


def test_a_token_is_found_by_its_digest_until_it_expires(engine: Engine) -> None:
    """From its last moment on it opens nothing."""
    with writing(engine) as connection:
        assert not tokens.any_token(connection)
        tokens.add_token(connection, token("ann", expires_us=10))
        assert tokens.any_token(connection)
        assert tokens.holder(connection, b"annannannann", 9) == token("ann", expires_us=10)
        assert tokens.holder(connection, b"annannannann", 10) is None
        assert tokens.holder(connection, b"x" * 12, 9) is None
        tokens.used(connection, "ann", 7)
        found = tokens.token(connection, "ann")
        assert found is not None
        assert found.used_us == 7
        tokens.drop_token(connection, "ann")
        assert tokens.token(connection, "ann") is None


def test_another_admin_is_one_who_can_still_come_in(engine: Engine) -> None:
    """Neither an expired one nor another role counts."""
    with writing(engine) as connection:
        tokens.add_token(connection, token("ann"))
        tokens.add_token(connection, token("bob", expires_us=5))
        tokens.add_token(connection, token("eve", "owner", "team"))
        assert tokens.other_admins(connection, "ann", 4)
        assert not tokens.other_admins(connection, "ann", 5)
        tokens.drop_owners(connection, "team")
        assert [found.name for found in tokens.tokens(connection)] == ["ann", "bob"]


def test_a_name_is_one_token_s(engine: Engine) -> None:
    """The audit names who holds it."""
    with pytest.raises(IntegrityError), writing(engine) as connection:
        tokens.add_token(connection, token("ann"))
        tokens.add_token(connection, token("ann"))
