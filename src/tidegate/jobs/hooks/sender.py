"""Sends what is due, from whichever desk gets to it first, and notes what came of it.

One task looks: it writes what has come back, all of it in one transaction, then claims what is due and has a place.
Each attempt is a task of its own with one time-out over everything. What is not noted is sent again by whoever claims
it when its lease is over.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Final, Protocol, TypeVar, TypeVarTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.hooks import claims, log
from tidegate.jobs.hooks.lines import Lines
from tidegate.jobs.hooks.names import Names, SystemNames
from tidegate.jobs.hooks.places import Places
from tidegate.jobs.hooks.post import TIMED_OUT, NotSent, Reading, addresses_of, post
from tidegate.jobs.hooks.records import Hook, Outcome
from tidegate.model.jobs import JobSettings, WebhookSettings
from tidegate.observe.log import Log
from tidegate.policy.failure import retry_after
from tidegate.policy.jobs.addresses import Allowed
from tidegate.policy.jobs.webhooks import GIVEN_UP, BadHook, Target, after, headers, target_of
from tidegate.ports import Clock
from tidegate.wire.limit import TimeLimit
from tidegate.wire.tls import client_context

REFUSED: Final = "not_allowed"  # the configuration has changed since it was asked for
BROKEN: Final = "failed"

_LOOK_US: Final = 1_000_000
_SPACE_US: Final = 100_000  # between looks: pokes come with each job that changes, whether it has a webhook or none
_GRACE_US: Final = 30_000_000  # of a lease, beyond the attempt: noting it may have to wait
_CLAIMED: Final = 32  # at once: those of a host without a place cost two writes
_MARGIN_US: Final = 10_000_000
_TRIM_US: Final = 600_000_000
_TRIMMED: Final = 1_000
_SECOND: Final = 1_000_000

_T = TypeVar("_T")
_A = TypeVarTuple("_A")


class Database(Protocol):
    """Where the rows are."""

    @property
    def engine(self) -> Engine: ...


class Home(Protocol):
    """What a sender needs of its desk."""

    clock: Clock
    log: Log
    settings: JobSettings

    @property
    def rows(self) -> Database: ...

    @property
    def open(self) -> bool: ...

    async def call_long(self, function: Callable[[*_A], _T], *arguments: *_A) -> _T: ...


class Sender:
    """The desk's."""

    __slots__ = (
        "_allowed", "_attempts", "_back", "_desk", "_later", "_lines", "_looked_at", "_names", "_places", "_settings",
        "_tls", "_trim_at", "_troubled", "_wake",
    )  # fmt: skip

    def __init__(self, desk: Home, names: Names | None = None, tls: ssl.SSLContext | None = None) -> None:
        """`names`, `tls`: the system's, where they are not given."""
        self._desk = desk
        self._names = names or SystemNames()
        self._tls = tls  # authorities take memory and time to load: when they are first needed
        self._places = Places()
        self._lines = Lines()
        self._later: list[tuple[Hook, int]] = []  # claimed, and found no place until then
        self._settings = WebhookSettings()
        self._allowed = Allowed(())
        self._attempts: set[asyncio.Task[None]] = set()
        self._back: list[tuple[Outcome, Target | None]] = []
        self._wake = asyncio.Event()
        self._looked_at = 0
        self._trim_at = 0
        self._troubled = False

    def poke(self) -> None:
        """Something has ended, and may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Until it is cancelled; what is on its way then is sent again later. Survives a database that is away."""
        try:
            while True:
                self._wake.clear()
                if not await self._round():
                    await self._rest()
        finally:
            for attempt in self._attempts:
                attempt.cancel()
            await asyncio.gather(*self._attempts, return_exceptions=True)
            await self._last_word()
            self._places = Places()  # whoever was on its way had one

    async def _round(self) -> bool:
        """Note, claim, start. Whether there may be more to do at once."""
        if not self._desk.open:
            return False
        self._follow()
        try:
            await self._note()
            more = await self._claim()
            await self._trim()
        except SQLAlchemyError as error:
            if not self._troubled:
                self._desk.log.warning("webhooks wait for the database", error=type(error).__name__)
            self._troubled = True
            return False
        self._troubled = False
        return more

    def _follow(self) -> None:
        settings = self._desk.settings.webhooks
        if settings is not self._settings:
            self._settings, self._allowed = settings, Allowed(settings.allow)

    async def _rest(self) -> None:
        clock = self._desk.clock
        with contextlib.suppress(TimeoutError):
            async with TimeLimit(clock, clock.now() + _LOOK_US):
                await self._wake.wait()
        if not self._back:
            await clock.sleep(self._looked_at + _SPACE_US - clock.now())

    # ── what is due ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _claim(self) -> bool:
        most = min(self._places.free, _CLAIMED)
        if most <= 0 or not self._settings.secret:
            return False
        wall, self._looked_at = self._desk.clock.wall(), self._desk.clock.now()
        lease = self._settings.timeout_us + _GRACE_US
        hooks = await self._desk.call_long(claims.claim, self._desk.rows.engine, most, lease, wall)
        for hook in hooks:
            self._take(hook, wall)
        if self._later:
            later, self._later = self._later, []
            await self._desk.call_long(claims.put_off, self._desk.rows.engine, later)
        return len(hooks) == most

    def _take(self, hook: Hook, wall: int) -> None:
        """It begins, waits in line, or comes back later."""
        try:
            target = target_of(hook.url, self._allowed)
        except BadHook:
            self._came_back(hook, None, wall, 0, 0, REFUSED, 0)
            return
        soon = self._places.worth_waiting(target.host, self._lines.ahead(target.host))
        if not (soon and self._lines.join(hook, target)):
            self._begin(hook, target, wall)

    def _begin(self, hook: Hook, target: Target, wall: int) -> bool:
        """False: it found no place."""
        when = self._places.take(target.host, hook.tenant, wall)
        if when:
            self._later.append((hook, when))
            return False
        attempt = asyncio.get_running_loop().create_task(self._attempt(hook, target))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)
        return True

    def _go_on(self, host: str, wall: int) -> None:
        """A place of this host is free. Whose lease ends before an attempt would is not begun: it is another's then."""
        latest = wall + self._settings.timeout_us + _MARGIN_US
        while (first := self._lines.next(host)) is not None:
            if first[0].until_us > latest and self._begin(*first, wall):
                return

    # ── an attempt ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _attempt(self, hook: Hook, target: Target) -> None:
        clock = self._desk.clock
        began, wall = clock.now(), clock.wall()
        answer, error = Reading(), ""
        try:
            async with TimeLimit(clock, began + self._settings.timeout_us):
                await self._send(hook, target, answer, wall)
        except NotSent as why:
            error = str(why)
        except TimeoutError:
            error = TIMED_OUT
        except Exception as trouble:  # noqa: BLE001 - whatever it is, its place must be given back and the attempt counted
            self._desk.log.error("a webhook failed", job=hook.about, error=repr(trouble))
            error = BROKEN
        pause = retry_after.from_headers(None, answer.retry_after or None, clock.wall()) or 0
        self._came_back(hook, target, wall, clock.now() - began, answer.status, error, pause)

    async def _send(self, hook: Hook, target: Target, answer: Reading, wall: int) -> None:
        head = headers(hook.event, wall // _SECOND, hook.body, self._settings.secret)
        found = await addresses_of(target, self._names, self._allowed)
        if self._tls is None and target.tls:
            self._tls = await self._desk.call_long(client_context)
        await post(target, found, head, hook.body, self._tls, answer)

    def _came_back(
        self, hook: Hook, target: Target | None, at: int, took: int, status: int, error: str, pause: int
    ) -> None:
        most = self._settings.attempts
        becomes = after(hook.event, hook.attempts + 1, most, status, pause)
        outcome = Outcome(hook, at, took, status, "" if status else error, becomes)
        self._back.append((outcome, target))
        self._wake.set()

    # ── what came of it ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _note(self) -> None:
        """Places are given back when it is written: what cannot be written holds up what is new."""
        back, self._back = self._back, []
        if not back:
            return
        try:
            await self._desk.call_long(claims.note, self._desk.rows.engine, [outcome for outcome, _ in back])
        except SQLAlchemyError:
            self._back = back + self._back
            raise
        wall = self._desk.clock.wall()
        for outcome, target in back:
            if target is not None:
                self._places.give(target.host, outcome.hook.tenant, outcome.took_us, answered=outcome.status > 0)
                self._go_on(target.host, wall)
        self._tell([outcome for outcome, _ in back if outcome.next.state == GIVEN_UP])

    def _tell(self, lost: list[Outcome]) -> None:
        if lost:
            one = lost[0]
            self._desk.log.warning(
                "webhooks given up", count=len(lost), job=one.hook.about, status=one.status, error=one.error
            )

    async def _last_word(self) -> None:
        """What came back is noted if it can be."""
        with contextlib.suppress(SQLAlchemyError, RuntimeError):  # RuntimeError: the desk's threads have ended
            if self._desk.open:
                await self._note()
                left = [(hook, self._desk.clock.wall()) for hook in self._lines.leave()]
                await self._desk.call_long(claims.put_off, self._desk.rows.engine, left)
        self._back, self._later, self._lines = [], [], Lines()

    async def _trim(self) -> None:
        now = self._desk.clock.now()
        if now < self._trim_at:
            return
        before = self._desk.clock.wall() - self._desk.settings.keep_us
        gone = await self._desk.call_long(log.trim, self._desk.rows.engine, before, _TRIMMED)
        self._trim_at = now + (0 if gone >= _TRIMMED else _TRIM_US)
