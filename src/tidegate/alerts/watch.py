"""The watch: looks every second, has rules judged, keeps what came of it, and has people told. `docs/alerts.md`.

One process judges for all nodes: the one that leads, whose state stands in the database. A message is in the outbox
before it is sent, in the transaction that says what was told, so that whoever leads next neither forgets nor repeats
it. While the database is away the process that judged last goes on by what it remembers and sees itself, and tells the
database later; nobody can take its place meanwhile but where it alone is cut off.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.alerts.database import HEARD_US, AlertDatabase, Heard, Saving
from tidegate.alerts.face import Channel
from tidegate.alerts.figures import AlertsStanding, ChannelFigures
from tidegate.alerts.own import METRICS, OwnWatch, others
from tidegate.alerts.sender import ChannelSender, Terms
from tidegate.model.alert_state import PENDING
from tidegate.model.alerts import AlertChannel, AlertSettings
from tidegate.model.measures import Sample
from tidegate.model.standing import NodeStanding
from tidegate.observe.log import Log
from tidegate.policy.alerts.engine import Engine
from tidegate.policy.alerts.groups import Outgoing
from tidegate.ports import Clock

_SECOND: Final = 1_000_000
_PATIENCE_US: Final = 5 * _SECOND  # with a database that does not answer
_START_US: Final = 10 * _SECOND  # a database that is being opened is not away
_LEAST_US: Final = 50_000
_MOST_EVENTS: Final = 5_000
_MOST_NOTICES: Final = 1_000
_THREADS: Final = 4

OpenChannel = Callable[[AlertChannel, AlertSettings], Channel]


class Surroundings(NamedTuple):
    """What the watch looks at. Each may be asked by any thread."""

    settings: Callable[[], AlertSettings]
    standing: Callable[[], NodeStanding]  # of this node
    samples: Callable[[Sequence[NodeStanding]], Iterable[Sample]]  # of nodes together
    open_channel: OpenChannel


class Watch:
    """`run` until it is cancelled; how it stands is given to `show` after each look."""

    def __init__(
        self, around: Surroundings, database: AlertDatabase, state_dir: Path, clock: Clock, log: Log,
        show: Callable[[AlertsStanding], None],
    ) -> None:  # fmt: skip
        self._around = around
        self._database = database
        self._clock = clock
        self._log = log
        self._show = show
        self._own = OwnWatch(state_dir)
        self._engine: Engine | None = None  # of who judges, or judged last
        self._heard = Heard(False)
        self._heard_at = 0
        self._began = clock.now()
        self._asking: asyncio.Future[Heard] | None = None
        self._threads = ThreadPoolExecutor(_THREADS, "alerts")
        self._figures: dict[str, ChannelFigures] = {}
        self._senders: dict[str, tuple[ChannelSender, asyncio.Task[None]]] = {}
        self._words: dict[str, object] = {}  # as what each sender was made
        self._handed: dict[tuple[str, str], None] = {}  # messages that were given to channels without the outbox
        self._taken: list[str] = []
        self._settings = AlertSettings()
        self._trouble = ""
        self._full: set[str] = set()

    async def run(self) -> None:
        """Whatever fails in one look is told once and tried again with the next."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                began = self._clock.now()
                try:
                    self._follow(self._around.settings(), tasks)
                    await self.look()
                except Exception as error:  # noqa: BLE001 - somebody has to go on watching
                    self._say(f"{type(error).__name__}: {error}"[:200])
                await self._clock.sleep(max(began + self._settings.look_us - self._clock.now(), _LEAST_US))

    async def look(self) -> None:
        """Judge, keep, tell."""
        now, own = self._clock.wall(), self._around.standing()
        seen = list(self._around.samples([own]))
        for out in self._own.look(self._settings, [one for one in seen if one.metric in METRICS], now):
            self._tell(out, own=True)
        if self._engine is not None and (self._heard.judges or self._away):
            await self._judge(own, now)
        heard = await self._ask(own, now)
        if heard is None:
            self._go_on_alone()
        else:
            self._hear(heard, now)
        self._report(now)

    @property
    def _away(self) -> bool:
        """The last look could not ask the database."""
        return bool(self._trouble)

    # ── judging ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _judge(self, own: NodeStanding, now: int) -> None:
        assert self._engine is not None  # noqa: S101 - asked before
        settings = others(self._settings)
        if self._engine.settings != settings:
            self._engine = self._engine.changed(settings, now)
        fresh = now - self._heard_at < HEARD_US
        nodes = [one for one in self._heard.standings if fresh and one.node != own.node]
        whole = not self._away or not nodes  # other nodes' alerts are not over because nobody hears of them
        await self._in_thread(partial(self._step, self._engine, [own, *nodes], now, whole=whole))
        self._crowded(self._engine)

    def _step(self, engine: Engine, standings: Sequence[NodeStanding], now: int, *, whole: bool) -> None:
        samples = [one for one in self._around.samples(standings) if one.metric not in METRICS]
        samples += self._heard.samples
        engine.step(samples, self._heard.silences, now, whole=whole)

    def _crowded(self, engine: Engine) -> None:
        """Say once that a rule has more alerts than are kept apart."""
        dropped = engine.judge.dropped
        for rule in dropped.keys() - self._full:
            self._log.error("a rule has too many alerts at a time: the others are not told", rule=rule,
                            others=dropped[rule])  # fmt: skip
        self._full = set(dropped)

    # ── the database ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _ask(self, own: NodeStanding, now: int) -> Heard | None:
        """One turn of the database; None when it is away, or does not answer soon. One at a time."""
        if self._asking is not None:
            if not self._asking.done():
                return None
            late, self._asking = self._asking, None
            late.exception()  # what it came to is asked anew
        saving = None
        if self._engine is not None:
            done = [(name, channel) for name, channel in self._handed if self._delivered(channel, name)]
            saving = Saving.of(self._engine.unsaved, self._taken, done)
            saving.events.extend(self._own.events)
        names = [channel.name for channel in self._settings.channels]
        loop = asyncio.get_running_loop()
        asking = loop.run_in_executor(self._threads, self._database.turn, saving, own, names, now)
        await asyncio.wait({asking}, timeout=_PATIENCE_US / _SECOND)
        if not asking.done():
            self._asking = asking
            self._say("the database does not answer")
            return None
        try:
            heard = asking.result()
        except Exception as error:  # noqa: BLE001 - of a driver, or somebody else leads now
            self._say(type(error).__name__)
            return None
        if saving is not None and heard.judges and heard.state is None and self._engine is not None:
            self._engine.saved()
            self._own.events = []
        return heard

    def _hear(self, heard: Heard, now: int) -> None:
        if self._trouble and self._heard_at:
            self._log.info("alerts are kept in the database again")
        self._trouble = ""
        self._heard, self._heard_at = heard, now
        if not heard.judges:
            return
        if heard.state is not None:
            self._engine = Engine(others(self._settings), now, heard.state.alerts, heard.state.groups)
        assert self._engine is not None  # noqa: S101 - who has none asks for the state
        self._taken = []
        for take in heard.takes:
            self._engine.take(take.alert, take.by, take.at_us, now)
            self._taken.append(take.alert)
        for sender, _ in self._senders.values():
            sender.leave_to_outbox()
        for channel, count in heard.dropped.items():
            self._figure(channel).failed += count
            self._log.error("messages about alerts are given up: too many wait", channel=channel, messages=count)

    def _go_on_alone(self) -> None:
        """Nothing can be kept: what is to be said is said at once, and kept later."""
        engine = self._engine
        if engine is None:
            return
        for out in engine.unsaved.notices:
            if (out.notice.id, out.channel) not in self._handed:
                self._handed[out.notice.id, out.channel] = None
                self._tell(out)
        del engine.unsaved.events[:-_MOST_EVENTS], engine.unsaved.notices[:-_MOST_NOTICES]
        while len(self._handed) > 2 * _MOST_NOTICES:
            del self._handed[next(iter(self._handed))]

    def _say(self, trouble: str) -> None:
        starting = not self._heard_at and self._clock.now() - self._began < _START_US
        if trouble != self._trouble and not starting:
            self._log.error("alerts cannot be kept in the database: they are told from memory", problem=trouble)
        self._trouble = trouble

    # ── channels ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _follow(self, settings: AlertSettings, tasks: asyncio.TaskGroup) -> None:
        """A task for each channel of the settings in force."""
        if settings == self._settings:
            return
        self._settings = settings
        before, self._senders = self._senders, {}
        for channel in settings.channels:
            words = (channel, settings.language, settings.zone, settings.gate, settings.link, settings.give_up_us)
            if self._words.get(channel.name) == words:
                self._senders[channel.name] = before[channel.name]
                continue
            self._words[channel.name] = words
            terms = Terms(channel.timeout_us, settings.give_up_us)
            opened = self._around.open_channel(channel, settings)
            sender = ChannelSender(
                channel.name, opened, terms, self._database, self._clock, self._log, self._figure(channel.name),
                self._in_thread,
            )  # fmt: skip
            if channel.name in before:
                sender.inherit(before[channel.name][0])
            self._senders[channel.name] = (sender, tasks.create_task(sender.run()))
        for sender, task in before.values():
            if self._senders.get(sender.name, (None,))[0] is not sender:
                task.cancel()  # what it is in the middle of comes again, when its claim has ended
        self._words = {name: self._words[name] for name in self._senders}

    def _tell(self, out: Outgoing, *, own: bool = False) -> None:
        if out.channel in self._senders:
            self._senders[out.channel][0].tell(out.notice, own=own)

    def _delivered(self, channel: str, notice: str) -> bool:
        return channel in self._senders and notice in self._senders[channel][0].delivered

    def _figure(self, channel: str) -> ChannelFigures:
        return self._figures.setdefault(channel, ChannelFigures())

    async def _in_thread(self, work: Callable[[], object]) -> object:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # ── how it stands ──────────────────────────────────────────────────────────────────────────────────────────────

    def _report(self, now: int) -> None:
        engine = self._engine if self._heard.judges or self._away else None
        alerts = [*self._own.alerts, *(engine.alerts if engine is not None else ())]
        firing = [alert for alert in alerts if alert.fires]
        for name, (sender, _) in self._senders.items():
            waiting = self._heard.waiting.get(name, 0)
            sender.look(open_outbox=not self._away and self._heard.judges and bool(waiting or sender.unnoted))
            sender.figures.waiting = waiting
        self._show(
            AlertsStanding(
                judges=self._heard.judges,
                kept=not self._away,
                judged_us=now if engine is not None else 0,
                firing=Counter((alert.rule, alert.severity) for alert in firing),
                pending=sum(alert.stage == PENDING for alert in alerts),
                silenced=sum(engine.groups.is_silenced(alert) for alert in firing) if engine is not None else 0,
                dropped=dict(engine.judge.dropped) if engine is not None else {},
                channels={name: self._figures[name] for name in self._senders},
            )
        )
