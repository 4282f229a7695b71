"""An admin token from nothing: for who starts a gate, and for who has lost all tokens."""

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.auth.secrets import Secret, admin_token
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.store import tokens
from tidegate.store.tokens import Token

NAME = "first"


def at_first_start(changes: Changes, actor: Actor) -> Secret | None:
    """A token where none was ever made; None where one was."""
    with changes.engine.connect() as connection:
        if tokens.any_token(connection):
            return None
    try:
        return another(changes, actor, NAME)
    except IntegrityError:  # another node was first
        return None


def another(changes: Changes, actor: Actor, name: str) -> Secret:
    """One more admin token. `name` must be free: else `sqlalchemy.exc.IntegrityError`."""
    secret = admin_token()

    def work(connection: Connection, now: int) -> Deed:
        tokens.add_token(connection, Token(name, secret.digest, "admin", "", now, 0, 0))
        return Deed("token.create", "", name, None, {"role": "admin"})

    changes.carry_out(actor, work)
    return secret
