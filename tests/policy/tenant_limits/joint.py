"""An account that other workers spend too, and a shared state that says nothing."""

from datetime import UTC

from tidegate.model.entitlements import Allowance
from tidegate.policy.lease.faces import Footing, LeasedBucket
from tidegate.policy.tenant_limits.account import Account
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.joint import Joint, Together

NOW = 10_000_000
WALL = 1_800_000_000_000_000
PART_US = 600_000_000  # for how long a part is good, from NOW on


class Silent:
    """Fulfils `faces.Funds`."""

    prefix = "test"

    def __init__(self, footing: Footing) -> None:
        self.footing = footing
        self.opened: list[LeasedBucket] = []

    def open(self, fund: LeasedBucket) -> None:
        self.opened.append(fund)
        fund.turned(self.footing, NOW)

    def close(self, fund: LeasedBucket) -> None:
        if fund in self.opened:
            self.opened.remove(fund)


class Scene:
    def __init__(self, mode: int, share_ppm: int = 250_000, **limits: object) -> None:
        footing = Footing("n/0", 1)
        footing.mode, footing.share_ppm = mode, share_ppm
        footing.part_until = NOW + PART_US
        self.funds = Silent(footing)
        self.account = Account(("acme", "", "", ""), UTC)
        self.account.configure(Allowance(**limits), UTC, WALL)  # type: ignore[arg-type]
        self.joint: Joint = self.account.join(Together(self.funds, footing), NOW, WALL)

    def passes(self, ask: Ask, now: int = NOW) -> bool:
        """And takes what it takes of rates."""
        if not self.account.has(ask, now, WALL):
            return False
        self.account.begin(self.account.charge(ask), now)
        return True


def tokens(count: int) -> Ask:
    return Ask(count, count, 0, None, (), makes=False)
