"""Telemetry of this node: what workers report and write down goes to who collects it, while the file says so."""

import socket
from pathlib import Path

from tidegate.control.board import Board
from tidegate.control.declared import Declaration
from tidegate.observe.log import Log
from tidegate.ports import Clock
from tidegate.tracing.meters import Seen
from tidegate.tracing.sender import Sender


def sender(state_dir: Path, declaration: Declaration, board: Board, clock: Clock, log: Log) -> Sender:
    """One for the process; the caller starts it."""

    def seen() -> list[Seen]:
        return [
            Seen(
                view.worker,
                view.incarnation,
                list(view.calls.values()),
                view.lanes,
                view.tallies,
                view.gauges,
                view.pools,
            )
            for view in board.views()
        ]

    instance = declaration.now.cluster.node or socket.gethostname()
    return Sender(state_dir, lambda: declaration.now.telemetry, seen, log, clock.wall, instance, board.show_telemetry)
