"""The control process: `python -m tidegate.control`, started by the supervisor with inherited descriptors."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import Server

from tidegate.clock import SystemClock
from tidegate.control.board import Board
from tidegate.control.compose import compose
from tidegate.control.intake import Intake, bind
from tidegate.observe.log import Log
from tidegate.supervisor.background import Background
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import ChildArguments, die_with_parent, parse_arguments, spare_the_collector
from tidegate.supervisor.messages import Ready

_PATIENCE: Final = 3  # messages in a row that it fails on: what it knows of the gate may be nothing any more


class AdminServer(Server):
    """uvicorn that tells when it listens, and leaves signals alone: it is stateless, so SIGTERM simply ends it."""

    def __init__(self, config: Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        self._on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


def _settings(port: ASGIApp) -> Config:
    return Config(
        port,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is who is connected: it stands in the audit
    )


async def _run(arguments: ChildArguments, log: Log) -> None:
    channel, state, board, clock = Channel(arguments.channel), Path(arguments.state_dir), Board(), SystemClock()
    await Intake(board, log).start(bind(state / "control.sock"))
    plane = compose(state, board, channel, log, clock)
    server = AdminServer(_settings(plane.port), partial(channel.send, Ready(os.getpid())))
    listener = socket.socket(fileno=arguments.listen)
    # How the gate stands, before anybody who waits in the backlog asks.
    await plane.hearing.hear()
    spare_the_collector()
    for start in plane.threads:
        start()
    background = Background(clock, log)
    background.keep("hearing the supervisor", plane.hearing.listen, _PATIENCE)
    background.keep("standing among the nodes", plane.nodes.run)
    background.keep("watching for alerts", plane.alerts.run)
    await server.serve([listener])
    background.cancel()


def main() -> None:
    """Serve the admin port until the supervisor is gone."""
    die_with_parent()
    asyncio.run(_run(parse_arguments(), Log("control")))


if __name__ == "__main__":
    main()
