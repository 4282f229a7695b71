"""Says that this worker is there, and decides how it stands to the shared state: `policy.lease.times` has the rules.

```
JOINING ─heard─▶ SHARED ─silence─▶ LOCAL ─share_us─▶ CLOSED        (on_state_loss: local; else CLOSED, or OPEN, at once)
                   ▲                  │                │
                   └────── heard ─────┴────────────────┘           then funds post what was spent, and `back` is said
```

At most one message is on its way: a beat, or, after one without an answer, a question for the server's time, since a
beat that is heard but not answered would keep this member alive for others while it uses its share. In silence nothing
else talks to the server, four times a second at last. All by timers; nothing here waits.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import msgspec

from tidegate.cluster.call import Call, Heard, Script
from tidegate.cluster.connection import Reply
from tidegate.cluster.failure import Failure
from tidegate.cluster.figures import Figures
from tidegate.model.cluster import FREE, OK, Beat, ClusterSettings, Stand
from tidegate.policy.lease.faces import CLOSED, JOINING, LOCAL, OPEN, SHARED, Footing
from tidegate.policy.lease.times import BEAT_US, IN_TIME_US, LOCAL_US, LOST_US
from tidegate.ports import Clock, Timer

AGAIN_US: Final = 10_000  # after a question without an answer; twice as long after the next
LONGEST_US: Final = 250_000
LINGERS_US: Final = 61_000_000  # a provider's window counts what was spent on a share for so long afterwards
MARGIN_US: Final = 1_000_000  # two clocks run differently fast: so much less of `share_us`
BURY_US: Final = 150_000  # after the death of a process no other one has its name yet
_SOON_US: Final = 5_000
_DRIFT_US: Final = 50  # between two beats: a thousandth
_SET_US: Final = 50_000
_UNKNOWN: Final = -(1 << 62)
WORDS: Final = {JOINING: "joining", SHARED: "shared", LOCAL: "local", CLOSED: "closed", OPEN: "open"}

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Stand).decode


class Log(Protocol):
    """`observe.log.Log`."""

    def info(self, event: str, **fields: object) -> None: ...
    def warning(self, event: str, **fields: object) -> None: ...
    def error(self, event: str, **fields: object) -> None: ...


class Talker(Protocol):
    """What is used of `client.Client`."""

    def start(self, call: Call, heard: Heard, deadline: int = 0) -> object:
        """Have a script run; `heard` is told once."""

    def time(self, key: bytes, heard: Heard) -> object:
        """What the clock of this key's server shows; `heard` is told once."""


class Funds(Protocol):
    """What is used of `keeper.LeaseExchanger`."""

    @property
    def posted(self) -> bool: ...
    def turned(self) -> None: ...
    def heard(self) -> None: ...


class Membership:
    """One of a worker. It drives the footing that funds read."""

    __slots__ = (
        "_ahead", "_asking", "_client", "_clock", "_failures", "_figures", "_footing", "_funds", "_heard", "_kept",
        "_key", "_leaving", "_left", "_limit", "_log", "_owes_back", "_problem", "_risk_at", "_script", "_settings",
        "_since", "_stopped", "_timer", "changed", "members",
    )  # fmt: skip

    def __init__(
        self, client: Talker, script: Script, footing: Footing, funds: Funds, settings: ClusterSettings, clock: Clock,
        log: Log, figures: Figures,
    ) -> None:  # fmt: skip
        self._client = client
        self._script = script
        self._footing = footing
        self._funds = funds
        self._settings = settings
        self._clock = clock
        self._log = log
        self._figures = figures
        self._key = members_key(settings.prefix)
        self._ahead = _UNKNOWN  # the server's clock of ours, at least
        self._asking = False  # a message is on its way
        self._failures = 0
        self._problem = ""
        self._risk_at = 0  # when the last beat was sent that may have been heard
        self._since = clock.now()
        self._kept = self._keeps()  # the last beat that was answered said so
        self._owes_back = False
        self._leaving = False
        self._stopped = False
        self._timer: Timer | None = None
        self._limit: Timer | None = None
        self._heard: asyncio.Future[None] | None = None
        self._left: asyncio.Future[None] | None = None
        self.members = 0
        self.changed: Callable[[], None] = _nothing  # called when share, members or mode are other ones

    # What others do

    async def join(self, within_us: int) -> bool:
        """Begin. Whether the shared state was heard of in time; it goes on in any case."""
        self._heard = asyncio.get_running_loop().create_future()
        self._question()
        over = self._clock.call_at(self._clock.now() + within_us, partial(_settle, self._heard))
        try:
            await self._heard
        finally:
            over.cancel()
            self._heard = None
        return self._footing.mode == SHARED

    def recall(self, share_ppm: int, open_ppm: int, members: int, age_us: int) -> None:
        """Nobody is heard, and this is what was known `age_us` ago: go on with it, in silence."""
        now = self._clock.now()
        self.members = members
        self._footing.share_ppm = share_ppm
        self._footing.open_ppm = open_ppm
        self._footing.heard_at = now - age_us
        self._lose(now)

    def bury(self, member: str, at_us: int) -> None:
        """Another worker of this machine died at that moment: what it might use is everybody's at once.

        Soon its successor has the name: who learns of it late says nothing, and what is late does nothing.
        """
        footing = self._footing
        if footing.mode == SHARED and self._clock.now() - at_us <= BURY_US:
            beat = Beat(member, 0, footing.server(at_us) + BURY_US, 0, leaving=True)
            self._client.start(Call(self._script, self._key, _encode(beat)), _unheard)

    async def leave(self) -> None:
        """Say that this member goes; nothing is said afterwards. Bounded by the time-out."""
        self._leaving = True
        if self._footing.mode == SHARED and not self._stopped:
            self._left = asyncio.get_running_loop().create_future()
            if not self._asking:
                self._beat()
            over = self._clock.call_at(self._clock.now() + 2 * self._settings.timeout_us, partial(_settle, self._left))
            await self._left
            over.cancel()
        self.stop()

    def stop(self) -> None:
        """Say nothing any more. Harmless the second time."""
        self._stopped = True
        for timer in (self._timer, self._limit):
            if timer is not None:
                timer.cancel()
        _settle(self._left)

    # What is said

    def _next(self, at: int, what: Callable[[], None]) -> None:
        if not self._stopped:
            self._timer = self._clock.call_at(at, what)

    def _beat(self) -> None:
        now, footing, settings = self._clock.now(), self._footing, self._settings
        share_us = settings.share_us + LINGERS_US if self._keeps() else 0
        beat = Beat(
            footing.member,
            footing.incarnation,
            footing.server(now) + IN_TIME_US,
            share_us,
            self._owes_back and self._funds.posted,
            self._leaving,
            footing.share_ppm,
            footing.open_ppm,
            self.members,
        )
        self._asking = True
        self._figures.beats += 1
        risk, self._risk_at = self._risk_at, now
        self._client.start(Call(self._script, self._key, _encode(beat)), partial(self._answered, beat, now, risk))

    def _keeps(self) -> bool:
        """Whether anything is spent on its share in silence, so that the others are not to count on that."""
        return self._footing.keeps or self._settings.on_state_loss == "local"

    def _question(self) -> None:
        self._asking = True
        self._client.time(self._key, self._shown)

    def _again(self, now: int) -> None:
        """Nobody answered: ask once more, ever later."""
        self._next(now + min(AGAIN_US << min(self._failures, 10), LONGEST_US), self._question)
        self._failures += 1

    # What is heard

    def _shown(self, what: Reply | Failure) -> None:
        """The server's time: it answers, so a beat can tell the rest."""
        self._asking = False
        if self._stopped:
            return
        now = self._clock.now()
        at = _time_of(what)
        if at is None:
            self._blame(what)
            self._again(now)
            return
        self._ahead = _UNKNOWN  # it may be another server by now
        self._set_clock(at, now)
        self._beat()

    def _answered(self, beat: Beat, sent_at: int, risk: int, what: Reply | Failure) -> None:
        self._asking = False
        now = self._clock.now()
        if self._stopped:
            return
        if beat.leaving:
            _settle(self._left)
            return
        stand = self._read(what)
        if self._leaving:
            self._beat()
        elif stand is None:
            self._figures.beats_failed += 1
            self._again(now)
        elif stand.status != OK:
            self._figures.beats_failed += 1
            self._risk_at = risk  # it did nothing
            self._problem = "its answers take too long on their way, or its clock was set"
            self._set_clock(stand.now, now)
            self._next(now + _SOON_US, self._beat)
        elif now - sent_at > LOST_US:  # this process stood still: by now it may count as lost
            self._set_clock(stand.now, now)
            self._beat()
        else:
            self._failures = 0
            self._take(beat, stand, sent_at, now)
            self._next(max(now, sent_at + BEAT_US), self._beat)

    def _read(self, what: Reply | Failure) -> Stand | None:
        if isinstance(what, bytes):
            try:
                return _decode(what)
            except msgspec.DecodeError:
                self._figures.refused += 1
        self._blame(what)
        return None

    def _blame(self, what: Reply | Failure) -> None:
        self._problem = str(what) if isinstance(what, Failure) else "the shared state replies what nobody understands"

    def _set_clock(self, server_us: int, now: int) -> None:
        """The server showed so much before it replied: it is ahead of our clock by that at least.

        So it is by what the quickest replies of late showed. Less than a slow reply explains: its clock was set back.
        """
        seen = server_us - now
        set_back = seen < self._ahead - self._settings.timeout_us - _SET_US
        self._ahead = seen if set_back else max(seen, self._ahead - _DRIFT_US)
        self._footing.server_us = self._ahead + self._footing.heard_at

    # What it means

    def _take(self, beat: Beat, stand: Stand, sent_at: int, now: int) -> None:
        footing = self._footing
        other = (footing.share_ppm, self.members) != (stand.share_ppm, stand.members)
        footing.heard_at = sent_at
        footing.taken_us = stand.now
        self._kept = beat.share_us > 0
        self._set_clock(stand.now, now)
        footing.state = stand.state
        footing.share_ppm = stand.share_ppm
        footing.open_ppm = stand.open_ppm
        self.members = stand.members
        self._owes_back = stand.lost
        if footing.mode != SHARED:
            self._return(now)
        else:
            self._funds.heard()
            if other:
                self.changed()

    def _return(self, now: int) -> None:
        """Funds tell what was spent with their next exchange; then `back` is said."""
        before, footing = footing_mode(self._footing), self._footing
        away_us, self._since = now - self._since, now
        footing.mode = SHARED
        self._figures.changes += 1
        if before == WORDS[JOINING]:
            self._log.info("the cluster is joined", member=footing.member, members=self.members)
        else:
            self._log.info(
                "the shared state is heard of again: limits are shared once more",
                member=footing.member, mode_was=before, away_s=round(away_us / 1e6, 1),
            )  # fmt: skip
        self._watch(self._risk_at + LOCAL_US)
        self._funds.turned()
        self.changed()
        _settle(self._heard)

    def _watch(self, at: int) -> None:
        if self._limit is not None:
            self._limit.cancel()
        if not self._stopped:
            self._limit = self._clock.call_at(at, self._silent)

    def _silent(self) -> None:
        """Is it time to go on without the others?"""
        now, footing = self._clock.now(), self._footing
        if footing.mode == SHARED:
            at = self._risk_at + LOCAL_US
            if now < at:
                self._watch(at)
            elif self._asking:  # this process stood still: what has arrived is read first
                self._watch(now + _SOON_US)
            else:
                self._lose(now)
        elif footing.mode == LOCAL:
            self._turn(CLOSED, now)
        else:  # limits that went on with their part all the same
            self._funds.turned()

    def _lose(self, now: int) -> None:
        policy, footing = self._settings.on_state_loss, self._footing
        until = footing.heard_at + self._settings.share_us - MARGIN_US
        footing.part_until = until if self._kept else 0
        if policy == "open":
            self._turn(OPEN, now)
        elif policy == "closed" or until <= now:
            self._turn(CLOSED, now)
        else:
            self._turn(LOCAL, now)
        if until > now:
            self._watch(until)

    def _turn(self, mode: int, now: int) -> None:
        before, footing = footing_mode(self._footing), self._footing
        footing.mode = mode
        if before in {WORDS[SHARED], WORDS[JOINING]}:
            self._since = now
        self._figures.changes += 1
        fields = {
            "member": footing.member, "mode_was": before, "silent_s": round((now - footing.heard_at) / 1e6, 2),
            "problem": self._problem,
        }  # fmt: skip
        if mode == LOCAL:
            self._log.warning(
                "the shared state is silent: calls go on within this worker's own part of each limit",
                part=f"{footing.share_ppm * 100 / FREE:.2f} %", members=self.members,
                for_s=max(0, footing.heard_at + self._settings.share_us - now) // 1_000_000, **fields,
            )  # fmt: skip
        elif mode == OPEN:
            self._log.error("the shared state is silent: calls go on without shared limits (on_state_loss)", **fields)
        else:
            self._log.error("the shared state is silent: calls that need a shared limit are refused", **fields)
        self._funds.turned()
        self.changed()
        _settle(self._heard)


def members_key(prefix: str) -> bytes:
    """The key of the membership: a slot of its own."""
    return f"{prefix}:{{members}}".encode()


def footing_mode(footing: Footing) -> str:
    """In a word."""
    return WORDS[footing.mode]


def _time_of(what: Reply | Failure) -> int | None:
    """Of the reply to TIME: seconds and microseconds."""
    if not isinstance(what, list) or len(what) != 2:
        return None
    seconds, rest = what
    if not isinstance(seconds, bytes) or not isinstance(rest, bytes):
        return None
    return int(seconds) * 1_000_000 + int(rest)


def _settle(future: "asyncio.Future[None] | None") -> None:
    if future is not None and not future.done():
        future.set_result(None)


def _unheard(_what: Reply | Failure) -> None:
    """Nothing hangs on it: it is lost by and by."""


def _nothing() -> None:
    """Nobody wants to know."""
