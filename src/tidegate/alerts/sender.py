"""One task for each channel: in order, with patience, and without holding up any other.

Messages come from the outbox, claimed one at a time. While the database is away they come from memory (`direct`), and
what was sent is told to the outbox later. A message that nobody takes is tried again, ever more seldom, until it is
given up.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection

from tidegate.alerts.database import AlertDatabase
from tidegate.alerts.face import Channel, NotSent
from tidegate.alerts.figures import ChannelFigures
from tidegate.model.alerts import Notice
from tidegate.observe.log import Log
from tidegate.ports import Clock
from tidegate.store import alert_outbox as outbox
from tidegate.store.alert_outbox import Claimed

_SECOND: Final = 1_000_000
_SPARE_US: Final = 5 * _SECOND  # beyond a channel's own time-out
_LONGEST_US: Final = 300 * _SECOND
_LONGEST_ASKED_US: Final = 3_600 * _SECOND
_MOST_DIRECT: Final = 500
_MOST_DELIVERED: Final = 500

InThread = Callable[[Callable[[], object]], Awaitable[object]]


class Terms(NamedTuple):
    """How a channel is spoken to."""

    timeout_us: int
    give_up_us: int


class ChannelSender:
    """`run` until it is cancelled.

    `direct` are messages to be sent without the outbox, `delivered` those that were; `unnoted` is what the outbox has
    still to be told.
    """

    def __init__(
        self, name: str, channel: Channel, terms: Terms, database: AlertDatabase, clock: Clock, log: Log,
        figures: ChannelFigures, in_thread: InThread,
    ) -> None:  # fmt: skip
        """`in_thread` does what waits for a database; it may raise whatever that raises."""
        self.name = name
        self.channel = channel
        self.terms = terms
        self.figures = figures
        self.delivered: dict[str, None] = {}
        self._database = database
        self._clock = clock
        self._log = log
        self._in_thread = in_thread
        self._wake = asyncio.Event()
        self.direct: deque[tuple[Notice, bool]] = deque(maxlen=_MOST_DIRECT)
        self._not_before = 0
        self._tries = 0
        self.unnoted: list[Callable[[Connection], None]] = []
        self._open = False
        self.idle = True  # it has nothing to do, or waits for a time

    def look(self, *, open_outbox: bool) -> None:
        """There may be something to do; `open_outbox`: in the database too."""
        self._open = open_outbox
        self.idle = False
        self._wake.set()

    def tell(self, notice: Notice, *, own: bool = False) -> None:
        """Send it without the outbox; `own`: it never comes there."""
        self.direct.append((notice, own))
        self.idle = False
        self._wake.set()

    def leave_to_outbox(self) -> None:
        """What was not sent yet stands there now."""
        self.direct = deque((item for item in self.direct if item[1]), maxlen=_MOST_DIRECT)

    def inherit(self, former: "ChannelSender") -> None:
        """Go on where the one stood that spoke to this channel under other settings."""
        self.delivered, self.unnoted = former.delivered, former.unnoted
        self.direct = former.direct
        self._wake.set()

    async def run(self) -> None:
        """Whatever fails is tried again with the next look."""
        while True:
            self.idle = not self._wake.is_set()
            await self._wake.wait()
            self.idle = False
            self._wake.clear()
            try:
                while await self._one():
                    pass
            except Exception as error:  # noqa: BLE001 - of a driver; the watch says that the database is away
                self._log.warning("a channel of alerts waits", channel=self.name, problem=type(error).__name__)

    async def _one(self) -> bool:
        """The next message, if its time has come; False when there is nothing to do now."""
        if self.direct:
            return await self._tell_directly()
        if not self._open:
            return False
        while self.unnoted:
            await self._note(self.unnoted[0])
            self.unnoted.pop(0)
        lease = self.terms.timeout_us + 3 * _SPARE_US
        claimed = await self._in_thread(lambda: self._database.claim(self.name, self._clock.wall(), lease))
        if not isinstance(claimed, Claimed):
            return False
        return await self._send_claimed(claimed)

    async def _send_claimed(self, claimed: Claimed) -> bool:
        wall = self._clock.wall()
        if claimed.notice.id in self.delivered:
            await self._settle(lambda connection: outbox.sent(connection, claimed, wall))
            return True
        if wall - claimed.notice.at_us >= self.terms.give_up_us:
            return await self._give_up(claimed, claimed.problem or "nobody could send it in time")
        self.figures.repeated += claimed.repeated
        trouble = await self._send(claimed.notice)
        wall = self._clock.wall()
        if trouble is None:
            await self._settle(lambda connection: outbox.sent(connection, claimed, wall))
            return True
        if trouble.final:
            return await self._give_up(claimed, str(trouble))
        self.figures.retried += 1
        at, why = wall + _pause(claimed.tries, trouble), str(trouble)
        await self._settle(lambda connection: outbox.later(connection, claimed, at, why))
        return False

    async def _give_up(self, claimed: Claimed, why: str) -> bool:
        self._said_up(claimed.notice, why)
        wall = self._clock.wall()
        await self._settle(lambda connection: outbox.failed(connection, claimed, wall, why))
        return True

    async def _tell_directly(self) -> bool:
        if self._clock.now() < self._not_before:
            return False
        item = self.direct[0]
        notice = item[0]
        trouble = await self._send(notice)
        self._tries += 1
        if trouble is None:
            self._remember(notice)
        elif trouble.final or self._clock.wall() - notice.at_us >= self.terms.give_up_us:
            self._said_up(notice, str(trouble))
        else:
            self.figures.retried += 1
            self._not_before = self._clock.now() + _pause(self._tries, trouble)
            return False
        if self.direct and self.direct[0] is item:
            self.direct.popleft()
        self._tries = self._not_before = 0
        return True

    async def _send(self, notice: Notice) -> NotSent | None:
        """None when it was taken. A channel that never ends, or has a defect, did not take it."""
        try:
            async with asyncio.timeout((self.terms.timeout_us + _SPARE_US) / _SECOND):
                await self.channel.send(notice)
        except NotSent as error:
            return error
        except TimeoutError:
            return NotSent("it did not answer in time")
        except Exception as error:  # noqa: BLE001 - one channel's defect is nobody else's
            return NotSent(f"a defect of the channel ({type(error).__name__})")
        self.figures.sent += 1
        return None

    async def _settle(self, work: Callable[[Connection], None]) -> None:
        """Note it; while that cannot be done it is remembered."""
        self.unnoted.append(work)
        await self._note(work)
        self.unnoted.remove(work)

    async def _note(self, work: Callable[[Connection], None]) -> None:
        await self._in_thread(lambda: self._database.settle(work))

    def _remember(self, notice: Notice) -> None:
        self.delivered[notice.id] = None
        while len(self.delivered) > _MOST_DELIVERED:
            del self.delivered[next(iter(self.delivered))]

    def _said_up(self, notice: Notice, why: str) -> None:
        self.figures.failed += 1
        self._log.error("a message about alerts is given up", channel=self.name, state=notice.state, problem=why)


def _pause(tries: int, trouble: NotSent) -> int:
    """1 s, 2 s, 4 s … five minutes; longer where the channel asks for it."""
    own = min(_SECOND << min(tries - 1, 20), _LONGEST_US)
    return own if trouble.retry_after_us is None else min(max(trouble.retry_after_us, 0), _LONGEST_ASKED_US)
