"""`/session` and `/sessions`: signing in and out, and who is signed in."""

import asyncio
from typing import Annotated

from fastapi import Path, Query, Request, Response

from tidegate import __version__
from tidegate.config.schema.base import Name
from tidegate.control.admin.auth import cookies, sessions
from tidegate.control.admin.auth.authenticator import Authenticator, address_of
from tidegate.control.admin.auth.rights import RIGHTS, Right
from tidegate.control.admin.problems import Refused
from tidegate.control.admin.routing import Desk, Entry, Who, needs, open_to_all, router
from tidegate.control.admin.services.settings import as_moment
from tidegate.control.admin.views.sent import SignIn
from tidegate.control.admin.views.session import EndedView, MethodsView, OidcMethod, SessionLine, SessionView
from tidegate.store.sessions import Session

ROUTER = router("sign-in")
_SIGNED_OUT = 401
SessionId = Annotated[str, Path(description="As `/sessions` names it.", pattern="^[0-9a-f]{16}$")]


@ROUTER.post("/session", status_code=201, response_model_exclude_none=True)
@open_to_all
async def sign_in(request: Request, response: Response, desk: Desk, door: Entry, said: SignIn) -> SessionView:
    """Show a token, once: from then on the browser's cookie is shown in its place."""
    token = await door.token(request, said.token, "token")
    return await signed_in(request, response, desk, door, sessions.of_token(token))


@ROUTER.get("/session", response_model_exclude_none=True)
@needs(Right.SELF)
async def show_session(request: Request, door: Entry, who: Who) -> SessionView:
    """Who is signed in. Who shows a token has neither `csrf` nor `expires`."""
    session = await own_session(request, door)
    if session is None:
        rights = sorted(right.name.lower() for right in RIGHTS[who.role])
        return SessionView(
            name=who.name,
            role=who.role,
            namespace=who.namespace or None,
            rights=rights,
            csrf="",
            expires=None,
            version=__version__,
        )
    return _view(session, cookies.shown(request))


@ROUTER.delete("/session", status_code=204)
@needs(Right.SELF)
async def sign_out(
    request: Request,
    response: Response,
    desk: Desk,
    door: Entry,
    who: Who,
    everywhere: Annotated[bool, Query(description="All sessions of the same name, in all browsers?")] = False,
) -> None:
    """The browser's cookie opens nothing any more."""
    session = await own_session(request, door)
    if session is not None:
        await asyncio.to_thread(sessions.end, desk.changes, who, session)
        response.headers.append("set-cookie", cookies.set_cookie(request, "", 0))
    if everywhere:
        await asyncio.to_thread(sessions.end_all, desk.changes, who, who.name)


@ROUTER.get("/session/methods")
@open_to_all
async def methods(request: Request, desk: Desk, door: Entry) -> MethodsView:
    """How one may sign in, and who is already: a page's first question, which is not refused to who is signed out."""
    oidc = desk.declaration.now.admin.oidc
    way = None if oidc is None else OidcMethod(title=oidc.title)
    session = None
    if cookies.has_one(request):
        try:
            session = _view(await door.session(request), cookies.shown(request))
        except Refused as refusal:
            if refusal.status != _SIGNED_OUT:
                raise
    return MethodsView(oidc=way, session=session)


@ROUTER.get("/sessions", response_model_exclude_none=True)
@needs(Right.TOKENS)
async def list_sessions(request: Request, desk: Desk, door: Entry) -> list[SessionLine]:
    """Who is signed in, the last used first."""
    own = await own_session(request, door)
    found = await asyncio.to_thread(sessions.all_of, desk.changes)
    return [_line(session, own) for session in found]


@ROUTER.delete("/sessions/{session}", status_code=204)
@needs(Right.TOKENS)
def end_session(desk: Desk, who: Who, session: SessionId) -> None:
    """That browser has to sign in again."""
    sessions.end(desk.changes, who, sessions.named(desk.changes, session))


@ROUTER.delete("/sessions")
@needs(Right.TOKENS)
def end_sessions(
    desk: Desk,
    who: Who,
    name: Annotated[Name | None, Query(description="Whose; left out: everybody's.", max_length=128)] = None,
) -> EndedView:
    """They have to sign in again, wherever they are. A token itself goes on opening: revoke it."""
    return EndedView(ended=sessions.end_all(desk.changes, who, name or ""))


async def signed_in(
    request: Request, response: Response, desk: Desk, door: Authenticator, made: Session
) -> SessionView:
    """A session is begun in the place of the browser's former one."""
    address = address_of(request)
    agent = request.headers.get("user-agent", "")
    former, failures = cookies.digest_shown(request), door.failures(address)
    session, secret = await asyncio.to_thread(sessions.begin, desk.changes, made, address, agent, former, failures)
    seconds = (session.expires_us - session.created_us) // 1_000_000
    response.headers.append("set-cookie", cookies.set_cookie(request, secret.text, seconds))
    return _view(session, secret.text)


async def own_session(request: Request, door: Authenticator) -> Session | None:
    """The session that asks; None where a token does."""
    return None if "authorization" in request.headers else await door.session(request)


def _view(session: Session, secret: str) -> SessionView:
    return SessionView(
        name=session.name,
        role=session.role,
        namespace=session.namespace or None,
        rights=sorted(right.name.lower() for right in RIGHTS.get(session.role, frozenset())),
        csrf=cookies.csrf_of(secret),
        expires=as_moment(session.expires_us),
        version=__version__,
    )


def _line(session: Session, own: Session | None) -> SessionLine:
    return SessionLine(
        id=sessions.id_of(session),
        name=session.name,
        role=session.role,
        namespace=session.namespace or None,
        by="token" if session.token else "oidc",
        subject=session.subject or None,
        address=session.address,
        agent=session.agent,
        created=as_moment(session.created_us) or "",
        seen=as_moment(session.seen_us) or "",
        expires=as_moment(session.expires_us) or "",
        own=own is not None and own.digest == session.digest,
    )
