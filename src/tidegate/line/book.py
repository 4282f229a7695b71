"""The book: which plan serves which model. Composed from a snapshot; a reload makes a new book and keeps the lanes.

Resolution: a strategy's name, or its primary model; else the provider whose `models` or `limits` name the model; else
the only provider of the call's dialect; else nobody. Look-ups are O(1) in strategies, providers and models; models
that only their caller names are kept in a bounded memory.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from hashlib import sha256
from urllib.parse import urlsplit

from tidegate.line.gate import Gate
from tidegate.line.keys import KeyRing
from tidegate.line.lane import Lane, Memory, Service
from tidegate.line.plan import Plan
from tidegate.line.target import Target
from tidegate.model.snapshot import Limits, ModelEntry, Provider, RateLimitPolicy, Scope, Snapshot, Strategy
from tidegate.policy.bucket import Bucket
from tidegate.policy.quota import Quota
from tidegate.policy.recovery import RetryBudget
from tidegate.ports import Clock, Transport

UNROUTED = "*"  # the model of what is forwarded without one
MAX_NAMED_BY_CALLERS = 1_024
_UNKNOWN_MODEL = ModelEntry()


class Lanes:
    """All lanes of a worker, by (base URL, credentials, model): they outlive a reload, and so does what they know."""

    __slots__ = ("_bounds", "_clock", "_lanes", "_memories", "_rings", "max_waiting")

    def __init__(self, clock: Clock, max_waiting: int, memories: dict[str, Memory] | None = None) -> None:
        """`memories`: what earlier runs knew, by `Lane.key`."""
        self._memories = memories or {}
        self._clock = clock
        self.max_waiting = max_waiting
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._rings: dict[str, KeyRing] = {}
        self._bounds: dict[tuple[str, RateLimitPolicy], Gate] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def get(self, service: Service, scope: Scope, model: str) -> Lane:
        """The lane, new or as it stands; configured limits are brought up to date."""
        credentials = f"{service.digest}/{_digest(*sorted(scope.keys))}"
        limits = scope.limits.get(model, Limits())
        lane = self._lanes.get((credentials, model))
        ring = self._rings.get(credentials)
        if ring is None:
            ring = self._rings[credentials] = KeyRing(scope.keys)
        if lane is None:
            lane = Lane(self._clock, service, scope.name, model, ring, limits, self.max_waiting)
            lane.key = f"{credentials}/{model}"
            memory = self._memories.pop(lane.key, None)
            if memory is not None:
                lane.recall(memory)
            self._lanes[credentials, model] = lane
        elif lane.configured != limits or lane.service is not service:
            lane.reconfigure(service, limits)
        lane.keys = ring
        return lane

    def renew(self) -> None:
        """Before a new book: keys that were refused may have been restored."""
        self._rings.clear()

    def forget(self, lane: Lane) -> None:
        """Drop a lane that only a caller named and nobody asks for any more."""
        self._lanes.pop((lane.key.removesuffix(f"/{lane.model}"), lane.model), None)

    def bound(self, strategy: str, policy: RateLimitPolicy) -> Gate | None:
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
        gate = self._bounds[strategy, policy] = Gate(self._clock, Quota(tuple(requests), tokens), self.max_waiting)
        return gate


class Book:
    """Plans by name."""

    __slots__ = (
        "_by_caller", "_defaults", "_lanes", "_only", "_plans", "_providers", "_served", "_services", "models",
        "unrouted",
    )  # fmt: skip

    def __init__(self, snapshot: Snapshot, lanes: Lanes, transport_for: Callable[[Provider], Transport]) -> None:
        self._lanes = lanes
        lanes.renew()
        self._defaults = snapshot.defaults
        self._providers = {provider.name: provider for provider in snapshot.providers}
        self._services = {p.name: _service(p, transport_for(p)) for p in snapshot.providers}
        self._only = snapshot.providers[0].name if len(snapshot.providers) == 1 else ""
        self._plans: dict[str, Plan] = {}
        self._by_caller: OrderedDict[str, Plan] = OrderedDict()
        self.unrouted = {p.name: self._unrouted(p) for p in snapshot.providers}
        self._served: dict[str, str] = {}  # providers by the models they name
        for provider in snapshot.providers:
            for model in _models_of(provider):
                self._served.setdefault(model, provider.name)
        fallbacks = [model for strategy in snapshot.strategies for model in strategy.fallback_models]
        for model in dict.fromkeys([*self._served, *fallbacks]):
            if name := self.provider_of(model):
                self._plans[model] = self._plan(snapshot.defaults, model, [(name, model)])
        composed = [(strategy, plan) for strategy in snapshot.strategies if (plan := self._strategy(strategy))]
        for strategy, plan in reversed(composed):
            self._plans[strategy.primary_model] = plan
        for strategy, plan in composed:
            self._plans[strategy.name] = plan
        self.models = tuple(self._plans)

    def plan(self, model: str) -> Plan | None:
        """How calls that name `model` are served; None when nobody serves it."""
        plan = self._plans.get(model)
        return self._named_by_caller(model) if plan is None and self._only and model != UNROUTED else plan

    def _named_by_caller(self, model: str) -> Plan:
        """A model that only its callers name: remembered while it is among the last so many that are."""
        plan = self._by_caller.get(model)
        if plan is not None:
            self._by_caller.move_to_end(model)
            return plan
        plan = self._by_caller[model] = self._plan(self._defaults, model, [(self._only, model)])
        if len(self._by_caller) > MAX_NAMED_BY_CALLERS:
            _, old = self._by_caller.popitem(last=False)
            for lane in old.targets[0].lanes:
                self._lanes.forget(lane)
        return plan

    def provider_of(self, model: str) -> str:
        """The provider that serves a model, "" for none."""
        return self._served.get(model, self._only)

    def _strategy(self, strategy: Strategy) -> Plan | None:
        """The strategy with those of its models that somebody serves; None when nobody serves any."""
        names = [(self.provider_of(model), model) for model in (strategy.primary_model, *strategy.fallback_models)]
        served = [(provider, model) for provider, model in names if provider]
        return self._plan(strategy, strategy.name, served) if served else None

    def _plan(self, rules: Strategy, name: str, served: list[tuple[str, str]]) -> Plan:
        bound = self._lanes.bound(rules.name, rules.rate_limit) if rules.primary_model else None
        targets = tuple(
            self._target(provider, model, bound if model == rules.primary_model else None) for provider, model in served
        )
        return Plan(
            name,
            targets,
            rules.retry,
            rules.smoothing,
            rules.deadline_us,
            rules.fallback_after_us,
            RetryBudget(rules.retry),
        )

    def _target(self, name: str, model: str, bound: Gate | None) -> Target:
        provider, service = self._providers[name], self._services[name]
        lanes = tuple(self._lanes.get(service, scope, model) for scope in provider.scopes)
        return Target(name, model, provider.models.get(model, _UNKNOWN_MODEL), lanes, bound)

    def _unrouted(self, provider: Provider) -> Plan:
        return self._plan(self._defaults, provider.name, [(provider.name, UNROUTED)])


def _service(provider: Provider, transport: Transport) -> Service:
    url = urlsplit(provider.base_url)
    return Service(
        provider.name,
        transport,
        provider.profile,
        url.netloc.encode("idna" if not url.netloc.isascii() else "ascii"),
        url.path.encode("ascii"),
        f"{provider.profile.auth_header}: {provider.profile.auth_prefix}".encode("ascii"),
        _digest(provider.base_url),
    )


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _models_of(provider: Provider) -> list[str]:
    names = dict.fromkeys(provider.models)
    for scope in provider.scopes:
        names.update(dict.fromkeys(scope.limits))
    names.pop(UNROUTED, None)
    return list(names)
