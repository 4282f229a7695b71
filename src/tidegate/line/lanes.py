"""All lanes and pools of a worker: they outlive a reload, and so does what they know.

What a new configuration wants of them is drafted first (`draft.py`), and adopted when all of it is good. What a reload
no longer names stays for `LINGER_US`, since calls that began before still use it, and a configuration that is taken
back finds every quota as it was. Then it goes, as soon as nobody waits in it and it carries nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from tidegate.line.draft import Draft
from tidegate.line.keys import KeyRing
from tidegate.line.lane import Lane, LaneState, Organisation, Service
from tidegate.line.pool import Pool
from tidegate.line.portion import WHOLE
from tidegate.line.shelves import Shelves
from tidegate.line.shelves import digest as digest
from tidegate.model import snapshot
from tidegate.model.snapshot import RateLimitPolicy, Scope
from tidegate.policy.lease.faces import Funds
from tidegate.policy.lease.places import Places
from tidegate.policy.queue.outlet import Outlet
from tidegate.ports import Clock, Timer

LINGER_US = 600_000_000
AGAIN_US = 10_000_000  # between looks at what is still in use

Account = tuple[str, str, str]  # provider, scope, and the fingerprint of one of its keys, "" = all of it
_Leaver: TypeAlias = "Pool[Lane] | Pool[Outlet] | Lane"


class Lanes:
    """Lanes by (base URL, credentials, model), pools by (name, base URL, model)."""

    __slots__ = (
        "_drained", "_leaving", "_timer", "book", "clock", "funds", "luck", "max_waiting", "memories", "part_of",
        "shelves",
    )  # fmt: skip

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
        self.funds = funds
        self.memories = memories or {}
        self.clock = clock
        self.luck = luck
        self.max_waiting = max_waiting
        self.shelves = Shelves()
        self.book = 0  # the newest, as they are counted
        self._drained: frozenset[Account] = frozenset()
        self._leaving: dict[_Leaver, int] = {}  # from when on it may go
        self._timer: Timer | None = None
        self.part_of: Callable[[Lane], int] = _whole

    def apportion(self, part_of: Callable[[Lane], int]) -> None:
        """From now on a lane has the part, in millionths, that this says. O(lanes)."""
        self.part_of = part_of
        for lane in self:
            lane.divide(part_of(lane))

    def __iter__(self) -> Iterator[Lane]:
        return iter(self.shelves.lanes.values())

    def drain(self, drained: frozenset[Account]) -> None:
        """These accounts, and no others, are out of service. O(scopes + keys) where that is new."""
        if drained != self._drained:
            self._drained = drained
            for credentials in self.shelves.organisations:
                self._take_out(credentials)

    def accounts(self) -> Iterator[tuple[str, str, KeyRing, Organisation]]:
        """Each scope by its provider's name and its own."""
        for credentials, names in self.shelves.named.items():
            ring, organisation = self.shelves.rings.get(credentials), self.shelves.organisations.get(credentials)
            if ring is not None and organisation is not None:
                yield from ((provider, scope, ring, organisation) for provider, scope in names)

    def _take_out(self, credentials: str) -> None:
        """As far as it is drained under any of its names: an account is one whatever it is called."""
        names, ring = self.shelves.named.get(credentials, {}), self.shelves.rings.get(credentials)
        if ring is not None:
            ring.drain({key for provider, scope, key in self._drained if key and (provider, scope) in names})
        whole = any((provider, scope, "") in self._drained for provider, scope in names)
        self.shelves.organisations[credentials].drain.put(on=whole or (ring is not None and ring.out_of_service))

    @property
    def pools(self) -> Iterator[Pool[Lane]]:
        """Every pool that is in use."""
        return (standing.pool for standing in self.shelves.pools.values())

    def draft(self, *, anew: bool = False) -> Draft:
        """What is wanted of them, to be adopted; `anew`: by a new book."""
        return Draft(self, anew=anew)

    def adopt(self, draft: Draft) -> None:
        """It is so from now on; who waits keeps waiting. Raises nothing: what may fail was done when it was drafted."""
        shelves, fresh = self.shelves, draft.fresh
        self.book = draft.book
        for lane in fresh.lanes.values():
            lane.divide(self.part_of(lane))  # it may be another one by now
        shelves.organisations |= fresh.organisations
        shelves.experiences |= fresh.experiences
        shelves.lanes |= fresh.lanes
        shelves.rings = fresh.rings if draft.anew else shelves.rings | fresh.rings
        for credentials, scope in draft.caps.items():
            cap = shelves.organisations[credentials].cap
            if isinstance(cap, Places):
                cap.without(scope.on_loss)
            cap.allow(scope.max_concurrent)
        for credentials, name in draft.named:
            named = shelves.named.setdefault(credentials, {})
            if named.get(name) != self.book:
                named[name] = self.book
                self._take_out(credentials)
        changed = self._settle(draft)
        if self.funds is not None:
            for wallet in draft.wallets:
                self.funds.open(wallet)
        self._stand(draft, changed)

    def _settle(self, draft: Draft) -> set[Lane]:
        """Bring lanes up to what the configuration says of them; those whose quota or weight is another one."""
        changed = set()
        for lane, setting in draft.settings.items():
            self.memories.pop(lane.key, None)
            service, limits, window = setting.service, setting.limits, setting.scope.window
            if lane.configured != limits or lane.service is not service or lane.window != window:
                lane.reconfigure(service, limits, window)
                changed.add(lane)
            if lane.wallet is not None:
                lane.wallet.on_loss = setting.scope.on_loss
            lane.keys, weight = setting.ring, setting.scope.weight * 1_000
            if lane.weight_milli != weight:
                lane.weight_milli = weight
                changed.add(lane)
        return changed

    def _stand(self, draft: Draft, changed: set[Lane]) -> None:
        """Bring pools up to it. One that is new was made by what its lanes were before."""
        for key, wanted in draft.pools.items():
            new, old = wanted.standing, self.shelves.pools.get(key)
            if old is None:
                was = new.pool.lanes, new.pool.rules
                differs = was != (new.lanes, new.rules) or not changed.isdisjoint(new.lanes)
            else:
                differs = (old.lanes, old.rules, old.how) != (new.lanes, new.rules, new.how)
            if differs:
                new.pool.renew(new.lanes, new.rules, wanted.scheduler, wanted.strategy)
            for lane in new.lanes:
                lane.pool = new.pool
                self._leaving.pop(lane, None)
            self._leaving.pop(new.pool, None)
            self.shelves.pools[key] = new
        for rule, bound in draft.bounds.items():
            self.shelves.bounds[rule] = bound, self.book
            self._leaving.pop(bound, None)

    def get(self, service: Service, scope: Scope, model: str) -> Lane:
        """The lane, new or as it stands; what the configuration says of it is brought up to date."""
        draft = self.draft()
        lane = draft.lane(service, scope, model)
        draft.adopt()
        return lane

    def pool(
        self, of: snapshot.Pool, service: Service, scopes: Sequence[Scope], model: str, *, tiered: bool
    ) -> Pool[Lane]:
        """The pool of one model, new or as it stands; who waits there keeps waiting."""
        draft = self.draft()
        pool = draft.pool(of, service, scopes, model, tiered=tiered)
        draft.adopt()
        return pool

    def bound(self, strategy: str, policy: RateLimitPolicy, *, tiered: bool) -> Pool[Outlet] | None:
        """A strategy's own limits, as `Draft.bound`."""
        draft = self.draft()
        bound = draft.bound(strategy, policy, tiered=tiered)
        draft.adopt()
        return bound

    def retire(self) -> None:
        """The newest book is in force: what it does not name goes, after a while and once it is idle. O(all)."""
        for credentials, names in self.shelves.named.items():
            self.shelves.named[credentials] = {name: book for name, book in names.items() if book == self.book} or names
            if len(self.shelves.named[credentials]) != len(names) and credentials in self.shelves.organisations:
                self._take_out(credentials)
        pools = [(standing.pool, standing.book) for standing in self.shelves.pools.values()]
        used = {lane for pool, book in pools if book == self.book for lane in pool.lanes}
        due = self.clock.now() + LINGER_US
        leavers: list[_Leaver] = [pool for pool, book in pools if book != self.book]
        leavers += [bound for bound, book in self.shelves.bounds.values() if book != self.book]
        leavers += [lane for lane in self if lane not in used]
        for leaver in leavers:
            self._leave(leaver, due)

    def forget(self, pool: Pool[Lane]) -> None:
        """Drop a pool that only a caller named and nobody asks for any more: now, or as soon as it is idle."""
        now = self.clock.now()
        leavers: list[_Leaver] = [pool, *(lane for lane in pool.lanes if lane.pool is pool)]
        for leaver in leavers:
            if not self._let_go(leaver):
                self._leave(leaver, now)

    def _leave(self, leaver: _Leaver, due: int) -> None:
        self._leaving.setdefault(leaver, due)
        if self._timer is None:
            self._timer = self.clock.call_at(self.clock.now() + AGAIN_US, self._sweep)

    def _sweep(self) -> None:
        """Let go of what is due and idle. O(what leaves × all), which is a reload's business."""
        now, self._timer = self.clock.now(), None
        for leaver, due in list(self._leaving.items()):
            if due <= now and self._let_go(leaver):
                del self._leaving[leaver]
        if self._leaving:
            self._timer = self.clock.call_at(now + AGAIN_US, self._sweep)

    def _let_go(self, leaver: _Leaver) -> bool:
        """Forget it, False while it is in use."""
        if isinstance(leaver, Lane):
            return self._let_go_of_lane(leaver)
        if leaver.waiting:
            return False
        leaver.close()
        if self.funds is not None and any(leaver is bound for bound, _ in self.shelves.bounds.values()):
            for outlet in leaver.lanes:
                if outlet.wallet is not None:
                    self.funds.close(outlet.wallet)
        self.shelves.pools = {
            key: standing for key, standing in self.shelves.pools.items() if standing.pool is not leaver
        }
        self.shelves.bounds = {key: bound for key, bound in self.shelves.bounds.items() if bound[0] is not leaver}
        return True

    def _let_go_of_lane(self, lane: Lane) -> bool:
        if lane.calls or (lane.pool is not None and lane.pool.waiting):
            return False
        credentials = lane.key.removesuffix(f"/{lane.model}")
        self.shelves.lanes.pop((credentials, lane.model), None)
        lane.breaker.close()
        if self.funds is not None and lane.wallet is not None:
            self.funds.close(lane.wallet)
        lane.concurrency.part(lane)
        if not any(known == credentials for known, _ in self.shelves.lanes):
            left = self.shelves.organisations.pop(credentials, None)
            self.shelves.named.pop(credentials, None)
            if left is not None and isinstance(left.cap, Places):
                left.cap.close()
        if not any(one.service.digest == lane.service.digest and one.model == lane.model for one in self):
            self.shelves.experiences.pop((lane.service.digest, lane.model), None)
        return True


def _whole(_lane: Lane) -> int:
    return WHOLE
