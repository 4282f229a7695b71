"""All bearers of limits of one worker, and what was spent of their budgets.

An account outlives the configuration that names it: whoever is limited otherwise, or again, finds what was spent in the
period. Keys are resolved when they are used, and so are their accounts: a call costs O(1) in their number, and
`tidy` lets go of those that have nothing to remember. O(accounts) are `tidy`, `restore` and `in_use` only.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from itertools import islice
from typing import Final

from tidegate.model.entitlements import Allowance, ClientKey, Namespace, User
from tidegate.model.facts import CallRecord
from tidegate.model.spending import Spent
from tidegate.policy.tenant_limits.account import NOTHING, Account, Who
from tidegate.policy.tenant_limits.budget import WHATS
from tidegate.policy.tenant_limits.common import Common
from tidegate.policy.tenant_limits.limits import Limits

_UTC: Final = "UTC"
_LOST: Final = 0  # status of a call that died with its worker: its record knows its plan, not what it asked for
_ROOM: Final = 10_000  # accounts that are not looked through for nothing


class Accounts:
    """By who bears the limits."""

    __slots__ = ("_known", "_many", "_whole", "_zones", "common")

    def __init__(self, zones: Callable[[str], tzinfo]) -> None:
        """`zones`: a time zone by its IANA name, the same object for the same name."""
        self.common = Common()
        self._zones = zones
        self._known: dict[Who, Account] = {}
        self._whole: dict[Who, Account] = {}  # of them, those of whole namespaces
        self._many = _ROOM

    def __len__(self) -> int:
        return len(self._known)

    def limits_of(self, namespace: Namespace | None, user: User | None, key: ClientKey, wall: int) -> Limits | None:
        """The limits of one key as it is configured now; None where nothing limits its calls.

        O(models with limits of their own).
        """
        tenant, zone = key.name, self._zones(_UTC)
        usual: tuple[Account, ...] = ()
        if namespace is not None:
            tenant, zone = namespace.name, self._zones(namespace.timezone)
            usual = self._joined(usual, (tenant, "", "", ""), namespace.allowance, zone, wall)
        if user is not None:
            usual = self._joined(usual, (tenant, user.name, "", ""), user.allowance, zone, wall)
        usual = self._joined(usual, (tenant, "", key.name, ""), key.allowance, zone, wall)
        by_model: dict[str, tuple[Account, ...]] = {}
        if namespace is not None:
            for model, allowance in namespace.by_model.items():
                by_model[model] = self._joined(usual, (tenant, "", "", model), allowance, zone, wall)
        if not usual and not any(by_model.values()):
            return None
        return Limits(key.name, usual, by_model, self.common)

    def tidy(self, wall: int, *, everything: bool = False) -> None:
        """Let go of what has nothing to remember, when there is much of it or `everything` is to be looked at.

        Whoever holds `Limits` must ask for new ones afterwards; with `everything`, nobody is limited until they do.
        Amortised O(1) an account that was made.
        """
        if everything:
            for account in self._known.values():
                account.configure(NOTHING, account.zone, wall)
        elif len(self._known) < self._many:
            return
        self._known = {who: account for who, account in self._known.items() if account.matters(wall)}
        self._whole = {who: account for who, account in self._known.items() if not any(who[1:])}
        self._many = 2 * len(self._known) + _ROOM

    def changed(self) -> list[Account]:
        """Those whose books are other than when this was last asked."""
        changed, self.common.changed = self.common.changed, []
        for account in changed:
            account.changed = False
        return changed

    def unsaved(self, accounts: Iterable[Account]) -> None:
        """Their books could not be saved."""
        for account in accounts:
            self.common.ended(account)

    def saved(self, accounts: Iterable[Account]) -> list[Spent]:
        """The books of these accounts, as they are to be kept."""
        return [
            Spent(*account.who, budget.what, tally.start, tally.end, tally.spent, str(budget.zone), tally.told)
            for account in accounts
            for budget in (*account.budgets, *account.spares)
            for tally in (budget.before, budget.current)
            if tally is not None and (tally.spent or tally.told)
        ]

    def restore(self, saved: Iterable[Spent]) -> None:
        """Continue from what was saved: before any call, and before `replay`."""
        for one in sorted(saved, key=_start):
            account = self._remembered((one.namespace, one.user, one.key, one.model), self._zones(one.zone))
            account.budget(one.what).put(one.start_us, one.end_us, one.amount, one.told)

    def replay(self, record: CallRecord) -> None:
        """A call that ended after the books were saved. It counts where it was granted, as far as that can be told.

        Nobody knows yet who is limited, and how: it is booked to all that may be. Of whom nothing was saved before, it
        is not known either whose days count: those of UTC, until the tenant calls.
        """
        granted = record.at_us - record.duration_us
        tokens = record.prompt_tokens + record.completion_tokens
        tenant, model = record.tenant, record.plan if record.status == _LOST else record.model
        whos = [(tenant, "", "", "")]
        if record.user:
            whos.append((tenant, record.user, "", ""))
        if record.client:
            whos.append((tenant, "", record.client, ""))
        if model:
            whos.append((tenant, "", "", model))
        for who in whos:
            account = self._remembered(who, self._zones(_UTC))
            for what in WHATS:
                budget = account.budget(what)
                tally = budget.find(granted)
                if tally is not None:
                    tally.spent += record.cost_nano if budget.money else tokens
            self.common.ended(account)

    def in_use(self, most: int) -> Iterator[Account]:
        """Accounts that have limits, those of whole namespaces first; at most so many. O(`most`), where most have."""
        whole = [account for account in self._whole.values() if account.limited]
        yield from islice(whole, most)
        parts = (account for who, account in self._known.items() if who not in self._whole and account.limited)
        yield from islice(parts, max(0, most - len(whole)))

    def _joined(
        self, others: tuple[Account, ...], who: Who, allowance: Allowance, zone: tzinfo, wall: int
    ) -> tuple[Account, ...]:
        """With this one, where it has limits."""
        account = self._known.get(who)
        if account is None:
            if allowance == NOTHING:
                return others
            account = self._made(who, zone)
        account.configure(allowance, zone, wall)
        return (*others, account) if account.limited else others

    def _remembered(self, who: Who, zone: tzinfo) -> Account:
        account = self._known.get(who)
        return self._made(who, zone) if account is None else account

    def _made(self, who: Who, zone: tzinfo) -> Account:
        account = self._known[who] = Account(who, zone)
        if not any(who[1:]):
            self._whole[who] = account
        return account


def _start(one: Spent) -> int:
    return one.start_us
