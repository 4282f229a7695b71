"""How a change is carried out: stored with its audit entry in one transaction, then appended to the directory log.

The log is what workers follow, and the store is what it is made from: what a death between the two left out of it, and
what else does not agree, `heal` puts right. Several nodes may share the store: each follows its news (`store/news.py`)
into a log of its own, by `follow`.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.problems import Refused, refused
from tidegate.control.declared import Declaration
from tidegate.directory.roll import Roll
from tidegate.model.directory import Change
from tidegate.store import audit, identity, news
from tidegate.store.engine import writing


@dataclass(frozen=True, slots=True)
class Deed:
    """What a change did: for the audit (JSON objects without anything secret, None = nothing), and for the workers."""

    action: str
    namespace: str
    target: str
    before: object = None
    after: object = None
    changes: Sequence[Change] = ()
    items: Sequence[news.Item] = ()  # for the other nodes, beside `changes`


Work = Callable[[Connection, int], Deed]


class Changes:
    """One at a time, so that the log has the order of the store. `wall` tells microseconds since 1970.

    `origin` is this process among those that share the store.
    """

    __slots__ = (
        "_engine_of", "_followed", "_lock", "_made_from", "_path", "_ring", "_roll", "_seen", "behind", "declaration",
        "origin", "wall",
    )  # fmt: skip

    def __init__(
        self,
        engine_of: Callable[[], Engine],
        log: Path,
        declaration: Declaration,
        wall: Callable[[], int],
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        """`engine_of` is the database as it is now; it may raise `Refused` while there is none.

        `ring` is called, in any thread, when other nodes have something to follow; it must not wait.
        """
        self._engine_of = engine_of
        self._ring = ring
        self._followed = 0  # the last item of the store's news that the log knows of
        self.origin = secrets.token_hex(16)
        self._made_from: Engine | None = None  # the log
        self.declaration = declaration
        self.wall = wall
        self.behind = True  # the log may not say what the store says
        self._path = log
        self._roll = Roll(log)
        self._seen: tuple[int, int] | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The database. Raises `Refused` while it is away."""
        return self._engine_of()

    @property
    def managed(self) -> bool:
        """Whether somebody manages namespaces, users or keys here: then there is a log."""
        return self._stat() is not None

    def carry_out(self, actor: Actor, work: Work) -> Deed:
        """Do it, or nothing of it. Raises `Refused`; 503 when it is stored but cannot be told to the workers yet."""
        with self._lock:
            now = self.wall()
            with writing(self.engine) as connection:
                news.in_turn(connection)
                deed = work(connection, now)
                audit.write(connection, _entry(actor, deed, now))
                news.tell(connection, self.origin, (*news.items_of(deed.changes), *deed.items), now)
            if deed.changes or deed.items:
                self._ring()
            if deed.changes:
                self._tell()
        return deed

    def intend(self, actor: Actor, deed: Deed) -> int:
        """Write down what somebody is about to change elsewhere than in the store; returns the entry's number.

        Raises `Refused`, `SQLAlchemyError`: then it must not be done.
        """
        with writing(self.engine) as connection:
            return audit.write(connection, _entry(actor, deed, self.wall()))

    def complete(self, number: int, target: str, after: object) -> bool:
        """Say what became of it; False: that cannot be written now, and the entry still says that it was asked for."""
        try:
            with writing(self.engine) as connection:
                audit.complete(connection, number, target, audit.as_json(after))
        except (Refused, SQLAlchemyError):
            return False
        return True

    def heal(self) -> bool:
        """Have the log say what the store says; True when it had to be written anew. Raises `OSError`."""
        with self._lock:
            engine = self.engine
            if self._agrees(engine):
                return self._follow(engine)
            with engine.connect() as connection:
                if self._stat() is None and not identity.anything(connection):
                    self._noted(engine, news.newest(connection))  # nobody manages anything here
                    return False
            self._rewrite(engine)
            return True

    def _tell(self) -> None:
        engine = self.engine
        try:
            if self._agrees(engine):
                self._follow(engine)
            else:
                self._rewrite(engine)
        except (OSError, ValueError, SQLAlchemyError):
            self.behind = True
            problem = "the change is stored, but the directory log cannot be written: no worker knows of it yet"
            raise refused(503, "state_dir", problem, "free its disk: it is tried again every few seconds") from None

    def _follow(self, engine: Engine) -> bool:
        """Append what is new in the store, whoever brought it about; True when that is not known and all was read."""
        try:
            with engine.connect() as connection:
                items = news.since(connection, self._followed)
                changes = news.changes_of(connection, items)
        except news.Behind:
            self._rewrite(engine)
            return True
        if items:
            try:
                self._roll.append(changes)
            except OSError:
                self.behind = True
                raise
            self._noted(engine, items[-1].id)
        return False

    def _rewrite(self, engine: Engine) -> None:
        with engine.connect() as connection:
            followed = news.newest(connection)  # first: what comes in between is followed, if twice
            self._roll.rewrite(identity.changes(connection))
        self._noted(engine, followed)

    def _agrees(self, engine: Engine) -> bool:
        """Was the log made from this store, and has nobody touched it since?"""
        return not self.behind and engine is self._made_from and self._stat() == self._seen

    def _noted(self, engine: Engine, followed: int) -> None:
        self.behind = False
        self._followed = followed
        self._made_from = engine
        self._seen = self._stat()

    def _stat(self) -> tuple[int, int] | None:
        """Which file it is and how long; None when there is none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size


def _entry(actor: Actor, deed: Deed, now: int) -> audit.Entry:
    before = "" if deed.before is None else audit.as_json(deed.before)
    after = "" if deed.after is None else audit.as_json(deed.after)
    return audit.Entry(
        now, actor.name, actor.role, actor.address, deed.action, deed.namespace, deed.target, before, after
    )
