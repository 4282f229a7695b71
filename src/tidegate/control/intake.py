"""The Unix socket on which workers push their counters."""

import asyncio
import contextlib
import socket
from pathlib import Path

import msgspec

from tidegate.control.board import Board
from tidegate.observe.log import Log
from tidegate.observe.meters import Report
from tidegate.observe.push import FRAME, LARGEST


def bind(path: Path) -> socket.socket:
    """A Unix socket at `path` that only this user may reach. Raises `OSError`."""
    path.unlink(missing_ok=True)  # of a control process that died; the state directory's lock leaves only us
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


class Intake:
    """Reads reports from any number of workers into the board."""

    __slots__ = ("_board", "_decode", "_log", "_server")

    def __init__(self, board: Board, log: Log) -> None:
        self._board = board
        self._log = log
        self._decode = msgspec.msgpack.Decoder(Report).decode
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Accept workers. Raises `OSError`."""
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        workers: set[int] = set()
        try:
            while True:
                (size,) = FRAME.unpack(await reader.readexactly(FRAME.size))
                if size > LARGEST:
                    raise msgspec.ValidationError(f"a report of {size} bytes")
                report = self._decode(await reader.readexactly(size))
                workers.add(report.worker)
                self._board.take(report)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except msgspec.DecodeError as error:
            self._log.error("a worker's report makes no sense; its connection is closed", problem=str(error))
        finally:
            for worker in workers:
                self._board.gone(worker)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
