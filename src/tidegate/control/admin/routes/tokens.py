"""`/tokens`, `/whoami` and `/audit`: who manages the gate, and what they did."""

from typing import Annotated

import msgspec
from fastapi import Path, Query

from tidegate.config.schema.base import Name
from tidegate.control.admin.auth.rights import RIGHTS, Right
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services import tokens
from tidegate.control.admin.services.settings import as_moment, from_moment
from tidegate.control.admin.views.directory import AuditView, MadeToken, SelfView, TokenView
from tidegate.control.admin.views.queries import AuditQuery
from tidegate.control.admin.views.sent import NewToken
from tidegate.store import audit
from tidegate.store import tokens as stored

ROUTER = router("tokens and audit")
TokenName = Annotated[Name, Path(description="The token's name.", max_length=128)]


@ROUTER.get("/whoami", response_model_exclude_none=True)
@needs(Right.SELF)
def whoami(who: Who) -> SelfView:
    """Whose token this is, and what it may."""
    rights = sorted(right.name.lower() for right in RIGHTS[who.role])
    return SelfView(name=who.name, role=who.role, namespace=who.namespace or None, rights=rights)


@ROUTER.get("/tokens", response_model_exclude_none=True)
@needs(Right.TOKENS)
def list_tokens(desk: Desk) -> list[TokenView]:
    """All admin tokens; none of them itself."""
    with desk.engine.connect() as connection:
        return [tokens.view(token) for token in stored.tokens(connection)]


@ROUTER.post("/tokens", status_code=201, response_model_exclude_none=True)
@needs(Right.TOKENS)
def create_token(desk: Desk, who: Who, said: NewToken) -> MadeToken:
    """Make a token. The answer shows it, once: only its SHA-256 is kept."""
    return tokens.create(desk.changes, who, said)


@ROUTER.get("/tokens/{token}", response_model_exclude_none=True)
@needs(Right.TOKENS)
def show_token(desk: Desk, token: TokenName) -> TokenView:
    """One token."""
    with desk.engine.connect() as connection:
        return tokens.shown(connection, token)


@ROUTER.delete("/tokens/{token}", status_code=204)
@needs(Right.TOKENS)
def revoke_token(desk: Desk, who: Who, token: TokenName) -> None:
    """It opens nothing from now on. The last admin token stays."""
    tokens.revoke(desk.changes, who, token)


@ROUTER.get("/audit", response_model_exclude_none=True)
@needs(Right.AUDIT)
def list_audit(desk: Desk, asked: Annotated[AuditQuery, Query()]) -> list[AuditView]:
    """Who changed what, the newest first."""
    period = from_moment(asked.since), from_moment(asked.until)
    wanted = audit.Wanted(
        asked.namespace or "", asked.actor or "", asked.action or "", *period, asked.before_id, asked.limit
    )
    with desk.engine.connect() as connection:
        return [_view(entry) for entry in audit.entries(connection, wanted)]


def _view(entry: audit.Entry) -> AuditView:
    return AuditView(
        id=entry.id,
        at=as_moment(entry.at_us) or "",
        actor=entry.actor,
        role=entry.role,
        address=entry.address,
        action=entry.action,
        namespace=entry.namespace,
        target=entry.target,
        before=_object(entry.before),
        after=_object(entry.after),
    )


def _object(text: str) -> dict[str, object] | None:
    return msgspec.json.decode(text, type=dict[str, object]) if text else None
