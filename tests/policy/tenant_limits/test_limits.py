"""The limits of one key: together or not at all, and how far a budget can be overrun."""

import random
from dataclasses import dataclass
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.policy.tenant_limits.oracle import MINUTE_US, Entry, Log
from tidegate.model.entitlements import Allowance, ClientKey, Namespace, User
from tidegate.model.snapshot import Price
from tidegate.policy.money import rates
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.policy.tenant_limits.reservation import TenantReservation
from tidegate.policy.tenant_limits.short import BUSY, EXHAUSTED, RATE, TOO_LARGE, Short

DAY = 86_400_000_000
PRICES = rates([Price(prompt=1_000_000, completion=3_000_000)])
SLOT_US = 12_000


def limits(
    namespace: Allowance | None = None,
    key: Allowance | None = None,
    user: Allowance | None = None,
    model: Allowance | None = None,
) -> Limits:
    accounts = Accounts(lambda _: UTC)
    of = Namespace("acme", allowance=namespace or Allowance(), by_model={} if model is None else {"gpt": model})
    made = accounts.limits_of(
        of, None if user is None else User("ann", allowance=user), ClientKey("ci", b"", allowance=key or Allowance()), 0
    )
    assert made is not None
    return made


def ask(limited: Limits, prompt: int = 10, stated: int = 0, model: str = "gpt") -> Ask:
    return Ask(prompt, prompt, stated, limited.outlook(model), PRICES, makes=True)


def test_all_or_nothing() -> None:
    """What one of them refuses is charged to none."""
    made = limits(Allowance(rpm=10), Allowance(rpm=10), Allowance(rpm=10), Allowance(rpm=1))
    assert len(made.accounts("gpt")) == 4
    assert len(made.accounts("other")) == 3
    assert isinstance(made.grant("gpt", ask(made), 0, 0), TenantReservation)
    for _ in range(20):
        short = made.grant("gpt", ask(made), 0, 0)
        assert isinstance(short, Short)
        assert short.who == ("acme", "", "", "gpt")
    assert [account.running for account in made.accounts("gpt")] == [1, 1, 1, 1]
    assert all(isinstance(made.grant("other", ask(made), 0, 0), TenantReservation) for _ in range(9))
    assert isinstance(made.grant("other", ask(made), 0, 0), Short)


def test_a_model_without_limits_where_only_another_has_some() -> None:
    """Nothing applies, and nothing is held."""
    made = limits(model=Allowance(nano_day=5))
    assert made.money
    assert made.grant("other", ask(made), 0, 0) is None


def test_the_worst_of_all_is_told() -> None:
    """A minute of the namespace, and a day of the key."""
    made = limits(Allowance(rpm=1), Allowance(tokens_day=30))
    held = made.grant("gpt", ask(made, 10, 5), 0, 0)
    assert isinstance(held, TenantReservation)
    short = made.grant("gpt", ask(made), 0, 0)
    assert isinstance(short, Short)
    assert short.kind == RATE
    held.settle(31, 0, 0, 0, sent=True)
    short = made.grant("gpt", ask(made), 0, 0)
    assert isinstance(short, Short)
    assert (short.kind, short.who[2]) == (EXHAUSTED, "ci")


class Machine(RuleBasedStateMachine):
    """One key of a namespace against a list of all calls; clocks that go as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.allowance = Allowance(rpm=6, tpm=900, concurrent=4, tokens_day=3_000, nano_month=7_000)
        self.limits = limits(self.allowance, Allowance(nano_day=6_000))
        self.log = Log()
        self.running: list[tuple[TenantReservation, Entry]] = []
        self.now, self.wall = 0, 20_000 * DAY + DAY // 2

    def _day(self) -> int:
        return self.wall // DAY

    @rule(prompt=st.integers(1, 400), stated=st.integers(0, 900))
    def ask(self, prompt: int, stated: int) -> None:
        """A call is granted only where no limit is exceeded by what the list knows."""
        wanted = ask(self.limits, prompt, stated)
        log, of, since, day = self.log, self.allowance, self.now - MINUTE_US, self._day()
        held = self.limits.grant("gpt", wanted, self.now, self.wall)
        if isinstance(held, Short):
            self._refused(held, wanted)
            return
        charge = wanted.tokens if wanted.tokens <= of.tpm else of.tpm
        assert log.running < of.concurrent
        assert log.requests(since) < of.rpm
        assert log.tokens(since) + charge <= of.tpm or log.tokens(since) <= 0
        for limit, money in ((of.tokens_day, False), (6_000, True), (of.nano_month, True)):
            likely = wanted.nano if money else wanted.tokens
            spent, in_flight = log.spent(day, money=money), log.held(day, money=money)
            alone = in_flight == 0 and (spent + wanted.usual(money=money) <= limit or spent == 0)
            assert spent + in_flight + likely <= limit or alone
        entry = Entry(self.now, day, wanted.tokens, wanted.nano)
        log.entries.append(entry)
        self.running.append((held, entry))

    def _refused(self, short: Short, wanted: Ask) -> None:
        """It is refused only where the list knows a limit that it would exceed, and told the truth about it."""
        log, of, day = self.log, self.allowance, self._day()
        since = self.now - MINUTE_US - SLOT_US
        if short.kind == TOO_LARGE:
            assert wanted.least(money=False) > of.tpm
        elif short.kind == RATE:
            over = log.tokens(since) + min(wanted.tokens, of.tpm) > of.tpm
            assert over or log.requests(since) >= of.rpm
        elif short.kind == BUSY:
            assert log.running
        else:
            assert short.kind == EXHAUSTED
            assert short.until > self.wall
            assert any(
                log.spent(day, money=money) + wanted.usual(money=money) > limit
                for limit, money in ((of.tokens_day, False), (6_000, True), (of.nano_month, True))
            )

    @precondition(lambda self: self.running)
    @rule(at=st.integers(0, 3), tokens=st.integers(0, 1_200), sent=st.booleans())
    def end(self, at: int, tokens: int, sent: bool) -> None:
        """A call ends, twice."""
        held, entry = self.running.pop(at % len(self.running))
        tokens = tokens if sent else 0
        for _ in range(2):
            held.settle(tokens, 2 * tokens, self.now, self.wall, sent=sent)
        entry.spent, entry.sent = (tokens, 2 * tokens), sent
        if tokens > entry.tokens and self.now - entry.at > MINUTE_US + SLOT_US:
            entry.surplus_at = self.now

    @rule(by=st.sampled_from([1_000, 5_000_000, 59_000_000, 61_000_000]))
    def time_passes(self, by: int) -> None:
        """On both clocks."""
        self.now += by
        self.wall = min(self.wall + by, 20_002 * DAY - 1)

    @rule(by=st.sampled_from([-DAY, -3_600_000_000, 3_600_000_000, DAY]))
    def clock_is_set(self, by: int) -> None:
        """The wall's alone."""
        if 20_000 * DAY <= self.wall + by < 20_002 * DAY:
            self.wall += by

    @invariant()
    def books_are_those_of_the_list(self) -> None:
        """What is held and spent today, and what runs."""
        for account in self.limits.accounts("gpt"):
            assert account.running == self.log.running
            for budget in account.budgets:
                if budget.monthly:
                    continue
                tally = budget.at(self.wall)
                assert tally.held == self.log.held(self._day(), money=budget.money)


