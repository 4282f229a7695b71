"""The limits of one namespace, user, key, or model of a namespace, and what was spent of them.

Requests and tokens a minute are held by the exact sliding log of `policy/quota/window.py`: never more than the limit in
any 60 s, and a refused call is told when enough has left. What a call spent beyond what was held for it counts from
when it was known, where the call's own minute is over: nothing is forgotten. Days and months are `budget.py`'s.

Everything is O(1) in calls and accounts. An account that was not used for a minute keeps no log.
"""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Final

from tidegate.model.entitlements import Allowance
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.average import Average
from tidegate.policy.quota.window import SlidingLog
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.budget import NANO_DAY, NANO_MONTH, TOKENS_DAY, Budget
from tidegate.policy.tenant_limits.joint import Joint, Together
from tidegate.policy.tenant_limits.lacking import lacking
from tidegate.policy.tenant_limits.short import BUSY, EXHAUSTED, RATE, TOO_LARGE, Short
from tidegate.units import MINUTE_US

_SLOT_US: Final = 12_000  # a charge leaves the log a minute and at most that after it was made
UNKNOWN_US: Final = 1_000_000  # how long a call takes, before one was seen
LEAST_WAIT_US: Final = 20_000
NOTHING: Final = Allowance()

Who = tuple[str, str, str, str]  # namespace, user, key, model; "" where it is none's own


