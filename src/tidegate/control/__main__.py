"""The control process: `python -m tidegate.control`, started by the supervisor with inherited descriptors."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from uvicorn.config import Config
from uvicorn.server import Server

from tidegate.clock import SystemClock
from tidegate.control.admin.front import HOSTS, Front
from tidegate.control.admin.guard import Guard
from tidegate.control.alerts import Alerts, Seen
from tidegate.control.app import Port, application
from tidegate.control.board import Board, Standing
from tidegate.control.bodies import Bodies
from tidegate.control.checking import Checked, Checker
from tidegate.control.declared import Declaration
from tidegate.control.drills import Drills
from tidegate.control.intake import Intake, bind
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
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import ChildArguments, die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Load, Named, Ready, Rejected, Reloaded, Source, Status, Workers

if TYPE_CHECKING:
    from tidegate.control.admin.office import Office


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


async def _follow(channel: Channel, board: Board, declaration: Declaration, sharing: Sharing, reloads: Reloads) -> None:
    """Take what the supervisor says; end when it is gone."""
    while True:
        await _hear(channel, board, declaration, sharing, reloads)


async def _hear(channel: Channel, board: Board, declaration: Declaration, sharing: Sharing, reloads: Reloads) -> None:
    message = await channel.receive()
    if message is None:
        end_now()
    if isinstance(message, Status):
        board.standing = Standing(*message, workers=board.standing.workers)
    elif isinstance(message, Workers):
        board.standing.workers = message.workers
    elif isinstance(message, Load):
        declaration.take(message.snapshot)
        sharing.serves(declaration.now.shared_version)
    elif isinstance(message, Source):
        sharing.source(message.file, message.words)
    elif isinstance(message, Rejected):
        sharing.rejected(message.reason)
    elif isinstance(message, Reloaded):
        reloads.heard(message)


async def _offer(channel: Channel, checked: Checked) -> None:
    """All nodes have agreed upon it."""
    if checked.loaded is not None:
        await channel.hand_over(Named(checked.files))
        await channel.hand_over(checked.loaded)


def _office(
    state_dir: Path,
    ledger: Ledger,
    jobs: Jobs,
    declaration: Declaration,
    board: Board,
    log: Log,
    clock: SystemClock,
    among: Among,
) -> "Office":
    from tidegate.control.admin.office import Clocks, Office  # noqa: PLC0415 - the database's imports

    clocks = Clocks(clock.now, clock.wall)
    return Office(state_dir, lambda: ledger.engine, declaration, board, log, clocks, jobs, among)


def _settings(port: Port) -> Config:
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
    channel, state = Channel(arguments.channel), Path(arguments.state_dir)
    board, declaration = Board(), Declaration()
    await Intake(board, log).start(bind(state / "control.sock"))

    def ring() -> None:
        nodes.ring()

    leader = Leader(lambda: ledger.engine, socket.gethostname(), log)
    ledger = Ledger(state, declaration, board, log, leader.begin)
    clock, jobs, among = SystemClock(), Jobs(state, declaration), Among(leader.begin, ring)
    sharing = Sharing(state, Checker(state), partial(_offer, channel), clock, log)
    drills = Drills(state, lambda: ledger.engine, declaration, leader.begin, log, clock)

    def make() -> "Office":
        office = _office(state, ledger, jobs, declaration, board, log, clock, among)
        office.drills, office.live, office.policy = drills, live, policy
        return office

    reloads = Reloads(channel.send)
    asked = ways(asyncio.get_running_loop(), reloads, sharing, declaration)
    policy = policy_office(state, asked, lambda: ledger.engine, clock.wall)
    hosts = os.environ.get(HOSTS, "").split()
    front = Front(make, hosts)
    nodes = Nodes(declaration, sharing, front.poke, clock, log)
    watch = StandingWatch(board, declaration, state, clock.wall)
    live = Live(watch, board, declaration, lambda: ledger.engine, clock.wall, log)
    port = Port(application(board, watch.look), front.guarded, Guard(Site(opened=front.warm), hosts))
    server = AdminServer(_settings(port), lambda: channel.send(Ready(os.getpid())))
    listener = socket.socket(fileno=arguments.listen)
    # How the gate stands, before anybody who waits in the backlog asks.
    await _hear(channel, board, declaration, sharing, reloads)
    ledger.start()
    leader.start()
    Bodies(state, lambda: ledger.engine, declaration, log, lead=leader.begin).start()
    JobsWatch(jobs, board, log, clock.wall).start()
    drills.start()
    PolicyWatch(policy, lambda: ledger.engine is not None, log).start()
    watch.start()
    sender(state, declaration, board, clock, log).start()
    front.start(lambda: ledger.engine is not None)
    following = asyncio.create_task(_follow(channel, board, declaration, sharing, reloads))
    among_nodes = asyncio.create_task(nodes.run())
    seen = Seen(declaration, board, watch)
    alerts = Alerts(state, lambda: ledger.engine, seen, leader.begin, log, clock, [drills.samples])
    watching = asyncio.create_task(alerts.run())
    await server.serve([listener])
    following.cancel()
    among_nodes.cancel()
    watching.cancel()


def main() -> None:
    """Serve the admin port until the supervisor is gone."""
    die_with_parent()
    asyncio.run(_run(parse_arguments(), Log("control")))


if __name__ == "__main__":
    main()
