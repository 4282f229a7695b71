"""An allowance of nothing lets nobody pass, excludes nobody, and saves nothing up."""

from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.regions.shut import SOON_US, Shut

DAY = 86_400_000_000


def test_nothing_passes_ever() -> None:
    """Not even what costs nothing."""
    shut = Shut(0)
    for now in (0, DAY):
        assert not shut.has(0, now)
        assert shut.left(now) == 0
        assert shut.wait(1, now) == SOON_US


def test_nobody_is_too_large() -> None:
    """What waits may pass when there is a part."""
    assert Quota((), (Shut(0),)).wait(Charge(1_000_000, 1_000_000), 0) not in {0, NEVER}
