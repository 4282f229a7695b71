"""Who speaks when, and what becomes of what is answered."""

import asyncio
from collections.abc import Callable

import pytest

from tests.cluster.scripted import Scripted
from tests.cluster.scripts import ECHO
from tidegate.cluster.figures import Figures
from tidegate.cluster.lease_exchanger import AGAIN_US, FIRST, LONGEST_US, LeaseExchanger
from tidegate.model.cluster import BUCKET, LATE, LOST, OK, Dim, ExchangeReply, ExchangeRequest
from tidegate.policy.lease.faces import LOCAL, SHARED, Footing
from tidegate.policy.lease.times import LEAST_US, STALE_US
from tidegate.policy.quota.allowance import ALWAYS
from tidegate.testing.clock import ManualClock, settle

SERVER_US = 1_000_000_000_000


class Purse:
    """A fund that says what a test wants it to."""

    def __init__(self, key: str = "t:{s}:f") -> None:
        self.key = key
        self.posted = True
        self.at = ALWAYS
        self.has = True
        self.seq = 0
        self.heard: list[ExchangeReply] = []
        self.missed = 0
        self.modes: list[int] = []
        self.wanted: Callable[[], None] = lambda: None

    def ask(self, footing: Footing, now: int) -> ExchangeRequest | None:
        if not self.has:
            return None
        self.seq += 1
        self.at = ALWAYS
        patience = footing.server(now) + 250_000
        return ExchangeRequest(
            footing.member, footing.incarnation, self.seq, 1, patience, 300_000, 0, 0, [Dim(BUCKET, 10)]
        )

    def told(self, told: ExchangeReply, sent_at: int, now: int) -> None:
        self.heard.append(told)

    def unheard(self, now: int) -> None:
        self.missed += 1
        self.at = now

    def due(self, now: int) -> int:
        return self.at

    def turned(self, footing: Footing, now: int) -> None:
        self.modes.append(footing.mode)

    def listen(self, wanted: Callable[[], None]) -> None:
        self.wanted = wanted


class Stand:
    """A keeper on a clock that is turned by hand, and its membership heard of now."""

    def __init__(self, *, sharded: bool = False) -> None:
        self.clock = ManualClock()
        self.client = Scripted()
        self.footing = Footing("n/0", 7)
        self.figures = Figures((1_000, 10_000))
        self.keeper = LeaseExchanger(
            self.client, ECHO, self.footing, self.clock, "t", self.figures, sharded=sharded
        )  # fmt: skip
        self.footing.mode = SHARED
        self.beat()

    def beat(self) -> None:
        """The membership was heard of, a moment ago."""
        now = self.clock.now()
        self.footing.heard_at = now
        self.footing.server_us = SERVER_US + now
        self.footing.taken_us = SERVER_US + now + 300
        self.keeper.heard()

    def told(self, status: int = OK) -> ExchangeReply:
        return ExchangeReply(status, SERVER_US + self.clock.now(), 1, [0], [10])


async def test_what_is_wanted_in_one_turn_is_said_once() -> None:
    """At its end, by each fund that wants something, however often it said so."""
    stand = Stand()
    funds = [Purse(f"t:{{s}}:{one}") for one in range(3)]
    for fund in funds:
        stand.keeper.open(fund)
        stand.keeper.open(fund)
    assert [fund.modes for fund in funds] == [[SHARED]] * 3
    funds[0].wanted()
    funds[2].wanted()
    funds[2].wanted()
    assert stand.client.said == []
    await settle()
    assert [key for key, _ in stand.client.said] == ["t:{s}:0", "t:{s}:2"]
    assert (len(stand.keeper), stand.figures.exchanges) == (3, 2)


