"""All lanes and pools of a worker: they outlive a reload, and so does what they know.

What a reload no longer names stays for `LINGER_US`, since calls that began before still use it, and a configuration
that is taken back finds every quota as it was. Then it goes, as soon as nobody waits in it and it carries nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from tidegate.line.bound import shared_bound
from tidegate.line.keys import KeyRing
from tidegate.line.lane import Experience, Lane, LaneState, Organisation, Service
from tidegate.line.pool import Pool
from tidegate.line.portion import WHOLE
from tidegate.model import snapshot
from tidegate.model.snapshot import Limits, RateLimitPolicy, Scope
from tidegate.policy.failure.health import Health
from tidegate.policy.learned.concurrency import Concurrency
from tidegate.policy.lease.faces import Funds
from tidegate.policy.lease.places import Places
from tidegate.policy.pick import make as make_strategy
from tidegate.policy.queue.desk import Rules
from tidegate.policy.queue.outlet import Cap, Outlet
from tidegate.policy.quota.average import Average
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.estimate import Estimator
from tidegate.policy.quota.pace import Pace
from tidegate.policy.quota.quota import Quota
from tidegate.policy.quota.speed import Speed
from tidegate.policy.schedule.make import make as make_scheduler
from tidegate.ports import Clock, Timer

LINGER_US = 600_000_000
AGAIN_US = 10_000_000  # between looks at what is still in use
BOUND = "dynamic", "headroom"  # how calls take their turn at a strategy's own limit


@dataclass(frozen=True, slots=True)
class _Standing:
    """A pool and what it was made from, to see what a reload changes; `book` is the last that named it."""

    pool: Pool[Lane]
    lanes: tuple[Lane, ...]
    rules: Rules
    how: tuple[str, str, tuple[int, ...]]  # scheduler, pick and the lanes' weights
    book: int


Account = tuple[str, str, str]  # provider, scope, and the fingerprint of one of its keys, "" = all of it
_Leaver: TypeAlias = "Pool[Lane] | Pool[Outlet] | Lane"


class Lanes:
    """Lanes by (base URL, credentials, model), pools by (name, base URL, model)."""

    __slots__ = (
        "_book", "_bounds", "_clock", "_drained", "_experiences", "_funds", "_lanes", "_leaving", "_luck", "_memories",
        "_named", "_organisations", "_pools", "_rings", "_timer", "max_waiting", "part_of")  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        max_waiting: int,
        luck: Callable[[], float],
        memories: dict[str, LaneState] | None = None,
        funds: Funds | None = None,
    ) -> None:
        """`luck` gives uniform numbers in [0, 1); `memories`: what earlier runs knew, by `Lane.key`.

        `funds`: where quota is shared with other workers, None: each lane's is this worker's alone.
        """
        self._funds = funds
        self._memories = memories or {}
        self._clock = clock
        self._luck = luck
        self.max_waiting = max_waiting
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._pools: dict[tuple[str, str, str], _Standing] = {}
        self._organisations: dict[str, Organisation] = {}
        self._experiences: dict[tuple[str, str], Experience] = {}
        self._rings: dict[str, KeyRing] = {}
        self._bounds: dict[tuple[str, RateLimitPolicy], tuple[Pool[Outlet], int]] = {}
        self._named: dict[str, dict[tuple[str, str], int]] = {}  # credentials: their names, and the last book of each
        self._drained: frozenset[Account] = frozenset()
        self._book = 0
        self._leaving: dict[_Leaver, int] = {}  # from when on it may go
        self._timer: Timer | None = None
        self.part_of: Callable[[Lane], int] = _whole

    def apportion(self, part_of: Callable[[Lane], int]) -> None:
        """From now on a lane has the part, in millionths, that this says. O(lanes)."""
        self.part_of = part_of
        for lane in self:
            lane.divide(part_of(lane))

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def drain(self, drained: frozenset[Account]) -> None:
        """These accounts, and no others, are out of service. O(scopes + keys) where that is new."""
        if drained != self._drained:
            self._drained = drained
            for credentials in self._organisations:
                self._take_out(credentials)

    def accounts(self) -> Iterator[tuple[str, str, KeyRing, Organisation]]:
        """Each scope by its provider's name and its own."""
        for credentials, names in self._named.items():
            ring, organisation = self._rings.get(credentials), self._organisations.get(credentials)
            if ring is not None and organisation is not None:
                yield from ((provider, scope, ring, organisation) for provider, scope in names)

    def _take_out(self, credentials: str) -> None:
        """As far as it is drained under any of its names: an account is one whatever it is called."""
        names, ring = self._named.get(credentials, {}), self._rings.get(credentials)
        if ring is not None:
            ring.drain({key for provider, scope, key in self._drained if key and (provider, scope) in names})
        whole = any((provider, scope, "") in self._drained for provider, scope in names)
        self._organisations[credentials].drain.put(on=whole or (ring is not None and ring.out_of_service))

    @property
    def pools(self) -> Iterator[Pool[Lane]]:
        """Every pool that is in use."""
        return (standing.pool for standing in self._pools.values())

    def renew(self) -> None:
        """Before a new book: keys that were refused may have been restored."""
        self._rings.clear()
        self._book += 1

    def retire(self) -> None:
        """The newest book is in force: what it does not name goes, after a while and once it is idle. O(all)."""
        for credentials, names in self._named.items():
            self._named[credentials] = {name: book for name, book in names.items() if book == self._book} or names
            if len(self._named[credentials]) != len(names) and credentials in self._organisations:
                self._take_out(credentials)
        pools = [(standing.pool, standing.book) for standing in self._pools.values()]
        used = {lane for pool, book in pools if book == self._book for lane in pool.lanes}
        due = self._clock.now() + LINGER_US
        leavers: list[_Leaver] = [pool for pool, book in pools if book != self._book]
        leavers += [bound for bound, book in self._bounds.values() if book != self._book]
        leavers += [lane for lane in self if lane not in used]
        for leaver in leavers:
            self._leave(leaver, due)

    def get(self, service: Service, scope: Scope, model: str) -> Lane:
        """The lane, new or as it stands; what the configuration says of it is brought up to date."""
        credentials = f"{service.digest}/{digest(*sorted(scope.keys))}"
        limits = scope.limits.get(model, Limits())
        organisation = self._organisation(credentials, scope)
        ring = self._rings.get(credentials)
        if ring is None:
            ring = self._rings[credentials] = KeyRing(scope.keys)
        named = self._named.setdefault(credentials, {})
        if named.get((service.name, scope.name)) != self._book:
            named[service.name, scope.name] = self._book
            self._take_out(credentials)
        lane = self._lanes.get((credentials, model))
        if lane is None:
            experience = self._experience(service, model)
            shared = self._funds is not None
            lane = Lane(self._clock, service, organisation, model, ring, experience, limits, shared=shared)
            if self._funds is not None:
                tag = credentials.removeprefix(f"{service.digest}/")
                self._funds.open(lane.open(f"{self._funds.prefix}:{{{tag}}}:lane:{service.digest}:{model}"))
            if scope.window:
                lane.reconfigure(service, limits, scope.window)
            lane.key = f"{credentials}/{model}"
            lane.divide(self.part_of(lane))
            memory = self._memories.pop(lane.key, None)
            if memory is not None:
                lane.recall(memory)
            self._lanes[credentials, model] = lane
        elif lane.configured != limits or lane.service is not service or lane.window != scope.window:
            lane.reconfigure(service, limits, scope.window)
        lane.keys = ring
        lane.weight_milli = scope.weight * 1_000
        return lane

    def pool(
        self, of: snapshot.Pool, service: Service, scopes: Sequence[Scope], model: str, *, tiered: bool
    ) -> Pool[Lane]:
        """The pool of one model, new or as it stands; who waits there keeps waiting."""
        lanes = tuple(self.get(service, scope, model) for scope in scopes)
        shares = tuple((share.name, share.permille) for share in of.shares)
        rules = Rules(of.max_waiting or self.max_waiting, of.only, shares, tiered)
        key = of.name, service.digest, model
        how = of.scheduler, of.pick, tuple(scope.weight for scope in scopes)
        standing = self._pools.get(key)
        if standing is None:
            name = f"{of.name}/{model}"
            made = make_scheduler(of.scheduler), make_strategy(of.pick)
            pool = Pool(name, self._clock, lanes, rules, *made, self._luck)
        else:
            pool = standing.pool
            if (standing.lanes, standing.rules, standing.how) != (lanes, rules, how):
                pool.renew(lanes, rules, make_scheduler(of.scheduler), make_strategy(of.pick))
        for lane in lanes:
            lane.pool = pool
            self._leaving.pop(lane, None)
        self._leaving.pop(pool, None)
        self._pools[key] = _Standing(pool, lanes, rules, how, self._book)
        return pool

    def forget(self, pool: Pool[Lane]) -> None:
        """Drop a pool that only a caller named and nobody asks for any more: now, or as soon as it is idle."""
        now = self._clock.now()
        leavers: list[_Leaver] = [pool, *(lane for lane in pool.lanes if lane.pool is pool)]
        for leaver in leavers:
            if not self._let_go(leaver):
                self._leave(leaver, now)

    def bound(self, strategy: str, policy: RateLimitPolicy, *, tiered: bool) -> Pool[Outlet] | None:
        """A strategy's own limits, None without any; as they stand, as long as they stay the same.

        They are calls a minute, tokens a minute, and a burst of calls that refills by the second.
        """
        known = self._bounds.get((strategy, policy))
        if known is not None:
            self._bounds[strategy, policy] = known[0], self._book
            self._leaving.pop(known[0], None)
            return known[0]
        now = self._clock.now()
        requests = [Bucket(policy.max_rpm, now)] if policy.max_rpm else []
        if policy.bucket_capacity and policy.refill_rate_milli:
            window = max(1, policy.bucket_capacity * 1_000_000_000 // policy.refill_rate_milli)
            requests.append(Bucket(policy.bucket_capacity, now, window_us=window))
        tokens = (Bucket(policy.max_tpm, now),) if policy.max_tpm else ()
        if not requests and not tokens:
            return None
        if self._funds is not None:
            outlet = shared_bound(strategy, policy, f"{self._funds.prefix}:{{b:{strategy}}}", now)
            if outlet.wallet is not None:
                self._funds.open(outlet.wallet)
        else:
            outlet = Outlet(strategy, Quota(tuple(requests), tokens))
        rules = Rules(self.max_waiting, tiered=tiered)
        how = make_scheduler(BOUND[0]), make_strategy(BOUND[1])
        pool = Pool(strategy, self._clock, (outlet,), rules, *how, self._luck)
        self._bounds[strategy, policy] = pool, self._book
        return pool

    def _leave(self, leaver: _Leaver, due: int) -> None:
        self._leaving.setdefault(leaver, due)
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + AGAIN_US, self._sweep)

    def _sweep(self) -> None:
        """Let go of what is due and idle. O(what leaves × all), which is a reload's business."""
        now, self._timer = self._clock.now(), None
        for leaver, due in list(self._leaving.items()):
            if due <= now and self._let_go(leaver):
                del self._leaving[leaver]
        if self._leaving:
            self._timer = self._clock.call_at(now + AGAIN_US, self._sweep)

    def _let_go(self, leaver: _Leaver) -> bool:
        """Forget it, False while it is in use."""
        if isinstance(leaver, Lane):
            return self._let_go_of_lane(leaver)
        if leaver.waiting:
            return False
        leaver.close()
        if self._funds is not None and any(leaver is bound for bound, _ in self._bounds.values()):
            for outlet in leaver.lanes:
                if outlet.wallet is not None:
                    self._funds.close(outlet.wallet)
        self._pools = {key: standing for key, standing in self._pools.items() if standing.pool is not leaver}
        self._bounds = {key: bound for key, bound in self._bounds.items() if bound[0] is not leaver}
        return True

    def _let_go_of_lane(self, lane: Lane) -> bool:
        if lane.calls or (lane.pool is not None and lane.pool.waiting):
            return False
        credentials = lane.key.removesuffix(f"/{lane.model}")
        self._lanes.pop((credentials, lane.model), None)
        lane.breaker.close()
        if self._funds is not None and lane.wallet is not None:
            self._funds.close(lane.wallet)
        lane.concurrency.part(lane)
        if not any(known == credentials for known, _ in self._lanes):
            left = self._organisations.pop(credentials, None)
            self._named.pop(credentials, None)
            if left is not None and isinstance(left.cap, Places):
                left.cap.close()
        if not any(one.service.digest == lane.service.digest and one.model == lane.model for one in self):
            self._experiences.pop((lane.service.digest, lane.model), None)
        return True

    def _organisation(self, credentials: str, scope: Scope) -> Organisation:
        known = self._organisations.get(credentials)
        if known is None:
            cap, funds = Cap(scope.max_concurrent), self._funds
            if funds is not None:
                tag = credentials.rpartition("/")[2]
                cap = Places(f"{funds.prefix}:{{{tag}}}:places", funds, scope.max_concurrent, self._clock.now())
            known = self._organisations[credentials] = Organisation(scope.name, Health(), cap)
        known.cap.allow(scope.max_concurrent)
        return known

    def _experience(self, service: Service, model: str) -> Experience:
        key = service.digest, model
        known = self._experiences.get(key)
        if known is None:
            known = self._experiences[key] = Experience(
                Estimator(), Pace(), Health(), Concurrency(), Average(), Speed()
            )
        return known


def _whole(_lane: Lane) -> int:
    return WHOLE


def digest(*parts: str) -> str:
    """A short name for a URL or a credential that tells nothing of it."""
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
