"""A worker: the composition root of the data plane. Snapshot in, calls served, facts out.

Started by the supervisor with inherited descriptors: the channel to it and the listening socket. The end of the channel
is the end of the worker.
"""

import asyncio
import gc
import os
import random
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec
import uvloop

from tidegate.clock import SystemClock, zone_of
from tidegate.directory import layout as directory
from tidegate.directory.follower import Follower
from tidegate.edge.bodies import Keeper
from tidegate.edge.clients import Clients
from tidegate.edge.door import Door
from tidegate.edge.gateway import Gateway, House
from tidegate.edge.roster import Roster
from tidegate.edge.signatures import Signatures
from tidegate.ledger import learnt, parcels
from tidegate.ledger.bodies import Spool, keys_of
from tidegate.ledger.care import Care, tell_damage
from tidegate.ledger.follow import Position
from tidegate.ledger.journal import Journal
from tidegate.ledger.learnt import Learnt
from tidegate.ledger.nonces import NonceFile, boot_of_machine, name_of_past
from tidegate.ledger.recover import recover
from tidegate.ledger.spend import SpendFile, since
from tidegate.line.book import Book
from tidegate.line.lane import Lane, Memory
from tidegate.line.lanes import Lanes
from tidegate.line.line import Line
from tidegate.model import snapshot as snapshots
from tidegate.model.facts import Intent
from tidegate.model.snapshot import ClientKey, Namespace, Provider, Snapshot, User
from tidegate.observe.log import Log
from tidegate.observe.meters import JournalMeter, LaneGauge, PoolGauge, SpendGauge
from tidegate.observe.observer import MAX_SERIES, Observer
from tidegate.observe.push import Pusher
from tidegate.planes.channel import Channel
from tidegate.planes.child import ChildArguments, die_with_parent, end_now, parse_arguments
from tidegate.planes.messages import Drain, Load, Ready, Rejected
from tidegate.policy.nonces import Nonces
from tidegate.policy.spend.accounts import Accounts
from tidegate.policy.spend.limits import Limits
from tidegate.ports import Clock, Transport
from tidegate.wire.server import Server, serve
from tidegate.wire.tls import client_context, server_context
from tidegate.wire.upstream import UpstreamPool

SAVE_EVERY_US = 10_000_000
LOOK_EVERY_US = 1_000_000
SPEND_EVERY_US = 2_000_000
_DRAIN_LOOK_US = 20_000
LISTENERS = 8


class Upstreams:
    """One pool of connections per provider; a reload keeps the pools of providers that did not change."""

    __slots__ = ("_clock", "_pools")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pools: dict[bytes, UpstreamPool] = {}

    def pool(self, provider: Provider) -> Transport:
        """The provider's pool."""
        reach = _reach(provider)
        pool = self._pools.get(reach)
        if pool is None:
            pool = self._pools[reach] = UpstreamPool(provider, self._clock, _tls(provider))
        return pool

    def keep(self, snapshot: Snapshot) -> None:
        """Let go of the pools that a new snapshot does not use."""
        used = {_reach(provider) for provider in snapshot.providers}
        for reach in [reach for reach in self._pools if reach not in used]:
            self._pools.pop(reach).close()


