"""`/playground`: a call of a model in a namespace's name, governed and recorded as any other, answered as it comes."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

import msgspec
from fastapi import Response
from pydantic import Field
from starlette.types import Receive, Scope, Send

from tidegate.config.schema.base import Name
from tidegate.control.admin.auth.guard import answer
from tidegate.control.admin.auth.rights import Actor, Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services.changes import Deed
from tidegate.control.admin.views.sent import Body
from tidegate.control.playground import Away, Head, Play, sockets_of
from tidegate.model.playground import HEADER, TAG, Player, written

ROUTER = router("playground")
MOST: Final = 16  # calls at a time
_PATHS: Final = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
_LONGEST_NAME: Final = 128


class PlayRequest(Body):
    """What is asked, in whose name."""

    dialect: Literal["openai", "anthropic"] = Field(description="Whose API the body is of.")
    body: dict[str, Any] = Field(
        description="As an application would send it.",
        examples=[{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}],
    )
    namespace: Annotated[Name, Field(max_length=_LONGEST_NAME)] | None = Field(
        None, description="Whose limits and budgets it spends; left out: an owner's own, else nobody's."
    )
    user: Annotated[Name, Field(max_length=_LONGEST_NAME)] | None = Field(None, description="A user of the namespace.")
    stream: bool | None = Field(None, description="Instead of the body's `stream`.")


class Asked(NamedTuple):
    """One call, as a worker is asked it."""

    places: list[Path]
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(Response):
    """The gate's answer, passed on as it comes; who leaves cancels the call, also while it waits for its turn."""

    running: ClassVar[int] = 0

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One response."""
        Answer.running += 1
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            Answer.running -= 1
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        try:
            play = await Play.ask(*self._asked)
        except Away as error:
            remedy = "wait until a worker is ready: see `/status`"
            gone = refused(503, "worker", f"no worker answered ({error})", remedy, ("retry-after", "1"))
            await answer(gone, send)
            return
        async with play:
            await send({"type": "http.response.start", "status": play.head.status, "headers": _lines(play.head)})
            try:
                async for piece in play.pieces():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            except Away:
                return  # uvicorn ends a connection whose answer is not whole
            await send({"type": "http.response.body", "body": b""})


def _lines(head: Head) -> list[tuple[bytes, bytes]]:
    lines = [(name.encode(), value.encode("latin-1")) for name, value in head.headers.items() if name not in _HOP]
    if head.call is not None:
        lines.append((b"x-tidegate-call", str(head.call).encode()))
    return [*lines, (b"x-accel-buffering", b"no")]


@ROUTER.post(
    "/playground",
    response_class=Response,
    responses={
        200: {
            "description": "The answer, or the gate's refusal; `x-tidegate-call` is its number at `/calls/{call}`.",
            "content": {"application/json": {}, "text/event-stream": {}},
        }
    },
)
@needs(Right.PLAY)
async def play(desk: Desk, who: Who, said: PlayRequest) -> Response:
    """Call a model, really: it is governed, paid for by its namespace, and recorded with the tag `playground`."""
    player = _player(who, said)
    if Answer.running >= MOST:
        raise refused(429, "playground", f"{MOST} calls run already", "wait for one", ("retry-after", "5"))
    await asyncio.to_thread(_note, desk, who, player, said)
    body = dict(said.body) if said.stream is None else {**said.body, "stream": said.stream}
    headers = {"content-type": "application/json", "x-tidegate-tag": TAG, HEADER.decode(): written(player).decode()}
    if said.dialect == "anthropic":
        headers["anthropic-version"] = "2023-06-01"
    isolated = desk.declaration.now.isolates(player.namespace)
    places = sockets_of(desk.state_dir, player.namespace, isolated=isolated)
    return Answer(Asked(places, _PATHS[said.dialect], headers, msgspec.json.encode(body)))


def _player(who: Actor, said: PlayRequest) -> Player:
    """In whose name. Raises `Refused`."""
    namespace = said.namespace or who.scope() or ""
    if not who.reaches(namespace):
        raise refused(404, "namespace", "there is no such namespace", "leave it out: it is your own")
    if said.user and not namespace:
        raise refused(422, "user", "is of no namespace", "name the namespace, too")
    return Player(namespace, said.user or "")


def _note(desk: Office, who: Actor, player: Player, said: PlayRequest) -> None:
    """Who asked whom in whose name; not what."""
    model = said.body.get("model")
    after = {"user": player.user, "dialect": said.dialect, "model": model if isinstance(model, str) else ""}
    target = str(after["model"])[:_LONGEST_NAME]
    desk.changes.carry_out(who, lambda _c, _n: Deed("playground.call", player.namespace, target, None, after))


async def _gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
