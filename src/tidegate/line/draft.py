"""What a new book wants of the lanes: all that may go wrong is done here, beside those that serve.

New lanes and pools are made, and nobody draws on them yet; what those that serve are to become is noted. `adopt` then
does it, without a step that may fail; a book that fails, or is given up, leaves them as they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidegate.line.bound import shared_bound
from tidegate.line.keys import KeyRing
from tidegate.line.lane import Experience, Lane, Organisation, Service
from tidegate.line.pool import Pool
from tidegate.line.shelves import PoolKey, Shelves, Standing, credentials_of, discipline
from tidegate.model import snapshot
from tidegate.model.snapshot import Limits, RateLimitPolicy, Scope
from tidegate.policy.failure.health import Health
from tidegate.policy.learned.concurrency import Concurrency
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.places import Places
from tidegate.policy.pick import make as make_strategy
from tidegate.policy.pick.face import Strategy
from tidegate.policy.queue.dispatcher import Rules
from tidegate.policy.queue.outlet import Cap, Outlet
from tidegate.policy.quota.average import Average
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.estimate import Estimator
from tidegate.policy.quota.pace import Pace
from tidegate.policy.quota.quota import Quota
from tidegate.policy.quota.speed import Speed
from tidegate.policy.schedule.face import Scheduler
from tidegate.policy.schedule.make import make as make_scheduler

if TYPE_CHECKING:
    from tidegate.line.lanes import Lanes

BOUND: Final = "dynamic", "headroom"  # how calls take their turn at a strategy's own limit


@dataclass(frozen=True, slots=True)
class Setting:
    """What the configuration says of a lane."""

    service: Service
    scope: Scope
    limits: Limits
    ring: KeyRing


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pool as it is to be, and who decides in it from then on where it is to be renewed."""

    standing: Standing
    scheduler: Scheduler
    strategy: Strategy


