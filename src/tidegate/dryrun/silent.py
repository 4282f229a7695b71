"""Who hears what a journal and an observer would: it keeps what tells which rules of a policy matched anything."""

from collections import Counter
from typing import Final

from tidegate.model.facts import CallRecord, Fact, Intent
from tidegate.model.outcome import Reason
from tidegate.model.reply import Unexplained

_MOST: Final = 20_000  # names of each kind


class Silent:
    """Fulfils `ports.Journal` and `ports.Observer`."""

    __slots__ = ("degraded", "models", "plans", "routes", "targets", "tenants", "tiers")

    def __init__(self) -> None:
        self.plans: Counter[str] = Counter()
        self.models: Counter[str] = Counter()  # that were asked for
        self.tenants: Counter[str] = Counter()
        self.tiers: Counter[str] = Counter()
        self.targets: Counter[str] = Counter()  # attempts by provider/scope/model
        self.routes: Counter[tuple[str, str]] = Counter()  # attempts by plan, and provider/scope/model
        self.degraded: Counter[tuple[str, str]] = Counter()  # by plan, and what was given less

    def append(self, fact: Fact) -> None:
        """An attempt leaves."""
        if isinstance(fact, Intent):
            _count(self.targets, fact.target)
            if len(self.routes) < _MOST:
                self.routes[fact.plan, fact.target] += 1

    def served(self, record: CallRecord) -> None:
        """A call ended."""
        _count(self.plans, record.plan)
        _count(self.models, record.model)
        _count(self.tenants, record.tenant)
        _count(self.tiers, record.tier)
        for what in record.degraded.split(", ") if record.degraded else ():
            self.degraded[record.plan, what] += 1

    def attempt(self, lane: str, reason: Reason | None) -> None:
        """Told by the intent."""

    def finished(self, record: CallRecord) -> None:
        """Told by `served`."""

    def refused(self, plan: str, kind: str, tier: str = "") -> None:
        """Told by the outcome."""

    def fell_back(self, plan: str) -> None:
        """Told by the intents."""

    def moved(self, plan: str) -> None:
        """Told by the outcome."""

    def key_retired(self, lane: str, digest: str, left: int) -> None:
        """Told by the outcomes."""

    def key_restored(self, lane: str, digest: str) -> None:
        """Told by the outcomes."""

    def unexplained(self, lane: str, refusal: Unexplained) -> None:
        """It was not said by a provider."""


def _count(of: "Counter[str]", name: str) -> None:
    if len(of) < _MOST or name in of:
        of[name] += 1
