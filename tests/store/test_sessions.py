"""Sessions of the control room as rows."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tidegate.store import sessions, tokens
from tidegate.store.engine import writing
from tidegate.store.sessions import Session
from tidegate.store.tokens import Token

IDLE = 30
TOKEN = Token("ann", b"t" * 32, "operator", "", 1, 0, 0)
BY_TOKEN = Session(b"s" * 32, "ann", "ann", TOKEN.digest, "operator", "", 100, 200, 100, "", "::1", "a browser")
BY_PROVIDER = Session(b"p" * 32, "oidc:bob", "", b"settings", "viewer", "", 100, 200, 100, "sub-1", "::1", "")


def test_a_session_is_good_until_it_expires_or_is_idle(engine: Engine) -> None:
    """A use puts off the second, never the first; from its last moment on it opens nothing."""
    with writing(engine) as connection:
        tokens.add_token(connection, TOKEN)
        sessions.add(connection, BY_TOKEN)
        assert sessions.holder(connection, BY_TOKEN.digest, 129, IDLE) == BY_TOKEN
        assert sessions.holder(connection, BY_TOKEN.digest, 130, IDLE) is None
        sessions.seen(connection, BY_TOKEN.digest, 190)
        assert sessions.holder(connection, BY_TOKEN.digest, 199, IDLE) == replace(BY_TOKEN, seen_us=190)
        assert sessions.holder(connection, BY_TOKEN.digest, 200, IDLE) is None
        assert sessions.holder(connection, b"x" * 32, 129, IDLE) is None


@pytest.mark.parametrize(
    "other",
    [
        None,
        replace(TOKEN, digest=b"u" * 32),
        replace(TOKEN, role="viewer"),
        replace(TOKEN, role="owner", namespace="team"),
        replace(TOKEN, expires_us=110),
        replace(TOKEN, name="eve"),
    ],
)
def test_it_ends_with_its_token(engine: Engine, other: Token | None) -> None:
    """Revoked, expired, or of another role; also where another token was given its name."""
    with writing(engine) as connection:
        tokens.add_token(connection, TOKEN)
        sessions.add(connection, BY_TOKEN)
        sessions.add(connection, BY_PROVIDER)
        tokens.drop_token(connection, "ann")
        if other is not None:
            tokens.add_token(connection, other)
        assert sessions.holder(connection, BY_TOKEN.digest, 110, IDLE) is None
        assert sessions.sessions(connection, 110, IDLE) == [BY_PROVIDER]


def test_sessions_are_listed_ended_and_forgotten(engine: Engine) -> None:
    """The last used first; of one name, or all; those that are over leave no row."""
    with writing(engine) as connection:
        tokens.add_token(connection, TOKEN)
        later = replace(BY_TOKEN, digest=b"l" * 32, seen_us=110)
        for made in (BY_TOKEN, BY_PROVIDER, later):
            sessions.add(connection, made)
        assert [found.digest for found in sessions.sessions(connection, 111, IDLE)] == [b"l" * 32, b"p" * 32, b"s" * 32]
        sessions.drop(connection, later.digest)
        assert sessions.drop_of(connection, "ann") == 1
        assert sessions.sessions(connection, 111, IDLE) == [BY_PROVIDER]
        sessions.forget(connection, 129, IDLE)
        assert sessions.sessions(connection, 111, IDLE) == [BY_PROVIDER]
        sessions.forget(connection, 130, IDLE)
        assert sessions.sessions(connection, 111, IDLE) == []
        sessions.add(connection, BY_PROVIDER)
        assert sessions.drop_of(connection, "") == 1
