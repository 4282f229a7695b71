"""`/keys` and `/namespaces/{namespace}/keys`."""

from typing import Annotated

from fastapi import Path

from tidegate.config.schema.base import Name
from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.routes.namespaces import Change, Namespace, Part
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services import keys
from tidegate.control.admin.views.directory import KeyView, MadeKey, RotatedKey
from tidegate.control.admin.views.sent import NewKey, Rotation

ROUTER = router("keys")
Key = Annotated[Name, Path(description="The key's name.", max_length=128)]


@ROUTER.get("/keys", response_model_exclude_none=True)
@needs(Right.SEE_ACCOUNTS)
def list_all_keys(desk: Desk, who: Who, page: Part) -> list[KeyView]:
    """The keys of all namespaces that the token reaches."""
    with desk.engine.connect() as connection:
        return page.of(keys.everywhere(connection, desk.declaration.now, who.reaches, desk.clocks.wall()))


@ROUTER.get("/namespaces/{namespace}/keys", response_model_exclude_none=True)
@needs(Right.SEE_ACCOUNTS)
def list_keys(desk: Desk, namespace: Namespace, page: Part) -> list[KeyView]:
    """Its keys, the revoked ones too."""
    with desk.engine.connect() as connection:
        return page.of(keys.listed(connection, desk.declaration.now, namespace, desk.clocks.wall()))


@ROUTER.post("/namespaces/{namespace}/keys", status_code=201, response_model_exclude_none=True)
@needs(Right.CHANGE_ACCOUNTS)
def create_key(desk: Desk, who: Who, namespace: Namespace, said: NewKey) -> MadeKey:
    """Make a key. The answer shows it, once: only its SHA-256 is kept."""
    return keys.create(desk.changes, who, namespace, said)


@ROUTER.get("/namespaces/{namespace}/keys/{key}", response_model_exclude_none=True)
@needs(Right.SEE_ACCOUNTS)
def show_key(desk: Desk, namespace: Namespace, key: Key) -> KeyView:
    """One key; of several of one name the newest."""
    with desk.engine.connect() as connection:
        return keys.shown(connection, desk.declaration.now, namespace, key, desk.clocks.wall())


@ROUTER.patch("/namespaces/{namespace}/keys/{key}", response_model_exclude_none=True)
@needs(Right.CHANGE_ACCOUNTS)
def change_key(desk: Desk, who: Who, namespace: Namespace, key: Key, patch: Change) -> KeyView:
    """Change what it may; the key itself stays."""
    return keys.change(desk.changes, who, namespace, key, patch)


@ROUTER.post("/namespaces/{namespace}/keys/{key}/rotate", status_code=201, response_model_exclude_none=True)
@needs(Right.CHANGE_ACCOUNTS)
def rotate_key(desk: Desk, who: Who, namespace: Namespace, key: Key, said: Rotation) -> RotatedKey:
    """Make its successor (`NAME-r2`, `NAME-r3` …), shown once; the former one is good for the overlap."""
    return keys.rotate(desk.changes, who, namespace, key, said)


@ROUTER.post("/namespaces/{namespace}/keys/{key}/revoke", response_model_exclude_none=True)
@needs(Right.CHANGE_ACCOUNTS)
def revoke_key(desk: Desk, who: Who, namespace: Namespace, key: Key) -> KeyView:
    """All workers refuse it within a second."""
    return keys.revoke(desk.changes, who, namespace, key)
