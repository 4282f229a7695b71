"""What the supervisor says to the control process, and what it is offered."""

from collections.abc import Callable

from tidegate.control.board import Board, Standing
from tidegate.control.checking import Checked
from tidegate.control.declared import Declaration
from tidegate.control.policy.ways import Reloads
from tidegate.control.sharing import Sharing
from tidegate.observe.log import Log
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import end_now
from tidegate.supervisor.messages import (
    Load,
    Message,
    Named,
    ProtocolError,
    Rejected,
    Reloaded,
    Source,
    Status,
    Workers,
)


class Hearing:
    """Takes each message to whom it concerns. Without the supervisor, or its words, there is no control process."""

    __slots__ = ("_board", "_channel", "_declaration", "_end", "_log", "_reloads", "_sharing")

    def __init__(
        self,
        channel: Channel,
        board: Board,
        declaration: Declaration,
        sharing: Sharing,
        reloads: Reloads,
        log: Log,
        end: Callable[[int], object] = end_now,
    ) -> None:
        """`end` ends the process with a status."""
        self._channel = channel
        self._board = board
        self._declaration = declaration
        self._sharing = sharing
        self._reloads = reloads
        self._log = log
        self._end = end

    async def listen(self) -> None:
        """For ever. Raises what goes wrong with a message; the next call goes on with the one behind it."""
        while True:
            await self.hear()

    async def hear(self) -> None:
        """The next message."""
        try:
            message = await self._channel.receive()
        except ProtocolError as error:
            self._log.error("the supervisor is not understood: the process ends, to be started again", why=str(error))
            self._end(1)
            raise
        if message is None:
            self._end(0)
        else:
            self._take(message)

    def _take(self, message: Message) -> None:
        if isinstance(message, Status):
            self._board.standing = Standing(*message, workers=self._board.standing.workers)
        elif isinstance(message, Workers):
            self._board.standing.workers = message.workers
        elif isinstance(message, Load):
            self._declaration.take(message.snapshot)
            self._sharing.serves(self._declaration.now.shared_version)
        elif isinstance(message, Source):
            self._sharing.source(message.file, message.words)
        elif isinstance(message, Rejected):
            self._sharing.rejected(message.reason)
        elif isinstance(message, Reloaded):
            self._reloads.heard(message)


async def offer(channel: Channel, checked: Checked) -> None:
    """All nodes have agreed upon it: hand it to the supervisor."""
    if checked.loaded is not None:
        await channel.hand_over(Named(checked.files))
        await channel.hand_over(checked.loaded)
