"""uvicorn on the desk's socket, which only the gate's own user may reach."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import Server

from tidegate.wire.server import private

_KEEP_SECONDS: Final = 3_600  # workers close what they do not need: a desk that did would cut a request off
_BACKLOG: Final = 4_096  # where it is full a worker's connection fails at once; the system may cap it lower
_LAST_SECONDS: Final = 5  # for what is under way when it is told to end


class DeskServer(Server):
    """Tells when it listens, and leaves signals alone."""

    def __init__(self, app: ASGIApp, path: Path, on_started: Callable[[], None]) -> None:
        """Raises `OSError` where there can be no such socket."""
        private(path).close()  # uvicorn gives its own the mode of the one that it finds
        super().__init__(
            Config(
                app,
                uds=str(path),
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_SECONDS,
                timeout_graceful_shutdown=_LAST_SECONDS,
            )
        )
        self._on_started = on_started

    @property
    def busy(self) -> bool:
        """Whether anybody is being answered."""
        return bool(self.server_state.tasks)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        self._on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield
