"""The admin API as a FastAPI application. Imported when the first request comes: it costs half a second and 30 MB."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from pydantic.json_schema import models_json_schema
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from tidegate import __version__
from tidegate.control.admin import page
from tidegate.control.admin.auth.authenticator import Authenticator
from tidegate.control.admin.auth.cookies import COOKIE
from tidegate.control.admin.faults import refusal_of
from tidegate.control.admin.office import Office, away
from tidegate.control.admin.problems import MEDIA_TYPE, Refused, body_of, refused
from tidegate.control.admin.routes import (
    accounts,
    alerts,
    arrivals,
    bodies,
    cache,
    calls,
    drills,
    following,
    jobs,
    keys,
    live,
    namespaces,
    oidc,
    playground,
    policy,
    session,
    shadows,
    spend,
    status,
    tokens,
    usage,
)
from tidegate.control.admin.views.directory import Problem

PREFIX = "/admin/v1"
OPENAPI = f"{PREFIX}/openapi.json"
ROUTERS = (
    namespaces.ROUTER,
    keys.ROUTER,
    spend.ROUTER,
    following.ROUTER,
    calls.ROUTER,
    arrivals.ROUTER,
    usage.ROUTER,
    bodies.ROUTER,
    cache.ROUTER,
    drills.ROUTER,
    shadows.ROUTER,
    policy.ROUTER,
    jobs.ROUTER,
    alerts.ROUTER,
    session.ROUTER,
    oidc.ROUTER,
    tokens.ROUTER,
    status.ROUTER,
    live.ROUTER,
    accounts.ROUTER,
    playground.ROUTER,
)
_REMEDIES = {
    404: ("path", "there is no such route", "see /docs for those that there are"),
    405: ("method", "this route does not know the method", "see /docs for those that it knows"),
}
_REFERENCE = "#/components/schemas/{model}"


class AdminApp(FastAPI):
    """FastAPI whose description says how one signs in and how refusals look."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            made = get_openapi(title="Tidegate admin API", version=__version__, routes=self.routes)
            parts = made["components"]
            _, definitions = models_json_schema([(Problem, "serialization")], ref_template=_REFERENCE)
            parts["schemas"] |= definitions["$defs"]
            for unused in ("HTTPValidationError", "ValidationError"):
                parts["schemas"].pop(unused, None)
            cookie = {"type": "apiKey", "in": "cookie", "name": COOKIE}
            parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}, "session": cookie}
            made["security"] = [{"token": []}, {"session": []}]
            self.openapi_schema = made
        return self.openapi_schema


def application(office: Office) -> FastAPI:
    """The application over an office."""
    app = AdminApp(openapi_url=OPENAPI, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.office = office
    app.state.door = Authenticator(office)
    app.state.providers = oidc.Providers(office)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    app.include_router(page.ROUTER)
    app.mount("/docs/assets", StaticFiles(directory=page.ASSETS))
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(UnicodeError, _on_no_text)
    app.add_exception_handler(SQLAlchemyError, _on_database)
    app.add_exception_handler(Exception, _on_defect)
    return app


def answer(refusal: Refused) -> Response:
    """A refusal as it is sent."""
    return Response(body_of(refusal), refusal.status, dict(refusal.headers), MEDIA_TYPE)


async def _on_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for it
    return answer(error)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    return answer(refusal_of(error.errors()))


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    unread = ("body", "cannot be read", "send one JSON object, as application/json")
    refusal = refused(error.status_code, *_REMEDIES.get(error.status_code, unread), *(error.headers or {}).items())
    return answer(refusal)


async def _on_no_text(_request: Request, _error: Exception) -> Response:
    return answer(refused(422, "body", "holds characters that are no text", "send Unicode without lone surrogates"))


async def _on_database(request: Request, error: Exception) -> Response:
    office: Office = request.app.state.office
    office.log.error("the admin API cannot use the database", problem=type(error).__name__)
    return answer(away(type(error).__name__))


async def _on_defect(request: Request, error: Exception) -> Response:
    office: Office = request.app.state.office
    office.log.error("the admin API failed", route=request.scope.get("route_path", ""), problem=type(error).__name__)
    return answer(refused(500, "request", "a defect of the gate", "report it with the log of the control process"))
