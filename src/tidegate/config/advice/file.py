"""What is no error and still worth saying: settings without effect, models that nobody serves, secrets in the file."""

from collections.abc import Iterable, Iterator, Sequence

from tidegate.config.advice.access import advise_access
from tidegate.config.advice.admin import advise_admin
from tidegate.config.advice.alerts import advise_alerts
from tidegate.config.advice.bodies import advise_bodies
from tidegate.config.advice.cache import advise_cache
from tidegate.config.advice.cluster import advise_cluster
from tidegate.config.advice.drills import advise_drills
from tidegate.config.advice.isolation import advise_isolation
from tidegate.config.advice.jobs import advise_jobs
from tidegate.config.advice.money import advise_money
from tidegate.config.advice.shadow import advise_shadows
from tidegate.config.advice.tenants import advise_tenants
from tidegate.config.findings import Advice, Finding, Name, Path, Words, in_order
from tidegate.config.resolve import serving
from tidegate.config.schema.file import Config
from tidegate.config.schema.strategy import RateLimitConfig, StrategyConfig
from tidegate.config.schema.tenants import DegradeConfig
from tidegate.config.source import Document
from tidegate.model.snapshot import Snapshot

_MIN_SECRET = 16  # a shorter literal is a placeholder, not a provider's key


def advise(config: Config, snapshot: Snapshot, document: Document, wall: int = 0) -> tuple[Finding, ...]:
    """All warnings, in the order of the file. `wall`: microseconds since 1970, 0 = no moment has passed."""
    advice = [*_access(config, document), *_same_urls(snapshot), *_names(config), *advise_tenants(config, snapshot)]
    advice += [*advise_access(config, snapshot, wall), *advise_money(config, snapshot, document)]
    advice += [*advise_isolation(snapshot), *advise_bodies(config), *advise_cache(config)]
    advice += [*advise_jobs(config, document), *advise_cluster(config, document)]
    advice += advise_drills(config, snapshot)
    advice += advise_alerts(config, snapshot, wall)
    advice += advise_shadows(config, snapshot)
    advice += advise_admin(config, document)
    linked = frozenset(item.name for item in snapshot.strategies if item.name != item.primary_model)
    for path, strategy in _strategies(config):
        advice.extend(_bounds(strategy.rate_limit_policy, (*path, "rate_limit_policy"), document))
        advice.extend(_order(strategy, path))
        if snapshot.providers:
            advice.extend(_unserved(_models(strategy, path), snapshot, linked))
    if snapshot.providers:
        advice.extend(_unserved(_steps(config.defaults.degrade, ("defaults",)), snapshot, linked))
    return tuple(sorted({_finding(item, document) for item in advice}, key=in_order))


def _finding(item: Advice, document: Document) -> Finding:
    path, message, remedy = item
    place = document.place(path)
    told = (_said(words, document) for words in (message, remedy))
    return Finding(place.line, place.column, document.label(path), *told)


def _said(words: Words, document: Document) -> str:
    """The one place that prints names and values which the file gives."""
    if isinstance(words, str):
        return words
    return "".join(document.said(part.text) if isinstance(part, Name) else part for part in words)


def _strategies(config: Config) -> Iterator[tuple[Path, StrategyConfig]]:
    if config.model_strategy is not None:
        yield ("model_strategy",), config.model_strategy
    for name, strategy in config.strategies.items():
        yield ("strategies", name), strategy


def _access(config: Config, document: Document) -> Iterator[Advice]:
    if not config.providers:
        yield ("providers",), "no provider, so nobody can answer a call", "serve needs at least one"
    namespaces = any(namespace.keys for namespace in config.namespaces.values())
    clients = config.clients
    if not (clients.keys or clients.keys_file or clients.required or namespaces):
        message = "no client keys, so only callers on this machine are served, until a key is made at run time"
        yield ("clients",), message, "give clients.keys, clients.keys_file or keys of namespaces"
    for path, key in _keys(config):
        at = path if path in document.places else path[:-1]  # a client's bare key has no field of its own
        if at not in document.substituted and len(key) >= _MIN_SECRET:
            yield at, "a key stands in the file", 'keep it in the environment and write "${NAME}"'


