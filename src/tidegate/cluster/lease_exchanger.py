"""Makes the exchanges of a worker's funds: when one has something to say, and never two of one fund at a time.

What is wanted in one turn of the loop goes together, in one write to each server. Between two exchanges of a fund are
`LEAST_US` at least, and more after one that nobody answered. While the membership has not been heard of for `STALE_US`
nothing is asked at all: whoever wants something then is asked again when it is heard. No more are on their way together
than the server answers in time (AIMD), so that thousands of funds that all have something to say, as after a silence,
do not outrun it, and the beat with them. O(log funds) an exchange; funds that have nothing to say cost nothing.
"""

import asyncio
import heapq
from collections.abc import Iterator
from functools import partial
from typing import Protocol

import msgspec

from tidegate.cluster.call import Call, Heard, Script
from tidegate.cluster.connection import Reply
from tidegate.cluster.failure import Failure
from tidegate.cluster.figures import Figures
from tidegate.model.cluster import LATE, LOST, ExchangeReply
from tidegate.policy.lease.faces import SHARED, Footing, LeasedBucket
from tidegate.policy.lease.times import LEAST_US, STALE_US
from tidegate.policy.quota.allowance import ALWAYS
from tidegate.ports import Clock, Timer

FIRST = 64  # exchanges on their way, at most, to begin with
FEWEST, MOST = 4, 512
AGAIN_US = 5_000  # after an exchange without an answer; twice as long after the next
LONGEST_US = 80_000
_NEVER_IN_TIME = 1  # of a server whose clock is not known yet: it does nothing but tell it

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ExchangeReply).decode


class Sender(Protocol):
    """What is used of `client.Client`."""

    def start(self, call: Call, heard: Heard, deadline: int = 0) -> object:
        """Have a script run; `heard` is told once."""