async def test_one_exchange_at_a_time_and_a_moment_between_two() -> None:
    """What is wanted meanwhile is said afterwards, `LEAST_US` after the last began."""
    stand, fund = Stand(), Purse()
    stand.keeper.open(fund)
    fund.wanted()
    await settle()
    fund.wanted()
    fund.at = stand.clock.now()
    await settle()
    assert stand.client.waiting == 1
    await stand.clock.advance(500)
    stand.client.answer(stand.told())
    await settle()
    assert stand.client.waiting == 0
    await stand.clock.advance(LEAST_US - 501)
    assert stand.client.waiting == 0
    await stand.clock.advance(1)
    assert stand.client.waiting == 1
    assert stand.figures.counts == [1, 0, 0]
    assert stand.figures.total_us == 500


async def test_a_fund_that_is_due_is_asked() -> None:
    """By one timer for all, whoever is first; who has nothing to say costs nothing."""
    stand = Stand()
    late, soon, silent = Purse("late"), Purse("soon"), Purse("silent")
    late.at, soon.at = stand.clock.now() + 90_000, stand.clock.now() + 40_000
    silent.has, silent.at = False, stand.clock.now() + 50_000
    for fund in (late, soon, silent):
        stand.keeper.open(fund)
    assert stand.clock.pending == [40_000]
    silent.at = ALWAYS
    await stand.clock.advance(60_000)
    assert [key for key, _ in stand.client.said] == ["soon"]
    stand.beat()
    await stand.clock.advance(30_000)
    assert [key for key, _ in stand.client.said] == ["soon", "late"]
    assert stand.clock.pending == []


async def test_without_an_answer_it_is_said_again_ever_later() -> None:
    """`unheard`, and then `AGAIN_US` later, twice as long, … up to `LONGEST_US`; an answer ends that."""
    stand, fund = Stand(), Purse()
    stand.keeper.open(fund)
    fund.wanted()
    await settle()
    waits = []
    for _ in range(7):
        stand.client.fail()
        before = stand.clock.now()
        while not stand.client.waiting:
            await stand.clock.advance(stand.clock.pending[0])
            stand.beat()
            await settle()
        waits.append(stand.clock.now() - before)
    assert waits == [min(AGAIN_US << one, LONGEST_US) for one in range(7)]
    assert (fund.missed, stand.figures.failures) == (7, 7)
    stand.client.answer(stand.told())
    fund.at = stand.clock.now()
    fund.wanted()
    await stand.clock.advance(LEAST_US)
    assert stand.client.waiting == 1


async def test_nothing_is_asked_while_the_membership_is_silent() -> None:
    """Who wants something then says it with the next beat; in another mode, when it is another one again."""
    stand, fund = Stand(), Purse()
    stand.keeper.open(fund)
    await stand.clock.advance(STALE_US + 1)
    fund.wanted()
    fund.wanted()
    await settle()
    assert stand.client.said == []
    stand.beat()
    await settle()
    assert len(stand.client.said) == 1
    stand.client.answer(stand.told())
    stand.footing.mode = LOCAL
    stand.keeper.turned()
    fund.wanted()
    await stand.clock.advance(LEAST_US)
    assert stand.client.waiting == 0
    stand.footing.mode = SHARED
    fund.at = stand.clock.now()
    stand.keeper.turned()
    await settle()
    assert stand.client.waiting == 1
    assert fund.modes == [SHARED, LOCAL, SHARED]


async def test_an_exchange_does_nothing_after_the_beat_is_stale() -> None:
    """`not_after` is `STALE_US` after the server took the last beat, however patient the fund is."""
    stand, fund = Stand(), Purse()
    stand.keeper.open(fund)
    await stand.clock.advance(40_000)
    fund.wanted()
    await settle()
    (ask,) = stand.client.asks()
    assert ask.not_after == stand.footing.taken_us + STALE_US


