"""A small world: workers that spend what a fund leases them, over links that delay, lose and are cut; and a provider.

It shares nothing with the gate but the fund and the membership. A worker here spends as late as it may, and as much.
"""

import heapq
from collections import deque
from collections.abc import Callable
from random import Random

from tests.cluster.oracle.central import exchange
from tests.cluster.oracle.fund import Fund
from tests.cluster.oracle.members import Roll, beat
from tidegate.model.cluster import (
    BUCKET,
    FREE,
    LOG,
    LOST,
    OK,
    Beat,
    Demand,
    Dim,
    ExchangeReply,
    ExchangeRequest,
    RecoveryState,
    Stand,
)
from tidegate.policy.lease.times import BEAT_US, LEASE_US, LOCAL_US, SAFE_US, STALE_US

SHARE_US = 10_000_000
LINGERS_US = 2_020_000  # a window and its jitter
TIMEOUT_US = 150_000
EPOCH_US = 1_700_000_000_000_000


class Provider:
    """The judge. A bucket that holds `limit`, or any window of `window_us`; all charges in the order of their time."""

    def __init__(self, kind: int, limit: int, window_us: int) -> None:
        self.kind, self.limit, self.window_us = kind, limit, window_us
        self.level, self.at = limit * window_us, 0
        self.log: deque[tuple[int, int]] = deque()
        self.inside = 0
        self.total = 0
        self.worst = 0  # by how much it was overrun

    def charge(self, units: int, now: int) -> None:
        self.total += units
        if self.kind == BUCKET:
            self.level = min(self.limit * self.window_us, self.level + (now - self.at) * self.limit)
            self.at = now
            self.level -= units * self.window_us
            self.worst = max(self.worst, -self.level)
            return
        while self.log and self.log[0][0] <= now - self.window_us:
            self.inside -= self.log.popleft()[1]
        self.log.append((now, units))
        self.inside += units
        self.worst = max(self.worst, self.inside - self.limit)


class World:
    """Time, the server, the link of each worker."""

    def __init__(self, seed: int, dim: Dim, workers: int, *, delay_us: int = 10_000, loss: float = 0.0) -> None:
        self.chance = Random(seed)
        self.dim = dim
        self.now = EPOCH_US
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.count = 0
        self.fund: Fund | None = None
        self.roll: Roll | None = None
        self.frozen_until = 0
        self.delay_us, self.loss = delay_us, loss
        self.provider = Provider(dim.kind, dim.limit, dim.window_us)
        self.exchanges = 0
        self.workers = [Worker(self, f"n/{number}") for number in range(workers)]

    def at(self, when: int, what: Callable[[], None]) -> None:
        self.count += 1
        heapq.heappush(self.events, (when, self.count, what))

    def run(self, us: int) -> None:
        until = self.now + us
        while self.events and self.events[0][0] <= until:
            self.now, _, what = heapq.heappop(self.events)
            what()
        self.now = until

    def carry(self, worker: "Worker", what: Callable[[], None]) -> None:
        """One way over a worker's link."""
        if worker.cut_until <= self.now and self.chance.random() >= self.loss:
            self.at(self.now + self.chance.randrange(self.delay_us), what)

    def serve(self, what: Callable[[], None]) -> None:
        """A frozen server does it later."""
        if self.frozen_until > self.now:
            self.at(self.frozen_until, what)
        else:
            what()


