"""When somebody who comes now is served, beside those who were told a time (`appointments.py`).

* Whose places have come due has its turn before all newcomers as far as the discipline honours it; beyond that it
  waits for its turn like anybody else, so that places never give a tenant more than its share for long.
* Who has none, or comes early, is told a time that is nobody's yet (first told, first served), and no sooner than its
  own last place and its fair share allow.
* A tenant's turns lie `apart`: cost × weight of all who compete / own weight / rate. Where that is no more than
  `CLOSE_US`, a turn more or less before somebody's time does not matter to who comes back, and fairness decides alone:
  nobody is told more than a turn behind those who wait and its own places; a gap of a turn before its first place is
  its own; and places that cover a call in part let it wait for its turn. So who could not redeem a place, because it
  did not call then, has its share all the same, and who always calls has no more.
* So that no quota lies idle, who has had no more than its share may queue where nobody waits, and on windows anybody
  where the queue is short; and where workers share the quota, an exchange with the fund that has it is no wait.

Everything is O(1) in waiting calls and tenants, but for `Appointments.first_free`.
"""

from tidegate.model.tenant import Tenant
from tidegate.policy.queue.appointments import Appointments, covered
from tidegate.policy.queue.forecast import Forecast
from tidegate.policy.queue.records import Ahead, Floor
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge
from tidegate.policy.schedule.face import Scheduler
from tidegate.units import MINUTE_US

CLOSE_US = 5_000_000
SPARE_US = 2_000_000  # so much of the quota waits for others before who had more than they takes what is left over
BACKLOG_US = 2_000_000  # of quota, that is to wait where idle tokens are lost
LONG_US = 10_000_000  # a longer wait may be less by what a lower tier gets in any case
_NOBODY_AHEAD = Ahead(0, 0)


class Welcome:
    """Of one pool, for one model."""

    __slots__ = ("_forecast", "_scheduler", "places")

    def __init__(self, forecast: Forecast, scheduler: Scheduler, places: Appointments) -> None:
        self._forecast = forecast
        self._scheduler = scheduler
        self.places = places

    def wait(self, tenant: Tenant, charge: Charge, now: int, body: object = None, *, strict: bool = False) -> int:
        """When a call that says so is served: microseconds, 0 = now, or NEVER.

        `strict`: behind all who were told a time, for a time that is to be told.
        """
        places, forecast, queued = self.places, self._forecast, self._scheduler.queued(tenant)
        if (credit := places.credit(tenant.flow, now, body)) and self._lets_in(tenant, charge, credit, now):
            return forecast.wait(tenant, charge, self._before_due(tenant, charge, credit, queued, now), now)
        ahead = self._scheduler.ahead(tenant, charge.tokens, now) if queued else _NOBODY_AHEAD
        wait = forecast.wait(tenant, charge, ahead, now)
        if wait != NEVER and len(places) and (strict or self._behind_all(tenant, queued, now)):
            if not strict and self._at_hand(tenant, charge, wait, now, body):
                return wait
            wait = self._behind(tenant, charge, ahead, wait, now)
        return self._at_least(tenant, charge, wait, now) if wait > LONG_US else wait

    def _at_least(self, tenant: Tenant, charge: Charge, wait: int, now: int) -> int:
        """No later than by what its tier gets in any case, behind those of its tier who were told a time."""
        floor = self._scheduler.floor(tenant, now)
        if floor is None or floor.after_us >= wait:
            return wait
        places, rank, ahead = self.places, tenant.tier.rank, floor.ahead
        if len(places):
            horizon = places.horizon(now)
            own, above = places.booked_before(horizon, now, rank), places.booked_before(horizon, now, rank - 1)
            ahead = Ahead(ahead.requests + own.requests - above.requests, ahead.tokens + own.tokens - above.tokens)
        found = self._forecast.floor(charge, Floor(floor.after_us, floor.permille, ahead), now)
        return wait if found == NEVER else min(wait, found)

    def may_pass(self, tenant: Tenant, charge: Charge, now: int, body: object = None) -> bool:
        """Whether a call leaves enough for those who are to be here by now, where nobody waits."""
        places, forecast = self.places, self._forecast
        if forecast.fleeting or places.due(tenant.flow, charge.tokens, now, body):
            return True
        late = places.booked_before(now, now, tenant.tier.rank)
        if places.span(tenant.flow) and not self._scheduler.honours(tenant, now):
            token_us = forecast.token_us(tenant, now)
            late = Ahead(late.requests, late.tokens + (round(SPARE_US / token_us) if token_us else 0))
        return late.tokens == 0 or forecast.wait(tenant, charge, late, now) <= forecast.exchange_us

    def rivals(self, tenant: Tenant) -> int:
        """The weight of those who compete with it, in thousandths: as many as were told a time, or wait."""
        return max(self.places.weight, self._scheduler.weight(tenant))

    def _at_hand(self, tenant: Tenant, charge: Charge, wait: int, now: int, body: object) -> bool:
        """It would pass at once if a lease were here already: what lacks is an exchange, and nobody waits for one."""
        if not 0 < wait <= self._forecast.exchange_us or self._scheduler.oldest() is not None:
            return False
        return self.may_pass(tenant, charge, now, body)

    def _lets_in(self, tenant: Tenant, charge: Charge, credit: int, now: int) -> bool:
        """Places that have come due and cover it, or where turns are close some of it."""
        return covered(charge.tokens, credit) or (
            self._apart(tenant, charge, self._forecast.token_us(tenant, now)) <= CLOSE_US
        )

    def _before_due(self, tenant: Tenant, charge: Charge, credit: int, queued: int, now: int) -> Ahead:
        if not queued:
            return _NOBODY_AHEAD
        if covered(charge.tokens, credit):
            return self._scheduler.ahead_due(tenant, now)
        return self._scheduler.ahead(tenant, charge.tokens, now)

    def _behind_all(self, tenant: Tenant, queued: int, now: int) -> bool:
        """A newcomer stands behind those who were told a time, unless quota would lie idle."""
        if self._forecast.fleeting:
            return queued > 0 and queued * MINUTE_US >= BACKLOG_US * self._forecast.about_per_minute()
        return queued > 0 or not self._scheduler.honours(tenant, now)

    def _behind(self, tenant: Tenant, charge: Charge, ahead: Ahead, wait: int, now: int) -> int:
        """The first time after `wait` that is nobody's yet, and that is fair beside the tenant's own places."""
        places, rank = self.places, tenant.tier.rank
        every = places.booked_before(places.horizon(now), now, rank)
        if not every.tokens:
            return wait
        both = Ahead(ahead.requests + every.requests, ahead.tokens + every.tokens)
        most = self._forecast.wait(tenant, charge, both, now)
        if most <= wait:
            return wait
        token_us = (most - wait) / every.tokens
        if not wait:  # some is left: they take longer than what is lacking; or it is requests that are scarce
            token_us = max(token_us, self._forecast.token_us(tenant, now))
        apart = self._apart(tenant, charge, token_us)
        close, least = apart <= CLOSE_US, wait
        own = places.span(tenant.flow)
        if own is not None and not (close and own[0] - now >= wait + apart):
            least = max(wait, own[1] - now + apart)
            if close or least >= most:
                return least
        told = places.first_free(now, rank, least, most, token_us)
        return min(told, wait + apart) if close else told

    def _apart(self, tenant: Tenant, charge: Charge, token_us: float) -> int:
        """How far its turns lie apart when each is for such a call, in microseconds."""
        return round(charge.tokens * token_us * self.rivals(tenant) / tenant.weight_milli)
