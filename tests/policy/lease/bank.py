"""Shared state in memory, by the pure twin, and workers' tellers that make their funds' exchanges on a manual clock."""

import heapq
from collections.abc import Callable
from functools import partial

import msgspec

from tests.cluster.oracle.central import exchange
from tests.cluster.oracle.fund import Fund
from tidegate.model.cluster import FREE, OK, ExchangeReply, ExchangeRequest
from tidegate.policy.lease.faces import SHARED, Footing
from tidegate.policy.lease.faces import LeasedBucket as Face
from tidegate.policy.quota.allowance import ALWAYS
from tidegate.testing import ManualClock
from tidegate.testing.clock import ManualTimer


class Hours(ManualClock):
    """A manual clock that needs no loop: what it runs are callbacks."""

    def go(self, duration: int) -> None:
        """Move on, running what comes due on the way."""
        end = self._now + duration
        while self._timers and self._timers[0].when <= end:
            timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                self._now = timer.when
                timer.callback()
        self._now = end


SERVER = 10**15  # what the server's clock shows when the manual one shows 0


class Bank:
    """The server: its funds by key, and everything that was asked of it."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.born = SERVER - 10_000_000
        self.funds: dict[str, Fund] = {}
        self.asked: list[ExchangeRequest] = []
        self.told: list[ExchangeReply] = []

    def now(self) -> int:
        return SERVER + self.clock.now()

    def exchange(self, key: str, ask: ExchangeRequest) -> ExchangeReply:
        """As a server does it: what is said goes over a wire."""
        ask = msgspec.msgpack.decode(msgspec.msgpack.encode(ask), type=ExchangeRequest)
        fund, told = exchange(self.funds.get(key), ask, self.now())
        if fund is not None:
            self.funds[key] = fund
        self.asked.append(ask)
        self.told.append(told)
        return msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=ExchangeReply)

    def flush(self) -> None:
        """Everything is lost; the membership begins anew too."""
        self.funds.clear()
        self.born = self.now()

    @property
    def only(self) -> Fund:
        (fund,) = self.funds.values()
        return fund


class Teller:
    """One worker's exchanges. Fulfils `faces.Funds`."""

    prefix = "tidegate"

    def __init__(self, bank: Bank, name: str, *, latency_us: int = 500) -> None:
        self.bank = bank
        self.clock = bank.clock
        self.footing = Footing(name, 1)
        self.latency_us = latency_us
        self.deaf = False  # nothing it says is heard, nothing is heard of it
        self.mute = False  # what it says is heard, and no answer comes back
        self.funds: list[Face] = []
        self._timers: dict[str, ManualTimer] = {}
        self.turn(SHARED, FREE)

    def turn(self, mode: int, open_ppm: int = FREE, share_ppm: int = 0) -> None:
        """The membership says how it stands now."""
        footing = self.footing
        footing.mode, footing.open_ppm, footing.share_ppm = mode, open_ppm, share_ppm
        footing.state = self.bank.born
        for fund in self.funds:
            fund.turned(footing, self.clock.now())

    def open(self, fund: Face) -> None:
        self.funds.append(fund)
        self.beat()
        fund.turned(self.footing, self.clock.now())
        fund.listen(partial(self.look, fund))
        self.look(fund)

    def close(self, fund: Face) -> None:
        self.funds.remove(fund)

    def beat(self) -> None:
        now = self.clock.now()
        self.footing.heard_at, self.footing.server_us = now, self.bank.now()
        self.footing.taken_us, self.footing.state = self.bank.now(), self.bank.born

    def look(self, fund: Face) -> None:
        """Make its next exchange when it is due."""
        if not self.deaf:
            self.beat()
        due = fund.due(self.clock.now())
        if (timer := self._timers.pop(fund.key, None)) is not None:
            timer.cancel()
        if due < ALWAYS:
            self._timers[fund.key] = self.clock.call_at(due, partial(self._go, fund))

    def _go(self, fund: Face) -> None:
        now = self.clock.now()
        if fund not in self.funds:
            return
        if not self.deaf:
            self.beat()
        if fund.due(now) > now:
            self.look(fund)
            return
        ask = fund.ask(self.footing, now)
        if ask is None:
            return
        self.clock.call_at(now + self.latency_us, partial(self._hear, fund, ask, now))

    def _hear(self, fund: Face, ask: ExchangeRequest, sent_at: int) -> None:
        told = None if self.deaf else self.bank.exchange(fund.key, ask)
        told = None if self.mute else told
        done: Callable[[], None] = partial(self._told, fund, told, sent_at)
        self.clock.call_at(self.clock.now() + (self.latency_us if told is not None else 75_000), done)

    def _told(self, fund: Face, told: ExchangeReply | None, sent_at: int) -> None:
        now = self.clock.now()
        if told is None:
            fund.unheard(now)
        else:
            fund.told(told, sent_at, now)
        self.look(fund)


__all__ = ["FREE", "OK", "SERVER", "Bank", "Hours", "Teller"]
