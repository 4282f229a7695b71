"""What one call holds."""

from datetime import UTC

from tidegate.model.entitlements import Allowance
from tidegate.model.snapshot import Price
from tidegate.policy.money import rates
from tidegate.policy.tenant_limits.account import Account
from tidegate.policy.tenant_limits.ask import REQUEST, Ask
from tidegate.policy.tenant_limits.budget import TOKENS_DAY
from tidegate.policy.tenant_limits.common import Common
from tidegate.policy.tenant_limits.outlook import YOUNG
from tidegate.policy.tenant_limits.reservation import BOUNDLESS, TenantReservation

MINUTE = 60_000_000
NOON = 20_000 * 86_400_000_000 + 43_200_000_000
PRICES = rates([Price(prompt=1_000_000, completion=1_000_000)])  # a nano a token


class Scene:
    def __init__(self) -> None:
        allowance = Allowance(rpm=10, tpm=1_000, concurrent=5, tokens_day=10_000, nano_day=9_000, nano_month=20_000)
        self.accounts = (Account(("acme", "", "", ""), UTC), Account(("acme", "", "ci", ""), UTC))
        for account in self.accounts:
            account.configure(allowance, UTC, NOON)
        self.common = Common()

    def hold(self, now: int = 0, ask: Ask | None = None) -> TenantReservation:
        ask = Ask(100, 80, 50, None, PRICES, makes=True) if ask is None else ask
        return TenantReservation(self.accounts, ask, "ci", "gpt", self.common, now, NOON)

    def stands(self, now: int = 0) -> set[tuple[int, ...]]:
        """Of each account: running, requests and tokens of the minute, spent and held of its three budgets."""
        told = set()
        for account in self.accounts:
            tallies = [budget.at(NOON) for budget in account.budgets]
            minute = (10 - account.minute_of_requests(now).left(now), 1_000 - account.minute_of_tokens(now).left(now))
            told.add((account.running, *minute, *(figure for one in tallies for figure in (one.spent, one.held))))
        return told


def test_everything_is_charged_at_every_account() -> None:
    """What is likely, until it is known."""
    scene = Scene()
    scene.hold()
    assert scene.stands() == {(1, 1, 150, 0, 150, 0, 150, 0, 150)}


def test_it_is_settled_by_what_the_call_cost() -> None:
    """Once; in the minute in which it was granted."""
    scene = Scene()
    held = scene.hold()
    for _ in range(2):
        held.settle(110, 70, 1_000, NOON, sent=True)
    assert scene.stands() == {(0, 1, 110, 110, 0, 70, 0, 70, 0)}
    assert scene.common.changed == list(scene.accounts)


def test_what_was_not_sent_returns() -> None:
    """All of it."""
    scene = Scene()
    scene.hold().settle(0, 0, 1_000, NOON, sent=False)
    assert scene.stands() == {(0, 0, 0, 0, 0, 0, 0, 0, 0)}


def test_a_request_that_came_to_nothing_is_a_request() -> None:
    """A provider has seen it."""
    scene = Scene()
    scene.hold().settle(0, 0, 1_000, NOON, sent=True)
    assert scene.stands() == {(0, 1, 0, 0, 0, 0, 0, 0, 0)}


def test_what_is_above_the_estimate_is_never_forgotten() -> None:
    """A call of more than a minute: its surplus counts in the minute in which it is known."""
    scene, later = Scene(), 2 * MINUTE
    scene.hold().settle(500, 70, later, NOON, sent=True)
    assert {stands[2] for stands in scene.stands(later)} == {350}


def test_what_it_came_to_is_learnt() -> None:
    """Beyond its prompt; of the same calls, the next ones hold so much."""
    scene = Scene()
    for _ in range(YOUNG):
        scene.hold().settle(107, 70, 0, NOON, sent=True)
    outlook = scene.common.outlooks.of("ci", "gpt")
    assert outlook is not None
    assert outlook.upper() == 7


def test_what_teaches_nothing() -> None:
    """A call without tokens, and a request that is forwarded unread."""
    scene = Scene()
    for _ in range(YOUNG):
        scene.hold().settle(0, 0, 0, NOON, sent=True)
        scene.hold(ask=REQUEST).settle(500, 0, 0, NOON, sent=True)
    assert scene.common.outlooks.of("ci", "gpt") is None


def test_it_counts_in_the_period_in_which_it_was_granted() -> None:
    """Its day is over when it ends."""
    scene = Scene()
    held = scene.hold()
    day = scene.accounts[0].budget(TOKENS_DAY)
    today = day.at(NOON)
    tomorrow = day.at(NOON + 86_400_000_000)
    held.settle(120, 70, MINUTE, NOON + 86_400_000_000, sent=True)
    assert (today.spent, today.held) == (120, 0)
    assert (tomorrow.spent, tomorrow.held) == (0, 0)


def test_a_longer_answer_takes_more() -> None:
    """Of every budget, and of no minute; at the end it is settled like any other."""
    scene = Scene()
    held = scene.hold(ask=Ask(100, 80, 0, None, PRICES, makes=True))
    assert held.covers == 4_096
    assert held.grow(4_096 + 904)
    assert held.covers == 5_000 + 1_250 + 16
    assert {stands[2:] for stands in scene.stands()} == {(1_000, 0, 6_366, 0, 6_366, 0, 6_366)}
    held.settle(5_100, 5_100, 0, NOON, sent=True)
    assert {stands[3:] for stands in scene.stands()} == {(5_100, 0, 5_100, 0, 5_100, 0)}
    held.grow(10_000)
    assert {stands[3:] for stands in scene.stands()} == {(5_100, 0, 5_100, 0, 5_100, 0)}


def test_it_takes_more_than_there_is() -> None:
    """It is being spent, so nobody else is granted it; and it is said."""
    scene = Scene()
    held = scene.hold()
    assert not held.grow(9_000)
    assert {stands[4] for stands in scene.stands()} == {9_100}


def test_without_a_budget_nothing_grows() -> None:
    """Nobody has to ask."""
    account = Account(("acme", "", "", ""), UTC)
    account.configure(Allowance(rpm=5, tpm=5_000), UTC, NOON)
    ask = Ask(100, 80, 50, None, PRICES, makes=True)
    assert TenantReservation((account,), ask, "ci", "gpt", Common(), 0, NOON).covers == BOUNDLESS


def test_what_it_will_probably_be_billed() -> None:
    """If nobody sees its end: what such calls have come to while they run, once that is known."""
    scene = Scene()
    held = scene.hold()
    assert (held.likely_tokens, held.likely_nano) == (150, 150)
    for _ in range(YOUNG):
        scene.common.outlooks.learn("ci", "gpt", 14)
    known = scene.common.outlooks.of("ci", "gpt")
    held = scene.hold(ask=Ask(100, 80, 50, known, PRICES, makes=True))
    assert (held.likely_tokens, held.likely_nano) == (107, 107)