class Worker:
    """What lives as long as the process: the journal, the lanes, the counters; the house changes on reload."""

    def __init__(
        self, arguments: ChildArguments, channel: Channel, first: Snapshot, clock: SystemClock, log: Log
    ) -> None:
        state, own = Path(arguments.state_dir), Path(arguments.own_dir)
        self._arguments = arguments
        self._channel = channel
        self._clock = clock
        self._log = log
        self._learnt_path = own / "learnt.json"
        self._settings = first.server
        self._journal_settings = first.journal
        in_thread = partial(asyncio.get_running_loop().run_in_executor, None)
        self.journal = Journal(own / "journal", first.journal, clock, first.ledger.on_journal_failure, in_thread)
        self._care = Care(self.journal, clock, log, syncs=first.journal.fsync == "interval")
        tell_damage(self.journal, log)
        recovered = recover(self.journal)
        if recovered.lost:
            log.warning("calls in flight when the last worker died were booked as estimated", calls=recovered.lost)
        memories = _memories(learnt.load(self._learnt_path), recovered.levels, clock)
        luck = random.Random()  # jitter and sampling, nothing secret
        self.lanes = Lanes(clock, first.queue.max_calls, luck.random, memories)
        self.observer = Observer(clock, self._gauges, self._pools, log)
        self._spool = Spool(own / parcels.DIRECTORY, clock, in_thread, log)
        self._upstreams = Upstreams(clock)
        self._elsewhere = _elsewhere(first)
        self._door = _door(first, own, clock)
        self._accounts, self._spent, self._spent_at = Accounts(zone_of), SpendFile(own / "spend"), Position()
        self._saving = False
        self._remember(own / "journal")
        self._follower = Follower(state / directory.NAME, Roster, self._follow, clock, log)
        line = Line(clock, self.journal, self.observer, luck.random)
        self.gateway = Gateway(self.house(first), line, clock, self.journal, self.observer, arguments.worker)
        self.gateway.serving.begin_after(self.journal.last_id)
        self._pusher = Pusher(
            state / "control.sock",
            self.observer,
            clock,
            arguments.worker,
            os.getpid(),
            self._journal_meter,
            self._spend_gauges,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    def house(self, snapshot: Snapshot) -> House:
        """Compose what the snapshot says."""
        book = Book(snapshot, self.lanes, self._upstreams.pool)
        keeping = partial(Keeper, log=self._spool, wall=self._clock.wall)
        house = House(book, Clients(snapshot, self._follower.state, self._limits, keeping), self._door)
        self._door.change(snapshot.access, snapshot.signing)
        self._spool.hide(keys_of(snapshot))
        return house

    def _follow(self, managed: Roster) -> None:
        """Who may call has changed at run time."""
        house = self.gateway.house
        was_open = house.clients.open
        house.follow(managed)
        self._accounts.tidy(self._clock.wall())
        self.gateway.review()
        if was_open and not house.clients.open and self._tasks:
            self._log.warning("the first client key was made: whoever calls without one is refused from now on")

    async def run(self) -> None:
        """Serve until the supervisor says otherwise or is gone."""
        listener = socket.socket(fileno=self._arguments.listen)
        # uvloop accepts one connection a turn from each socket: several are one port's, so that a burst gets in.
        listeners = [listener, *(listener.dup() for _ in range(LISTENERS - 1))]
        tls = self._settings.tls
        context = server_context(tls) if tls is not None else None
        await self._follower.look()
        server = await serve(listeners, self.gateway, self._settings, self._clock, context)
        self._start(self._repeat(SAVE_EVERY_US, self._save))
        self._start(self._repeat(LOOK_EVERY_US, self._care.look))
        self._start(self._repeat(SPEND_EVERY_US, self._save_spent))
        self._start(self._repeat(LOOK_EVERY_US, self._spool.look))
        self._start(self._pusher.run())
        self._start(self._follower.follow())
        _spare_the_collector()
        self._channel.send(Ready(os.getpid()))
        while (message := await self._channel.receive()) is not None:
            if isinstance(message, Load):
                self._reload(message.snapshot)
            elif isinstance(message, Drain):
                await self._drain(server)
                return
        await self._save()
        await self._spool.close()
        end_now()

    def _reload(self, data: bytes) -> None:
        """Build the new house beside the old one and swap; calls in flight keep their plan."""
        try:
            snapshot = snapshots.decode(data)
            self.gateway.house = self.house(snapshot)
        except (ValueError, OSError) as error:
            self._channel.send(Rejected(str(error)))
            return
        if not self._elsewhere <= (elsewhere := _elsewhere(snapshot)):
            self._door.distrust(self._clock.wall())
        self._elsewhere = elsewhere
        self._accounts.tidy(self._clock.wall(), everything=True)
        self.gateway.review()
        self.lanes.retire()
        self._upstreams.keep(snapshot)
        if snapshot.server != self._settings or snapshot.journal != self._journal_settings:
            self._log.warning("`server` and `journal` changed in the file: they take effect when the gate restarts")
        self._channel.send(Ready(os.getpid()))

    async def _drain(self, server: Server) -> None:
        self.gateway.draining = True
        deadline = self._clock.now() + self._settings.drain_timeout_us
        cut = await server.drain(deadline)
        while self.gateway.open and self._clock.now() < deadline:  # calls that go on though their client left
            await self._clock.sleep(_DRAIN_LOOK_US)
        if cut:
            self._log.warning("connections were cut at the end of the drain", connections=cut)
        await self._save()
        self.journal.catch_up()  # what a failing disk did not take: its last chance
        await self._save_spent()
        await self._spool.close()
        self.journal.close()
        end_now()

    async def _repeat(self, period_us: int, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._clock.sleep(period_us)
            try:
                await work()
            except OSError as error:
                self._log.error("the state directory cannot be written", problem=str(error))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        """Run beside the calls for as long as the process lives."""
        self._tasks.add(asyncio.get_running_loop().create_task(work))

    async def _save(self) -> None:
        """Remember what was learnt. The file is small and written in a thread."""
        now = self._clock.now()
        known = {lane.key: _learnt(lane, now) for lane in self.lanes}
        await asyncio.to_thread(learnt.save, self._learnt_path, known)

    def _limits(self, namespace: Namespace | None, user: User | None, key: ClientKey) -> Limits | None:
        """What a key may spend."""
        return self._accounts.limits_of(namespace, user, key, self._clock.wall())

    def _remember(self, journal: Path) -> None:
        """Continue with what was spent: as it was saved, and what the journal knows of the time since."""
        saved, position = self._spent.load()
        self._accounts.restore(saved)
        for record in since(journal, position):
            self._accounts.replay(record)

    async def _save_spent(self) -> None:
        """Save what was spent, with the place in the journal up to which that counts.

        Not while records wait to be written there: they have been counted, and would be again.
        """
        position, wall = self.journal.position, self._clock.wall()
        if self._saving or position == self._spent_at or self.journal.keeper.records:
            return
        changed, self._saving = self._accounts.changed(), True
        try:
            await asyncio.to_thread(self._spent.save, position, self._accounts.saved(changed), wall)
        except OSError:
            self._accounts.unsaved(changed)
            raise
        finally:
            self._saving = False
        self._spent_at = position

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

    def _spend_gauges(self) -> list[SpendGauge]:
        now, wall = self._clock.now(), self._clock.wall()
        accounts = self._accounts.in_use(MAX_SERIES)
        stands = (SpendGauge(*account.who, *one) for account in accounts for one in account.stands(now, wall))
        return list(islice(stands, MAX_SERIES))

    def _gauges(self) -> list[LaneGauge]:
        now = self._clock.now()
        return [_gauge(lane, now) for lane in self.lanes]

    def _pools(self) -> Iterator[PoolGauge]:
        now = self._clock.now()
        for pool in self.lanes.pools:
            desk, (name, _, model) = pool.desk, pool.name.partition("/")
            yield PoolGauge(name, model, desk.by_tier, desk.oldest_us(now), len(desk.appointments))


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


def _tls(provider: Provider) -> ssl.SSLContext | None:
    return client_context(provider.ca_file) if provider.base_url.startswith("https:") else None


def _reach(provider: Provider) -> bytes:
    """What of a provider a pool depends on: not its limits, keys and models."""
    return msgspec.msgpack.encode(msgspec.structs.replace(provider, scopes=(), models={}))


def _learnt(lane: Lane, now: int) -> Learnt:
    return Learnt(lane.estimator.dump(), lane.requests.belief(now), lane.tokens.belief(now))


def _memories(known: dict[str, Learnt], levels: dict[str, Intent], clock: Clock) -> dict[str, Memory]:
    now, wall = clock.now(), clock.wall()
    memories = {}
    for key in known.keys() | levels.keys():
        of = known.get(key, Learnt())
        intent = levels.get(key)
        if intent is None:
            memories[key] = Memory(of.requests, of.tokens, of.ratios)
        else:
            at = now - max(0, wall - intent.at_us)
            memories[key] = Memory(
                of.requests, of.tokens, of.ratios, _level(intent.level_requests), _level(intent.level_tokens), at
            )
    return memories


def _level(level: int) -> int | None:
    return None if level == -1 else level


def _gauge(lane: Lane, now: int) -> LaneGauge:
    quota = lane.quota
    tokens, requests = quota.view_tokens(now), quota.view_requests(now)
    return LaneGauge(
        lane.name,
        tokens.left if tokens else -1,
        tokens.limit if tokens else -1,
        requests.left if requests else -1,
        requests.limit if requests else -1,
        not lane.breaker.limited,
        lane.requests.belief(now),
        lane.tokens.belief(now),
    )


async def _main(arguments: ChildArguments, log: Log) -> None:
    channel = Channel(arguments.channel)
    message = await channel.receive()
    if not isinstance(message, Load):
        end_now()
    try:
        worker = Worker(arguments, channel, snapshots.decode(message.snapshot), SystemClock(), log)
        await worker.run()
    except (OSError, ValueError) as error:
        channel.send(Rejected(str(error)))
        log.error("the worker cannot start", problem=str(error))
        end_now(1)


def main() -> None:
    """Run a worker on the descriptors that the command line names."""
    die_with_parent()
    arguments = parse_arguments()
    uvloop.run(_main(arguments, Log(f"worker-{arguments.worker}")))


if __name__ == "__main__":
    main()
