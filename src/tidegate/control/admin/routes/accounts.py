"""`/accounts`: providers, their scopes and keys as they stand; taken out of service, and back."""

from typing import Annotated

from fastapi import Path

from tidegate.config.schema.base import Name
from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services import accounts
from tidegate.control.admin.views.account import AccountsView, DrainRequest, DrainView
from tidegate.store import drains
from tidegate.store.drains import StoredDrain

ROUTER = router("accounts")
_Provider = Annotated[Name, Path(description="Its name in the configuration.", max_length=128)]
_Scope = Annotated[Name, Path(description="Its name in the configuration.", max_length=128)]
_Key = Annotated[str, Path(pattern="^[0-9a-f]{8}$", description="The key's fingerprint, as `/accounts` shows it.")]


@ROUTER.get("/accounts", response_model_exclude_none=True)
@needs(Right.STATUS)
def list_accounts(desk: Desk) -> AccountsView:
    """Every provider with its scopes, their lanes and keys. Keys are shown as fingerprints only."""
    with desk.engine.connect() as connection:
        stored = list(drains.all_of(connection))
    lanes = desk.live.lanes() if desk.live is not None else []
    about = accounts.known(desk.board.views(), lanes, stored, desk.clocks.wall())
    return AccountsView(providers=accounts.listed(desk.declaration.now, about))


@ROUTER.post("/accounts/{provider}/{scope}/drain")
@needs(Right.DRAIN_ACCOUNTS)
def drain_scope(desk: Desk, who: Who, provider: _Provider, scope: _Scope, said: DrainRequest) -> DrainView:
    """Nobody is sent there any more; what is in flight finishes. Everywhere within a second, until it is restored."""
    return _shown(accounts.drain(desk.changes, who, (provider, scope, ""), said.reason, ()))


@ROUTER.post("/accounts/{provider}/{scope}/restore", status_code=204)
@needs(Right.DRAIN_ACCOUNTS)
def restore_scope(desk: Desk, who: Who, provider: _Provider, scope: _Scope) -> None:
    """It takes calls again, as far as its provider has it."""
    accounts.restore(desk.changes, who, (provider, scope, ""))


@ROUTER.post("/accounts/{provider}/{scope}/keys/{fingerprint}/drain")
@needs(Right.DRAIN_ACCOUNTS)
def drain_key(
    desk: Desk, who: Who, provider: _Provider, scope: _Scope, fingerprint: _Key, said: DrainRequest
) -> DrainView:
    """No call is sent with it any more. When all keys of a scope are, the scope is out of service."""
    told = _fingerprints(desk, provider, scope)
    return _shown(accounts.drain(desk.changes, who, (provider, scope, fingerprint), said.reason, told))


@ROUTER.post("/accounts/{provider}/{scope}/keys/{fingerprint}/restore", status_code=204)
@needs(Right.DRAIN_ACCOUNTS)
def restore_key(desk: Desk, who: Who, provider: _Provider, scope: _Scope, fingerprint: _Key) -> None:
    """Calls are sent with it again."""
    accounts.restore(desk.changes, who, (provider, scope, fingerprint))


def _fingerprints(desk: Office, provider: str, scope: str) -> list[str]:
    """Of the scope's keys, as far as workers have told."""
    return [
        key.fingerprint
        for view in desk.board.views()
        for account in view.accounts
        if (account.provider, account.scope) == (provider, scope)
        for key in account.keys
    ]


def _shown(one: StoredDrain) -> DrainView:
    found = accounts.drain_view(one)
    assert found is not None  # noqa: S101 - it was just made
    return found
