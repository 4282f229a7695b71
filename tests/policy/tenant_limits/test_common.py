"""What accounts share."""

from datetime import UTC

from tidegate.model.entitlements import Allowance
from tidegate.policy.tenant_limits.account import Account
from tidegate.policy.tenant_limits.common import Common

MINUTE = 60_000_000


def account(name: str) -> Account:
    made = Account((name, "", "", ""), UTC)
    made.configure(Allowance(rpm=10, tpm=1_000), UTC, 0)
    return made


def test_logs_of_idle_accounts_are_let_go() -> None:
    """A thousand tenants call once; a minute later two thousand calls of one leave nothing of them."""
    common, now = Common(), 0
    idle = [account(f"tenant-{n}") for n in range(1_000)]
    for one in idle:
        one.begin(5, now)
        common.began((one,), now)
        one.end(0, now, now, sent=True)
    assert len(common) == 1_000
    now = 2 * MINUTE
    busy = account("busy")
    for _ in range(2_000):
        busy.begin(0, now)
        common.began((busy,), now)
        busy.end(0, now, now, sent=False)
    assert len(common) == 1
    assert all(one.requests is None and one.tokens is None and not one.recent for one in idle)


def test_an_account_is_told_once_that_it_has_changed() -> None:
    """Until somebody has saved it."""
    common, one = Common(), account("acme")
    common.ended(one)
    common.ended(one)
    assert common.changed == [one]
