"""One account's limits as all workers of a cluster spend them: two funds, of rates and of budgets.

A call that finds its share in the leases of this worker passes at once; else the fund is asked (`want`), and the call
looks again when `heard` is called. The account keeps its own books beside: they are what it goes on with when the
shared state is away, by `on_state_loss`.

* `local`: this worker's part of each limit, counted over what it spent itself in the last minute, and of a budget its
  part of what was left when it heard of it last. One call passes in an empty minute, however large. So in the minute of
  a loss the limit may be spent once by leases and once by parts, and in no later minute more than its parts.
* `closed`: nobody passes. `open`: everybody does; it is told and counted all the same when the state is back.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tidegate.model.cluster import FREE, LOG, SLOTS, SUM, Demand, ExchangeReply, RecoveryState
from tidegate.policy.lease.faces import CLOSED, JOINING, ON_LOSS_LOCAL, OPEN, SHARED, Footing, Funds
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import QuotaLease
from tidegate.policy.lease.times import LEAST_US
from tidegate.policy.quota.allowance import Allowance
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.budget import WHATS, Budget
from tidegate.units import MINUTE_US

if TYPE_CHECKING:
    from tidegate.policy.tenant_limits.account import Account

PASS: Final = 0  # what is done without the shared state
PART: Final = 1
STOP: Final = 2


class Together:
    """What the accounts of a worker share with those of the others."""

    __slots__ = ("footing", "funds")

    def __init__(self, funds: Funds, footing: Footing) -> None:
        self.funds = funds
        self.footing = footing

    @property
    def shared(self) -> bool:
        """Whether funds decide, or will in a moment."""
        mode = self.footing.mode
        return mode == SHARED or mode == JOINING  # noqa: PLR1714 - compiled, two comparisons of integers

    def without(self, wanted: str, now: int) -> int:
        """What is done while they do not; `wanted` "" = as the cluster says. A part that others count on is none."""
        mode = self.footing.mode_of(wanted, now)
        if mode == OPEN:
            return PASS
        return STOP if mode == CLOSED or now >= self.footing.part_until else PART

    def part(self, amount: int) -> int:
        """What of it is this worker's."""
        return amount * self.footing.share_ppm // FREE


