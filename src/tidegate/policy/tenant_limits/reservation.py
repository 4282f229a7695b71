"""A grant: what one call holds of all the limits that apply to it, from its beginning to its end.

Promise: all of them are charged, or none; each is put right once, whatever becomes of the call. A call of which nothing
was sent gives everything back. O(limits that apply), a handful.
"""

from typing import Final

from tidegate.policy.tenant_limits.account import Account
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.budget import Budget, Tally
from tidegate.policy.tenant_limits.common import Common
from tidegate.policy.tenant_limits.joint import Joint
from tidegate.policy.tenant_limits.outlook import further

BOUNDLESS: Final = 1 << 62


class Share:
    """What a call holds of one budget that other workers spend too."""

    __slots__ = ("_joint", "_period", "amount", "money", "purse")

    def __init__(self, joint: Joint, budget: Budget, amount: int) -> None:
        self._joint = joint
        self.purse = joint.purse(budget)
        self._period = self.purse.period
        self.money = budget.money
        self.amount = amount

    def become(self, amount: int, taken_at: int, now: int) -> None:
        """It is so much, of the period in which it was taken."""
        delta, self.amount = amount - self.amount, amount
        if delta and self.purse.period == self._period:
            self.purse.correct(delta, taken_at, now)
            self._joint.spend(self.purse, delta)


class TenantReservation:
    """Fulfils `model.parts.Grant`. It has been checked that every account has room: `limits.Limits.grant`."""

    __slots__ = (
        "_accounts", "_ask", "_charges", "_common", "_moneys", "_nano", "_open", "_shares", "_taken_at", "_tallies",
        "_tokens", "covers", "model", "who",
    )  # fmt: skip

    def __init__(
        self, accounts: tuple[Account, ...], ask: Ask, who: str, model: str, common: Common, now: int, wall: int
    ) -> None:
        """Charge all of them. `who` asks for `model`: what it comes to is learnt for their next call."""
        self.who = who
        self.model = model
        self._common = common
        self._accounts = accounts
        self._ask = ask
        self.covers = ask.output  # tokens of the answer; a running one that has come to more asks `grow`
        self._tokens = ask.tokens
        self._nano = ask.nano
        self._taken_at = now
        self._open = True
        self._charges: list[int] = []
        self._tallies: list[Tally] = []
        self._moneys: list[Tally] = []
        self._shares: list[Share] | None = None  # of budgets that other workers spend too
        for account in accounts:
            charge = account.charge(ask)
            account.begin(charge, now)
            self._charges.append(charge)
            if account.joint is not None and account.budgets:
                self._share(account.joint, account.budgets, now, wall)
            for budget in account.budgets:
                tally = budget.at(wall)
                if budget.money:
                    tally.held += ask.nano
                    self._moneys.append(tally)
                else:
                    tally.held += ask.tokens
                    self._tallies.append(tally)
        common.began(accounts, now)
        if not self._tallies and not self._moneys:
            self.covers = BOUNDLESS

    def _share(self, joint: Joint, budgets: tuple[Budget, ...], now: int, wall: int) -> None:
        if self._shares is None:
            self._shares = []
        for budget in budgets:
            share = Share(joint, budget, joint.hold(budget, self._ask, now, wall))
            share.purse.take(share.amount, now)
            joint.spend(share.purse, share.amount)
            self._shares.append(share)

    @property
    def likely_tokens(self) -> int:
        """What such calls have come to while they run, in the mean; where that is not known, what is held."""
        outlook = self._ask.outlook
        return self._ask.prompt + self._ask.capped(outlook.halfway()) if outlook is not None else self._ask.tokens

    @property
    def likely_nano(self) -> int:
        """The same in money; 0 where money is not bounded."""
        outlook = self._ask.outlook
        return self._ask.cost(self._ask.capped(outlook.halfway())) if outlook is not None else self._ask.nano

    def grow(self, output: int) -> bool:
        """The answer has come to `output` tokens, and takes what such answers come to. False: a budget has not so much.

        It is held all the same, for it is being spent: nobody else is granted it. O(budgets), a few times a call.
        """
        if not self._open:
            return True
        ask, enough = self._ask, True
        covers = self.covers = ask.capped(further(ask.outlook, output), output)
        tokens, nano = ask.prompt + covers, ask.cost(covers)
        for tally in self._tallies:
            tally.held += tokens - self._tokens
        for tally in self._moneys:
            tally.held += nano - self._nano
        self._tokens, self._nano = tokens, nano
        for share in self._shares or ():
            share.become(max(share.amount, nano if share.money else tokens), self._taken_at, self._taken_at)
        for account in self._accounts:
            for budget in account.budgets:
                present = budget.current
                if present is not None and present.spent + present.held > budget.limit:
                    enough = False
        return enough

    def settle(self, tokens: int, cost_nano: int, now: int, wall: int, *, sent: bool) -> None:
        """The call ended, and has cost so much over all its attempts. Only the first time counts.

        Not `sent`: no provider has seen any of it, and it was no request either.
        """
        if not self._open:
            return
        self._open = False
        for tally in self._tallies:
            tally.held -= self._tokens
            tally.spent += tokens
        for tally in self._moneys:
            tally.held -= self._nano
            tally.spent += cost_nano
        taken_at = self._taken_at
        for share in self._shares or ():
            share.become(cost_nano if share.money else tokens, taken_at, now)
        accounts, charges = self._accounts, self._charges
        for at in range(len(accounts)):
            account = accounts[at]
            account.end(tokens - charges[at], taken_at, now, sent=sent)
            if account.budgets:
                self._common.ended(account)
        if tokens and self._tokens:
            beyond = tokens - self._ask.prompt
            self._common.outlooks.learn(self.who, self.model, beyond if beyond > 0 else 0)
