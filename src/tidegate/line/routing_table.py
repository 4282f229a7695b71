"""The book: which plan serves which model. Composed from a snapshot; a reload makes a new book and keeps the lanes.

Resolution: a strategy's name, or its primary model; else the provider whose `models` or `limits` name the model; else
the only provider of the call's dialect; else nobody. A provider without scopes is another worker's: the models that it
is known for are nobody's here, rather than anybody else's. Look-ups are O(1) in strategies, providers and models;
models that only their caller names are kept in a bounded memory.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Self

from tidegate.line.draft import Draft
from tidegate.line.lanes import Lanes
from tidegate.line.plan import Plan, Shadow, Step
from tidegate.line.pool import Pool
from tidegate.line.service import service
from tidegate.line.shelves import digest
from tidegate.line.target import Target
from tidegate.model import pools
from tidegate.model.shadow import PLAN as SHADOW
from tidegate.model.snapshot import (
    DegradeStep,
    ModelEntry,
    Provider,
    RetryPolicy,
    Snapshot,
    Strategy,
    StreamPolicy,
    caches,
)
from tidegate.policy.caching.terms import terms
from tidegate.policy.failure.recovery import RetryBudget
from tidegate.policy.queue.outlet import Outlet
from tidegate.ports import Transport
from tidegate.providers.dialects import DIALECTS, OPENAI

UNROUTED = "*"  # the model of what is forwarded without one
MAX_NAMED_BY_CALLERS = 1_024
_UNKNOWN_MODEL = ModelEntry()


class RoutingTable:
    """Plans by name."""

    __slots__ = (
        "_by_caller", "_cache", "_defaults", "_draft", "_jobs", "_lanes", "_only", "_plans", "_pools", "_providers",
        "_served", "_services", "_source", "_tiered", "_whole", "caches", "first_of", "models", "propagates", "stores",
        "unrouted",
    )  # fmt: skip

    def __init__(self, snapshot: Snapshot, lanes: Lanes, transport_for: Callable[[Provider], Transport]) -> None:
        """Of the lanes nothing changes before `adopt`. Raises whatever is wrong with the snapshot."""
        self._lanes = lanes
        self._draft = draft = lanes.draft(anew=True)
        self._source: Draft | Lanes = draft
        try:
            self._compose(snapshot, transport_for)
        except BaseException:
            draft.drop()
            raise

    def adopt(self) -> Self:
        """From now on lanes and pools are as it wants them. Once; raises nothing."""
        self._draft.adopt()
        self._source = self._lanes
        return self

    def drop(self) -> None:
        """It will not be in force: nothing of it stays, and the lanes are as they were."""
        self._draft.drop()

    def _compose(self, snapshot: Snapshot, transport_for: Callable[[Provider], Transport]) -> None:
        # Jobs are of the last tier, whosever they are.
        self._tiered = snapshot.jobs.enabled or len({namespace.tier for namespace in snapshot.namespaces}) > 1
        self._jobs = snapshot.jobs
        self._pools = pools.with_rest(snapshot.pools, snapshot.providers)
        self._defaults = snapshot.defaults
        self._cache = snapshot.cache
        self.caches = caches(snapshot)
        self.propagates = snapshot.telemetry.propagate
        self._providers = {provider.name: provider for provider in snapshot.providers}
        own = [provider for provider in snapshot.providers if provider.scopes]
        self._services = {p.name: service(p, transport_for(p), digest(p.base_url)) for p in own}
        self._only = _only(snapshot.providers)
        self._plans: dict[str, Plan] = {}
        self._by_caller: OrderedDict[tuple[str, str], Plan] = OrderedDict()
        self._served: dict[str, str] = {}  # providers by the models they name
        for provider in snapshot.providers:
            for model in _models_of(provider):
                self._served.setdefault(model, provider.name)
        self.unrouted = {p.name: self._unrouted(p) for p in own}
        self.first_of = {p.profile.dialect: self.unrouted[p.name] for p in reversed(own)}
        storing = (self.unrouted[p.name] for p in own if p.profile.responses)
        self.stores = next(storing, None)  # where responses are kept
        fallbacks = [model for strategy in snapshot.strategies for model in strategy.fallback_models]
        for model in dict.fromkeys([*self._served, *fallbacks]):
            if name := self.provider_of(model):
                self._plans[model] = self._plan(snapshot.defaults, model, [(name, model)])
        composed = [(strategy, plan) for strategy in snapshot.strategies if (plan := self._strategy(strategy))]
        self._whole = {plan.name: plan for _, plan in composed}
        for strategy, plan in reversed(composed):
            self._plans[strategy.primary_model] = plan
        for strategy, plan in composed:
            self._plans[strategy.name] = plan
        self.models = tuple(self._plans)

    def plan(self, model: str, dialect: str = OPENAI) -> Plan | None:
        """How calls that name `model` are served; None when nobody serves it. `dialect` is the client's."""
        plan = self._plans.get(model)
        if plan is not None or model == UNROUTED or model in self._served:
            return plan
        provider = self._only.get(dialect, "")
        return self._named_by_caller(provider, model) if provider in self._services else None

    def whole(self, strategy: str) -> Plan | None:
        """The strategy's plan, those that are left out of it counted."""
        return self._whole.get(strategy)

    def leave_out(self, out: frozenset[tuple[str, str]]) -> None:
        """From now on these models of strategies are not asked; all others are again. The last one is never left out.

        Calls in flight keep their plan. O(strategies × models).
        """
        for name, whole in self._whole.items():
            kept = tuple(target for target in whole.targets if (name, target.model) not in out)
            plan = whole if not kept or len(kept) == len(whole.targets) else replace(whole, targets=kept)
            for key in [
                key for key, known in self._plans.items() if known.name == name and known.budget is whole.budget
            ]:
                self._plans[key] = plan

    def _named_by_caller(self, provider: str, model: str) -> Plan:
        """A model that only its callers name: remembered while it is among the last so many that are."""
        plan = self._by_caller.get((provider, model))
        if plan is not None:
            self._by_caller.move_to_end((provider, model))
            return plan
        plan = self._by_caller[provider, model] = self._plan(self._defaults, model, [(provider, model)])
        if len(self._by_caller) > MAX_NAMED_BY_CALLERS:
            _, old = self._by_caller.popitem(last=False)
            for pool in old.targets[0].pools:
                self._lanes.forget(pool)
        return plan

    def provider_of(self, model: str) -> str:
        """The provider that serves a model, "" for none."""
        name = self._served.get(model) or self._only.get(OPENAI, "")
        return name if name in self._services else ""

    def _strategy(self, strategy: Strategy) -> Plan | None:
        """The strategy with those of its models that somebody serves; None when nobody serves any."""
        names = [(self.provider_of(model), model) for model in (strategy.primary_model, *strategy.fallback_models)]
        served = [(provider, model) for provider, model in names if provider]
        if not served:
            return None
        plan, shadow = self._plan(strategy, strategy.name, served), self._shadow(strategy)
        return plan if shadow is None else replace(plan, shadow=shadow)

    def _shadow(self, strategy: Strategy) -> Shadow | None:
        """Its candidate, asked once and alone; None without one, or when nobody serves it here."""
        policy = strategy.shadow
        provider = "" if policy is None else self.provider_of(policy.model)
        if policy is None or not provider:
            return None
        plan = self._plan(self._defaults, f"{SHADOW}{strategy.name}", [(provider, policy.model)])
        retry = RetryPolicy(max_retries=1)
        alone = replace(
            plan, retry=retry, budget=RetryBudget(retry), ladder=(), strict=False, streams=StreamPolicy(), caching=None,
            deadline_us=strategy.deadline_us, asynchronous=False,
        )  # fmt: skip
        return Shadow(policy, alone)

    def _plan(self, rules: Strategy, name: str, served: list[tuple[str, str]]) -> Plan:
        bound = self._source.bound(rules.name, rules.rate_limit, tiered=self._tiered) if rules.primary_model else None
        targets = tuple(
            self._target(provider, model, bound if model == rules.primary_model else None) for provider, model in served
        )
        ladder = tuple(step for given in rules.degrade if (step := self._step(given)) is not None)
        return Plan(
            name,
            targets,
            rules.retry,
            rules.smoothing,
            rules.deadline_us,
            rules.fallback_after_us,
            RetryBudget(rules.retry),
            ladder,
            any(target.loyal for target in (*targets, *(step.target for step in ladder if step.target))),
            rules.on_unsupported == "refuse",
            rules.streams,
            RetryBudget(RetryPolicy(budget_permille=rules.streams.hedge_permille, budget_floor=0)),
            terms(rules.caching, self._cache),
            self._jobs.enabled and rules.execution_mode == "async",
            rules.queue_backend or self._jobs.backend,
        )

    def _step(self, given: DegradeStep) -> Step | None:
        """One step of the ladder; None when nobody serves its model."""
        tiers = frozenset(given.tiers)
        if given.do == "clamp":
            return Step(tiers, given.max_tokens)
        if given.do == "stale":
            return Step(tiers, stale=True)
        provider = self.provider_of(given.model)
        return Step(tiers, target=self._target(provider, given.model, None)) if provider else None

    def _target(self, name: str, model: str, bound: Pool[Outlet] | None) -> Target:
        provider, service = self._providers[name], self._services[name]
        scopes = {scope.name: scope for scope in provider.scopes}
        served = tuple(
            self._source.pool(pool, service, [scopes[name] for name in pool.scopes], model, tiered=self._tiered)
            for pool in self._pools
            if pool.provider == name
        )
        loyal = provider.profile.cached_free or any(
            pool.pick == "affinity" for pool in self._pools if pool.provider == name
        )
        return Target(name, model, provider.models.get(model, _UNKNOWN_MODEL), served, service.ways, bound, loyal)

    def _unrouted(self, provider: Provider) -> Plan:
        return self._plan(self._defaults, provider.name, [(provider.name, UNROUTED)])


def _models_of(provider: Provider) -> list[str]:
    names = dict.fromkeys(provider.models)
    for scope in provider.scopes:
        names.update(dict.fromkeys(scope.limits))
    names.pop(UNROUTED, None)
    return list(names)


def _only(providers: Sequence[Provider]) -> dict[str, str]:
    """The only provider of each dialect; where there is a single provider, it serves all of them."""
    if len(providers) == 1:
        return dict.fromkeys(DIALECTS, providers[0].name)
    speaking = {name: [p.name for p in providers if p.profile.dialect == name] for name in DIALECTS}
    return {dialect: names[0] for dialect, names in speaking.items() if len(names) == 1}
