"""The provider's side: accounts with limits of their own, judged by the quota twin's meter.

Nothing of the gate's mirror is used here: what the gate believes and what the provider counts are two ledgers, and a
429 is *avoidable* when the published limits, charged with the gate's own traffic alone, would have refused it too.
"""

from collections.abc import Callable
from enum import Enum, auto
from math import exp, log
from random import Random

from tidegate.simulate.agenda import Agenda
from tidegate.simulate.arrivals import Arrival
from tidegate.simulate.call import Call
from tidegate.simulate.scenario import Pool, Spread
from tidegate.simulate.sight import Shown
from tidegate.twin.meter import Meter
from tidegate.twin.settings import Limits, Rules
from tidegate.twin.windows import NEVER
from tidegate.units import SECOND_US

_AVOIDABLE = "avoidable"


class Verdict(Enum):
    """What a provider says to a call."""

    ANSWERED = auto()
    LIMITED = auto()  # 429
    UNAUTHORISED = auto()  # 401: the account is lost
    OVERLOADED = auto()  # 503


class Reply:
    """A verdict on its way to the gate: what it shows, the time it names (0 = none), the tokens it charges."""

    __slots__ = ("account", "call", "charged", "named_us", "shown", "slot", "verdict")

    def __init__(self, verdict: Verdict, account: "Account", call: Call, slot: object) -> None:
        self.verdict = verdict
        self.account = account
        self.call = call
        self.slot = slot
        self.shown: Shown | None = None
        self.named_us = 0
        self.charged = 0


class Account:
    """One account at the provider, and what it gave."""

    __slots__ = (
        "_limits",
        "_since",
        "charged",
        "charged_before",
        "lost",
        "meter",
        "name",
        "others",
        "quota",
        "quota_before",
    )

    def __init__(self, name: str, limits: Limits, rules: Rules, others: float) -> None:
        self.name = name
        self.others = others
        self.meter = Meter(limits, rules, 0)
        self.lost = False
        self.charged = self.charged_before = 0  # tokens, as they are charged in the end, and those of the warm-up
        self.quota = self.quota_before = 0.0  # tokens that it could have given so far
        self._limits = limits
        self._since = 0

    def count(self, now: int) -> None:
        """Bring the quota up to date; before its limits change, and when somebody looks."""
        if not self.lost:
            self.quota += self.meter.limits.tpm * (1 - self.others) * (now - self._since) / (60 * SECOND_US)
        self._since = now

    def begin(self, now: int) -> None:
        """The warm-up is over."""
        self.count(now)
        self.charged_before, self.quota_before = self.charged, self.quota

    def scale(self, factor: float, now: int) -> None:
        """Its limits are so many times what they were at first; nobody is told."""
        self.count(now)
        limits = Limits(max(1, round(self._limits.rpm * factor)), max(1, round(self._limits.tpm * factor)))
        self.meter.relimit(limits, now)

    def lose(self, now: int, *, lost: bool) -> None:
        """Its keys are refused, or are good again."""
        self.count(now)
        self.lost = lost


class Times:
    """Draws of a `Spread`, in microseconds."""

    __slots__ = ("_median_us", "_mu", "_sigma")

    def __init__(self, spread: Spread) -> None:
        self._median_us = int(spread.median * 1_000)
        self._mu = log(spread.median * 1_000) if spread.median else 0.0
        self._sigma = spread.sigma if spread.median else 0.0

    def draw(self, random: Random) -> int:
        return int(exp(random.gauss(self._mu, self._sigma))) if self._sigma else self._median_us


class Provider:
    """All accounts, behind a network with delays. `deliver` gets every reply when it arrives at the gate."""

    __slots__ = (
        "_agenda",
        "_delay",
        "_deliver",
        "_random",
        "_rule",
        "_settles",
        "_tpot",
        "_ttft",
        "accounts",
        "avoidable",
        "overloaded",
        "refused",
    )  # fmt: skip

    def __init__(self, pool: Pool, agenda: Agenda, random: Random, deliver: Callable[[Reply], None]) -> None:
        low, high = (int(delay * 1_000) for delay in pool.network_ms)
        self._agenda = agenda
        self._random = random
        self._deliver = deliver
        self._delay = low, high - low
        self._rule = pool.charge
        self._settles = pool.settles
        self._ttft, self._tpot = Times(pool.ttft_ms), Times(pool.tpot_ms)
        self.overloaded = False
        self.refused = self.avoidable = 0
        self.accounts: dict[str, Account] = {}
        for scope in pool.scopes:
            rules = Rules(
                window=pool.window,
                charge=pool.charge,
                settles=pool.settles,
                notice_ms=high / 1_000,
                ghost_permille=round(scope.others * 1_000),
            )
            for number in range(1, scope.count + 1):
                name = scope.name if scope.count == 1 else f"{scope.name}-{number}"
                account = self.accounts[name] = Account(name, Limits(scope.rpm, scope.tpm), rules, scope.others)
                if pool.drained:
                    account.meter.admit(name, scope.tpm, 0)

    def send(self, account: Account, call: Call, slot: object) -> None:
        """A call leaves the gate; `slot` comes back with the reply."""
        self._agenda.put(self._agenda.now + self._way(), self._arrive, Reply(Verdict.ANSWERED, account, call, slot))

    def cost(self, call: Call | Arrival) -> int:
        """What the limiter has charged in the end."""
        return call.prompt + call.output if self._settles else self.charge(call)

    def charge(self, call: Call | Arrival) -> int:
        """What the limiter charges at admission."""
        if self._rule == "sum":
            return call.prompt + call.most
        return call.prompt if self._rule == "prompt" else max(call.prompt, call.most)

    def _way(self) -> int:
        least, spread = self._delay
        return least + int(self._random.random() * spread)

    def _arrive(self, reply: Reply) -> None:
        now, account, call = self._agenda.now, reply.account, reply.call
        if self.overloaded or account.lost:
            reply.verdict = Verdict.UNAUTHORISED if account.lost else Verdict.OVERLOADED
            self._reply(reply)
            return
        reply.charged = self.charge(call)
        refusal = account.meter.admit(account.name, reply.charged, now)
        if refusal is None:
            account.charged += self.cost(call)
            took = self._ttft.draw(self._random) + call.output * self._tpot.draw(self._random)
            self._agenda.put(now + took, self._answer, (reply, now))
            return
        self.refused += 1
        self.avoidable += refusal.label == _AVOIDABLE
        reply.verdict = Verdict.LIMITED
        reply.named_us = 0 if refusal.wait == NEVER else refusal.wait
        self._reply(reply)

    def _answer(self, what: tuple[Reply, int]) -> None:
        reply, charged_at = what
        account, call = reply.account, reply.call
        back = account.meter.settle(reply.charged, call.prompt + call.output, charged_at, self._agenda.now)
        reply.charged -= back
        self._reply(reply)

    def _reply(self, reply: Reply) -> None:
        now, meter = self._agenda.now, reply.account.meter
        if not self.overloaded and not reply.account.lost:
            limits, quota = meter.limits, meter.quota
            left_requests, left_tokens = quota.requests.remaining(now), quota.tokens.remaining(now)
            reply.shown = Shown(limits.rpm, limits.tpm, left_requests, left_tokens)
            meter.shown(reply.account.name, meter.version, now)
        self._agenda.put(now + self._way(), self._deliver, reply)
