"""A worker: the composition root of the data plane. Snapshot in, calls served, facts out.

Started by the supervisor with inherited descriptors: the channel to it and the listening socket. The end of the channel
is the end of the worker.
"""

import asyncio
import gc
import os
import random
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from tidegate.clock import SystemClock
from tidegate.directory import layout as directory
from tidegate.directory.follower import Follower
from tidegate.edge.access.clients import Clients
from tidegate.edge.access.door import Door
from tidegate.edge.access.roster import Roster
from tidegate.edge.access.signatures import Signatures
from tidegate.edge.bodies import CapturePolicy
from tidegate.edge.gateway import Gateway, Runtime
from tidegate.journal import learnt, parcels
from tidegate.journal.bodies import Spool, keys_of
from tidegate.journal.care import Care, tell_damage
from tidegate.journal.follow import identity
from tidegate.journal.journal import Journal
from tidegate.journal.nonces import NonceFile, boot_of_machine, name_of_past
from tidegate.journal.recover import levels_of, recover
from tidegate.line.book import RoutingTable
from tidegate.line.lanes import Lanes
from tidegate.line.line import Line
from tidegate.model import snapshot as snapshots
from tidegate.model.snapshot import Snapshot, caches
from tidegate.observe.log import Log
from tidegate.observe.meters import AnswersMeter, ClusterMeter, JournalMeter, SemanticMeter
from tidegate.observe.push import Pusher
from tidegate.policy.access.nonces import Nonces
from tidegate.ports import Clock
from tidegate.supervisor.background import Background
from tidegate.supervisor.channel import Channel
from tidegate.supervisor.child import ChildArguments, die_with_parent, end_now, parse_arguments
from tidegate.supervisor.messages import Died, Drain, HandOver, Load, Quiet, Ready, Rejected
from tidegate.wire.server import Server, serve
from tidegate.wire.tls import server_context
from tidegate.worker import handover, lanes, owed
from tidegate.worker.drills import Drilling
from tidegate.worker.patient import Patient
from tidegate.worker.playing import play
from tidegate.worker.regions import Regions
from tidegate.worker.spent import Spent
from tidegate.worker.upstreams import Upstreams

if TYPE_CHECKING:
    from tidegate.worker.hearsay import Hearsay
    from tidegate.worker.kept import AnswerLayers
    from tidegate.worker.shared import ClusterMember

SAVE_EVERY_US = 10_000_000
LOOK_EVERY_US = 1_000_000
SPEND_EVERY_US = 2_000_000
_DRAIN_LOOK_US = 20_000
_PATIENCE = 5  # failures in a row: who cannot look after its journal, or its place among others, begins anew
LISTENERS = 8