Machine.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestMachine = Machine.TestCase


@dataclass
class Stream:
    held: TenantReservation
    prompt: int
    output: int
    began: int

    @property
    def ends(self) -> int:
        return self.began + 1_000 * self.output

    @property
    def cost(self) -> int:
        return self.prompt + 3 * self.output

    def excess(self, now: int) -> int:
        """What it will cost beyond what is held."""
        return max(0, self.cost - self.prompt - 3 * self.held.covers)


def run(budget: int, seed: int, lengths: list[int], *, parallel: int, stated: int) -> tuple[int, int, int]:
    """Clients that come again and again until the budget is used up: spent, the stated bound, and how often told so."""
    luck, made = random.Random(seed), limits(Allowance(nano_day=budget))
    account, now, running, bound, exhausted = made.accounts("gpt")[0], 0, [], 0, 0
    running: list[Stream] = []
    while exhausted < parallel or running:
        while len(running) < parallel:
            prompt, output = luck.randint(5, 50), min(luck.choice(lengths), stated or 1 << 30)
            wanted = ask(made, prompt, stated)
            alone, usual = not running, wanted.usual(money=True)
            held = made.grant("gpt", wanted, now, 0)
            if isinstance(held, Short):
                exhausted += held.kind == EXHAUSTED
                break
            running.append(Stream(held, prompt, output, now))
            bound = max(0, running[0].cost - usual) if alone else sum(one.excess(now) for one in running)
        if running:
            first = min(running, key=lambda one: one.ends)
            running.remove(first)
            now = max(now, first.ends)
            first.held.settle(first.prompt + first.output, first.cost, now, 0, sent=True)
            for one in running:
                if (now - one.began) // 1_000 > one.held.covers:
                    one.held.grow((now - one.began) // 1_000)
    return account.budgets[0].at(0).spent, bound, exhausted


LENGTHS = st.lists(st.integers(0, 3_000), min_size=1, max_size=6)


@given(st.integers(), LENGTHS, st.integers(1, 60), st.integers(0, 5_000))
def test_a_budget_is_overrun_by_no_more_than_stated(seed: int, lengths: list[int], parallel: int, stated: int) -> None:
    """By what those in flight at the last grant cost beyond what was held for them; or the one that was alone."""
    budget = 40_000
    spent, bound, _ = run(budget, seed, lengths, parallel=parallel, stated=stated)
    assert spent <= budget + bound


@pytest.mark.parametrize("stated", [0, 800, 128_000])
def test_a_budget_is_used_up_whatever_is_stated(stated: int) -> None:
    """A hundred in parallel, of mixed lengths: 98 % at least, and 101 % at most."""
    lengths = [5, 20, 20, 60, 60, 60, 150, 150, 400, 800]
    spent, _, _ = run(1_000_000, 1, lengths, parallel=100, stated=stated)
    assert 0.98 <= spent / 1_000_000 <= 1.01


def test_a_large_max_tokens_does_not_block_a_budget() -> None:
    """Of which nearly everything is left, once a few calls were seen."""
    made = limits(Allowance(nano_day=1_000_000))
    for _ in range(8):
        held = made.grant("gpt", ask(made, 10, 50), 0, 0)
        assert isinstance(held, TenantReservation)
        held.settle(30, 70, 1, 0, sent=True)
    assert all(isinstance(made.grant("gpt", ask(made, 10, 10_000_000), 0, 0), TenantReservation) for _ in range(1_000))
