"""An answer handed out in pieces, as its client takes them: who reads slowly holds little, whatever its length."""

import asyncio
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidegate.jobs.desk.answers import PIECE, head_of, lines_of
from tidegate.jobs.desk.bodies import until_gone
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Unavailable
from tidegate.jobs.desk.replies import pairs
from tidegate.jobs.records import Job
from tidegate.jobs.rows.names import tenant_name
from tidegate.jobs.rows.reading import Answer

_AGAIN_US: Final = 500_000
_TRIES: Final = 20  # to read one piece
_WITHOUT_BODY: Final = frozenset((204, 304))


class AnswerReply(Response):
    """The answer of a job, as it came."""

    def __init__(self, desk: Desk, job: Job, answer: Answer) -> None:
        self._desk = desk
        self._job = job
        self._answer = answer
        self.status_code = answer.status
        size = [] if answer.status in _WITHOUT_BODY else [(b"content-length", b"%d" % answer.size)]
        self.raw_headers = [*size, *lines_of(answer), *pairs(head_of(job.id))]
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises `Unavailable`, before anything is said, where too many answers are on their way."""
        answer = self._answer
        holds = (
            answer.size if answer.whole else 2 * PIECE
        )  # the next one is read while one waits in the socket's buffer
        with self._desk.budget.held(tenant_name(self._job.owner), holds):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if answer.whole:
                await send({"type": "http.response.body", "body": answer.body, "more_body": True})
            elif scope["method"] != "HEAD" and not await self._sent(receive, send):
                return  # cut off, which its client sees by its length
            # Before this one the server waits until the socket has taken what came before.
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _sent(self, receive: Receive, send: Send) -> bool:
        """False: not all of it."""
        leaving = asyncio.get_running_loop().create_task(until_gone(receive))
        try:
            start = 0
            while start < self._answer.size and not leaving.done():
                piece = await self._piece(start)
                if not piece:
                    return False
                start += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            return start >= self._answer.size
        finally:
            leaving.cancel()

    async def _piece(self, start: int) -> bytes:
        """None of it where it was deleted, or the database is away for long."""
        desk = self._desk
        for _ in range(_TRIES):
            try:
                return await desk.call(desk.rows.answer_piece, self._answer.number, start, PIECE)
            except (SQLAlchemyError, Unavailable):
                await desk.clock.sleep(_AGAIN_US)
        desk.log.warning("an answer was cut off: the database of jobs is away", job=self._job.id)
        return b""