class Joint:
    """Of one account. Fulfils `wallet.Source`. O(1)."""

    __slots__ = (
        "_account", "_adrift", "_listeners", "_open", "_rates", "_sums", "again_at", "answers", "opens_at", "places",
        "requests", "sums", "together", "tokens",
    )  # fmt: skip

    def __init__(self, account: "Account", together: Together, now: int) -> None:
        self.together = together
        self._account = account
        self.requests = QuotaLease(LOG, window_us=MINUTE_US)
        self.tokens = QuotaLease(LOG, window_us=MINUTE_US)
        self.places = QuotaLease(SLOTS)
        self.sums = [QuotaLease(SUM) for _ in WHATS]
        self.again_at = 0  # when what was missing will be there, as the fund said
        self.opens_at = 0  # while a fund is not there yet: when it will be
        self.answers = (0, 0)  # of the fund of its minute and places, and of that of its budgets; or the membership's
        self._adrift = [0] * len(WHATS)  # spent of budgets since nobody was told
        self._listeners: list[Callable[[], None]] = []
        self._open = False
        key, first = _key(together.funds.prefix, account.who), now // 1_000  # milliseconds: no seq comes twice
        self._rates = LeaseClient(f"{key}:rates", (self.requests, self.tokens, self.places), first)
        self._sums = LeaseClient(f"{key}:sums", self.sums, first)
        for wallet in (self._rates, self._sums):
            wallet.sources.append(self)
        self.resize(now)

    def resize(self, now: int) -> None:
        """The account's limits are other ones."""
        account = self._account
        self.requests.resize(account.rpm, now)
        self.tokens.resize(account.tpm, now)
        self.places.resize(account.concurrent, now)
        for purse, what in zip(self.sums, WHATS, strict=True):
            purse.resize(next((budget.limit for budget in account.budgets if budget.what == what), 0), now)
        if ON_LOSS_LOCAL in {account.on_loss, account.on_loss_of_budget}:
            self.together.footing.keeps = True

    def enter(self, now: int, wall: int) -> None:
        """A call of the account comes: its funds are open from now on, and know what was spent of its budgets."""
        account = self._account
        for budget in account.budgets:
            self._turn(budget, now, wall)
        if self._open:
            return
        self._open = True
        funds = self.together.funds
        if account.rpm or account.tpm or account.concurrent:
            funds.open(self._rates)
        if account.budgets:
            funds.open(self._sums)
            known = [RecoveryState() for _ in WHATS]
            for budget in account.budgets:
                index, tally = WHATS.index(budget.what), budget.at(wall)
                known[index] = RecoveryState(max(tally.told, tally.spent), period=tally.end)
            if any(one.level for one in known) and not self._sums.epoch:
                self._sums.recall(known, now)

    def leave(self) -> bool:
        """Let go of the funds, where nothing of them is held: False while there is."""
        if not self._open:
            return True
        for wallet in (self._rates, self._sums):
            if not wallet.posted or any(purse.leased or purse.telling for purse in wallet.purses):
                return False
        for wallet in (self._rates, self._sums):
            self.together.funds.close(wallet)
        self._open = False
        return True

    # ── whether a call may pass ──────────────────────────────────────────────────────────────────────────────────────

    def has(self, ask: Ask, now: int, wall: int) -> bool:
        """Whether such a call may go now, by leases or by what is done without them."""
        account, together = self._account, self.together
        if not together.shared:
            return self.rates_alone(ask, now) and self.sums_alone(ask, now, wall)
        if account.rpm and not self.requests.has(1, now):
            return False
        if account.tpm and not self.tokens.has(account.charge(ask), now):
            return False
        if account.concurrent and not self.places.has(1, now):
            return False
        for budget in account.budgets:
            purse = self.purse(budget)
            if not purse.has(self.hold(budget, ask, now, wall), now):
                return False
        return True

    def answered(self, since: tuple[int, int], times: int, ask: Ask, now: int, wall: int) -> bool:
        """Whether each fund of which such a call lacks something has answered so often since `answers` were these."""
        rates, sums = self.answers[0] - since[0], self.answers[1] - since[1]
        if rates < times and self._lacks_rates(ask, now):
            return False
        return sums >= times or not self._lacks_sums(ask, now, wall)

    def _lacks_rates(self, ask: Ask, now: int) -> bool:
        account = self._account
        return bool(
            (account.rpm and not self.requests.has(1, now))
            or (account.tpm and not self.tokens.has(account.charge(ask), now))
            or (account.concurrent and not self.places.has(1, now))
        )

    def _lacks_sums(self, ask: Ask, now: int, wall: int) -> bool:
        for budget in self._account.budgets:
            if not self.purse(budget).has(self.hold(budget, ask, now, wall), now):
                return True
        return False

    def want(self, ask: Ask, now: int, wall: int) -> None:
        """Ask the funds for what such a call lacks."""
        account = self._account
        if self._lacks_rates(ask, now):
            charge = account.charge(ask)
            self._rates.want_units([1 if account.rpm else 0, charge, 1 if account.concurrent else 0])
        units, short = [0] * len(WHATS), False
        for budget in account.budgets:
            hold = units[WHATS.index(budget.what)] = self.hold(budget, ask, now, wall)
            short = short or not self.purse(budget).has(hold, now)
        if short:
            self._sums.want_units(units)

    def purse(self, budget: Budget) -> QuotaLease:
        """What is held of it here."""
        return self.sums[WHATS.index(budget.what)]

    def hold(self, budget: Budget, ask: Ask, now: int, wall: int) -> int:
        """How much of it a call holds: what it hardly exceeds, or all the rest, when it is alone and that will do."""
        cost = ask.nano if budget.money else ask.tokens
        purse = self.purse(budget)
        left = self.left(purse, now)
        if cost <= left or budget.at(wall).held > 0:
            return cost
        if ask.usual(money=budget.money) <= left:
            return left
        untouched = left >= purse.limit and ask.least(money=budget.money) <= purse.limit
        return left if untouched else cost

    def left(self, purse: QuotaLease, now: int) -> int:
        """Of a budget, for anybody, as far as it is known here."""
        return purse.in_fund(now) + max(0, purse.left(now))

    # ── without the shared state ─────────────────────────────────────────────────────────────────────────────────────

    def rates_alone(self, ask: Ask, now: int) -> bool:
        """Whether its minute and its places let a call pass here."""
        account = self._account
        how = self.together.without(account.on_loss, now)
        if how != PART:
            return how == PASS
        if account.concurrent and account.running >= max(1, self.together.part(account.concurrent)):
            return False
        if account.rpm and self.minute_alone(account.minute_of_requests(now), 1, now) > 0:
            return False
        charge = account.charge(ask)
        if not account.tpm:
            return True
        return charge <= account.tpm and not self.minute_alone(account.minute_of_tokens(now), charge, now)

    def sums_alone(self, ask: Ask, now: int, wall: int) -> bool:
        """Whether its budgets do."""
        how = self.together.without(self._account.on_loss_of_budget, now)
        if how != PART:
            return how == PASS or not self._account.budgets
        for budget in self._account.budgets:
            if self.alone_of(budget) + (ask.nano if budget.money else ask.tokens) > self.part_of(budget, wall):
                return False
        return True

    def minute_alone(self, minute: Allowance, cost: int, now: int) -> int:
        """Microseconds until this worker's part of a minute has room for it."""
        limit = minute.limit
        return minute.wait(min(limit, max(0, limit - self.together.part(limit)) + cost), now)

    def alone_of(self, budget: Budget) -> int:
        """What was spent of it here since nobody was told, and is held."""
        return self._adrift[WHATS.index(budget.what)]

    def part_of(self, budget: Budget, wall: int) -> int:
        """How much of it this worker may spend by itself."""
        tally = budget.at(wall)
        return self.together.part(max(0, budget.limit - max(tally.told, tally.spent)))

    # ── what a call takes ────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, charge: int, now: int) -> None:
        """A call is in flight."""
        account = self._account
        if account.rpm:
            self.requests.take(1, now)
        if account.tpm:
            self.tokens.take(charge, now)
        if account.concurrent:
            self.places.take(1, now)

    def end(self, delta: int, taken_at: int, now: int, *, sent: bool) -> None:
        """It has ended."""
        account = self._account
        if delta and account.tpm:
            self.tokens.correct(delta, taken_at, now)
        if account.rpm and not sent:
            self.requests.correct(-1, taken_at, now)
        if self.places.spent > 0 or self.places.alone is not None:
            self.places.correct(-1, taken_at, now)

    def spend(self, purse: QuotaLease, amount: int) -> None:
        """So much more was spent of a budget here, or (negative) less."""
        if not self.together.shared:
            index = self.sums.index(purse)
            self._adrift[index] = max(0, self._adrift[index] + amount)

    # ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────────

    def heard(self, listener: Callable[[], None]) -> None:
        """Call it once, when a fund has answered or the membership is another one."""
        self._listeners.append(listener)

    def demands(self, wallet: LeaseClient, now: int) -> list[Demand]:
        """Nobody queues here: who lacks something says so."""
        return []

    def told(self, wallet: LeaseClient, told: ExchangeReply | None, now: int) -> None:
        """A fund has answered; None: this worker stands otherwise to the shared state."""
        if told is None:
            self._adrift = [0] * len(WHATS)
            self.places.spent = self._account.running if self._account.concurrent else 0
        elif not told.limits:  # the fund is not there yet
            self.opens_at = now + max(told.wait_us, LEAST_US)
        else:
            self.opens_at = 0
            if told.wait_us >= 0:
                self.again_at = now + told.wait_us
            if wallet is self._sums:
                self._learn()
        if not self.opens_at:
            rates, sums = self.answers
            self.answers = (rates, sums + 1) if wallet is self._sums else (rates + 1, sums)
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def _learn(self) -> None:
        for budget in self._account.budgets:
            index, tally = WHATS.index(budget.what), budget.current
            if tally is not None and tally.end == self.sums[index].period:
                tally.told = max(tally.told, self._sums.level(index))

    def _turn(self, budget: Budget, now: int, wall: int) -> None:
        """Its purse is of the budget's present period."""
        tally, purse = budget.at(wall), self.purse(budget)
        if purse.period != tally.end:
            purse.period = tally.end
            purse.ends_at = now + tally.end - wall


def _key(prefix: str, who: tuple[str, str, str, str]) -> str:
    """All of a namespace is on one slot."""
    namespace, user, key, model = who
    return f"{prefix}:{{t:{namespace}}}:{len(user)}:{user}:{len(key)}:{key}:{model}"
