"""Wallets against the twin: nothing beyond the limit, nothing lost, and nothing said where there is nothing to say."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.lease.bank import FREE, SERVER, Bank, Hours, Teller
from tidegate.model.cluster import BUCKET, LATE, LOG, LOST, OK, Demand, ExchangeReply, ExchangeRequest
from tidegate.policy.lease.faces import CLOSED, LOCAL, OPEN, SHARED
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import QuotaLease
from tidegate.policy.lease.times import BEAT_US, LEASE_US, LOCAL_US, LOST_US, RENEW_US, STALE_US
from tidegate.policy.quota.allowance import ALWAYS

SECOND = 1_000_000
MINUTE = 60 * SECOND
LIMIT = 60_000
COST = 1_000


class Client:
    """Who spends of one worker's wallet: calls that wait in a row, and go as soon as the purses have enough."""

    def __init__(self, bank: Bank, name: str, kind: int = BUCKET, limit: int = LIMIT, window: int = MINUTE) -> None:
        self.teller = Teller(bank, name)
        self.clock = bank.clock
        purses = QuotaLease(BUCKET, 0, of=0), QuotaLease(kind, limit, window_us=window)
        self.wallet = LeaseClient("t:{s}:lane:x", purses)
        self.purse = purses[1]
        self.wallet.sources.append(self)
        self.row: list[int] = []
        self.sent: list[tuple[int, int]] = []
        self.teller.open(self.wallet)

    def call(self, cost: int = COST) -> None:
        self.row.append(cost)
        self._go()

    def demands(self, wallet: LeaseClient, now: int) -> list[Demand]:
        return [Demand(1, 7, 1_000, [1, self.row[0]], len(self.row))] if self.row else []

    def told(self, wallet: LeaseClient, told: ExchangeReply | None, now: int) -> None:
        self._go()

    def _go(self) -> None:
        now = self.clock.now()
        while self.row and self.purse.has(self.row[0], now):
            cost = self.row.pop(0)
            self.purse.take(cost, now)
            self.sent.append((now, cost))
        if self.row:
            self.wallet.want(1, 7)

    def settle(self, at: int, by: int) -> None:
        """The call that was sent at `at` cost `by` more."""
        self.purse.correct(by, at, self.clock.now())
        self._go()

    @property
    def spent(self) -> int:
        return sum(cost for _, cost in self.sent)


def bank_of(
    names: str = "ab", kind: int = BUCKET, limit: int = LIMIT, window: int = MINUTE
) -> tuple[Bank, list[Client]]:
    bank = Bank(Hours())
    return bank, [Client(bank, name, kind, limit, window) for name in names]


def go(bank: Bank, duration: int) -> None:
    clock = bank.clock
    assert isinstance(clock, Hours)
    clock.go(duration)


