"""How long a pool takes for so much: the rates of its outlets, what reservations come to cost, what higher tiers use.

An estimate for who arrives now, from a few outlets looked at by chance: who is not looked at is like those who are.
`wait`, `token_us`, `about_per_minute` O(`LOOKED_AT`), `per_minute` O(outlets), the rest O(1).
"""

from collections.abc import Callable, Sequence
from math import fsum
from typing import Final, Protocol

from tidegate.model.tenant import Tenant
from tidegate.policy.failure.health import PROBE_GUESS_US
from tidegate.policy.lease.purse import SOON_US
from tidegate.policy.queue.above import Above
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.queue.records import Ahead, Floor
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge

LOOKED_AT: Final = 8  # outlets, for a prediction
REMEMBERED_TOKENS: Final = 1_000_000
SPARE_SECONDS: Final = 10  # of a lane's rate
_INFINITE: Final = float("inf")


class Elsewhere(Protocol):
    """What waits at other workers for the same quota."""

    def before(self, tenant: Tenant, charge: Charge, ahead: Ahead, now: int) -> Ahead:
        """What is served before such a call, when `ahead` of it waits here."""


class Forecast:
    """Of one pool, for one model."""

    __slots__ = ("_above", "_luck", "_outlets", "_reserved", "_settled", "_tiered", "elsewhere")

    def __init__(self, outlets: Outlets, luck: Callable[[], float], *, tiered: bool) -> None:
        """`luck` gives uniform numbers in [0, 1); `tiered`: calls of more than one tier come here."""
        self._outlets = outlets
        self._luck = luck
        self._tiered = tiered
        self._above = Above()
        self.elsewhere: Elsewhere | None = None  # where the outlets' quota is shared with other workers
        self._reserved = self._settled = 1  # tokens of late, for the share of a reservation that is really spent

    def inherit(self, old: "Forecast") -> None:
        """Take over what was learnt."""
        self._reserved, self._settled, self._above = old._reserved, old._settled, old._above  # noqa: SLF001

    def settled(self, reserved: int, real: int) -> None:
        """What was reserved turned out to cost `real` tokens; nothing at all is a request that was refused unread."""
        if real:
            self._reserved += reserved
            self._settled += real
        if self._reserved > REMEMBERED_TOKENS:
            self._reserved //= 2
            self._settled //= 2

    def spared(self, tokens: int) -> None:
        """So many of the tokens that a call was to reserve are cached where it goes."""
        self._reserved += tokens

    def served(self, tenant: Tenant, tokens: int, now: int) -> None:
        """A call was sent."""
        if self._tiered:
            self._above.served(tenant.tier.rank, tokens, now)

    @property
    def exchange_us(self) -> int:
        """How long a wait is that is none for quota: it is there, and other workers' too. 0 where it is ours alone."""
        return SOON_US if self.elsewhere is not None else 0

    def wait(self, tenant: Tenant, charge: Charge, ahead: Ahead, now: int) -> int:
        """When such a call is served behind so many reservations: microseconds, 0 = now, or NEVER."""
        if self.elsewhere is not None:
            ahead = self.elsewhere.before(tenant, charge, ahead, now)
        wait = self._through(charge, ahead.requests, ahead.tokens * self._settled // self._reserved, now)
        if wait > 0 and self._tiered:
            wait = wait * 1_000 // (1_000 - self._above.permille(tenant.tier.rank, now))
        return wait

    def floor(self, charge: Charge, floor: Floor, now: int) -> int:
        """When such a call is served though higher tiers never yield: microseconds, or NEVER."""
        ahead = floor.ahead  # in reservations, which is what a floor is counted in
        wait = self._through(charge, ahead.requests, ahead.tokens, now)
        return wait if wait == NEVER else floor.after_us + wait * 1_000 // floor.permille

    def token_us(self, tenant: Tenant, now: int) -> float:
        """How long a reserved token takes the whole pool, for this tier; 0 without a limit."""
        outlets = self._looked_at()
        rate = fsum(outlet.rate() for outlet in outlets) * len(self._outlets.serving) / max(1, len(outlets))
        if not 0.0 < rate < _INFINITE:
            return 0.0
        share = 1_000 / (1_000 - self._above.permille(tenant.tier.rank, now)) if self._tiered else 1.0
        return 1e6 / rate * self._settled / self._reserved * share

    def per_minute(self) -> int:
        """Tokens a minute of all outlets; 0 where nothing limits one."""
        rates = [outlet.rate() for outlet in self._outlets.serving]
        return 0 if _INFINITE in rates else round(60 * fsum(rates))

    def about_per_minute(self) -> int:
        """The same, from those looked at."""
        rates = [outlet.rate() for outlet in self._looked_at()]
        if not rates or _INFINITE in rates:
            return 0
        return round(60 * fsum(rates) * len(self._outlets.serving) / len(rates))

    def spare(self) -> int:
        """What patient tiers leave in each lane for the bursts of others: depth, which costs no rate; 0 on windows."""
        rate = min((outlet.rate() for outlet in self._outlets.all[:LOOKED_AT]), default=_INFINITE)
        return int(rate * SPARE_SECONDS) if rate < _INFINITE and not self.fleeting else 0

    @property
    def fleeting(self) -> bool:
        """Tokens that nobody takes are lost, as in a window: then no place is worth an idle moment."""
        outlets = self._outlets.all
        return bool(outlets) and any(one.fleeting for one in outlets[0].quota.tokens)

    def _through(self, charge: Charge, requests: int, tokens: int, now: int) -> int:
        """Behind so much, through the soonest of those looked at, each with its part of what is ahead."""
        outlets = self._looked_at()
        if len(outlets) <= 1:
            return outlets[0].wait(charge, now, requests, tokens) if outlets else NEVER
        serving = self._serving(outlets, tokens, now)
        more = len(self._outlets.serving) / len(outlets)
        rates = [outlet.rate() for outlet in outlets]
        whole = fsum(rates if serving is outlets else [outlet.rate() for outlet in serving]) * more
        best = NEVER
        for outlet, rate in zip(outlets, rates, strict=True):
            part = rate / whole if 0.0 < whole < _INFINITE else 1 / (len(serving) * more)
            wait = outlet.wait(charge, now, round(requests * part), round(tokens * part))
            if wait != NEVER and (best == NEVER or wait < best):
                best = wait
        return best

    def _serving(self, outlets: Sequence[Outlet], tokens: int, now: int) -> Sequence[Outlet]:
        """Those that take part in serving so much: who refuses longer than it lasts does not. All, when none does."""
        if not any(one.breaker.limited for one in outlets):
            return outlets
        whole = fsum(outlet.rate() for outlet in outlets) * len(self._outlets.serving) / len(outlets)
        lasts = max(PROBE_GUESS_US, int(tokens * 1e6 / whole))
        serving = [one for one in outlets if not one.breaker.limited or one.breaker.wait(now) <= lasts]
        return serving or outlets

    def _looked_at(self) -> Sequence[Outlet]:
        outlets = self._outlets.serving
        if len(outlets) <= LOOKED_AT:
            return outlets
        at = int(self._luck() * (len(outlets) - LOOKED_AT + 1))
        return outlets[at : at + LOOKED_AT]