def _keys(config: Config) -> Iterator[tuple[Path, str]]:
    for name, provider in config.providers.items():
        for index, scope in enumerate(provider.scopes):
            for number, key in enumerate(scope.keys):
                yield ("providers", name, "scopes", index, "keys", number), key
    for number, client in enumerate(config.clients.keys):
        yield ("clients", "keys", number, "key"), client.key
    for name, namespace in config.namespaces.items():
        for number, client in enumerate(namespace.keys):
            yield ("namespaces", name, "keys", number, "key"), client.key


def _same_urls(snapshot: Snapshot) -> Iterator[Advice]:
    seen: dict[str, str] = {}
    for provider in snapshot.providers:
        name, first = provider.name, seen.setdefault(provider.base_url, provider.name)
        if first != name:
            told = "the same base URL as providers.", Name(first), ": scopes with the same keys share one quota"
            yield ("providers", name, "base_url"), told, "put all scopes under one provider"


def _names(config: Config) -> Iterator[Advice]:
    """Strategies that a call cannot reach by the name of their primary model."""
    primaries: dict[str, Path] = {}
    for path, strategy in _strategies(config):
        primary = strategy.primary_model
        if primary in config.strategies and path != ("strategies", primary):
            message = "a strategy has the name of this model, so calls for the model go there"
            yield (*path, "primary_model"), message, "calls reach this strategy by its own name only"
        elif primary in primaries:
            message = "an earlier strategy has the same primary model, so calls for the model go there"
            yield (*path, "primary_model"), message, "calls reach this strategy by its own name only"
        primaries.setdefault(primary, path)


def _bounds(policy: RateLimitConfig, path: Path, document: Document) -> Iterator[Advice]:
    rate, capacity = policy.refill_rate, policy.bucket_capacity
    if (rate is None) != (capacity is None):
        field = "bucket_capacity" if rate is None else "refill_rate"
        yield (*path, field), "no effect alone", "give both bucket_capacity and refill_rate"
    elif rate is not None and policy.max_rpm is not None and rate * 60 < policy.max_rpm:
        message = f"{rate:g} requests a second are {rate * 60:g} a minute, below max_rpm {policy.max_rpm}"
        remedy = f"use at least {-(-policy.max_rpm // 60)}, or lower max_rpm"
        if any((*path, field) in document.substituted for field in ("refill_rate", "max_rpm")):
            message, remedy = "in a minute it comes to less than max_rpm", "raise it, or lower max_rpm"
        yield (*path, "refill_rate"), message, remedy


def _order(strategy: StrategyConfig, path: Path) -> Iterator[Advice]:
    seen: set[int] = set()
    for index, fallback in enumerate(strategy.fallback_models):
        if fallback.priority in seen:
            message = "another fallback has the same priority, so the file's order decides"
            yield (*path, "fallback_models", index, "priority"), message, "give each its own priority"
        if fallback.priority is not None:
            seen.add(fallback.priority)
    if strategy.fallback_models and strategy.fallback_after_seconds >= strategy.deadline_seconds:
        message = "not shorter than deadline_seconds, so waiting for quota never falls back early"
        stated = "fallback_after_seconds" in strategy.model_fields_set
        field = "fallback_after_seconds" if stated else "deadline_seconds"
        yield (*path, field), message, "make it shorter than deadline_seconds"


def _models(strategy: StrategyConfig, path: Path) -> Iterator[tuple[Path, str]]:
    yield (*path, "primary_model"), strategy.primary_model
    for index, fallback in enumerate(strategy.fallback_models):
        yield (*path, "fallback_models", index, "model"), fallback.model
    yield from _steps(strategy.degrade, path)


def _steps(steps: Sequence[DegradeConfig], path: Path) -> Iterator[tuple[Path, str]]:
    for index, step in enumerate(steps):
        if step.model is not None:
            yield (*path, "degrade", index, "model"), step.model


def _unserved(models: Iterable[tuple[Path, str]], snapshot: Snapshot, linked: frozenset[str]) -> Iterator[Advice]:
    """`linked`: names that stand for a strategy where a model is due. O(models)."""
    for at, model in models:
        known = model in linked and at[-1] != "primary_model"
        if not known and not serving(model, snapshot.providers):
            message = ("no provider serves ", Name(model), ", so it is skipped")
            yield at, message, "name it under a provider's models or limits"
