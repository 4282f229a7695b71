"""Telemetry of this node: what workers report and write down goes to who collects it, while the file says so."""

import socket
from collections.abc import Iterable
from pathlib import Path

from tidegate.control.board import Board
from tidegate.control.declared import Declaration, DeclaredProvider
from tidegate.observe.log import Log
from tidegate.ports import Clock
from tidegate.tracing.makers import Makers, maker
from tidegate.tracing.meters import Seen
from tidegate.tracing.sender import Declared, Sender


def sender(state_dir: Path, declaration: Declaration, board: Board, clock: Clock, log: Log) -> Sender:
    """One for the process; the caller starts it."""

    def seen() -> list[Seen]:
        return [
            Seen(
                view.worker,
                view.incarnation,
                view.lanes,
                view.tallies,
                view.gauges,
                view.pools,
            )
            for view in board.views()
        ]

    def declared() -> Declared:
        now = declaration.now
        return Declared(now.telemetry, makers_of(now.providers))

    instance = declaration.now.cluster.node or socket.gethostname()
    return Sender(state_dir, declared, seen, log, clock.wall, instance, board.show_telemetry)


def makers_of(providers: Iterable[DeclaredProvider]) -> Makers:
    """What OpenTelemetry's conventions call the providers of the configuration in force. O(providers)."""
    return {one.name: maker(one.profile.name, one.base_url) for one in providers}
