"""Composition of the control process: who knows whom. Nothing is started here, and nothing is patched in afterwards.

The order is that of the needs: the database that all ask, what is declared, how this node stands among the others, the
offices, and the port in front of them.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from tidegate.control.admin.auth.guard import Guard
from tidegate.control.admin.front import HOSTS, Front
from tidegate.control.admin.rooms import Rooms
from tidegate.control.alerts import Alerts, Seen
from tidegate.control.app import Port, application
from tidegate.control.board import Board
from tidegate.control.bodies import Bodies
from tidegate.control.checking import Checker
from tidegate.control.database import Database
from tidegate.control.declared import Declaration
from tidegate.control.drills import Drills
from tidegate.control.hearing import Hearing, offer
from tidegate.control.jobs import Jobs, JobsWatch
from tidegate.control.leader import Among, Leader
from tidegate.control.ledger import Ledger
from tidegate.control.live import Live
from tidegate.control.nodes import Nodes
from tidegate.control.policy.office import PolicyWatch, policy_office
from tidegate.control.policy.ways import Reloads, ways
from tidegate.control.sharing import Sharing
from tidegate.control.site import Site
from tidegate.control.telemetry import sender
from tidegate.control.windows import StandingWatch
from tidegate.observe.log import Log
from tidegate.ports import Clock
from tidegate.supervisor.channel import Channel

if TYPE_CHECKING:
    from tidegate.control.admin.office import Office


@dataclass(frozen=True, slots=True)
class Common:
    """What nearly everybody here is given."""

    state_dir: Path
    board: Board
    declaration: Declaration
    database: Database
    log: Log
    clock: Clock


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """All of the control process."""

    port: ASGIApp
    hearing: Hearing
    nodes: Nodes
    alerts: Alerts
    threads: tuple[Callable[[], None], ...]  # each begins a thread that does not keep the process alive


def compose(state_dir: Path, board: Board, channel: Channel, log: Log, clock: Clock) -> ControlPlane:
    """Needs a running event loop."""
    common = Common(state_dir, board, Declaration(), Database(), log, clock)
    declaration, database = common.declaration, common.database
    leader = Leader(database.now, socket.gethostname(), log)
    ledger = Ledger(state_dir, declaration, board, log, leader.begin, database)
    sharing = Sharing(state_dir, Checker(state_dir), partial(offer, channel), clock, log)
    poked = threading.Event()
    nodes = Nodes(declaration, sharing, poked.set, clock, log)
    reloads = Reloads(channel.send)
    watch = StandingWatch(board, declaration, state_dir, clock.wall)
    asked = ways(asyncio.get_running_loop(), reloads, sharing, declaration)
    policy = policy_office(state_dir, asked, database.now, clock.wall)
    jobs, drills = Jobs(state_dir, declaration), Drills(state_dir, database.now, declaration, leader.begin, log, clock)
    rooms = Rooms(
        jobs,
        Among(leader.begin, nodes.ring),
        drills,
        Live(watch, board, declaration, database.now, clock.wall, log),
        policy,
    )
    hosts = os.environ.get(HOSTS, "").split()
    front = Front(partial(_office, common, rooms), hosts, poked, lambda: nodes.deaf)
    seen = Seen(declaration, board, watch)
    return ControlPlane(
        Port(application(board, watch.look), front.guarded, Guard(Site(opened=front.warm), hosts)),
        Hearing(channel, board, declaration, sharing, reloads, log),
        nodes,
        Alerts(state_dir, database.now, seen, leader.begin, log, clock, [drills.samples]),
        (
            ledger.start,
            leader.start,
            Bodies(state_dir, database.now, declaration, log, lead=leader.begin).start,
            JobsWatch(jobs, board, log, clock.wall).start,
            drills.start,
            PolicyWatch(policy, database.is_open, log).start,
            watch.start,
            partial(_start_telemetry, common),
            partial(front.start, database.is_open),
        ),
    )


def _office(common: Common, rooms: Rooms) -> "Office":
    """In a thread, when somebody asks the admin API first."""
    from tidegate.control.admin.office import Clocks, Office  # noqa: PLC0415 - the database's imports

    return Office(
        common.state_dir,
        common.database.now,
        common.declaration,
        common.board,
        common.log,
        Clocks(common.clock.now, common.clock.wall),
        rooms,
    )


def _start_telemetry(common: Common) -> None:
    """By the name that this node has in the configuration, which is known by now."""
    sender(common.state_dir, common.declaration, common.board, common.clock, common.log).start()
