"""What the watch asks of the database, in threads: one turn for everything that has to be kept and heard.

Nothing here remembers anything but who this process is. Whatever a driver raises goes to who asked.
"""

import copy
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Self

import msgspec
from sqlalchemy import Connection, Engine

from tidegate.model.alert_state import Alert, AlertEvent, Group
from tidegate.model.alerts import AlertSilence, Notice
from tidegate.model.measures import Sample
from tidegate.model.standing import NodeStanding
from tidegate.policy.alerts.engine import Unsaved
from tidegate.store import alert_outbox as outbox
from tidegate.store import alerts, standings
from tidegate.store.alert_outbox import Claimed
from tidegate.store.alerts import State, Take
from tidegate.store.engine import Begin, is_sqlite, writing

HEARD_US: Final = 15_000_000  # a node that said nothing for so long is not judged
_SAY_US: Final = 2_000_000  # how often a node says how it stands
_SAMPLE_US: Final = 5_000_000
_TIDY_US: Final = 3_600_000_000
_KEEP_US: Final = 30 * 86_400_000_000


class Away(Exception):
    """There is no database with this version's schema now."""


class Saving(NamedTuple):
    """What has to be kept, copied: the engine goes on while it is written."""

    alerts: dict[str, Alert | None]
    groups: dict[str, Group | None]
    events: list[AlertEvent]
    notices: list[tuple[str, Notice]]
    taken: list[str] = []  # takes that stand in the state
    done: frozenset[tuple[str, str]] = frozenset()  # ids and channels of messages that were sent already

    @classmethod
    def of(cls, unsaved: Unsaved, taken: Iterable[str], done: Iterable[tuple[str, str]]) -> Self:
        """A copy. O(unsaved)."""
        return cls(
            {name: copy.copy(alert) for name, alert in unsaved.alerts.items()},
            {key: _copied(group) for key, group in unsaved.groups.items()},
            list(unsaved.events),
            [(one.channel, one.notice) for one in unsaved.notices],
            list(taken),
            frozenset(done),
        )


class Heard(NamedTuple):
    """What the database said."""

    judges: bool  # this process does, for all nodes
    state: State | None = None  # of who judged before; what this process remembers is old
    takes: Sequence[Take] = ()
    silences: Sequence[AlertSilence] = ()
    standings: Sequence[NodeStanding] = ()
    waiting: dict[str, int] = {}
    samples: Sequence[Sample] = ()  # what only the database knows
    dropped: dict[str, int] = {}  # messages given up since too many wait, by channel


class AlertDatabase:
    """`engine_of`: the database, None while it is away; `lead`: how the leader begins a transaction, None = another.

    `more`: samples of what only the database knows, at a wall-clock moment; it fails for itself.
    """

    __slots__ = ("_engine_of", "_lead", "_more", "_said", "_sampled", "_samples", "_tidied", "holder")

    def __init__(
        self,
        engine_of: Callable[[], Engine | None],
        lead: Callable[[], Begin | None],
        more: Callable[[Engine, int], Iterable[Sample]] = lambda _engine, _wall: (),
    ) -> None:
        self._engine_of = engine_of
        self._lead = lead
        self._more = more
        self._samples: Sequence[Sample] = ()
        self._said = self._tidied = self._sampled = 0
        self.holder = secrets.token_hex(16)

    @property
    def engine(self) -> Engine:
        """Raises `Away`."""
        found = self._engine_of()
        if found is None:
            raise Away
        return found

    def turn(self, saving: Saving | None, own: NodeStanding, channels: Sequence[str], now: int) -> Heard:
        """Say how this node stands; where it leads, keep `saving` and hear the rest. None: nothing is remembered."""
        engine = self.engine
        if not is_sqlite(engine) and abs(now - self._said) >= _SAY_US:
            with writing(engine) as connection:
                standings.put(connection, own, now)
            self._said = now
        begin = self._lead()
        if begin is None:
            return Heard(False)
        with begin(engine) as connection:
            state = None
            if saving is None or alerts.keeper(connection) != self.holder:
                alerts.become_keeper(connection, self.holder)
                state = alerts.load(connection)
            else:
                _keep(connection, saving, now)
            dropped = outbox.drop_crowd(connection, now)
            outbox.drop_strangers(connection, channels, now)
            heard = Heard(
                True, state, alerts.takes(connection), alerts.silences(connection, now),
                standings.recent(connection, HEARD_US, now), outbox.waiting(connection), self._samples, dropped,
            )  # fmt: skip
            self._tidy(connection, now)
        if abs(now - self._sampled) >= _SAMPLE_US:
            self._sampled, self._samples = now, list(self._more(engine, now))
        return heard._replace(samples=self._samples)

    def claim(self, channel: str, now: int, lease_us: int) -> Claimed | None:
        """The next message of a channel, if its time has come."""
        begin = self._lead()
        if begin is None:
            return None
        with begin(self.engine) as connection:
            return outbox.claim(connection, channel, now, lease_us)

    def settle(self, work: Callable[[Connection], None]) -> None:
        """Note what became of a message."""
        with writing(self.engine) as connection:
            work(connection)

    def _tidy(self, connection: Connection, now: int) -> None:
        if now - self._tidied >= _TIDY_US:
            self._tidied = now
            alerts.forget(connection, now - _KEEP_US)
            standings.forget(connection, now)


def _keep(connection: Connection, saving: Saving, now: int) -> None:
    alerts.keep(connection, saving.alerts, saving.groups, saving.events)
    outbox.put(connection, saving.notices, saving.done, now)
    alerts.untake(connection, saving.taken)


def _copied(group: Group | None) -> Group | None:
    return None if group is None else msgspec.structs.replace(group, told=dict(group.told))