class Account:
    """One bearer of limits. They are those of the last `configure`; what was spent stays over it."""

    __slots__ = (
        "_allowance", "budgets", "changed", "concurrent", "joint", "lasts", "on_loss", "on_loss_of_budget", "recent",
        "requests", "rpm", "running", "spares", "tokens", "tpm", "who", "zone",
    )  # fmt: skip

    def __init__(self, who: Who, zone: tzinfo) -> None:
        self.who = who
        self.zone = zone
        self._allowance = NOTHING
        self.rpm = self.tpm = self.concurrent = 0
        self.on_loss = self.on_loss_of_budget = ""
        self.joint: Joint | None = None  # in a cluster: what it shares with the other workers
        self.budgets: tuple[Budget, ...] = ()
        self.spares: tuple[Budget, ...] = ()  # that have no limit now, and had one
        self.running = 0  # calls in flight
        self.requests: SlidingLog | None = None
        self.tokens: SlidingLog | None = None
        self.lasts: Average | None = None  # how long its calls take
        self.recent = self.changed = False  # it may have logs; its books are other than they were saved

    def configure(self, allowance: Allowance, zone: tzinfo, wall: int) -> None:
        """Other limits, perhaps in another time zone."""
        if allowance == self._allowance and zone is self.zone:
            return
        self._allowance = allowance
        self.rpm, self.tpm, self.concurrent = allowance.rpm, allowance.tpm, allowance.concurrent
        self.on_loss, self.on_loss_of_budget = allowance.on_loss, allowance.on_loss_of_budget
        known = {budget.what: budget for budget in (*self.budgets, *self.spares)}
        if zone != self.zone:
            self.zone = zone
            for budget in known.values():
                budget.move(zone, wall)
        for what, limit in (
            (TOKENS_DAY, allowance.tokens_day),
            (NANO_DAY, allowance.nano_day),
            (NANO_MONTH, allowance.nano_month),
        ):
            if limit and what not in known:
                known[what] = Budget(what, zone)
            if what in known:
                known[what].limit = limit
        self.budgets = tuple(budget for budget in known.values() if budget.limit)
        self.spares = tuple(budget for budget in known.values() if not budget.limit)
        if self.joint is not None:
            self.joint.resize(0)

    def join(self, together: Together, now: int, wall: int) -> Joint:
        """A call of it comes, and other workers may have some too."""
        joint = self.joint
        if joint is None:
            joint = self.joint = Joint(self, together, now)
        joint.enter(now, wall)
        return joint

    def budget(self, what: str) -> Budget:
        """One of its budgets; without a limit, where it had none."""
        for known in (*self.budgets, *self.spares):
            if known.what == what:
                return known
        fresh = Budget(what, self.zone)
        self.spares = (*self.spares, fresh)
        return fresh

    def matters(self, wall: int) -> bool:
        """Whether it has something to remember: calls in flight, a minute, or something spent in a period."""
        if self.running or self.recent or self.changed:
            return True
        tallies = [budget.current for budget in (*self.budgets, *self.spares)]
        return any(tally is not None and tally.spent and wall < tally.end for tally in tallies)

    @property
    def limited(self) -> bool:
        """Whether anything is."""
        return bool(self.rpm or self.tpm or self.concurrent or self.budgets)

    @property
    def money(self) -> bool:
        """Whether money is."""
        return any(budget.money for budget in self.budgets)

    def has(self, ask: Ask, now: int, wall: int) -> bool:
        """Whether such a call may go now."""
        if self.joint is not None:
            return self.joint.has(ask, now, wall)
        if self.concurrent and self.running >= self.concurrent:
            return False
        if self.rpm and not self.minute_of_requests(now).has(1, now):
            return False
        if self.tpm and not self.minute_of_tokens(now).has(self.charge(ask), now):
            return False
        for budget in self.budgets:  # noqa: SIM110 - compiled, a generator costs more than the loop
            if not budget.has(ask, wall):
                return False
        return True

    def short(self, ask: Ask, now: int, wall: int) -> Short | None:
        """What such a call lacks here, the worst of it; None when it may go."""
        if self.joint is not None:
            return lacking(self.joint, self, ask, now, wall)
        worst = self.short_of_rate(ask, now)
        for budget in self.budgets:
            if budget.has(ask, wall):
                continue
            one = self._short_of(budget, ask, wall)
            if worst is None or one.worse(worst):
                worst = one
        return worst

    def stands(self, now: int, wall: int) -> Iterator[tuple[str, int, int, int, int]]:
        """Its limits by their names in `Allowance`: what is used of each, what calls in flight hold, and the limit.

        The last is what all workers have used of a budget together, as far as this one was told.
        """
        if self.rpm:
            yield "rpm", 0 if self.requests is None else self.rpm - self.requests.left(now), 0, self.rpm, 0
        if self.tpm:
            yield "tpm", 0 if self.tokens is None else self.tpm - self.tokens.left(now), 0, self.tpm, 0
        if self.concurrent:
            yield "concurrent", self.running, 0, self.concurrent, 0
        for budget in self.budgets:
            tally = budget.at(wall)
            yield budget.what, tally.spent, tally.held, budget.limit, tally.told

    def charge(self, ask: Ask) -> int:
        """What its minute is charged with. An estimate above the limit wants an empty minute: it may be wrong."""
        if not self.tpm:
            return 0
        return ask.tokens if ask.tokens <= self.tpm or ask.least(money=False) > self.tpm else self.tpm

    def begin(self, charge: int, now: int) -> None:
        """A call is in flight. Its caller has asked `has` at the same `now`."""
        self.running += 1
        if self.rpm:
            self.minute_of_requests(now).take(1, now)
        if self.tpm:
            self.minute_of_tokens(now).take(charge, now)
        if self.joint is not None:
            self.joint.begin(charge, now)

    def end(self, delta: int, taken_at: int, now: int, *, sent: bool) -> None:
        """It ended, `delta` tokens above what its minute was charged with. Unless it was `sent` it was no request."""
        self.running -= 1
        if self.joint is not None:
            self.joint.end(delta, taken_at, now, sent=sent)
        tokens, requests = self.tokens, self.requests
        if delta and tokens is not None:
            if delta > 0 and now - taken_at > MINUTE_US + _SLOT_US:
                tokens.take(delta, now)
            else:
                tokens.correct(delta, taken_at, now)
        if sent:
            lasts = self.lasts
            if lasts is None:
                lasts = self.lasts = Average()
            lasts.learn(now - taken_at)
        elif requests is not None:
            requests.correct(-1, taken_at, now)

    def rest(self, now: int) -> bool:
        """Let go of the logs, when there is nothing in them: False while it is in use."""
        if self.running:
            return False
        for log in (self.requests, self.tokens):
            if log is not None and log.left(now) < log.depth:
                return False
        if self.joint is not None and not self.joint.leave():
            return False
        self.requests = self.tokens = None
        return True

    def minute_of_requests(self, now: int) -> SlidingLog:
        """Its log of requests, where they are limited."""
        log = self.requests
        if log is None:
            log = self.requests = SlidingLog(self.rpm, window_us=MINUTE_US)
        elif log.limit != self.rpm:
            log.resize(self.rpm, now)
        return log

    def minute_of_tokens(self, now: int) -> SlidingLog:
        """Its log of tokens, where they are limited."""
        log = self.tokens
        if log is None:
            log = self.tokens = SlidingLog(self.tpm, window_us=MINUTE_US)
        elif log.limit != self.tpm:
            log.resize(self.tpm, now)
        return log

    def soon(self, missing: int, held: int) -> int:
        """In how long so much of what is held will probably have returned: one call ends in a `running`th of a call."""
        lasts, running = self.lasts, max(1, self.running)
        usual = UNKNOWN_US if lasts is None else int(lasts.mean + lasts.deviation)
        return max(LEAST_WAIT_US, min(usual, max(usual // running, usual * missing // max(1, held))))

    def short_of_rate(self, ask: Ask, now: int) -> Short | None:
        """What it lacks of the minute and of places, by this worker's own books."""
        worst: Short | None = None
        if self.tpm and (wait := self.minute_of_tokens(now).wait(self.charge(ask), now)):
            if wait == NEVER:
                return Short(TOO_LARGE, self.who, "limit of tokens a minute")
            worst = Short(RATE, self.who, "limit of tokens a minute", wait)
        if self.rpm and (wait := self.minute_of_requests(now).wait(1, now)):
            one = Short(RATE, self.who, "limit of requests a minute", wait)
            worst = one if worst is None or one.worse(worst) else worst
        if worst is None and self.concurrent and self.running >= self.concurrent:
            return Short(BUSY, self.who, "limit of calls at a time", self.soon(1, self.running))
        return worst

    def _short_of(self, budget: Budget, ask: Ask, wall: int) -> Short:
        if ask.least(money=budget.money) > budget.limit:
            return Short(TOO_LARGE, self.who, budget.called)
        tally, missing = budget.at(wall), budget.missing(ask, wall)
        if not missing:
            return Short(EXHAUSTED, self.who, budget.called, 0, tally.end, budget.zone)
        return Short(BUSY, self.who, budget.called, self.soon(missing, tally.held))