class LeaseExchanger:
    """`faces.Funds`. `sharded`: funds are on several servers, each with a clock of its own."""

    __slots__ = (
        "_at", "_away", "_client", "_clock", "_entries", "_figures", "_footing", "_heap", "_most", "_order", "_parked",
        "_ready", "_script", "_sharded", "_shrunk_at", "_timer", "_turning", "prefix",
    )  # fmt: skip

    def __init__(
        self, client: Sender, script: Script, footing: Footing, clock: Clock, prefix: str, figures: Figures,
        *, sharded: bool = False,
    ) -> None:  # fmt: skip
        self.prefix = prefix
        self._client = client
        self._script = script
        self._footing = footing
        self._clock = clock
        self._figures = figures
        self._sharded = sharded
        self._entries: dict[LeasedBucket, _Entry] = {}
        self._away = 0  # exchanges on their way
        self._most: float = FIRST
        self._shrunk_at = 0
        self._ready: list[_Entry] = []  # want to speak at the end of this turn of the loop
        self._parked: list[_Entry] = []  # want to speak when the membership is heard of again
        self._heap: list[tuple[int, int, _Entry]] = []  # by when they are due; entries whose `due` differs are void
        self._order = 0
        self._timer: Timer | None = None
        self._at = ALWAYS  # when the timer runs
        self._turning = False

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LeasedBucket]:
        return iter(self._entries)

    @property
    def posted(self) -> bool:
        """Whatever was spent on shares is told. O(funds)."""
        return all(fund.posted for fund in self._entries)

    def open(self, fund: LeasedBucket) -> None:
        """From now on this one too. Harmless the second time."""
        if fund in self._entries:
            return
        entry = self._entries[fund] = _Entry(fund)
        fund.turned(self._footing, self._clock.now())
        fund.listen(partial(self._want, entry))
        self._plan(entry, self._clock.now())

    def close(self, fund: LeasedBucket) -> None:
        """No more; what it holds lapses. Harmless the second time."""
        entry = self._entries.pop(fund, None)
        if entry is not None:
            entry.closed = True

    def turned(self) -> None:
        """The footing's mode is another one: every fund is told. O(funds)."""
        now = self._clock.now()
        for entry in tuple(self._entries.values()):
            entry.failures = 0
            entry.fund.turned(self._footing, now)
            self._plan(entry, now)

    def heard(self) -> None:
        """The membership was heard of: who waited for that speaks now. O(those)."""
        parked, self._parked = self._parked, []
        for entry in parked:
            entry.parked = False
            self._want(entry)

    async def leave(self) -> None:
        """The worker ends in good order: what funds still have to say is said as the last. Bounded by the time-out."""
        now = self._clock.now()
        for entry in tuple(self._entries.values()):
            entry.leaving = True
            if not entry.busy and self._footing.mode == SHARED:
                self._speak(entry, now)
        waits = [entry.done for entry in self._entries.values() if entry.busy and entry.done is not None]
        if waits:
            await asyncio.gather(*waits)

    # When

    def _want(self, entry: "_Entry") -> None:
        """It has something to say: at the end of this turn, with all others."""
        if entry.ready or entry.busy or entry.parked or entry.closed:
            return
        entry.ready = True
        self._ready.append(entry)
        self._soon()

    def _soon(self) -> None:
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turning = False
        ready, self._ready = self._ready, []
        now = self._clock.now()
        fresh = self._footing.mode == SHARED and now - self._footing.heard_at <= STALE_US
        for place, entry in enumerate(ready):
            if self._away >= int(self._most):
                self._ready = ready[place:] + self._ready
                return
            entry.ready = False
            if entry.closed or entry.busy:
                continue
            if not fresh:
                self._park(entry)
            elif now < entry.not_before:
                self._put(entry, entry.not_before)
            else:
                self._speak(entry, now)

    def _park(self, entry: "_Entry") -> None:
        """Until the next beat; in another mode, until the mode changes."""
        if self._footing.mode == SHARED and not entry.parked:
            entry.parked = True
            self._parked.append(entry)

    def _plan(self, entry: "_Entry", now: int) -> None:
        """When it speaks next, by what it says itself."""
        if entry.busy or entry.closed:
            return
        due = entry.fund.due(now)
        if due == ALWAYS:
            entry.due = ALWAYS
        elif due <= now and now >= entry.not_before:
            self._want(entry)
        else:
            self._put(entry, max(due, entry.not_before))

    def _put(self, entry: "_Entry", due: int) -> None:
        if entry.due == due:
            return
        entry.due = due
        self._order += 1
        heapq.heappush(self._heap, (due, self._order, entry))
        self._arm()

    def _arm(self) -> None:
        heap = self._heap
        while heap and heap[0][2].due != heap[0][0]:
            heapq.heappop(heap)
        at = heap[0][0] if heap else ALWAYS
        if at < self._at:
            if self._timer is not None:
                self._timer.cancel()
            self._at = at
            self._timer = self._clock.call_at(at, self._due)

    def _due(self) -> None:
        self._timer, self._at = None, ALWAYS
        now, heap = self._clock.now(), self._heap
        while heap and heap[0][0] <= now:
            due, _, entry = heapq.heappop(heap)
            if entry.due == due and not entry.closed:
                entry.due = ALWAYS
                self._want(entry)
        self._arm()

    # What

    def _speak(self, entry: "_Entry", now: int) -> None:
        fund, footing = entry.fund, self._footing
        ask = fund.ask(footing, now)
        if ask is None:
            self._plan(entry, now)
            return
        if self._sharded:
            entry.guess = entry.offset is None
            ask.not_after = _NEVER_IN_TIME if entry.offset is None else footing.heard_at + STALE_US + entry.offset
        else:
            ask.not_after = min(ask.not_after, footing.taken_us + STALE_US)
        ask.leaving = entry.leaving
        entry.busy = True
        self._away += 1
        entry.sent_at = now
        entry.not_before = now + LEAST_US
        if entry.leaving:
            entry.done = asyncio.get_running_loop().create_future()
        self._figures.exchanges += 1
        self._client.start(Call(self._script, fund.key, _encode(ask)), partial(self._answered, entry))

    def _answered(self, entry: "_Entry", what: Reply | Failure) -> None:
        now = self._clock.now()
        entry.busy = False
        self._away -= 1
        told = self._read(what)
        if told is not None:
            self._most = min(MOST, self._most + 1 / self._most)
        elif entry.sent_at >= self._shrunk_at:  # all that were on their way together are one failure
            self._most, self._shrunk_at = max(FEWEST, self._most / 2), now
        if self._ready:
            self._soon()
        if entry.done is not None and not entry.done.done():
            entry.done.set_result(None)
        if entry.closed:
            return
        if told is None:
            entry.fund.unheard(now)
            self._later(entry, now)
        else:
            entry.offset = told.now - now
            self._note(entry, told, now)
            entry.fund.told(told, entry.sent_at, now)
        self._plan(entry, now)

    def _read(self, what: Reply | Failure) -> ExchangeReply | None:
        if isinstance(what, bytes):
            try:
                return _decode(what)
            except msgspec.DecodeError:
                self._figures.refused += 1
        self._figures.failures += 1
        return None

    def _note(self, entry: "_Entry", told: ExchangeReply, now: int) -> None:
        self._figures.took(now - entry.sent_at)
        if told.status == LATE:
            if entry.guess:  # its server's clock was asked for, no more
                entry.guess = False
                return
            self._figures.late += 1
            self._later(entry, now)
            return
        entry.failures = 0
        if told.status == LOST:
            self._figures.lost += 1

    def _later(self, entry: "_Entry", now: int) -> None:
        entry.failures += 1
        entry.not_before = now + min(AGAIN_US << min(entry.failures - 1, 10), LONGEST_US)


class _Entry:
    """One fund: whether it speaks, and when it may next."""

    __slots__ = (
        "busy", "closed", "done", "due", "failures", "fund", "guess", "leaving", "not_before", "offset", "parked",
        "ready", "sent_at",
    )  # fmt: skip

    def __init__(self, fund: LeasedBucket) -> None:
        self.fund = fund
        self.busy = False
        self.ready = False
        self.parked = False
        self.closed = False
        self.leaving = False
        self.guess = False
        self.due = ALWAYS
        self.not_before = 0
        self.sent_at = 0
        self.failures = 0
        self.offset: int | None = None  # the fund's server's clock less ours, at least
        self.done: asyncio.Future[None] | None = None
