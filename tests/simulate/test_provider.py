"""The provider's side: what it charges, refuses and shows."""

from random import Random

import pytest

from tidegate.simulate.agenda import Agenda
from tidegate.simulate.arrivals import Arrival
from tidegate.simulate.call import Call
from tidegate.simulate.provider import Provider, Reply, Times, Verdict
from tidegate.simulate.scenario import Group, Pool, Scope, Spread
from tidegate.simulate.tenants import parties
from tidegate.units import SECOND_US


class World:
    """A provider of two accounts of 6,000 tokens a minute, and the replies that arrived, by when."""

    def __init__(self, **pool: object) -> None:
        self.agenda = Agenda()
        self.replies: list[tuple[int, Reply]] = []
        settings: dict[str, object] = {"network_ms": (10, 10), "ttft_ms": Spread(100), "tpot_ms": Spread(1), **pool}
        self.provider = Provider(Pool((Scope("a", 2, tpm=6_000),), **settings), self.agenda, Random(1), self._deliver)  # type: ignore[arg-type]

    def _deliver(self, reply: Reply) -> None:
        self.replies.append((self.agenda.now, reply))

    def send(self, prompt: int, output: int, most: int, account: str = "a-1") -> None:
        (party,) = parties((Group("g"),))
        call = Call(Arrival(self.agenda.now, party, 0, prompt, output, most), prompt + output)
        self.provider.send(self.provider.accounts[account], call, None)


@pytest.mark.parametrize(
    ("rule", "settles", "charged"),
    [("sum", False, 1_500), ("max", False, 1_000), ("prompt", False, 1_000), ("sum", True, 1_200)],
)
def test_what_is_charged(rule: str, settles: bool, charged: int) -> None:
    """By the rule at admission, and by the usage where it settles."""
    world = World(charge=rule, settles=settles)
    world.send(1_000, 200, 500)
    world.agenda.run(SECOND_US)
    ((at, reply),) = world.replies
    assert reply.verdict is Verdict.ANSWERED
    assert at == 10_000 + 100_000 + 200 * 1_000 + 10_000  # there, first token, the others, back
    assert reply.charged == charged
    assert world.provider.accounts["a-1"].charged == charged
    assert reply.shown is not None
    assert reply.shown.tpm == 6_000


def test_what_exceeds_the_limit_is_refused_with_a_time() -> None:
    """And it was avoidable, since nobody else uses the quota."""
    world = World(settles=False)
    for _ in range(2):
        world.send(4_000, 10, 10)
    world.agenda.run(SECOND_US)
    (_, refused), (_, answered) = world.replies
    assert (refused.verdict, answered.verdict) == (Verdict.LIMITED, Verdict.ANSWERED)
    assert 0 < refused.named_us <= 60 * SECOND_US
    assert (world.provider.refused, world.provider.avoidable) == (1, 1)


def test_who_is_lost_or_overloaded_answers_nobody() -> None:
    """The one is this account, the other all of them; neither charges."""
    world = World()
    world.provider.accounts["a-1"].lose(0, lost=True)
    world.send(10, 10, 10)
    world.agenda.run(SECOND_US)
    world.provider.overloaded = True
    world.send(10, 10, 10, "a-2")
    world.agenda.run(2 * SECOND_US)
    assert [reply.verdict for _, reply in world.replies] == [Verdict.UNAUTHORISED, Verdict.OVERLOADED]
    assert [reply.shown for _, reply in world.replies] == [None, None]
    assert sum(account.charged for account in world.provider.accounts.values()) == 0


def test_quota_is_counted_as_limits_change() -> None:
    """A minute at 6,000, one at half of it, one lost: 9,000."""
    account = World().provider.accounts["a-1"]
    minute = 60 * SECOND_US
    account.scale(0.5, minute)
    account.lose(2 * minute, lost=True)
    account.lose(3 * minute, lost=False)
    assert account.quota == 9_000
    account.begin(3 * minute)
    account.count(4 * minute)
    assert account.quota - account.quota_before == 3_000


def test_times_are_log_normal_by_their_median() -> None:
    """Half are below; without a sigma all are alike."""
    random = Random(1)
    drawn = sorted(Times(Spread(400, 0.5)).draw(random) for _ in range(1_001))
    assert drawn[500] == pytest.approx(400_000, rel=0.1)
    assert {Times(Spread(400)).draw(random) for _ in range(9)} == {400_000}
    assert Times(Spread(0, 1)).draw(random) == 0
