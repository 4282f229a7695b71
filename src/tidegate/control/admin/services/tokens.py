"""Admin tokens: made and taken back. A token is shown to who makes it, once."""

from sqlalchemy import Connection

from tidegate.control.admin.auth.rights import Actor, bound
from tidegate.control.admin.auth.secrets import Secret, admin_token
from tidegate.control.admin.auth.sessions import BY_PROVIDER
from tidegate.control.admin.problems import refused
from tidegate.control.admin.services import known
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.control.admin.services.settings import Json, as_moment, from_moment
from tidegate.control.admin.views.directory import MadeToken, TokenView
from tidegate.control.admin.views.sent import NewToken
from tidegate.store import tokens
from tidegate.store.tokens import Token


def view(token: Token) -> TokenView:
    """A token as it is shown."""
    return TokenView.model_validate(_fields(token))


def shown(connection: Connection, name: str) -> TokenView:
    """One. Raises `Refused`."""
    return view(_stored(connection, name))


def create(changes: Changes, actor: Actor, said: NewToken) -> MadeToken:
    """Make one."""
    secret = admin_token()
    expires_us = from_moment(said.expires)

    def work(connection: Connection, now: int) -> Deed:
        _check_owner(connection, changes, said)
        if said.name.startswith(BY_PROVIDER):
            problem = f"{BY_PROVIDER} begins the names of whom an identity provider sends"
            raise refused(422, "name", problem, "choose another")
        if 0 < expires_us <= now:
            raise refused(422, "expires", "is over already", "name a later moment")
        if tokens.token(connection, said.name) is not None:
            raise refused(409, "name", "a token has this name already", "choose another: the audit names who holds it")
        token = Token(said.name, secret.digest, said.role, said.namespace or "", now, expires_us, 0)
        tokens.add_token(connection, token)
        return Deed("token.create", token.namespace, said.name, None, _told(token))

    changes.carry_out(actor, work)
    with changes.engine.connect() as connection:
        return made(_stored(connection, said.name), secret)


def revoke(changes: Changes, actor: Actor, name: str) -> None:
    """From now on it opens nothing. The last admin stays: nobody could make another."""

    def work(connection: Connection, now: int) -> Deed:
        token = _stored(connection, name)
        if token.role == "admin" and not tokens.other_admins(connection, name, now):
            raise refused(409, "path.token", "it is the last admin token", "make another one first")
        tokens.drop_token(connection, name)  # its sessions end with it
        return Deed("token.revoke", token.namespace, name, _told(token), None)

    changes.carry_out(actor, work)


def made(token: Token, secret: Secret) -> MadeToken:
    """A token as it is shown this once."""
    return MadeToken.model_validate({**_fields(token), "token": secret.text})


def _check_owner(connection: Connection, changes: Changes, said: NewToken) -> None:
    if not bound(said.role):
        if said.namespace is not None:
            raise refused(422, "namespace", "only an owner's token is of one namespace", "leave it out")
        return
    if said.namespace is None:
        raise refused(422, "namespace", "is missing: an owner is one of a namespace", "name the namespace")
    known.namespace_of(connection, changes.declaration.now, said.namespace)


def _stored(connection: Connection, name: str) -> Token:
    token = tokens.token(connection, name)
    if token is None:
        raise known.absent("token", "token")
    return token


def _told(token: Token) -> Json:
    return {"role": token.role, "namespace": token.namespace, "expires": as_moment(token.expires_us)}


def _fields(token: Token) -> Json:
    return {
        "name": token.name,
        "role": token.role,
        "namespace": token.namespace or None,
        "created": as_moment(token.created_us),
        "expires": as_moment(token.expires_us),
        "used": as_moment(token.used_us),
    }
