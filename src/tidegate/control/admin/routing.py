"""A route of the admin API: it names the right that it asks for, and is not reached without it.

The few that lead to signing in say that they are open to all.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from tidegate.control.admin.auth.authenticator import Authenticator
from tidegate.control.admin.auth.rights import Actor, Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import refused
from tidegate.control.admin.services.known import absent
from tidegate.control.admin.views.directory import Problem

_RIGHT = "__tidegate_right__"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def needs(right: Right) -> Callable[[_Endpoint], _Endpoint]:
    """What an endpoint asks for. Without it no route can be made of the endpoint."""

    def noted(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _RIGHT, right)
        return endpoint

    return noted


def open_to_all(endpoint: _Endpoint) -> _Endpoint:
    """An endpoint that is asked by who is not signed in yet; it has no `Who`."""
    setattr(endpoint, _RIGHT, None)
    return endpoint


class GuardedRoute(APIRoute):
    """Who asks is known, has the right, and reaches the namespace of the path, before anything else is looked at."""

    @property
    def open_to_all(self) -> bool:
        """May anybody ask it?"""
        return getattr(self.endpoint, _RIGHT) is None

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own, behind the checks."""
        handle = super().get_route_handler()
        right: Right | None = getattr(self.endpoint, _RIGHT)

        async def guarded(request: Request) -> Response:
            if right is not None:
                door: Authenticator = request.app.state.door
                actor = await door.actor(request)
                _check(actor, right, request.path_params.get("namespace"))
                request.state.actor = actor
            await request.body()  # here one that is too long is told as such
            return await handle(request)

        return guarded


def _check(actor: Actor, right: Right, namespace: str | None) -> None:
    if not actor.may(right):
        problem = f"the role {actor.role!r} may not {right.value}"
        raise refused(403, "header.authorization", problem, "sign in with the token of a role that may: see /docs")
    if namespace is not None and not actor.reaches(namespace):
        raise absent("namespace", "namespace")


async def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


async def _door(request: Request) -> Authenticator:
    door: Authenticator = request.app.state.door
    return door


async def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


Desk = Annotated[Office, Depends(_office)]
Who = Annotated[Actor, Depends(_actor)]
Entry = Annotated[Authenticator, Depends(_door)]

_MEANINGS = {
    400: "It cannot be read.",
    401: "Neither a valid token nor a session.",
    403: "The role may not.",
    404: "There is none.",
    409: "It does not fit what is there.",
    413: "Too long.",
    422: "A field is wrong.",
    429: "Too many wrong tokens.",
    503: "The database is away.",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": {"schema": {
        "$ref": f"#/components/schemas/{Problem.__name__}"}}}}
    for status, text in _MEANINGS.items()
}  # fmt: skip


def router(tag: str) -> APIRouter:
    """An empty router whose routes are guarded."""
    return APIRouter(route_class=GuardedRoute, tags=[tag], responses=PROBLEMS)
