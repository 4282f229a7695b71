"""All lanes and pools of a worker: they outlive a reload, and so does what they know."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tidegate.line.keys import KeyRing
from tidegate.line.lane import Experience, Lane, Memory, Organisation, Service
from tidegate.line.pool import Pool
from tidegate.model import snapshot
from tidegate.model.snapshot import Limits, RateLimitPolicy, Scope
from tidegate.policy.bucket import Bucket
from tidegate.policy.desk import Rules
from tidegate.policy.estimate import Estimator
from tidegate.policy.health import Health
from tidegate.policy.outlet import Cap, Outlet
from tidegate.policy.pace import Pace
from tidegate.policy.pick import make as make_strategy
from tidegate.policy.quota import Quota
from tidegate.policy.schedule.make import make as make_scheduler
from tidegate.ports import Clock

BOUND = "dynamic", "headroom"  # how calls take their turn at a strategy's own limit


@dataclass(frozen=True, slots=True)
class _Standing:
    """A pool and what it was made from, to see what a reload changes."""

    pool: Pool[Lane]
    lanes: tuple[Lane, ...]
    rules: Rules
    how: tuple[str, str]  # scheduler and pick


class Lanes:
    """Lanes by (base URL, credentials, model), pools by (name, base URL, model)."""

    __slots__ = (
        "_bounds", "_clock", "_experiences", "_lanes", "_luck", "_memories", "_organisations", "_pools", "_rings",
        "max_waiting")  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        max_waiting: int,
        luck: Callable[[], float],
        memories: dict[str, Memory] | None = None,
    ) -> None:
        """`luck` gives uniform numbers in [0, 1); `memories`: what earlier runs knew, by `Lane.key`."""
        self._memories = memories or {}
        self._clock = clock
        self._luck = luck
        self.max_waiting = max_waiting
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._pools: dict[tuple[str, str, str], _Standing] = {}
        self._organisations: dict[str, Organisation] = {}
        self._experiences: dict[tuple[str, str], Experience] = {}
        self._rings: dict[str, KeyRing] = {}
        self._bounds: dict[tuple[str, RateLimitPolicy], Pool[Outlet]] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    @property
    def pools(self) -> Iterator[Pool[Lane]]:
        """Every pool that is in use."""
        return (standing.pool for standing in self._pools.values())

    def renew(self) -> None:
        """Before a new book: keys that were refused may have been restored."""
        self._rings.clear()

    def get(self, service: Service, scope: Scope, model: str) -> Lane:
        """The lane, new or as it stands; what the configuration says of it is brought up to date."""
        credentials = f"{service.digest}/{digest(*sorted(scope.keys))}"
        limits = scope.limits.get(model, Limits())
        organisation = self._organisation(credentials, scope)
        ring = self._rings.get(credentials)
        if ring is None:
            ring = self._rings[credentials] = KeyRing(scope.keys)
        lane = self._lanes.get((credentials, model))
        if lane is None:
            experience = self._experience(service, model)
            lane = Lane(self._clock, service, organisation, model, ring, experience, limits, scope.weight)
            if scope.window:
                lane.reconfigure(service, limits, scope.window)
            lane.key = f"{credentials}/{model}"
            memory = self._memories.pop(lane.key, None)
            if memory is not None:
                lane.recall(memory)
            self._lanes[credentials, model] = lane
        elif lane.configured != limits or lane.service is not service or lane.window != scope.window:
            lane.reconfigure(service, limits, scope.window)
        lane.keys = ring
        return lane

    def pool(
        self, of: snapshot.Pool, service: Service, scopes: Sequence[Scope], model: str, *, tiered: bool
    ) -> Pool[Lane]:
        """The pool of one model, new or as it stands; who waits there keeps waiting."""
        lanes = tuple(self.get(service, scope, model) for scope in scopes)
        shares = tuple((share.name, share.permille) for share in of.shares)
        rules = Rules(of.max_waiting or self.max_waiting, of.only, shares, tiered)
        key, how = (of.name, service.digest, model), (of.scheduler, of.pick)
        standing = self._pools.get(key)
        if standing is None:
            name = f"{of.name}/{model}"
            made = make_scheduler(how[0]), make_strategy(how[1])
            pool = Pool(name, self._clock, lanes, rules, *made, self._luck)
        else:
            pool = standing.pool
            if (standing.lanes, standing.rules, standing.how) != (lanes, rules, how):
                pool.renew(lanes, rules, make_scheduler(how[0]), make_strategy(how[1]))
        for lane in lanes:
            lane.pool = pool
        self._pools[key] = _Standing(pool, lanes, rules, how)
        return pool

    def forget(self, pool: Pool[Lane]) -> None:
        """Drop a pool that only a caller named and nobody asks for any more."""
        for key, standing in list(self._pools.items()):
            if standing.pool is pool:
                del self._pools[key]
        for lane in pool.lanes:
            self._lanes.pop((lane.key.removesuffix(f"/{lane.model}"), lane.model), None)
            self._experiences.pop((lane.service.digest, lane.model), None)
            lane.breaker.close()

    def bound(self, strategy: str, policy: RateLimitPolicy, *, tiered: bool) -> Pool[Outlet] | None:
        """A strategy's own limits, None without any; as they stand, as long as they stay the same.

        They are calls a minute, tokens a minute, and a burst of calls that refills by the second.
        """
        known = self._bounds.get((strategy, policy))
        if known is not None:
            return known
        now = self._clock.now()
        requests = [Bucket(policy.max_rpm, now)] if policy.max_rpm else []
        if policy.bucket_capacity and policy.refill_rate_milli:
            window = max(1, policy.bucket_capacity * 1_000_000_000 // policy.refill_rate_milli)
            requests.append(Bucket(policy.bucket_capacity, now, window_us=window))
        tokens = (Bucket(policy.max_tpm, now),) if policy.max_tpm else ()
        if not requests and not tokens:
            return None
        outlet = Outlet(strategy, Quota(tuple(requests), tokens))
        rules = Rules(self.max_waiting, tiered=tiered)
        how = make_scheduler(BOUND[0]), make_strategy(BOUND[1])
        pool = self._bounds[strategy, policy] = Pool(strategy, self._clock, (outlet,), rules, *how, self._luck)
        return pool

    def _organisation(self, credentials: str, scope: Scope) -> Organisation:
        known = self._organisations.get(credentials)
        if known is None:
            known = self._organisations[credentials] = Organisation(scope.name, Health(), Cap(scope.max_concurrent))
        known.cap.allow(scope.max_concurrent)
        return known

    def _experience(self, service: Service, model: str) -> Experience:
        key = service.digest, model
        known = self._experiences.get(key)
        if known is None:
            known = self._experiences[key] = Experience(Estimator(), Pace(), Health())
        return known


def digest(*parts: str) -> str:
    """A short name for a URL or a credential that tells nothing of it."""
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
