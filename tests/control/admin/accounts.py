"""A desk whose configuration has two accounts of a provider, of which a worker has told."""

from msgspec.structs import replace

from tests.control.admin.desk import Desk
from tests.observe.test_windows import gauge
from tidegate.control.declared import DeclaredProfile, DeclaredProvider, DeclaredScope
from tidegate.model.snapshot import Limits
from tidegate.observe.meters import AccountGauge, KeyGauge, Report

ONE, TWO = "0123abcd", "4567cdef"
SCOPES = (DeclaredScope("main", {"gpt-4o": Limits(600, 1_000)}, 5), DeclaredScope("spare"))
PROVIDER = DeclaredProvider("openai", SCOPES, "https://user:secret@api.example.com:8443/v1", DeclaredProfile("openai"))


def with_accounts(desk: Desk) -> None:
    """From now on."""
    desk.declaration.now = replace(desk.declaration.now, providers=(PROVIDER,))
    tell(desk)


def tell(desk: Desk, *, drained: bool = False, wait_us: int = 0) -> None:
    """What a worker says."""
    keys = [KeyGauge(ONE, "good"), KeyGauge(TWO, "dead", 60_000_000)]
    accounts = [AccountGauge("openai", "main", drained, keys, 2), AccountGauge("openai", "spare", drained=False)]
    report = Report(0, 1, 1, last=True, gauges=[gauge((500, 10), wait_us)], accounts=accounts)
    desk.board.take(report)
