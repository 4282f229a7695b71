"""`/session/oidc/…`: to an identity provider and back. A browser goes there itself, so refusals are pages."""

import html
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tidegate.control.admin.auth import cookies, sessions
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import Refused, refused
from tidegate.control.admin.routes.session import signed_in
from tidegate.control.admin.routing import Desk, Entry, GuardedRoute, open_to_all
from tidegate.control.site import PAGES
from tidegate.model.admin import OidcSettings

if TYPE_CHECKING:
    from tidegate.control.admin.auth.oidc.provider import Provider

ROUTER = APIRouter(route_class=GuardedRoute, include_in_schema=False)
COOKIE = "tidegate_sign_in"
_SECONDS = 600
_PATH = f"{cookies.PATH}/session/oidc"
_BACK = f"{_PATH}/callback"
_LONGEST = 500
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tidegate</title><link rel="icon" href="data:,"></head>
<body>
<h1>Nobody is signed in</h1>
<p>{problem}.</p>
<p>What helps: {remedy}.</p>
<p><a href="/signin">Back to sign-in</a></p>
</body>
</html>
"""


class Providers:
    """The identity provider of the configuration in force, as long as that stays."""

    __slots__ = ("_now", "_office")

    def __init__(self, office: Office) -> None:
        self._office = office
        self._now: Provider | None = None

    def provider(self) -> "Provider":
        """It. Raises `Refused`: there is none (404), or what it needs is not installed (501)."""
        settings: OidcSettings | None = self._office.declaration.now.admin.oidc
        if settings is None:
            raise refused(404, "admin.oidc", "no identity provider is configured", "sign in with a token")
        if self._now is None or self._now.settings != settings:
            try:
                from tidegate.control.admin.auth.oidc.provider import Provider  # noqa: PLC0415 - an extra
            except ModuleNotFoundError:
                problem = "this installation cannot speak with identity providers"
                remedy = "install tidegate[oidc] and start the gate again; until then sign in with a token"
                raise refused(501, "admin.oidc", problem, remedy) from None
            if self._now is not None:
                self._now.close()
            self._now = Provider(settings, self._office.clocks)
        return self._now


@ROUTER.get("/session/oidc/start")
@open_to_all
async def start(request: Request, desk: Desk) -> Response:
    """To the provider. `next`: the page to end at."""
    secret, page = cookies.session_secret(), _own(request.query_params.get("next", "/"))
    try:
        provider = _providers(request).provider()
        url = await provider.run(lambda: provider.start(_back(request), secret.text, page))
    except Refused as refusal:
        return _told(desk, refusal)
    answer = RedirectResponse(url, 303)
    answer.headers.append("set-cookie", _cookie(request, secret.text, _SECONDS))
    return answer


@ROUTER.get("/session/oidc/callback")
@open_to_all
async def callback(request: Request, desk: Desk, door: Entry) -> Response:
    """And back."""
    try:
        provider = _providers(request).provider()
        secret, said, back = cookies.shown(request, COOKIE), dict(request.query_params), _back(request)
        claims, page = await provider.run(lambda: provider.finish(back, secret, said))
        from tidegate.control.admin.auth.oidc import claims as told  # noqa: PLC0415 - an extra

        role = told.role_of(claims, provider.settings.roles)
        name, subject = told.name_of(claims), told.subject_of(claims)
        made = sessions.of_subject(name, subject, role.role, role.namespace, provider.settings)
        answer = RedirectResponse(_own(page), 303)
        await signed_in(request, answer, desk, door, made)
    except Refused as refusal:
        answer = _told(desk, refusal)  # type: ignore[assignment]
    answer.headers.append("set-cookie", _cookie(request, "", 0))
    return answer


def _providers(request: Request) -> Providers:
    found: Providers = request.app.state.providers
    return found


def _back(request: Request) -> str:
    """Under the name by which the browser asks: the guard knows it as one of ours."""
    scheme = "https" if cookies.is_https(request) else "http"
    return f"{scheme}://{request.headers['host']}{_BACK}"


def _own(page: str) -> str:
    """A page of ours, else the first: nobody is sent elsewhere."""
    known = page.partition("?")[0].removeprefix("/").partition("/")[0] in PAGES
    fit = page.startswith("/") and page.isascii() and page.isprintable() and "\\" not in page and len(page) <= _LONGEST
    return page if known and fit else "/"


def _cookie(request: Request, value: str, seconds: int) -> str:
    """It comes back with a browser that another site sends: that is what it is for."""
    secure = "; Secure" if cookies.is_https(request) else ""
    return f"{COOKIE}={value}; Path={_PATH}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _told(desk: Office, refusal: Refused) -> Response:
    (fault,) = refusal.faults
    desk.log.warning("a sign-in by the identity provider failed", field=fault.field, problem=fault.problem)
    text = _PAGE.format(problem=html.escape(_sentence(fault.problem)), remedy=html.escape(fault.remedy))
    return HTMLResponse(text, refusal.status, dict(refusal.headers))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
