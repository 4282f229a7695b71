"""What was spent of limits and budgets, over the worker's life and beyond it."""

import asyncio
from itertools import islice
from pathlib import Path

from tidegate.clock import zone_of
from tidegate.ledger.follow import Position
from tidegate.ledger.journal import Journal
from tidegate.ledger.spend import SpendFile, since
from tidegate.model.snapshot import ClientKey, Namespace, User
from tidegate.observe.meters import SpendGauge
from tidegate.observe.observer import MAX_SERIES
from tidegate.policy.spend.accounts import Accounts
from tidegate.policy.spend.limits import Limits
from tidegate.ports import Clock


class Spent:
    """The accounts, and the file that they are saved in."""

    __slots__ = ("_at", "_clock", "_file", "_saving", "accounts")

    def __init__(self, own: Path, clock: Clock) -> None:
        """Continues with what was spent: as it was saved, and what the journal knows of the time since."""
        self.accounts = Accounts(zone_of)
        self._clock = clock
        self._file, self._at = SpendFile(own / "spend"), Position()
        self._saving = False
        saved, position = self._file.load()
        self.accounts.restore(saved)
        for record in since(own / "journal", position):
            self.accounts.replay(record)

    def limits(self, namespace: Namespace | None, user: User | None, key: ClientKey) -> Limits | None:
        """What a key may spend."""
        return self.accounts.limits_of(namespace, user, key, self._clock.wall())

    async def save(self, journal: Journal) -> None:
        """Save what was spent, with the place in the journal up to which that counts.

        Not while records wait to be written there: they have been counted, and would be again.
        """
        position, wall = journal.position, self._clock.wall()
        if self._saving or position == self._at or journal.keeper.records:
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

    def gauges(self) -> list[SpendGauge]:
        """How the limits in use stand."""
        now, wall = self._clock.now(), self._clock.wall()
        accounts = self.accounts.in_use(MAX_SERIES)
        stands = (SpendGauge(*account.who, *one) for account in accounts for one in account.stands(now, wall))
        return list(islice(stands, MAX_SERIES))