def over(sent: list[tuple[int, int]], kind: int = BUCKET, limit: int = LIMIT, window: int = MINUTE) -> int:
    """By how much the provider's limit was overrun at most: a full bucket at first, or any window."""
    worst, sent = 0, sorted(sent)
    if kind == BUCKET:
        level, at = limit * window, 0
        for when, cost in sent:
            level = min(limit * window, level + (when - at) * limit) - cost * window
            at, worst = when, max(worst, -level)
        return -(-worst // window)
    first = used = 0
    for when, cost in sent:
        used += cost
        while sent[first][0] <= when - window:
            used -= sent[first][1]
            first += 1
        worst = max(worst, used - limit)
    return worst


# ── an exchange ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_calls_of_one_moment_cost_one_exchange() -> None:
    """What waits in one turn of the loop is asked for together."""
    bank, (one, _) = bank_of()
    for _ in range(5):
        one.call()
    go(bank, 5_000)
    assert one.spent == 5 * COST
    assert len(bank.asked) == 1
    assert bank.asked[0].demands == [Demand(1, 7, 1_000, [1, COST], 5)]


def test_who_is_idle_says_nothing_and_holds_nothing() -> None:
    """What was spent is told, what is held goes back; then there is silence."""
    bank, (one, _) = bank_of()
    one.call()
    go(bank, LEASE_US)
    said = len(bank.asked)
    assert one.wallet.due(bank.clock.now()) == ALWAYS
    assert bank.only.dims[1].leased == 0
    go(bank, MINUTE)
    assert len(bank.asked) == said


def test_a_lease_that_nobody_wants_any_more_goes_back() -> None:
    """An idle worker strands nothing."""
    bank, (one, _) = bank_of()
    one.call()
    one.row.clear()  # the caller left while its exchange was on its way
    one.row.append(COST)
    go(bank, 400)
    one.row.clear()
    go(bank, LEASE_US)
    assert one.spent == 0
    assert bank.only.dims[1].leased == 0
    assert bank.only.dims[1].level == LIMIT * MINUTE


def test_a_busy_worker_holds_what_it_spends_in_a_moment() -> None:
    """Then an exchange serves many calls, and hardly anybody waits."""
    bank, (one, _) = bank_of(limit=600_000_000)
    waited = 0
    for _ in range(4_000):
        one.call()
        waited += len(one.row)
        go(bank, 1_000)
    assert len(one.sent) == 4_000
    assert len(bank.asked) < 4_000 * 0.2
    assert waited < 400
    go(bank, 3 * LEASE_US)
    assert bank.only.dims[1].leased == 0


def test_small_scopes_are_asked_call_by_call() -> None:
    """A moment's spending is less than ten calls: nothing is held beyond what waits."""
    bank, (one, _) = bank_of()
    for _ in range(40):
        one.call()
        go(bank, 50_000)
    assert all(dim.target == 0 for ask in bank.asked for dim in ask.dims)


def test_what_was_not_heard_is_said_again_under_the_same_number() -> None:
    """And done once, whether it was the question that was lost or the answer."""
    for lost in ("deaf", "mute"):
        bank, (one, _) = bank_of()
        setattr(one.teller, lost, True)
        one.call()
        go(bank, 100_000)
        setattr(one.teller, lost, False)
        go(bank, 2 * SECOND)
        asks = [ask for ask in bank.asked if ask.demands]
        assert len({ask.seq for ask in asks}) <= 2
        assert one.spent == COST
        assert bank.only.dims[1].used == COST
        assert bank.only.dims[1].leased == 0


def test_ages_grow_when_it_is_said_again() -> None:
    """A repeated exchange tells how long ago things were by then."""
    bank, (one, _) = bank_of()
    one.call()
    go(bank, SECOND)
    one.settle(one.sent[0][0], -300)
    one.teller.beat()
    footing, now = one.teller.footing, bank.clock.now()
    ask = one.wallet.ask(footing, now)
    one.wallet.unheard(now + 40_000)
    again = one.wallet.ask(footing, now + 40_000)
    assert ask is not None
    assert again is not None
    assert again.seq == ask.seq
    ((age, by),) = ask.dims[1].corrections
    assert again.dims[1].corrections == [(age + 40_000, by)]


def test_nothing_is_asked_when_the_membership_was_not_heard_of() -> None:
    """Who may be lost asks for nothing."""
    bank, (one, _) = bank_of()
    one.teller.deaf = True
    go(bank, STALE_US + 1)
    one.row.append(COST)
    one.wallet.want(1, 7)
    assert one.wallet.ask(one.teller.footing, bank.clock.now()) is None


def test_what_came_too_late_is_asked_again() -> None:
    """It did nothing: the same number, and the lease counts from the second sending."""
    bank, (one, _) = bank_of()
    one.row.append(COST)
    footing, now = one.teller.footing, bank.clock.now()
    one.wallet.want(1, 7)
    ask = one.wallet.ask(footing, now)
    assert ask is not None
    one.wallet.told(ExchangeReply(LATE, SERVER, 0, [0, 0], [0, 0]), now, now)
    one.teller.look(one.wallet)
    go(bank, 200_000)
    assert [ask.seq for ask in bank.asked][:1] == [ask.seq]
    assert one.spent == COST


def test_plain_limits_ask_for_units() -> None:
    """A demand for one exchange, and for no other."""
    bank = Bank(Hours())
    teller, purse = Teller(bank, "a"), QuotaLease(BUCKET, LIMIT, window_us=MINUTE)
    wallet = LeaseClient("t:{s}:tenant:x", [purse])
    teller.open(wallet)
    wallet.want_units([700])
    go(bank, 5_000)
    assert purse.has(700, bank.clock.now())
    purse.take(700, bank.clock.now())
    wallet.want_units([60_000])
    go(bank, 5_000)
    assert not purse.has(60_000, bank.clock.now())
    assert [len(ask.demands) for ask in bank.asked][:2] == [1, 1]
    assert 0 < purse.wait(60_000, bank.clock.now()) <= SECOND


def test_a_limit_that_changes_often_costs_next_to_nothing() -> None:
    """As a region's part of one does, with two workers that hear of it at different times."""
    bank, clients = bank_of()
    clients[0].call(LIMIT)
    go(bank, SECOND)
    allowed, limits = 0, [LIMIT]
    for number in range(200):
        limits.append(LIMIT * (90, 80, 85, 75)[number % 4] // 100)
        for late, client in enumerate(clients):
            client.purse.resize(limits[-1], bank.clock.now())
            while len(client.row) < 20:
                client.call(100)
            go(bank, 100_000 + 100_000 * late)
        allowed += limits[-1] * 300_000 // MINUTE
    used = sum(one.spent for one in clients) - LIMIT
    assert allowed * 95 // 100 < used <= allowed


# ── losses ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lease_is_void_here_before_it_is_void_there() -> None:
    """The holder stops before the fund stops counting on it."""
    bank, (one, _) = bank_of()
    one.call()
    go(bank, 1_000)
    one.teller.deaf = True
    granted_at = bank.clock.now()
    one.purse.held += 0
    assert one.purse.until < granted_at + LEASE_US


def test_a_worker_that_dies_costs_what_it_held() -> None:
    """Its lease counts as spent, and no more than that."""
    bank, (one, two) = bank_of()
    for _ in range(60):
        one.call()
    one.teller.close(one.wallet)
    go(bank, SECOND)
    for _ in range(60):
        two.call()
    go(bank, MINUTE)
    assert over(one.sent + two.sent) == 0
    assert two.spent >= LIMIT


@pytest.mark.parametrize("kind", [BUCKET, LOG])
def test_a_fund_that_was_flushed_is_put_back(kind: int) -> None:
    """What was forgotten there is remembered here."""
    bank, clients = bank_of(kind=kind)
    for second in range(90):
        for one in clients:
            for _ in range(2):
                one.call()
        if second == 30:
            bank.flush()
        go(bank, SECOND)
    sent = [each for one in clients for each in one.sent]
    assert LOST in [told.status for told in bank.told]
    assert over(sent, kind) == 0
    assert sum(cost for _, cost in sent) > 1.6 * LIMIT if kind == BUCKET else LIMIT


@pytest.mark.parametrize("kind", [BUCKET, LOG])
def test_who_is_cut_off_spends_its_share_and_tells_it_when_it_is_back(kind: int) -> None:
    """Both sides together stay within the limit, and nothing is forgotten."""
    bank, (one, two) = bank_of(kind=kind)
    for second in range(240):
        for client in (one, two):
            if len(client.row) < 5:
                client.call(500)
                client.call(500)
        if second == 61:
            one.teller.deaf = True
            go(bank, LOST_US)
            two.teller.turn(SHARED, FREE // 2)
            go(bank, LOCAL_US - LOST_US)
            one.teller.turn(LOCAL, FREE // 2, FREE // 2)
            assert one.wallet.due(bank.clock.now()) == ALWAYS
        if second == 180:
            assert sum(cost for at, cost in one.sent if at > 62 * SECOND) > LIMIT * 0.9
            one.teller.deaf = False
            one.teller.turn(SHARED, FREE // 2)
            assert not one.wallet.posted
            go(bank, BEAT_US)
            assert one.wallet.posted
            one.teller.turn(SHARED)
            two.teller.turn(SHARED)
        one._go()  # as its desk does, when the time comes
        two._go()
        go(bank, SECOND)
    assert over(one.sent + two.sent, kind) == 0


def test_closed_spends_nothing_open_everything() -> None:
    """The policy says what is spent without the shared state."""
    bank, (one, two) = bank_of()
    one.teller.turn(CLOSED)
    two.teller.turn(OPEN)
    for client in (one, two):
        client.call(50_000)
        client.call(50_000)
    assert (one.spent, two.spent) == (0, 100_000)
    two.teller.turn(SHARED)
    assert not two.wallet.posted
    go(bank, SECOND)
    assert two.wallet.posted
    restore = next(ask.restore for ask in bank.asked if ask.member == "b" and ask.restore is not None)
    assert sum(units for _, units in restore[1].own) == 100_000


# ── anything that may happen ─────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from([BUCKET, LOG]), workers=st.integers(1, 4))
def test_whatever_happens_the_limit_is_kept(seed: int, kind: int, workers: int) -> None:
    """Deaf or mute for a while, killed and made anew, calls of any size, charges put right."""
    luck = Random(seed)
    bank, clients = bank_of("abcd"[:workers], kind)
    bank.born -= MINUTE
    gone: list[tuple[int, int]] = []
    for _ in range(150):
        which = luck.randrange(workers)
        one, what = clients[which], luck.random()
        if what < 0.6:
            one.call(luck.randint(1, 5_000))
        elif what < 0.65:
            one.teller.deaf = not one.teller.deaf
        elif what < 0.7:
            one.teller.mute = not one.teller.mute
        elif what < 0.75:
            one.teller.close(one.wallet)
            gone += one.sent
            clients[which] = Client(bank, "abcd"[which], kind)
            clients[which].teller.footing.incarnation = bank.clock.now()
        elif one.sent:
            at, cost = one.sent.pop(luck.randrange(len(one.sent)))
            less = luck.randint(0, cost)
            gone.append((at, cost))  # whatever it really cost, it was allowed as this much
            if kind == BUCKET:
                continue
            one.settle(at, less - cost)
            gone[-1] = at, less
        go(bank, luck.choice((0, 100, 10_000, 100_000, 400_000, 2 * SECOND)))
    sent = gone + [each for one in clients for each in one.sent]
    assert over(sent, kind) == 0


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), workers=st.integers(1, 5))
def test_everything_is_used_where_somebody_waits(seed: int, workers: int) -> None:
    """Nothing that is left is kept from those who wait."""
    luck = Random(seed)
    bank, clients = bank_of("abcde"[:workers])
    for tenth in range(300):
        if tenth % 3 == 0:
            clients[luck.randrange(workers)].call(luck.randint(100, 4_000))
        for one in clients:
            if not one.row:
                one.call(COST)
        go(bank, 100_000)
    sent = [each for one in clients for each in one.sent]
    used = sum(cost for _, cost in sent)
    assert over(sent) == 0
    assert used >= 0.98 * LIMIT * 1.5 - 4_000 * workers


def test_everything_that_is_said_can_be_read_by_the_server() -> None:
    """Each ask is msgpack that decodes to the same."""
    bank, (one, _) = bank_of()
    one.call()
    go(bank, SECOND)
    for ask in bank.asked:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(ask), type=ExchangeRequest) == ask
    assert all(told.status == OK for told in bank.told)
    assert RENEW_US < LEASE_US
