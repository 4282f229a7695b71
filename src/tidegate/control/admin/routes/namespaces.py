"""`/namespaces` and `/namespaces/{namespace}/users`."""

from typing import Annotated

from fastapi import Body, Path, Query

from tidegate.config.schema.base import Name
from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services import leaving, namespaces, users
from tidegate.control.admin.views.directory import NamespaceView, UserView
from tidegate.control.admin.views.queries import Page
from tidegate.control.admin.views.sent import NewNamespace, NewUser, Patch

ROUTER = router("namespaces and users")
Namespace = Annotated[Name, Path(description="The namespace's name.", max_length=128)]
User = Annotated[Name, Path(description="The user's name.", max_length=128)]
Change = Annotated[Patch, Body()]
Part = Annotated[Page, Query()]


@ROUTER.get("/namespaces", response_model_exclude_none=True)
@needs(Right.SEE_NAMESPACES)
def list_namespaces(desk: Desk, who: Who, page: Part) -> list[NamespaceView]:
    """All that the token reaches, with those that the configuration file declares."""
    with desk.engine.connect() as connection:
        return page.of(namespaces.listed(connection, desk.declaration.now, who.reaches))


@ROUTER.post("/namespaces", status_code=201, response_model_exclude_none=True)
@needs(Right.CHANGE_NAMESPACES)
def create_namespace(desk: Desk, who: Who, said: NewNamespace) -> NamespaceView:
    """Make a namespace."""
    return namespaces.create(desk.changes, who, said, leaving.of(desk))


@ROUTER.get("/namespaces/{namespace}", response_model_exclude_none=True)
@needs(Right.SEE_NAMESPACES)
def show_namespace(desk: Desk, namespace: Namespace) -> NamespaceView:
    """One namespace."""
    with desk.engine.connect() as connection:
        return namespaces.shown(connection, desk.declaration.now, namespace)


@ROUTER.patch("/namespaces/{namespace}", response_model_exclude_none=True)
@needs(Right.CHANGE_NAMESPACES)
def change_namespace(desk: Desk, who: Who, namespace: Namespace, patch: Change) -> NamespaceView:
    """Change its tier, models, limits, budgets and the rest."""
    return namespaces.change(desk.changes, who, namespace, patch)


@ROUTER.delete("/namespaces/{namespace}", status_code=204)
@needs(Right.CHANGE_NAMESPACES)
def delete_namespace(desk: Desk, who: Who, namespace: Namespace) -> None:
    """Remove it with its users, its keys and its owners' tokens. What it spent stays in the ledger.

    Its jobs and batches that have not ended are cancelled, and nobody reaches them and its files any more.
    """
    namespaces.remove(desk.changes, who, namespace, leaving.of(desk))


@ROUTER.get("/namespaces/{namespace}/users", response_model_exclude_none=True)
@needs(Right.SEE_ACCOUNTS)
def list_users(desk: Desk, namespace: Namespace, page: Part) -> list[UserView]:
    """Its users."""
    with desk.engine.connect() as connection:
        return page.of(users.listed(connection, desk.declaration.now, namespace))


@ROUTER.post("/namespaces/{namespace}/users", status_code=201, response_model_exclude_none=True)
@needs(Right.CHANGE_ACCOUNTS)
def create_user(desk: Desk, who: Who, namespace: Namespace, said: NewUser) -> UserView:
    """Make a user."""
    return users.create(desk.changes, who, namespace, said)


@ROUTER.get("/namespaces/{namespace}/users/{user}", response_model_exclude_none=True)
@needs(Right.SEE_ACCOUNTS)
def show_user(desk: Desk, namespace: Namespace, user: User) -> UserView:
    """One user."""
    with desk.engine.connect() as connection:
        return users.shown(connection, desk.declaration.now, namespace, user)


@ROUTER.patch("/namespaces/{namespace}/users/{user}", response_model_exclude_none=True)
@needs(Right.CHANGE_ACCOUNTS)
def change_user(desk: Desk, who: Who, namespace: Namespace, user: User, patch: Change) -> UserView:
    """Change its models, limits and budgets."""
    return users.change(desk.changes, who, namespace, user, patch)


@ROUTER.delete("/namespaces/{namespace}/users/{user}", status_code=204)
@needs(Right.CHANGE_ACCOUNTS)
def delete_user(desk: Desk, who: Who, namespace: Namespace, user: User) -> None:
    """Remove a user that no key names any more."""
    users.remove(desk.changes, who, namespace, user)
