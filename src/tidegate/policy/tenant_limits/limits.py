"""The limits that apply to the calls of one key: those of its namespace, its user, itself, and of what it asks for.

They are taken together or not at all, once a call, whatever attempts it needs.

How far a budget can be overrun. Calls hold what such calls hardly exceed, so a budget is overrun by what calls cost
beyond that, and only by those that were in flight when the last one was granted:

    overrun ≤ max(Σ (cost − held)⁺ over the calls in flight at the last grant, cost − usual cost of one call alone)

In the mean the sum is negative: nine calls in ten cost less than they hold. The second term is of the call that is
granted the rest of a budget, when nothing else is in flight. `TenantReservation.grow` makes the held part of a running
answer follow what is produced, so that the sum counts only what is produced after the last grant.
"""

from tidegate.policy.tenant_limits.account import Account
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.common import Common
from tidegate.policy.tenant_limits.joint import Joint
from tidegate.policy.tenant_limits.outlook import Outlook
from tidegate.policy.tenant_limits.patient import crowded
from tidegate.policy.tenant_limits.reservation import TenantReservation
from tidegate.policy.tenant_limits.short import Short


class Limits:
    """One key's. Made when the key is resolved; a key without any limit has none."""

    __slots__ = ("_by_model", "_common", "_usual", "money", "tokens", "who")

    def __init__(
        self, who: str, usual: tuple[Account, ...], by_model: dict[str, tuple[Account, ...]], common: Common
    ) -> None:
        """`who`: the key's name. `by_model`: all accounts of a call that asks for a model with limits of its own."""
        self.who = who
        self._usual = usual
        self._by_model = by_model
        self._common = common
        bearers = {*usual, *(account for accounts in by_model.values() for account in accounts)}
        self.money = any(account.money for account in bearers)
        self.tokens = any(account.tpm or account.budgets for account in bearers)  # it matters what a call costs

    def outlook(self, model: str) -> Outlook | None:
        """What is known of its calls to this model."""
        return self._common.outlooks.of(self.who, model)

    def accounts(self, model: str) -> tuple[Account, ...]:
        """Whose limits apply to a call that asks for this model or strategy; perhaps nobody's. O(1)."""
        return self._by_model.get(model, self._usual)

    def grant(self, model: str, ask: Ask, now: int, wall: int) -> TenantReservation | Short | None:
        """Charge everything that applies to such a call, or say what it lacks. None: nothing applies. O(limits)."""
        accounts = self._by_model.get(model, self._usual)
        if not accounts:
            return None
        together = self._common.together
        if together is not None:
            for account in accounts:
                account.join(together, now, wall)
        for account in accounts:
            if not account.has(ask, now, wall):
                return _worst(accounts, ask, now, wall)
        return TenantReservation(accounts, ask, self.who, model, self._common, now, wall)

    def lacking(self, model: str, ask: Ask, now: int, wall: int) -> list[Joint]:
        """Of what such a call lacks, whatever other workers may still give.

        Empty where nobody else can help: there is no cluster, or nothing is heard of it.
        """
        together = self._common.together
        if together is None or not together.shared:
            return []
        joints = [account.join(together, now, wall) for account in self._by_model.get(model, self._usual)]
        return [joint for joint in joints if not joint.has(ask, now, wall)]

    @property
    def joined(self) -> bool:
        """Whether other workers spend of the same limits."""
        return self._common.together is not None

    def grant_job(self, model: str, ask: Ask, now: int, wall: int) -> TenantReservation | Short | None:
        """The same for a job, which leaves room for conversations (`patient`). O(limits)."""
        worst: Short | None = None
        for account in self._by_model.get(model, self._usual):
            for one in (crowded(account, ask, now), account.short(ask, now, wall)):
                if one is not None and (worst is None or one.worse(worst)):
                    worst = one
        return self.grant(model, ask, now, wall) if worst is None else worst


def _worst(accounts: tuple[Account, ...], ask: Ask, now: int, wall: int) -> Short:
    """What keeps the call away for longest."""
    worst: Short | None = None
    for account in accounts:
        one = account.short(ask, now, wall)
        if one is not None and (worst is None or one.worse(worst)):
            worst = one
    if worst is None:
        raise RuntimeError("a call that lacks something has been told that it lacks nothing")
    return worst
