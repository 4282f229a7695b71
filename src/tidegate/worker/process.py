"""A worker's life: it is composed, serves, follows reloads, hands over or drains, and ends.

What it is made of stands in `compose.py`, how a configuration comes into force in `reload.py`, what it does beside its
calls in `upkeep.py`. Started by the supervisor with inherited descriptors: the channel to it and the listening socket.
The end of the channel is the end of the worker.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

import uvloop

from tidegate.clock import SystemClock
from tidegate.model import snapshot as snapshots
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log
from tidegate.ports import Clock
from tidegate.supervisor.background import Background
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import (
    ChildArguments,
    die_with_parent,
    end_now,
    parse_arguments,
    spare_the_collector,
)
from tidegate.supervisor.messages import Died, Drain, HandOver, Load, Quiet, Ready, Rejected
from tidegate.wire.server import Server, serve
from tidegate.wire.tls import server_context
from tidegate.worker import handover, owed, upkeep
from tidegate.worker.compose import foundations
from tidegate.worker.playing import play
from tidegate.worker.reload import Configured

if TYPE_CHECKING:
    from tidegate.worker.shared import ClusterMember

_DRAIN_LOOK_US: Final = 20_000
_LISTENERS: Final = 8


class Worker:
    """One life of it. Needs a running event loop."""

    __slots__ = (
        "_arguments",
        "_background",
        "_base",
        "_channel",
        "_clock",
        "_configured",
        "_first",
        "_log",
        "_playing",
    )

    def __init__(self, arguments: ChildArguments, channel: Channel, first: Snapshot, clock: Clock, log: Log) -> None:
        """Raises `OSError` and `ValueError`: it cannot be one."""
        self._arguments = arguments
        self._channel = channel
        self._clock = clock
        self._log = log
        self._first = first
        self._background = Background(clock, log)
        self._base = foundations(arguments, first, clock, log)
        self._configured = Configured(self._base, first, arguments.worker, self._background)
        self._playing: Server | None = None

    async def run(self) -> None:
        """Serve until the supervisor says otherwise or is gone."""
        base, configured = self._base, self._configured
        server = await self._serve()
        upkeep.begin(self._background, base, configured, self._arguments.worker)
        configured.serves = True
        spare_the_collector()
        self._channel.send(Ready(os.getpid()))
        while (message := await self._channel.receive()) is not None:
            if isinstance(message, Load):
                problem = configured.load(message.snapshot)
                self._channel.send(Rejected(problem) if problem else Ready(os.getpid()))
                await self._listen(server)
            elif isinstance(message, Died):
                if base.shared is not None:
                    base.shared.died(message.worker, message.at_us)
            elif isinstance(message, (Drain, HandOver)):
                await (self._drain(server) if isinstance(message, Drain) else self._hand_over(server))
                return
        if configured.kept is not None:
            configured.kept.flush()
        await self._last("saving what was learnt", upkeep.save_learnt(base))
        await base.spool.close()
        end_now()

    async def _serve(self) -> Server:
        """Be there for who calls: at the port, and for runners, drills and the playground."""
        base, gateway, settings = self._base, self._configured.gateway, self._first.server
        listener = socket.socket(fileno=self._arguments.listen)
        listener.setblocking(False)  # before `dup`, which sets it for a predecessor too
        # uvloop accepts one connection a turn from each socket: several are one port's, so that a burst gets in.
        listeners = [listener, *(listener.dup() for _ in range(_LISTENERS - 1))]
        context = server_context(settings.tls) if settings.tls is not None else None
        await self._configured.follower.look()
        if base.shared is not None:
            await self._join(base.shared)
        server = await serve(listeners, gateway, settings, self._clock, context)
        await self._listen(server)
        self._playing = await play(base.own, gateway, settings, self._clock, self._log)
        return server

    async def _listen(self, server: Server) -> None:
        """Be there for runners and drills too, from the first configuration on that wants them."""
        await self._base.patient.listen(server)
        await self._base.drills.listen(self._configured.gateway, self._first.server)

    async def _join(self, shared: "ClusterMember") -> None:
        """Be one of several: share what is learnt, limits of tenants, nonces and idempotency keys."""
        from tidegate.worker.hearsay import Who, listening  # noqa: PLC0415 - who shares nothing does not pay for it
        from tidegate.worker.shared_limits import SharedLimits  # noqa: PLC0415

        await shared.start()
        base, cluster, background = self._base, self._first.cluster, self._background
        background.keep("keeping its place among the workers", shared.tend, upkeep.PATIENCE)
        who = Who(shared.client, cluster.prefix, shared.footing.member)
        hearsay = listening(who, base.lanes, self._clock, base.luck.random, background)
        self._configured.hearsay = hearsay
        base.observer.on_key_retired = hearsay.key_retired
        gateway = self._configured.gateway
        limits = SharedLimits(shared, cluster, base.spent.accounts, gateway, self._clock, self._log)
        background.keep("keeping tenants' limits in common", limits.tend, upkeep.PATIENCE)

    async def _hand_over(self, server: Server) -> None:
        """A successor serves the port: whoever asks whether the gate is ready is told what is true of that one."""
        base = self._base
        deadline = self._clock.now() + max(self._first.server.drain_timeout_us, handover.LONGEST_US)
        await handover.last_call(server, self._clock, alone=not self._first.cluster.url)
        ending = asyncio.get_running_loop().create_task(server.drain(deadline))
        await handover.nobody_waits(base.lanes, self._clock)
        try:
            await upkeep.save_learnt(base)
            await base.spent.save(base.journal)
            owed.leave(base.own, owed.owed_at(base.lanes.pools, self._clock.now()))
        except OSError as error:
            self._log.error("the state directory cannot be written", problem=str(error))
        self._channel.send(Quiet())
        await self._finish(await ending, deadline)

    async def _drain(self, server: Server) -> None:
        self._configured.gateway.draining = True
        deadline = self._clock.now() + self._first.server.drain_timeout_us
        await self._finish(await server.drain(deadline), deadline)

    async def _finish(self, cut: int, deadline: int) -> None:
        """So many connections had to be cut."""
        base, configured = self._base, self._configured
        while configured.gateway.open and self._clock.now() < deadline:  # calls that go on though their client left
            await self._clock.sleep(_DRAIN_LOOK_US)
        if cut:
            self._log.warning("connections were cut at the end of the drain", connections=cut)
        await self._last("saving what was learnt", upkeep.save_learnt(base))
        base.journal.catch_up()  # what a failing disk did not take: its last chance
        await self._last("saving what was spent", base.spent.save(base.journal))
        await self._last("writing bodies", base.spool.close())
        if configured.kept is not None:
            await self._last("closing the cache", configured.kept.close())
        if base.shared is not None:
            await self._last("leaving the other workers", base.shared.leave())
        base.journal.close()
        end_now()

    async def _last(self, name: str, work: Awaitable[None]) -> None:
        """A last deed: what fails of it keeps none of the others from being done."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self._log.error(f"{name} failed at the end", problem=repr(error))


async def _main(arguments: ChildArguments, log: Log) -> None:
    channel = Channel(arguments.channel)
    message = await channel.receive()
    if not isinstance(message, Load):
        end_now()
    try:
        first = snapshots.decode(message.snapshot)
        if arguments.after:
            first = await handover.go_ahead(channel, first)
        worker = Worker(arguments, channel, first, SystemClock(), log)
        await worker.run()
    except (OSError, ValueError) as error:
        channel.send(Rejected(str(error), isinstance(error, ValueError)))
        log.error("the worker cannot start", problem=str(error))
        end_now(1)


def main() -> None:
    """Run a worker on the descriptors that the command line names."""
    die_with_parent()
    arguments = parse_arguments()
    uvloop.run(_main(arguments, Log(f"worker-{arguments.worker}")))
