"""Plans for drills: one target of a strategy by itself, or the way to it when the primary fails.

The failing primary has lanes of its own, which are nobody else's and forgotten with the call: no breaker closes, no
limit is learnt, and no quota is charged by what never happened.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from tidegate.line.broken import BrokenTransport
from tidegate.line.lanes import Lanes
from tidegate.line.plan import Plan
from tidegate.line.routing_table import RoutingTable
from tidegate.line.service import service
from tidegate.line.target import Target
from tidegate.model.call import Kind
from tidegate.model.drills import PLAN
from tidegate.model.snapshot import Pool, Provider, RetryPolicy, Scope, Snapshot, StreamPolicy
from tidegate.model.tenant import BATCH, Tenant
from tidegate.policy.failure.recovery import RetryBudget

NAME: Final = "drill"
_SCOPE: Final = Scope(name=NAME, keys=("nobody-is-asked-with-this",))
_WAITING: Final = 16


class Asked(NamedTuple):
    """Whom a drill asks. `strategy` "": whoever serves `model`, as a judge or an embedder is asked."""

    drill: str
    strategy: str
    model: str
    fault: str = ""  # of `model/drills.FAULTS`: it befalls the primary, and the way has to lead to `model`


class DrillPlans:
    """By one configuration. `luck` gives uniform numbers in [0, 1)."""

    __slots__ = ("_book", "_lanes", "_providers")

    def __init__(self, snapshot: Snapshot, book: RoutingTable, lanes: Callable[[], Lanes]) -> None:
        """`lanes` makes an empty set of them."""
        self._book = book
        self._lanes = lanes
        self._providers = {provider.name: provider for provider in snapshot.providers}

    def plan(self, asked: Asked) -> Plan | None:
        """None: this worker has no such target, or no primary that could fail before it."""
        if not asked.strategy:
            plan = self._book.plan(asked.model)
            return None if plan is None else _alone(plan, asked, plan.targets)
        whole = self._book.whole(asked.strategy)
        target = _of(whole, asked.model)
        if whole is None or target is None:
            return None
        if not asked.fault:
            return _alone(whole, asked, (target,))
        primary = whole.targets[0]
        if primary is target:
            return None
        return _alone(whole, asked, (self._broken(primary, asked.fault), target))

    def _broken(self, primary: Target, fault: str) -> Target:
        """The primary's double, which fails."""
        provider = msgspec.structs.replace(
            self._providers[primary.provider], name=f"{PLAN}{primary.provider}", scopes=(_SCOPE,)
        )
        return _target(provider, primary, fault, self._lanes())


def _target(provider: Provider, primary: Target, fault: str, lanes: Lanes) -> Target:
    made = service(provider, BrokenTransport(provider.profile, fault), NAME)
    pool = lanes.pool(Pool(NAME, provider.name, (NAME,)), made, (_SCOPE,), primary.model, tiered=False)
    return Target(provider.name, primary.model, primary.entry, (pool,), made.ways)


def _of(plan: Plan | None, model: str) -> Target | None:
    return None if plan is None else next((one for one in plan.targets if one.model == model), None)


def _alone(plan: Plan, asked: Asked, targets: tuple[Target, ...]) -> Plan:
    """The plan for these targets, beside what others' calls may retry, and never answered from the cache."""
    retry = plan.retry if asked.fault else RetryPolicy(max_retries=1)
    return replace(
        plan,
        name=f"{PLAN}{asked.drill}",
        targets=targets,
        retry=retry,
        budget=RetryBudget(msgspec.structs.replace(retry, budget_floor=max(retry.budget_floor, retry.max_retries))),
        ladder=(),
        streams=StreamPolicy(on_cut=plan.streams.on_cut),
        caching=None,
        asynchronous=False,
    )


def tenant(plan: Plan) -> Tenant:
    """Whose call it is: of the last tier; where a pool serves some only, as one of them."""
    pools = plan.targets[-1].pools
    named = [name for pool in pools for name in sorted(pool.only or ())]
    tenants = [Tenant(NAME, BATCH), *(Tenant(name, BATCH, flow=NAME) for name in named)]
    return next((one for one in tenants if plan.targets[-1].for_tenant(one)), tenants[0])


def serves(plan: Plan, kind: Kind) -> bool:
    """Can its last target be asked this?"""
    return kind in plan.targets[-1].ways