class Draft:
    """Of one book, or of one pool that is asked for later. Give it up (`drop`) or `adopt` it, once."""

    __slots__ = ("_lanes", "_made", "anew", "book", "bounds", "caps", "fresh", "named", "pools", "settings", "wallets")

    def __init__(self, lanes: "Lanes", *, anew: bool) -> None:
        """`anew`: of a new book, for which keys that were refused may have been restored."""
        self._lanes = lanes
        self.anew = anew
        self.book = lanes.book + 1 if anew else lanes.book
        self.fresh = Shelves()  # what there was not before
        self.settings: dict[Lane, Setting] = {}
        self.pools: dict[PoolKey, Wanted] = {}
        self.bounds: dict[tuple[str, RateLimitPolicy], Pool[Outlet]] = {}
        self.caps: dict[str, Scope] = {}  # by credentials, whose calls at once are bounded
        self.named: dict[tuple[str, tuple[str, str]], None] = {}
        self.wallets: list[LeaseClient] = []  # to be opened
        self._made: list[Pool[Lane]] = []

    def adopt(self) -> None:
        """From now on it is so. Raises nothing."""
        self._lanes.adopt(self)

    def drop(self) -> None:
        """It is not to be: those who serve hear no more of what was made beside them."""
        for pool in self._made:
            pool.close()
        for lane in self.fresh.lanes.values():
            lane.breaker.close()
            lane.concurrency.part(lane)
        for organisation in self.fresh.organisations.values():
            if isinstance(organisation.cap, Places):
                organisation.cap.close()

    def lane(self, service: Service, scope: Scope, model: str) -> Lane:
        """The lane, new or as it stands."""
        credentials = credentials_of(service.digest, scope)
        limits, key = scope.limits.get(model, Limits()), (credentials, model)
        organisation, ring = self._organisation(credentials, scope), self._ring(credentials, scope)
        self.named[credentials, (service.name, scope.name)] = None
        lane = self._lanes.shelves.lanes.get(key) or self.fresh.lanes.get(key)
        if lane is None:
            lane = self._new_lane(credentials, service, organisation, model, ring, limits)
            if scope.window:
                lane.reconfigure(service, limits, scope.window)
            lane.key = f"{credentials}/{model}"
            lane.weight_milli = scope.weight * 1_000
            lane.divide(self._lanes.part_of(lane))
            memory = self._lanes.memories.get(lane.key)
            if memory is not None:
                lane.recall(memory)
            self.fresh.lanes[key] = lane
        self.settings[lane] = Setting(service, scope, limits, ring)
        return lane

    def _new_lane(
        self, credentials: str, service: Service, organisation: Organisation, model: str, ring: KeyRing, limits: Limits
    ) -> Lane:
        funds, experience = self._lanes.funds, self._experience(service, model)
        lane = Lane(self._lanes.clock, service, organisation, model, ring, experience, limits, shared=funds is not None)
        if funds is not None:
            tag = credentials.removeprefix(f"{service.digest}/")
            self.wallets.append(lane.open(f"{funds.prefix}:{{{tag}}}:lane:{service.digest}:{model}"))
        return lane

    def pool(
        self, of: snapshot.Pool, service: Service, scopes: Sequence[Scope], model: str, *, tiered: bool
    ) -> Pool[Lane]:
        """The pool of one model, new or as it stands; who waits there keeps waiting."""
        lanes = tuple(self.lane(service, scope, model) for scope in scopes)
        shares = tuple((share.name, share.permille) for share in of.shares)
        rules = Rules(of.max_waiting or self._lanes.max_waiting, of.only, shares, tiered)
        key, how = (of.name, service.digest, model), discipline(of.scheduler, of.pick, scopes)
        wanted, known = self.pools.get(key), self._lanes.shelves.pools.get(key)
        if wanted is not None and (wanted.standing.lanes, wanted.standing.rules, wanted.standing.how) == (
            lanes, rules, how,
        ):  # fmt: skip
            return wanted.standing.pool
        if wanted is not None:
            pool = wanted.standing.pool
        elif known is not None:
            pool = known.pool
        else:
            made = make_scheduler(of.scheduler), make_strategy(of.pick)
            pool = Pool(f"{of.name}/{model}", self._lanes.clock, lanes, rules, *made, self._lanes.luck)
            self._made.append(pool)
        standing = Standing(pool, lanes, rules, how, self.book)
        self.pools[key] = Wanted(standing, make_scheduler(of.scheduler), make_strategy(of.pick))
        return pool

    def bound(self, strategy: str, policy: RateLimitPolicy, *, tiered: bool) -> Pool[Outlet] | None:
        """A strategy's own limits, None without any; as they stand, as long as they stay the same.

        They are calls a minute, tokens a minute, and a burst of calls that refills by the second.
        """
        known = self._lanes.shelves.bounds.get((strategy, policy))
        pool = known[0] if known is not None else self.bounds.get((strategy, policy))
        if pool is None:
            outlet = self._outlet(strategy, policy)
            if outlet is None:
                return None
            rules = Rules(self._lanes.max_waiting, tiered=tiered)
            how = make_scheduler(BOUND[0]), make_strategy(BOUND[1])
            pool = Pool(strategy, self._lanes.clock, (outlet,), rules, *how, self._lanes.luck)
        self.bounds[strategy, policy] = pool
        return pool

    def _outlet(self, strategy: str, policy: RateLimitPolicy) -> Outlet | None:
        now, funds = self._lanes.clock.now(), self._lanes.funds
        requests = [Bucket(policy.max_rpm, now)] if policy.max_rpm else []
        if policy.bucket_capacity and policy.refill_rate_milli:
            window = max(1, policy.bucket_capacity * 1_000_000_000 // policy.refill_rate_milli)
            requests.append(Bucket(policy.bucket_capacity, now, window_us=window))
        tokens = (Bucket(policy.max_tpm, now),) if policy.max_tpm else ()
        if not requests and not tokens:
            return None
        if funds is None:
            return Outlet(strategy, Quota(tuple(requests), tokens))
        outlet = shared_bound(strategy, policy, f"{funds.prefix}:{{b:{strategy}}}", now)
        if outlet.wallet is not None:
            self.wallets.append(outlet.wallet)
        return outlet

    def _ring(self, credentials: str, scope: Scope) -> KeyRing:
        known = self.fresh.rings.get(credentials)
        if known is None and not self.anew:
            known = self._lanes.shelves.rings.get(credentials)
        if known is None:
            known = self.fresh.rings[credentials] = KeyRing(scope.keys)
        return known

    def _organisation(self, credentials: str, scope: Scope) -> Organisation:
        known = self._lanes.shelves.organisations.get(credentials) or self.fresh.organisations.get(credentials)
        if known is None:
            cap, funds = Cap(scope.max_concurrent), self._lanes.funds
            if funds is not None:
                tag = credentials.rpartition("/")[2]
                cap = Places(f"{funds.prefix}:{{{tag}}}:places", funds, scope.max_concurrent, self._lanes.clock.now())
            known = self.fresh.organisations[credentials] = Organisation(scope.name, Health(), cap)
        self.caps[credentials] = scope
        return known

    def _experience(self, service: Service, model: str) -> Experience:
        key = service.digest, model
        known = self._lanes.shelves.experiences.get(key) or self.fresh.experiences.get(key)
        if known is None:
            known = self.fresh.experiences[key] = Experience(
                Estimator(), Pace(), Health(), Concurrency(), Average(), Speed()
            )
        return known
