"""A target: one model at one provider, through whichever of its pools can serve first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tidegate.line import story
from tidegate.line.lane import Lane, Slot
from tidegate.line.pool import Permit, Pool
from tidegate.line.records import Pick as Pick
from tidegate.line.service import Way
from tidegate.model.call import Call, Kind
from tidegate.model.snapshot import ModelEntry
from tidegate.model.tenant import Tenant
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge
from tidegate.providers.translate.models import goes_on

PASS: Final = Kind.PASS


@dataclass(frozen=True, slots=True)
class Target:
    """`pools` in the order in which they are tried; `bound` is the strategy's own limit, for its primary only."""

    provider: str
    model: str
    entry: ModelEntry
    pools: Sequence[Pool[Lane]]
    ways: dict[Kind, Way]  # how each kind of call is put to the provider
    bound: Pool[Outlet] | None = None
    loyal: bool = False  # it matters where earlier calls of a conversation went: `line.opening`

    def unfit(self, call: Call) -> str:
        """Why this target cannot serve the call, "" when it can; as far as its model entry says."""
        entry = self.entry
        if call.kind not in self.ways and call.kind is not PASS:
            return f"has no API for {call.kind.name.lower()}"
        if call.shape.tools and not entry.tools:
            return "has no tools"
        if call.shape.images and not entry.images:
            return "has no images"
        least = call.size.fixed + call.size.weight // 8 + call.shape.output
        if entry.context and least > entry.context:
            return f"has a context of {entry.context} tokens, the call needs at least {least}"
        if not self.for_tenant(call.tenant):
            return "has no pool for this namespace"
        return ""

    @property
    def continues(self) -> bool:
        """Whether provider and model take the beginning of an answer and go on with it."""
        return self.pools[0].lanes[0].service.profile.prefix != "" and goes_on(self.model)

    def for_tenant(self, tenant: Tenant) -> Sequence[Pool[Lane]]:
        """The pools that calls of this tenant may draw on."""
        pools = self.pools
        if len(pools) == 1:
            return pools if pools[0].only is None or pools[0].serves(tenant) else ()
        return [pool for pool in pools if pool.serves(tenant)]

    def elsewhere(self, tenant: Tenant, lane: Lane, now: int) -> bool:
        """Whether another lane is open to this tenant: what one scope refuses, another may serve."""
        others = (other for pool in self.for_tenant(tenant) for other in pool.lanes if other is not lane)
        return any(other.breaker.wait(now) == 0 for other in others)

    def used_permille(self, call: Call, now: int) -> int:
        """How much of the strictest token quota on the way is in use; of several lanes, one stands for all.

        The lanes are those of the pool where the call is tried first. Raises `LookupError` when it is unfit.
        """
        pools = self.pools
        lanes = (pools if len(pools) == 1 else self.for_tenant(call.tenant))[0].lanes
        tokens = lanes[call.id % len(lanes)].quota.tokens
        used = tokens[0].used_permille(now) if tokens else 0
        return used if self.bound is None else max(used, self.bound.lanes[0].quota.used_permille(now))

    def refusing(self, tenant: Tenant) -> bool:
        """Whether calls were refused here and told a time that is still to come."""
        return any(pool.refusing for pool in self.for_tenant(tenant))

    def take_nowait(self, call: Call, now: int) -> Slot | None:
        """A slot, when nobody has to wait for it."""
        tenant, own = call.tenant, None
        for pool in self.for_tenant(tenant):
            charge = pool.lanes[0].charge(call)
            if self.bound is not None and own is None:
                own = self.bound.take_nowait(tenant, charge, 0, now)
                if own is None:
                    return None
            if call.story is None:
                permit = pool.take_nowait(tenant, charge, call.affinity, now, call.body)
            else:
                permit = _told(call, pool, charge, now)
            if permit is not None:
                return permit.lane.slot(permit, own, now)
        if own is not None:
            own.give_back()
        return None

    def pick(self, call: Call, now: int) -> Pick:
        """The pool with the shortest predicted wait. Raises `ValueError` when it is unfit for this tenant."""
        pools = self.for_tenant(call.tenant)
        if len(pools) == 1:
            return self._at(pools[0], call, now)
        return min((self._at(pool, call, now) for pool in pools), key=_order)

    def _at(self, pool: Pool[Lane], call: Call, now: int) -> Pick:
        lane, tenant = pool.lanes[0], call.tenant
        charge = lane.charge(call)
        here = pool.predict(tenant, charge, now, call.body)
        wait, full, queued = here.wait_us, here.full, pool.waiting > 0
        if self.bound is not None and wait != NEVER:
            own = self.bound.predict(tenant, charge, now)
            if own.wait_us == NEVER or own.wait_us > wait:
                wait, queued = own.wait_us, False
            full = full or own.full
        return Pick(pool, charge, wait, full, lane.pace.needed(call.deadline - now), queued)


def _told(call: Call, pool: Pool[Lane], charge: Charge, now: int) -> Permit[Lane] | None:
    """A permit for a call that has a story, which says how it came to this lane."""
    taken = pool.take_seen(call.tenant, charge, call.affinity, now, call.body)
    if taken is None:
        return None
    permit, seen = taken
    story.picked(call, pool, seen, now, permit.lane.name)
    return permit


def _order(pick: Pick) -> tuple[bool, int]:
    return pick.wait_us == NEVER, pick.wait_us
