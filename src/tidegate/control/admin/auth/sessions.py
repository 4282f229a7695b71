"""Sessions of the control room: begun, ended and listed. What is begun and ended stands in the audit."""

import hashlib

import msgspec
from sqlalchemy import Connection

from tidegate.control.admin.auth.cookies import session_secret
from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.auth.secrets import Secret
from tidegate.control.admin.services import known
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.model.admin import AdminSettings, OidcSettings
from tidegate.store import sessions
from tidegate.store.session_tables import AGENT
from tidegate.store.sessions import Session
from tidegate.store.tokens import Token

BY_PROVIDER = "oidc:"  # how the names of those begin whom a provider vouches for; no token may be called so
_ID = 16  # hexadecimal digits
_NAME = 128


def basis_of(oidc: OidcSettings | None) -> bytes:
    """What sessions by an identity provider rest upon: its settings, as a digest. Any change of them ends those."""
    return hashlib.sha256(msgspec.msgpack.encode(oidc)).digest()


def id_of(session: Session) -> str:
    """What a session is called; it opens nothing."""
    return hashlib.sha256(session.digest).hexdigest()[:_ID]


def of_token(token: Token) -> Session:
    """A session that a token begins, without what `begin` fills in."""
    return Session(b"", token.name, token.name, token.digest, token.role, token.namespace, 0, token.expires_us, 0)


def of_subject(name: str, subject: str, role: str, namespace: str, oidc: OidcSettings) -> Session:
    """One that an identity provider begins."""
    who = (BY_PROVIDER + name)[:_NAME]
    return Session(b"", who, "", basis_of(oidc), role, namespace, 0, 0, 0, subject)


def begin(
    changes: Changes, made: Session, address: str, agent: str, former: bytes = b"", failures: int = 0
) -> tuple[Session, Secret]:
    """Begin one, in the place of the `former` of this browser. `failures`: wrong tokens that this address has shown."""
    secret, settings = session_secret(), changes.declaration.now.admin
    begun: list[Session] = []

    def work(connection: Connection, now: int) -> Deed:
        begun.append(_from_now(made, secret, settings, now, address, agent))
        sessions.drop(connection, former)
        sessions.add(connection, begun[0])
        told: dict[str, object] = {"by": "token" if made.token else "oidc", "agent": begun[0].agent}
        if made.subject:
            told["subject"] = made.subject
        if failures:
            told["wrong_tokens_before"] = failures
        return Deed("session.begin", made.namespace, id_of(begun[0]), None, told)

    changes.carry_out(Actor(made.name, made.role, made.namespace, address), work)
    return begun[0], secret


def end(changes: Changes, actor: Actor, session: Session) -> None:
    """It opens nothing any more."""

    def work(connection: Connection, _now: int) -> Deed:
        sessions.drop(connection, session.digest)
        return Deed("session.end", session.namespace, id_of(session), {"name": session.name}, None)

    changes.carry_out(actor, work)


def end_all(changes: Changes, actor: Actor, name: str) -> int:
    """None of this name opens anything any more; "" = of nobody's. Returns how many there were."""
    ended: list[int] = []

    def work(connection: Connection, _now: int) -> Deed:
        ended.append(sessions.drop_of(connection, name))
        return Deed("session.end_all", "", name, {"sessions": ended[0]}, None)

    changes.carry_out(actor, work)
    return ended[0]


def all_of(changes: Changes) -> list[Session]:
    """Those that are good, the last used first."""
    settings = changes.declaration.now.admin
    basis = basis_of(settings.oidc)
    with changes.engine.connect() as connection:
        found = sessions.sessions(connection, changes.wall(), settings.idle_us)
    return [session for session in found if session.token or session.basis == basis]


def named(changes: Changes, wanted: str) -> Session:
    """The one of this id. Raises `Refused`."""
    found = next((session for session in all_of(changes) if id_of(session) == wanted), None)
    if found is None:
        raise known.absent("session", "session")
    return found


def _from_now(made: Session, secret: Secret, settings: AdminSettings, now: int, address: str, agent: str) -> Session:
    ends = now + settings.session_us
    return Session(
        digest=secret.digest, name=made.name, token=made.token, basis=made.basis, role=made.role,
        namespace=made.namespace, created_us=now, expires_us=min(ends, made.expires_us or ends), seen_us=now,
        subject=made.subject, address=address, agent=_printable(agent)[:AGENT],
    )  # fmt: skip


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())
