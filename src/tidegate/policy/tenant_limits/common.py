"""What the accounts of one worker share: what was learnt of calls, and which accounts have something to be done."""

from collections import deque

from tidegate.policy.tenant_limits.account import Account
from tidegate.policy.tenant_limits.joint import Together
from tidegate.policy.tenant_limits.outlook import Outlooks


class Common:
    """All O(1) a call."""

    __slots__ = ("_recent", "changed", "outlooks", "together")

    def __init__(self) -> None:
        self.outlooks = Outlooks()
        self.changed: list[Account] = []  # whose books are other than they were saved
        self.together: Together | None = None  # in a cluster
        self._recent: deque[Account] = deque()  # that may have logs

    def __len__(self) -> int:
        """How many accounts are in use, or were of late."""
        return len(self._recent)

    def began(self, accounts: tuple[Account, ...], now: int) -> None:
        """A call of them is in flight. In turn another account is looked at, and its logs let go if it is idle."""
        recent = self._recent
        for account in accounts:
            if not account.recent:
                account.recent = True
                recent.append(account)
        other = recent.popleft()
        if other.rest(now):
            other.recent = False
        else:
            recent.append(other)

    def ended(self, account: Account) -> None:
        """It has spent something."""
        if not account.changed:
            account.changed = True
            self.changed.append(account)