async def test_each_server_has_a_clock_of_its_own() -> None:
    """In a Redis Cluster: the first exchange only asks for the time; then its own bound holds by it."""
    stand, fund = Stand(sharded=True), Purse()
    stand.keeper.open(fund)
    fund.wanted()
    await settle()
    (ask,) = stand.client.asks()
    assert ask.not_after == 1
    fund.at = stand.clock.now()
    theirs = 5_000_000_000
    stand.client.answer(ExchangeReply(LATE, theirs, 0, [], []))
    await stand.clock.advance(LEAST_US)
    (ask,) = stand.client.asks()
    since = stand.clock.now() - LEAST_US
    assert ask.not_after == stand.footing.heard_at + STALE_US + theirs - since
    assert (stand.figures.late, stand.figures.failures) == (0, 0), "that was no failure"


async def test_late_lost_and_strange_answers_are_counted() -> None:
    """What came too late is said again, later; what nobody understands is as if nobody had answered."""
    stand, fund = Stand(), Purse()
    stand.keeper.open(fund)
    for what in (stand.told(LATE), stand.told(LOST), b"\xc1", stand.told()):
        fund.at = stand.clock.now()
        fund.wanted()
        await stand.clock.advance(LONGEST_US)
        stand.beat()
        await settle()
        stand.client.answer(what)
    figures = stand.figures
    assert (figures.late, figures.lost, figures.refused, figures.failures) == (1, 1, 1, 1)
    assert [told.status for told in fund.heard] == [LATE, LOST, OK]


async def test_no_more_are_on_their_way_than_the_server_answers() -> None:
    """The others wait for their turn; failures halve how many, answers let one more."""
    stand = Stand()
    funds = [Purse(f"t:{{{one}}}") for one in range(FIRST + 50)]
    for fund in funds:
        stand.keeper.open(fund)
        fund.wanted()
    await settle()
    assert stand.client.waiting == FIRST
    stand.client.answer(stand.told())
    await settle()
    assert stand.client.waiting == FIRST
    await stand.clock.advance(1)
    for _ in range(FIRST - 10):
        stand.client.fail()
    await settle()
    assert stand.client.waiting == FIRST // 2, "they failed together: that is one failure"
    while stand.client.waiting:
        stand.client.answer(stand.told())
        await settle()
    assert {fund.seq for fund in funds} == {1}
    assert sum(fund.missed for fund in funds) == FIRST - 10


async def test_a_fund_that_is_closed_hears_nothing_more() -> None:
    """Its answer may still come; `posted` is of those that are open."""
    stand, fund, other = Stand(), Purse(), Purse("other")
    stand.keeper.open(fund)
    stand.keeper.open(other)
    fund.wanted()
    other.posted = False
    await settle()
    assert not stand.keeper.posted
    stand.keeper.close(other)
    stand.keeper.close(fund)
    stand.keeper.close(fund)
    assert stand.keeper.posted
    stand.client.answer(stand.told())
    fund.wanted()
    await stand.clock.advance(LEAST_US)
    assert (fund.heard, stand.client.waiting, list(stand.keeper)) == ([], 0, [])


async def test_leaving_is_said_by_who_has_something_to_say() -> None:
    """It waits for the answers, and says nothing where nothing is shared now."""
    stand, fund, silent = Stand(), Purse(), Purse("silent")
    silent.has = False
    stand.keeper.open(fund)
    stand.keeper.open(silent)
    leaves = asyncio.ensure_future(stand.keeper.leave())
    await settle()
    assert [ask.leaving for ask in stand.client.asks()] == [True]
    assert not leaves.done()
    stand.client.answer(stand.told())
    await leaves
    stand.footing.mode = LOCAL
    await stand.keeper.leave()
    assert stand.client.said == []


@pytest.mark.parametrize("bounds", [(), (10,), (10, 20)])
def test_figures_have_a_place_for_everything(bounds: tuple[int, ...]) -> None:
    """What is longer than the last bound has one of its own."""
    figures = Figures(bounds)
    for us in (10, 11, 99):
        figures.took(us)
    assert sum(figures.counts) == 3
    assert len(figures.counts) == len(bounds) + 1
    assert figures.total_us == 120
