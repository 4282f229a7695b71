"""Rules of a policy that no call met: what is dead, or misspelt."""

from collections.abc import Iterable, Iterator
from typing import Final

from tidegate.dryrun.episodes import Episodes
from tidegate.dryrun.report import Unmatched
from tidegate.dryrun.silent import Silent
from tidegate.model.entitlements import Allowance
from tidegate.model.snapshot import BUILT_IN_TIERS, DegradeStep, Snapshot, Strategy

_MOST: Final = 500
_NOTHING: Final = Allowance()


def unmatched(snapshot: Snapshot, seen: Silent, episodes: Episodes) -> tuple[Unmatched, ...]:
    """Those of the file. O(rules + what was seen)."""
    found = [
        *_strategies(snapshot, seen),
        *_tenants(snapshot, seen, episodes),
        *_providers(snapshot, seen),
        *_cache_rules(snapshot, seen),
    ]
    return tuple(found[:_MOST])


def _strategies(snapshot: Snapshot, seen: Silent) -> Iterator[Unmatched]:
    asked = {(plan, target.partition("/")[2].partition("/")[2]) for plan, target in seen.routes}
    for one in snapshot.strategies:
        if not seen.plans[one.name]:
            yield Unmatched("strategy", one.name, "no call asked for it")
            continue
        for model in one.fallback_models:
            if (one.name, model) not in asked:
                yield Unmatched("fallback", f"{one.name}: {model}", "no call went there")
        yield from _steps(one, seen)


def _steps(strategy: Strategy, seen: Silent) -> Iterator[Unmatched]:
    for number, step in enumerate(strategy.degrade, 1):
        if not seen.degraded[strategy.name, _word(step)]:
            yield Unmatched("degrade", f"{strategy.name}: step {number} ({_word(step)})", "no call came down to it")


def _word(step: DegradeStep) -> str:
    """As the line says it of a call (`Call.degraded`)."""
    return {"clamp": f"max_tokens={step.max_tokens}", "model": f"model={step.model}"}.get(step.do, "stale")


def _tenants(snapshot: Snapshot, seen: Silent, episodes: Episodes) -> Iterator[Unmatched]:
    refused = {key.rule for key in episodes.found}
    called = {key.namespace for key in episodes.found} | set(seen.tenants)
    for tier in snapshot.tiers:
        if not seen.tiers[tier.name] and tier not in BUILT_IN_TIERS:
            yield Unmatched("tier", tier.name, "no call was of it")
    for space in snapshot.namespaces:
        if space.name not in called:
            yield Unmatched("namespace", space.name, "nobody of it called")
            continue
        named = f"namespace {space.name!r}"
        if space.allowance != _NOTHING and not _met(refused, f" of {named}"):
            yield Unmatched("limits", space.name, "its limits refused nobody")
        for model, allowance in space.by_model.items():
            if allowance != _NOTHING and not _met(refused, f" of {named} for {model!r}"):
                yield Unmatched("limits", f"{space.name}: {model}", "its limits refused nobody")
        for user in space.users:
            if user.allowance != _NOTHING and not _met(refused, f" of user {user.name!r}"):
                yield Unmatched("limits", f"{space.name}: user {user.name}", "its limits refused nobody")
        for key in space.clients:
            if key.allowance != _NOTHING and not _met(refused, f" of key {key.name!r}"):
                yield Unmatched("limits", f"{space.name}: key {key.name}", "its limits refused nobody")


def _met(refused: Iterable[str], whose: str) -> bool:
    return any(rule.endswith(whose) for rule in refused)


def _providers(snapshot: Snapshot, seen: Silent) -> Iterator[Unmatched]:
    scopes = {tuple(target.split("/", 2)[:2]) for target in seen.targets}
    for pool in snapshot.pools:
        if pool.only and not any((pool.provider, scope) in scopes for scope in pool.scopes):
            yield Unmatched("pool", pool.name, f"no call drew on it; it is for {', '.join(pool.only)} only")
    for provider in snapshot.providers:
        if not any(name == provider.name for name, _ in scopes):
            yield Unmatched("provider", provider.name, "no call went there")
            continue
        for scope in provider.scopes:
            if (provider.name, scope.name) not in scopes:
                yield Unmatched("scope", f"{provider.name}/{scope.name}", "no call went there")
                continue
            for model in scope.limits:
                if not seen.targets[f"{provider.name}/{scope.name}/{model}"]:
                    yield Unmatched("route", f"{provider.name}/{scope.name}/{model}", "no call went there")


def _cache_rules(snapshot: Snapshot, seen: Silent) -> Iterator[Unmatched]:
    """Of rules only the models are known: what else they look at stands in bodies and heads."""
    for number, rule in enumerate(snapshot.cache.rules, 1):
        names = [name for name in rule.models if not _asked(name, seen)]
        if rule.models and len(names) == len(rule.models):
            yield Unmatched("cache rule", str(number), f"no call asked for {', '.join(names)}")


def _asked(pattern: str, seen: Silent) -> bool:
    if pattern.endswith("*"):
        return any(name.startswith(pattern[:-1]) for name in seen.models)
    return pattern in seen.models
