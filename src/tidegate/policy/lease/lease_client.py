"""A wallet: one fund's purses at one worker, and the exchange with the fund: what to say, when, and what it means.

A wallet is used in two ways.

* Lanes: `LeaseClient(key, (requests, tokens))`, and each pool that draws on it is one of its `sources`: it says who
  waits (`Source.demands`), is told what came of it (`Source.told`), and calls `want` when its head cannot pass.
* Plain limits, where nobody queues: `LeaseClient(key, purses)`. Whoever finds `purse.has` to be false calls
  `want_units([1, 1_200])`, a demand for the next exchange and no longer, and looks again when `sources` are told. Of
  what is not spent as it came nothing stays: it goes back with the next exchange but one.

What was sent is kept until it is answered, and sent again under the same `seq` (`unheard`): the fund does it once. What
the fund does not know any more (`LOST`) is put back from what it told last. Nothing is said where nothing is held, was
spent, or is wanted; so an idle worker's lease goes back within one lease, and then it costs nothing.

Everything is O(dimensions) but for the demands, of which there are at most `DEMANDS`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from tidegate.model.cluster import (
    DEMANDS,
    LATE,
    LOG,
    LOST,
    SLOTS,
    SUM,
    Demand,
    ExchangeReply,
    ExchangeRequest,
    RecoveryState,
)
from tidegate.policy.lease.alone import Alone
from tidegate.policy.lease.faces import CLOSED, JOINING, LOCAL, ON_LOSS_LOCAL, OPEN, SHARED, Footing
from tidegate.policy.lease.flight import PendingExchange
from tidegate.policy.lease.memory import Recollection
from tidegate.policy.lease.pace import Prefetch
from tidegate.policy.lease.purse import QuotaLease, Wake
from tidegate.policy.lease.times import LEASE_US, LEAST_US, REMEMBER_US, RENEW_US, SAFE_US, STALE_US
from tidegate.policy.quota.allowance import ALWAYS

PLACES_US = 15_000_000  # who has calls in flight says so at least that often: a fund forgets who is silent for a minute
_REMEMBERED = frozenset((LOG, SUM))
_AGAIN_US = 20_000  # before what was late, or not heard, is sent again
_WINDOW_PART = 100  # a hundredth of a window: what was spent is told at least that often


class Source(Protocol):
    """Who waits for a wallet."""

    def demands(self, wallet: "LeaseClient", now: int) -> list[Demand]:
        """What waits for it, the first first."""

    def told(self, wallet: "LeaseClient", told: ExchangeReply | None, now: int) -> None:
        """Its purses are other ones: by an exchange, or (None) because the worker stands otherwise now."""


class LeaseClient(Wake):
    """Fulfils `faces.Fund`."""

    __slots__ = (
        "_again_at", "_asked", "_asked_at", "_flight", "_footing", "_idle", "_mode", "_prefetch", "_recollection",
        "_sent_wants", "_seq", "_wake", "_wanted", "_wants", "ahead", "ahead_at", "epoch", "key", "on_loss", "posted",
        "purses", "sources", "used",
    )  # fmt: skip

    def __init__(self, key: str, purses: Sequence[QuotaLease], first: int = 0) -> None:
        """`key` with the scope's hash tag in braces; one to four purses, which are this wallet's from now on.

        `first`: above every `seq` that this process has used with that key.
        """
        self.key = key
        self.on_loss = ""  # what is done without the shared state: local, closed, open; "" = as the cluster says
        self.purses = list(purses)
        self.sources: list[Source] = []
        self.posted = True
        self.epoch = 0
        self.used: list[int] = []  # units by dimension, by anybody, as it was told
        self.ahead: list[tuple[int, int, int]] = []  # what waits at others: (rank, calls, units of dimension 1)
        self.ahead_at = 0
        self._mode = JOINING
        self._footing: Footing | None = None
        self._seq = first
        self._flight = PendingExchange()
        self._recollection = Recollection(len(purses))
        self._prefetch = [Prefetch() for _ in purses]
        self._asked_at = -LEAST_US
        self._again_at = ALWAYS  # when what is missing may be there
        self._asked: set[tuple[int, int]] = set()  # rank and flow of what was asked for, and is missing
        self._wanted = False
        self._wants: list[Demand] = []
        self._sent_wants: list[Demand] = []
        self._idle = True
        self._wake: Callable[[], None] | None = None
        for purse in purses:
            purse.stir = self

    # ── who wants something ──────────────────────────────────────────────────────────────────────────────────────────

    def want(self, rank: int, flow: int) -> None:
        """The first of those who wait here cannot pass. It is no news where that was asked for, and is missing."""
        if self._wanted or (rank, flow) in self._asked:
            return
        self._wanted = True
        self._call()

    def asked(self, rank: int, flow: int) -> bool:
        """Whether such calls were asked for, and are missing."""
        return self._wanted or (rank, flow) in self._asked

    def want_units(self, units: Sequence[int], *, rank: int = 0, flow: int = 0, weight_milli: int = 1_000) -> None:
        """One call needs so much, by dimension: a demand for the next exchange, for no other.

        Calls that need the same are one demand, and so are the last of very many: what is too much goes back.
        """
        wants = self._wants
        last = wants[-1] if wants else None
        if last is not None and (last.units == units or len(wants) >= DEMANDS):
            last.units = [max(pair) for pair in zip(last.units, units, strict=True)]
            last.calls += 1
        else:
            wants.append(Demand(rank, flow, weight_milli, list(units)))
        self._wanted = True
        self._call()

    def recall(self, memory: Sequence[RecoveryState], now: int) -> None:
        """What is known of the fund from before: it is told with the next exchange, should the fund know less."""
        self._recollection.recall(memory, now)
        self.posted = False
        self._call()

    def level(self, index: int) -> int:
        """What was spent of a sum in its period, by anybody, as it was told."""
        return self._recollection.level(index, self.purses[index].period)

    def stirred(self) -> None:
        """A purse has something to tell, by and by."""
        if self._idle:
            self._idle = False
            self._call()

    def _call(self) -> None:
        if self._wake is not None:
            self._wake()

    def listen(self, wanted: Callable[[], None]) -> None:
        """As `faces.Fund`."""
        self._wake = wanted
        if self._wanted or not self.posted:
            wanted()

    def due(self, now: int) -> int:
        """As `faces.Fund`. While the membership is not heard of it is put off."""
        when = self._due(now)
        if when < ALWAYS and (self._footing is None or now - self._footing.heard_at > STALE_US):
            return max(when, now + _AGAIN_US)
        return when

    def _due(self, now: int) -> int:
        flight = self._flight
        if self._mode != SHARED or flight.away:
            return ALWAYS
        if flight.ask is not None:
            return max(now, flight.built_at + _AGAIN_US)
        if self._wanted or not self.posted:
            return max(now, self._asked_at + LEAST_US)
        when = self._again_at
        for purse, prefetch in zip(self.purses, self._prefetch, strict=True):
            if purse.leased:
                when = min(when, self._asked_at + _lasts(purse, prefetch))
            if purse.telling:
                within = min(RENEW_US, purse.window_us // _WINDOW_PART) if purse.kind == LOG else RENEW_US
                when = min(when, self._asked_at + within)
        self._idle = when > now + RENEW_US
        return when if when == ALWAYS else max(now, when, self._asked_at + LEAST_US)

    # ── the exchange ─────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, footing: Footing, now: int) -> ExchangeRequest | None:
        """As `faces.Fund`. Nothing while the membership has not been heard of for a while."""
        self._footing = footing
        self.turned(footing, now)
        if self._mode != SHARED or now - footing.heard_at > STALE_US:
            return None
        not_after = footing.taken_us + STALE_US
        if self._flight.ask is not None:
            return self._flight.repeat(footing, not_after, now)
        demands = self._demands(now)
        if not demands and not self._speaks():
            self._wanted = False
            self._again_at = ALWAYS  # who wanted something has gone
            self._asked.clear()
            return None
        self._asked = {(demand.rank, demand.flow) for demand in demands}
        self._wanted = False
        self._asked_at = now
        self._again_at = ALWAYS
        self._seq += 1
        worth = self._worth()
        ask = ExchangeRequest(
            footing.member,
            footing.incarnation,
            self._seq,
            self.epoch,
            not_after,
            LEASE_US,
            footing.open_ppm,
            footing.state,
            [purse.tell(*self._share(index, worth, now, wanted=bool(demands)), now)
             for index, purse in enumerate(self.purses)],
            demands,
            self._remembers(now),
            None if self.posted else self._recollection.restore(self.purses, now),
        )  # fmt: skip
        self._flight.start(ask, now)
        return ask

    def _demands(self, now: int) -> list[Demand]:
        self._sent_wants, self._wants = self._wants, []
        demands = [demand for source in self.sources for demand in source.demands(self, now)] + self._sent_wants
        if len(self.sources) > 1:
            demands.sort(key=_rank)
        return demands[:DEMANDS]

    def _speaks(self) -> bool:
        """Whether there is anything to say but for demands."""
        return not self.posted or any(purse.telling or purse.leased for purse in self.purses)

    def _worth(self) -> bool:
        """Whether a moment's spending is worth a lease: of each dimension at least ten of the largest calls."""
        pairs = zip(self.purses, self._prefetch, strict=True)
        limited = [pair for pair in pairs if pair[0].own_limit and pair[0].kind != SLOTS]
        return bool(limited) and all(prefetch.worth(purse.largest) for purse, prefetch in limited)

    def _share(self, index: int, worth: bool, now: int, *, wanted: bool) -> tuple[int, int]:
        """What goes back of one purse, and what it would like to hold."""
        purse, prefetch = self.purses[index], self._prefetch[index]
        prefetch.learn(purse.spent, now)
        target = prefetch.target if worth and purse.own_limit and purse.kind != SLOTS else 0  # no place stays unused
        surplus = purse.held if wanted else purse.held - target
        return (surplus if surplus > 0 and (wanted or surplus > target // 2) else 0), target

    def _remembers(self, now: int) -> bool:
        logs = any(purse.kind in _REMEMBERED and purse.own_limit for purse in self.purses)
        return logs and now - self._recollection.at > REMEMBER_US // 2

    def told(self, told: ExchangeReply, sent_at: int, now: int) -> None:
        """As `faces.Fund`. A lease is renewed by the first sending of what is answered, whichever was heard."""
        ask, first_at = self._flight.land()
        if ask is None:
            return
        if told.status == LATE:
            self._flight.hold(ask)
            return
        if told.status == LOST:
            self._lost(ask, now)  # under the epoch that is known here: so the fund sees which one is lost
            return
        self.epoch = told.epoch
        if ask.restore is not None:
            self.posted = True
            self._recollection.clear()
        self._fill(ask, told, first_at, now)
        self.ahead, self.ahead_at = told.ahead, now
        if told.wait_us >= 0:
            self._again_at = now + min(max(told.wait_us, LEAST_US), RENEW_US)
        else:
            self._asked.clear()
        self._tell(told, now)

    def _fill(self, ask: ExchangeRequest, told: ExchangeReply, first_at: int, now: int) -> None:
        until = first_at + LEASE_US - SAFE_US
        for index, purse in enumerate(self.purses):
            if told.lapsed:
                purse.void(now)
            limit = told.limits[index] if told.limits else 0
            purse.told(told.granted[index], told.left[index], limit, until, now)
            if told.used:
                before = self.used[index] if self.used else told.used[index]
                purse.part = self._prefetch[index].part(ask.dims[index].spent, told.used[index] - before)
        self.used = told.used
        self._recollection.told(told, ask.dims, now)

    def _lost(self, ask: ExchangeRequest, now: int) -> None:
        """The fund begins anew: nothing was done. What is held was taken from an earlier one, and is spent no more.

        Buckets begin from zero.
        """
        age = now - self._flight.built_at
        for purse, dim in zip(self.purses, ask.dims, strict=True):
            purse.lost(dim, age, now)
        self.posted = False
        self._asked.clear()
        self._wants = self._sent_wants + self._wants
        self._wanted = True

    def unheard(self, now: int) -> None:
        """As `faces.Fund`."""
        self._flight.away = False

    # ── how this worker stands ───────────────────────────────────────────────────────────────────────────────────────

    def turned(self, footing: Footing, now: int) -> None:
        """As `faces.Fund`."""
        self._footing = footing
        if self.on_loss == ON_LOSS_LOCAL:
            footing.keeps = True
        mode, before = footing.mode_of(self.on_loss, now), self._mode
        if mode == before:
            return
        self._mode = mode
        if before == SHARED:
            self._flight.strip()
        for index, purse in enumerate(self.purses):
            if purse.alone is not None:
                self._recollection.spent(index, purse.alone.own(now), now)
                purse.alone = None
            purse.leave()
            purse.shut = mode == CLOSED
            if mode in {LOCAL, OPEN}:
                purse.alone = self._alone(index, footing, now)
                self.posted = False
        self._asked.clear()
        self._again_at = ALWAYS
        if mode == SHARED:
            self.posted = not self._recollection.owed and not self._had_places()
            self._wanted = True
            self._call()
        self._tell(None, now)

    def _had_places(self) -> bool:
        """Then it says anew how many are in use: the fund knows nothing of those that became free in silence."""
        return self.epoch != 0 and any(purse.kind == SLOTS and purse.own_limit for purse in self.purses)

    def _alone(self, index: int, footing: Footing, now: int) -> Alone:
        purse = self.purses[index]
        since = footing.heard_at - REMEMBER_US
        slots = [(now, purse.spent)] if purse.kind == SLOTS else self._recollection.slots(index, since)
        alone = Alone(
            purse.kind, purse.own_limit, purse.window_us, purse.jitter_us, footing.share_ppm, slots, now
        )  # fmt: skip
        alone.open = self._mode == OPEN
        return alone

    def _tell(self, told: ExchangeReply | None, now: int) -> None:
        for source in tuple(self.sources):
            source.told(self, told, now)


def _lasts(purse: QuotaLease, prefetch: Prefetch) -> int:
    """How long after an exchange what is leased is to be spoken of again. A place that became free is others' soon."""
    if purse.held <= 0:
        return PLACES_US
    return RENEW_US // 10 if purse.kind == SLOTS else prefetch.lasts(purse.held)


def _rank(demand: Demand) -> int:
    return demand.rank