class Worker:
    """What lives as long as the process: the journal, the lanes, the counters; the house changes on reload."""

    def __init__(self, arguments: ChildArguments, channel: Channel, first: Snapshot, clock: Clock, log: Log) -> None:
        self._state = state = Path(arguments.state_dir)
        own, before = Path(arguments.own_dir), Path(arguments.after) if arguments.after else None
        if before is not None:
            handover.take_over(own, before)
        self._arguments = arguments
        self._channel = channel
        self._clock = clock
        self._log = log
        self._learnt_path = own / "learnt.json"
        self._settings = first.server
        self._journal_settings = first.journal
        self._cluster = first.cluster
        in_thread = partial(asyncio.get_running_loop().run_in_executor, None)
        self.journal = Journal(own / "journal", first.journal, clock, first.ledger.on_journal_failure, in_thread)
        self._care = Care(self.journal, clock, log, syncs=first.journal.fsync == "interval")
        tell_damage(self.journal, log)
        recovered = recover(self.journal)
        if recovered.lost:
            log.warning("calls in flight when the last worker died were booked as estimated", calls=recovered.lost)
        levels = recovered.levels | ({} if before is None else levels_of(before / "journal", clock.wall()))
        memories = lanes.memories(learnt.load(self._learnt_path), levels, clock, owed.left_by(before))
        self._shared = self._sharing(first, own)
        self._hearsay: Hearsay | None = None
        self._luck = luck = random.Random()  # jitter and sampling, nothing secret
        funds = None if self._shared is None else self._shared.funds
        self.lanes = Lanes(clock, first.queue.max_calls, luck.random, memories, funds)
        self.observer = lanes.observer(self.lanes, clock, log)
        self._spool = Spool(own / parcels.DIRECTORY, clock, in_thread, log)
        self._upstreams = Upstreams(clock)
        self._elsewhere = _elsewhere(first)
        self._door = _door(first, own, clock)
        self._patient = Patient(state, own, clock, self.observer, log)
        self._spent = Spent(own, clock, before)
        self._drills = Drilling(state, own, clock, luck.random, log, self._spent.limits)
        self._follower = Follower(state / directory.NAME, Roster, self._follow, clock, log)
        line = Line(clock, self.journal, self.observer, luck.random)
        self._background = Background(clock, log)
        self._regions = Regions(state, self.lanes, clock, arguments.worker, self._background.keep, first)
        self.gateway = Gateway(self.house(first), line, clock, self.journal, self.observer, arguments.worker)
        self._serves = False
        self._kept: AnswerLayers | None = None
        self._keep(first)
        self._patient.join(self.gateway)
        if first.cluster.url:
            self.gateway.replies.ids.begin_apart(identity(own / "journal"))
        self.gateway.replies.ids.begin_after(self.journal.last_id)
        self._pusher = self._pushing()

    def _pushing(self) -> Pusher:
        """Who says once a second how this worker stands."""
        return Pusher(
            self._state / "control.sock",
            self.observer,
            self._clock,
            self._arguments.worker,
            os.getpid(),
            self._journal_meter,
            self._spent.gauges,
            self._answers,
            self._questions,
            self._cluster_meter,
        )

    def house(self, snapshot: Snapshot) -> Runtime:
        """Compose what the snapshot says."""
        book = RoutingTable(snapshot, self.lanes, self._upstreams.pool).adopt()
        self._drills.follow(snapshot, book)
        keeping = partial(CapturePolicy, log=self._spool, wall=self._clock.wall)
        clients = Clients(snapshot, self._follower.state, self._spent.limits, keeping)
        house = Runtime(book, clients, self._door, self._patient.follow(snapshot))
        self._door.change(snapshot.access, snapshot.signing)
        self._spool.hide(keys_of(snapshot))
        return house

    def _follow(self, managed: Roster) -> None:
        """Who may call has changed at run time, or which accounts are out of service."""
        self.lanes.drain(managed.drained)
        house = self.gateway.house
        was_open = house.clients.open
        house.follow(managed)
        self._spent.accounts.tidy(self._clock.wall())
        self.gateway.review()
        if was_open and not house.clients.open and self._serves:
            self._log.warning("the first client key was made: whoever calls without one is refused from now on")

    def _keep(self, snapshot: Snapshot) -> None:
        """Keep answers where somebody wants that, and once begun in the way the file says now."""
        if self._kept is not None:
            before = self._kept.change(snapshot)
            if before is not None:
                self._background.once("closing layers of the cache", before.close())
        elif caches(snapshot):
            from tidegate.worker.kept import AnswerLayers  # noqa: PLC0415 - 60 ms of the start of who keeps none

            self._kept = AnswerLayers(snapshot, self._state, self.gateway, self.journal, self._clock, self._log)
            self._background.keep("following purges", self._kept.follower.follow)

    async def run(self) -> None:
        """Serve until the supervisor says otherwise or is gone."""
        listener = socket.socket(fileno=self._arguments.listen)
        listener.setblocking(False)  # before `dup`, which sets it for a predecessor too
        # uvloop accepts one connection a turn from each socket: several are one port's, so that a burst gets in.
        listeners = [listener, *(listener.dup() for _ in range(LISTENERS - 1))]
        tls = self._settings.tls
        context = server_context(tls) if tls is not None else None
        await self._follower.look()
        if self._shared is not None:
            await self._shared.start()
            self._background.keep("keeping its place among the workers", self._shared.tend, _PATIENCE)
            self._listen(self._shared)
            self._share_limits(self._shared)
        server = await serve(listeners, self.gateway, self._settings, self._clock, context)
        await self._patient.listen(server)
        await self._drills.listen(self.gateway, self._settings)
        own = Path(self._arguments.own_dir)
        self._playing = await play(own, self.gateway, self._settings, self._clock, self._log)
        self._begin_upkeep()
        self._serves = True
        _spare_the_collector()
        self._channel.send(Ready(os.getpid()))
        while (message := await self._channel.receive()) is not None:
            if isinstance(message, Load):
                self._reload(message.snapshot)
                await self._patient.listen(server)
                await self._drills.listen(self.gateway, self._settings)
            elif isinstance(message, Died):
                if self._shared is not None:
                    self._shared.died(message.worker, message.at_us)
            elif isinstance(message, (Drain, HandOver)):
                await (self._drain(server) if isinstance(message, Drain) else self._hand_over(server))
                return
        if self._kept is not None:
            self._kept.flush()
        await self._save()
        await self._spool.close()
        end_now()

    def _begin_upkeep(self) -> None:
        """What is done beside the calls. What of it fails is told, and done again."""
        background = self._background
        background.every("following drills", LOOK_EVERY_US, self._drills.look)
        background.every("saving what was learnt", SAVE_EVERY_US, self._save)
        background.every("looking after the journal", LOOK_EVERY_US, self._care.look, _PATIENCE)
        background.every("saving what was spent", SPEND_EVERY_US, partial(self._spent.save, self.journal))
        background.every("writing bodies", LOOK_EVERY_US, self._spool.look)
        background.keep("telling how this worker stands", self._pusher.run)
        background.keep("following who may call", self._follower.follow)

    def _reload(self, data: bytes) -> None:
        """Build the new house beside the old one and swap; calls in flight keep their plan."""
        try:
            snapshot = snapshots.decode(data)
            self._regions.follow(snapshot)
            if snapshot.cluster != self._cluster:
                raise ValueError("`cluster` changed in the file: all workers change over together, so restart the gate")
            house = self.house(snapshot)
            self._keep(snapshot)
        except (ValueError, OSError) as error:
            self._channel.send(Rejected(str(error)))
            return
        except Exception as error:  # noqa: BLE001 - a defect of ours costs the reload, and no call
            self._log.error("the gate failed on a configuration, and refuses it", problem=repr(error))
            self._channel.send(Rejected(f"the gate failed on it: {error!r}"))
            return
        self._patient.join(self.gateway)
        self.gateway.house = house
        if self._hearsay is not None:
            self._hearsay.follow()
        if not self._elsewhere <= (elsewhere := _elsewhere(snapshot)):
            self._door.distrust(self._clock.wall())
        self._elsewhere = elsewhere
        self._spent.accounts.tidy(self._clock.wall(), everything=True)
        self.gateway.review()
        self.lanes.retire()
        self._upstreams.keep(snapshot)
        if snapshot.server != self._settings or snapshot.journal != self._journal_settings:
            self._log.warning("`server` and `journal` changed in the file: they take effect when the gate restarts")
        self._channel.send(Ready(os.getpid()))

    async def _hand_over(self, server: Server) -> None:
        """A successor serves the port: whoever asks whether the gate is ready is told what is true of that one."""
        deadline = self._clock.now() + max(self._settings.drain_timeout_us, handover.LONGEST_US)
        await handover.last_call(server, self._clock, alone=not self._cluster.url)
        ending = asyncio.get_running_loop().create_task(server.drain(deadline))
        await handover.nobody_waits(self.lanes, self._clock)
        try:
            await self._save()
            await self._spent.save(self.journal)
            owed.leave(Path(self._arguments.own_dir), owed.owed_at(self.lanes.pools, self._clock.now()))
        except OSError as error:
            self._log.error("the state directory cannot be written", problem=str(error))
        self._channel.send(Quiet())
        await self._finish(await ending, deadline)

    def _listen(self, shared: "ClusterMember") -> None:
        """Hear what other workers learn of providers, and tell them."""
        from tidegate.worker.hearsay import Who, listening  # noqa: PLC0415 - as `_sharing`

        who = Who(shared.client, self._cluster.prefix, shared.footing.member)
        self._hearsay = listening(who, self.lanes, self._clock, self._luck.random, self._background)
        self.observer.on_key_retired = self._hearsay.key_retired

    async def _drain(self, server: Server) -> None:
        self.gateway.draining = True
        deadline = self._clock.now() + self._settings.drain_timeout_us
        await self._finish(await server.drain(deadline), deadline)

    async def _finish(self, cut: int, deadline: int) -> None:
        """So many connections had to be cut."""
        while self.gateway.open and self._clock.now() < deadline:  # calls that go on though their client left
            await self._clock.sleep(_DRAIN_LOOK_US)
        if cut:
            self._log.warning("connections were cut at the end of the drain", connections=cut)
        await self._save()
        self.journal.catch_up()  # what a failing disk did not take: its last chance
        await self._spent.save(self.journal)
        await self._spool.close()
        if self._kept is not None:
            await self._kept.close()
        if self._shared is not None:
            await self._shared.leave()
        self.journal.close()
        end_now()

    async def _save(self) -> None:
        """Remember what was learnt. The file is small and written in a thread."""
        now = self._clock.now()
        known = {lane.key: lanes.learnt_of(lane, now) for lane in self.lanes}
        await asyncio.to_thread(learnt.save, self._learnt_path, known)

    def _journal_meter(self) -> JournalMeter:
        keeper = self.journal.keeper
        return JournalMeter(
            bool(keeper.failing),
            keeper.failures,
            keeper.kept,
            keeper.dropped,
            keeper.unwritten_intents,
            keeper.deleted_unread,
            self._spool.kept,
            self._spool.dropped,
        )

    def _share_limits(self, shared: "ClusterMember") -> None:
        """Tenants' limits, nonces and idempotency keys are all workers' from now on; what keeps them so."""
        from tidegate.worker.shared_limits import SharedLimits  # noqa: PLC0415 - as above

        accounts = self._spent.accounts
        limits = SharedLimits(shared, self._cluster, accounts, self.gateway, self._clock, self._log)
        self._background.keep("keeping tenants' limits in common", limits.tend, _PATIENCE)

    def _sharing(self, first: Snapshot, own: Path) -> "ClusterMember | None":
        """Its place among the others, where there are any."""
        if not first.cluster.url:
            return None
        try:
            from tidegate.worker.shared import ClusterMember  # noqa: PLC0415 - who shares nothing does not pay for it
        except ImportError:
            raise ValueError("a cluster needs the package hiredis: pip install 'tidegate[workers]'") from None
        return ClusterMember(first.cluster, self._state, own, self._arguments.worker, self._clock, self._log)

    def _cluster_meter(self) -> ClusterMeter | None:
        return None if self._shared is None else self._shared.meter()

    def _answers(self) -> list[AnswersMeter]:
        return [] if self._kept is None else self._kept.meters()

    def _questions(self) -> SemanticMeter | None:
        return None if self._kept is None else self._kept.questions()


def _spare_the_collector() -> None:
    """Nothing on a call's path makes a cycle, so a collection every few hundred objects finds nothing.

    What lives since the start is not looked at again; the rest is, rarely, for what libraries leave behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _door(first: Snapshot, own: Path, clock: Clock) -> Door:
    """It knows the nonces that were used before this process began."""
    file = NonceFile(own, clock.wall(), name_of_past(boot_of_machine(), _elsewhere(first)))
    nonces = Nonces(first.signing.skew_us, first.signing.max_nonces, clock.wall(), file.floor_us)
    for mark, created_us in file.recalled:
        nonces.recall(mark, created_us)
    file.recalled.clear()
    return Door(first.access, Signatures(first.signing, nonces, file), os.urandom(32))


def _elsewhere(snapshot: Snapshot) -> frozenset[str]:
    """The namespaces that come in at a worker of their own, and not at this one."""
    return frozenset() if snapshot.namespace else frozenset([one.namespace for one in snapshot.isolated])


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