class Worker:
    """One member. `held` units until `until`; alone it spends its share."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.incarnation = 0
        self.cut_until = self.paused_until = 0
        self.served = 0
        self.wanted: Callable[[], tuple[int, int, int]] = lambda: (1, 1000, 10)  # flow, units, calls
        self.served_by_flow: dict[int, int] = {}
        self.idle = False
        self.begin()

    def begin(self) -> None:
        self.incarnation += 1
        self.seq, self.epoch, self.held, self.until, self.spent = 0, 0, 0, 0, 0
        self.stand: Stand | None = None
        self.heard_at = self.beat_id = 0
        self.alone_at = self.alone_level = self.alone_share = 0
        self.own: list[tuple[int, int]] = []
        self.memory: tuple[int, RecoveryState] = (0, RecoveryState())
        self.given: list[tuple[int, int]] = []
        self.pending: ExchangeRequest | None = None
        self.ask_id = 0
        self.restoring = self.posted = False
        self.flow = 0
        born = self.incarnation
        self.world.at(self.world.now + self.world.chance.randrange(BEAT_US), lambda: self._beats(born))
        self.world.at(self.world.now + self.world.chance.randrange(5_000), lambda: self._asks(born))

    def _here(self, born: int, again: Callable[[], None]) -> bool:
        if born != self.incarnation:
            return False
        if self.paused_until > self.world.now:
            self.world.at(self.paused_until, again)
            return False
        return True

    # ── membership ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _beats(self, born: int) -> None:
        if not self._here(born, lambda: self._beats(born)):
            return
        now, known = self.world.now, self.stand
        told = (known.share_ppm, known.open_ppm, known.members) if known is not None else (0, 0, 0)
        said = Beat(self.name, born, now + TIMEOUT_US, SHARE_US + LINGERS_US, self.posted, False, *told)
        self.beat_id += 1
        number = self.beat_id

        def server() -> None:
            self.world.roll, stand = beat(self.world.roll, said, self.world.now)
            self.world.carry(self, lambda: self._stands(stand, born, number, now))

        self.world.carry(self, lambda: self.world.serve(server))
        self.world.at(now + BEAT_US, lambda: self._beats(born))

    def _stands(self, stand: Stand, born: int, number: int, sent: int) -> None:
        if not self._here(born, lambda: self._stands(stand, born, number, sent)):
            return
        if number != self.beat_id or stand.status != OK:
            return
        self.stand, self.heard_at = stand, sent
        if not stand.lost:
            self.posted = False
        elif not self.posted and not self.restoring:
            self.restoring = True
        if not self._alone():
            self.alone_at = 0

    def _alone(self) -> bool:
        now = self.world.now
        return self.stand is not None and LOCAL_US <= now - self.heard_at < SHARE_US - LOCAL_US

    # ── the fund ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _asks(self, born: int) -> None:
        if not self._here(born, lambda: self._asks(born)):
            return
        now = self.world.now
        self._spends()
        stand = self.stand
        if stand is not None and now - self.heard_at < STALE_US:
            self.pending = self.pending or self._ask(stand)
            self.ask_id += 1
            self._send(self.pending, born, self.ask_id)
        self.world.at(now + 2_000 + self.world.chance.randrange(40_000), lambda: self._asks(born))

    def _ask(self, stand: Stand) -> ExchangeRequest:
        now = self.world.now
        if now >= self.until and self.held:
            self.held = self.spent = 0
        said = self.world.dim
        back = self.held if self.world.chance.random() < 0.1 else 0
        self.held -= back
        dim = Dim(said.kind, said.limit, said.window_us, said.jitter_us, self.spent, back)
        dim.target = 0 if self.world.chance.random() < 0.7 else said.limit // 20
        self.spent = 0
        demands = [] if self.idle else [Demand(0, *self._demand())]
        restore = [self._restore()] if self.restoring else None
        return ExchangeRequest(
            self.name, self.incarnation, self.seq + 1, self.epoch, 0, LEASE_US, stand.open_ppm, stand.state, [dim],
            demands, self.world.chance.random() < 0.3, restore,
        )  # fmt: skip

    def _demand(self) -> tuple[int, int, list[int], int]:
        self.flow, units, calls = self.wanted()
        return self.flow, 1000, [units], calls

    def _restore(self) -> RecoveryState:
        now, (told_at, known) = self.world.now, self.memory
        slots = [(age + now - told_at, units) for age, units in known.slots]
        own = [(now - at, units) for at, units in self.own]
        given = [(now - at, units) for at, units in self.given]
        return RecoveryState(known.level, slots, own, known.period, given)

    def _send(self, ask: ExchangeRequest, born: int, number: int) -> None:
        sent = self.world.now
        stand = self.stand
        assert stand is not None
        ask.not_after, ask.open_ppm, ask.state = sent + TIMEOUT_US, stand.open_ppm, stand.state

        def server() -> None:
            self.world.exchanges += 1
            self.world.fund, told = exchange(self.world.fund, ask, self.world.now)
            self.world.carry(self, lambda: self._told(told, ask, born, number, sent))

        self.world.carry(self, lambda: self.world.serve(server))

    def _told(self, told: ExchangeReply, ask: ExchangeRequest, born: int, number: int, sent: int) -> None:
        if not self._here(born, lambda: self._told(told, ask, born, number, sent)):
            return
        if number != self.ask_id or self.pending is not ask or told.status not in {OK, LOST}:
            return
        self.pending = None
        if told.status == LOST:
            self.restoring, self.held, self.spent = True, 0, 0
            return
        self.epoch = told.epoch
        self.seq = ask.seq if told.epoch else 0
        if ask.restore is not None:
            self.restoring, self.posted = False, True
            self.own.clear()
        if told.lapsed or ask.restore is not None:
            self.held = self.spent = 0
        self.held += told.granted[0]
        self.until = sent + LEASE_US - SAFE_US
        if told.granted[0]:
            self.given.append((self.world.now, told.granted[0]))
            self.served_by_flow[self.flow] = self.served_by_flow.get(self.flow, 0) + told.granted[0]
        if told.memory is not None:
            self.memory = self.world.now, told.memory[0]
            self.given = []

    # ── spending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _charge(self, units: int) -> None:
        self.served += units
        late = self.world.now + self.world.chance.randrange(self.world.dim.jitter_us + 1)
        self.world.at(late, lambda: self.world.provider.charge(units, self.world.now))

    def _spends(self) -> None:
        now, dim = self.world.now, self.world.dim
        if self._alone() and self.stand is not None:
            self._spends_alone(self.stand.share_ppm)
        elif self.held > 0 and now < self.until and (self.world.chance.random() < 0.7 or self.until - now < 60_000):
            units = self.held if self.world.chance.random() < 0.7 else self.world.chance.randrange(self.held + 1)
            self.held -= units
            self.spent += units
            self._charge(units)
        if dim.kind == LOG:
            self.given = [(at, units) for at, units in self.given if now - at < dim.window_us + dim.jitter_us]

    def _spends_alone(self, share_ppm: int) -> None:
        """From nothing, by its share of what comes back."""
        now, dim = self.world.now, self.world.dim
        since = max(self.alone_at, self.heard_at + LOCAL_US) if self.alone_at else self.heard_at + LOCAL_US
        if not self.alone_at:
            self.alone_level = self.alone_share = 0
        if dim.kind == BUCKET:
            self.alone_level += (now - since) * dim.limit * share_ppm // FREE
            self.alone_level = min(self.alone_level, dim.limit * dim.window_us // 10 * share_ppm // FREE)
            units = self.alone_level // dim.window_us
            self.alone_level -= units * dim.window_us
        else:
            span = dim.window_us + dim.jitter_us
            told_at, known = self.memory
            slots, room = [], dim.limit
            for age, units in reversed(known.slots[:-1] if known.level else known.slots):
                slots.append((age, min(units, room)))
                room -= slots[-1][1]
            left = sum(units for age, units in slots if since - span < told_at - age <= now - span) * share_ppm // FREE
            left += sum(units for at, units in self.own if since - span < at <= now - span)
            units = left
        self.alone_at = now
        if units > 0:
            self.posted = False
            self.own.append((now, units))
            self._charge(units)
