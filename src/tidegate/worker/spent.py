"""What was spent of limits and budgets, over the worker's life and beyond it."""

import asyncio
from itertools import islice
from pathlib import Path
from typing import Final

from tidegate.journal.follow import JournalReader, Position
from tidegate.journal.journal import Journal
from tidegate.journal.spend import SpendFile, newest, since
from tidegate.model.facts import CallRecord
from tidegate.model.snapshot import ClientKey, Namespace, User
from tidegate.observe.meters import SpendGauge
from tidegate.observe.observer import MAX_SERIES
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.ports import Clock
from tidegate.zones import zone_of

_LONGEST_US: Final = 660_000_000  # after which a predecessor has no calls any more


class Spent:
    """The accounts, and the file that they are saved in."""

    __slots__ = ("_at", "_before", "_before_at", "_before_until", "_clock", "_file", "_saving", "accounts")

    def __init__(self, own: Path, clock: Clock, before: Path | None = None) -> None:
        """Continues with what was spent: as it was saved, and what the journal knows of the time since.

        With `before`, the folder of a predecessor that may still have calls: its sums were copied here, and count up to
        a place in its journal, which is read along from there. Raises `OSError`.
        """
        self._before = None if before is None else JournalReader(before / "journal")
        self.accounts = Accounts(zone_of)
        self._clock = clock
        self._file, self._at = SpendFile(own / "spend"), Position()
        self._saving = False
        saved, position = self._file.load()
        self.accounts.restore(saved)
        self._before_at = position or Position()
        self._before_until = clock.now() + _LONGEST_US
        if self._before is not None:
            self._before_at = position or newest(self._before.directory)
            self._follow(self._before)
            self._file.save(Position(), self.accounts.saved(self.accounts.changed()), clock.wall())
            return
        for record in since(own / "journal", position):
            self.accounts.replay(record)

    def limits(self, namespace: Namespace | None, user: User | None, key: ClientKey) -> Limits | None:
        """What a key may spend."""
        return self.accounts.limits_of(namespace, user, key, self._clock.wall())

    async def save(self, journal: Journal) -> None:
        """Save what was spent, with the place in the journal up to which that counts.

        Not while records wait to be written there: they have been counted, and would be again.
        """
        if self._before is not None:
            self._follow(self._before)
            if self._clock.now() > self._before_until:
                self._before = None
        position, wall = journal.position, self._clock.wall()
        if self._saving or (position == self._at and self._before is None) or journal.keeper.records:
            return
        changed, self._saving = self.accounts.changed(), True
        try:
            await asyncio.to_thread(self._file.save, position, self.accounts.saved(changed), wall)
        except OSError:
            self.accounts.unsaved(changed)
            raise
        finally:
            self._saving = False
        self._at = position

    def _follow(self, before: JournalReader) -> None:
        """What a predecessor's calls came to since this was asked last."""
        more = True
        while more:
            piece = before.read(self._before_at)
            more, self._before_at = piece.more, piece.position
            for fact in piece.facts:
                if isinstance(fact, CallRecord):
                    self.accounts.replay(fact)

    def gauges(self) -> list[SpendGauge]:
        """How the limits in use stand."""
        now, wall = self._clock.now(), self._clock.wall()
        accounts = self.accounts.in_use(MAX_SERIES)
        stands = (
            SpendGauge(*account.who, period, used, reserved, limit, told)
            for account in accounts
            for period, used, reserved, limit, told in account.stands(now, wall)
        )
        return list(islice(stands, MAX_SERIES))
