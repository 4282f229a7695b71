"""Errors of tiers, namespaces and pools that no single field shows: unknown names, keys and scopes given twice."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from tidegate.config.findings import Path
from tidegate.config.schema.base import permille
from tidegate.config.source import Document, as_list, as_mapping
from tidegate.model.tenant import PAID, TIERS

ANYBODY: Final[Collection[str]] = frozenset({""})  # the names of a file of client keys that is not read
_ALL = 1_000  # permille


@dataclass(slots=True)
class _Known:
    """The names that other parts of the file may refer to."""

    tiers: dict[str, None]
    namespaces: dict[str, str]  # their tiers
    clients: Collection[str]  # namespaces of one key each
    providers: dict[str, None]
    scopes: dict[str, set[str]] = field(default_factory=dict)  # as PROVIDER/SCOPE, by provider
    anybody: bool = False  # nobody knows what other clients there are

    def tier_of(self, name: str) -> str:
        """The tier of a namespace or client."""
        return self.namespaces.get(name, PAID.name)

    def drawing(self, only: Iterable[str]) -> set[str]:
        """The names in `only`, and the tiers of those that are none: whoever has one of these may draw."""
        named = set(only)
        return named.union(self.tier_of(tenant) for tenant in named if tenant not in self.tiers)

    def draws(self, name: str, only: Collection[str], drawing: Collection[str]) -> bool:
        """May anybody of this tier or namespace draw on a pool for `only`? `drawing`: as above. O(1)."""
        return name in drawing if name in self.tiers else name in only or self.tier_of(name) in only


def check_tenants(document: Document, filed: Collection[str] = ()) -> None:
    """Add to `document` what is wrong; `filed` are the names in the file of client keys."""
    data = as_mapping(document.data)
    known = _known(data, filed)
    for name, tier in as_mapping(data.get("tiers")).items():
        if name not in _BUILT_IN and as_mapping(tier).get("rank") is None:
            remedy = f"add `rank: 0`, or change one of {', '.join(_BUILT_IN)}"
            document.refuse(("tiers", name), "a tier of your own needs a rank", remedy)
    for name, namespace in as_mapping(data.get("namespaces")).items():
        _namespace(name, as_mapping(namespace), known, document)
    _keys(data, document)
    _pools(data, known, document)
    _clients(data, known, document, filed)
    for path, step in _steps(data):
        _step(path, step, known, document)


_BUILT_IN = tuple(tier.name for tier in TIERS)


def _known(data: dict[str, object], filed: Collection[str]) -> _Known:
    named = (as_mapping(item).get("name") for item in as_list(as_mapping(data.get("clients")).get("keys")))
    known = _Known(
        tiers=dict.fromkeys([*_BUILT_IN, *as_mapping(data.get("tiers"))]),
        namespaces={
            name: str(as_mapping(item).get("tier") or PAID.name)
            for name, item in as_mapping(data.get("namespaces")).items()
        },
        clients={*filed, *(name for name in named if isinstance(name, str))},
        providers=dict.fromkeys(as_mapping(data.get("providers"))),
        anybody=filed is ANYBODY,
    )
    for provider, item in as_mapping(data.get("providers")).items():
        scopes = as_list(as_mapping(item).get("scopes"))
        known.scopes[provider] = {f"{provider}/{as_mapping(scope).get('name')}" for scope in scopes}
    return known


def _namespace(name: str, namespace: dict[str, object], known: _Known, document: Document) -> None:
    if name in known.tiers:
        document.refuse(("namespaces", name), "a tier has the same name", "rename it: a pool may name either")
    _tier(("namespaces", name, "tier"), namespace.get("tier"), known, document)


def _tier(path: Path, tier: object, known: _Known, document: Document) -> None:
    if isinstance(tier, str) and tier not in known.tiers:
        remedy = document.choice(tier, known.tiers, ", or add it under tiers")
        document.refuse(path, "no such tier", remedy)


def _keys(data: dict[str, object], document: Document) -> None:
    """A key tells who calls: it belongs to one namespace or client."""
    seen: dict[str, Path] = {}
    for path, item in _all_keys(data):
        key = item if isinstance(item, str) else as_mapping(item).get("key")
        if not isinstance(key, str) or not key:
            continue
        first = seen.setdefault(key, path)
        if first == path:
            continue
        if first[0] == path[0] == "clients":
            document.refuse(path, "this key is given twice", "give each client its own key")
        else:
            document.refuse(path, f"this key stands in {document.label(first)} already", "remove one of the two")


def _all_keys(data: dict[str, object]) -> Iterator[tuple[Path, object]]:
    for index, item in enumerate(as_list(as_mapping(data.get("clients")).get("keys"))):
        yield ("clients", "keys", index), item
    for name, namespace in as_mapping(data.get("namespaces")).items():
        for index, item in enumerate(as_list(as_mapping(namespace).get("keys"))):
            yield ("namespaces", name, "keys", index), item


def _pools(data: dict[str, object], known: _Known, document: Document) -> None:
    taken: dict[str, Path] = {}
    for name, item in as_mapping(data.get("pools")).items():
        pool, path = as_mapping(item), ("pools", name)
        scopes = {scope for scope in as_list(pool.get("scopes")) if isinstance(scope, str)}
        for index, scope in enumerate(as_list(pool.get("scopes"))):
            if isinstance(scope, str) and scope.count("/") == 1:
                _scope((*path, "scopes", index), scope, taken, known, document)
        if not known.scopes.get(name, set()) <= scopes:
            message = "a provider has the same name, and its other scopes form the pool of that name"
            document.refuse(path, message, "rename the pool, or put all scopes of the provider into it")
        _only(path, pool, known, document)
        _shares(path, pool, known, document)


def _scope(path: Path, scope: str, taken: dict[str, Path], known: _Known, document: Document) -> None:
    if scope not in known.scopes.get(scope.partition("/")[0], ()):
        _refuse_scope(path, scope.partition("/")[0], known, document)
        return
    first = taken.setdefault(scope, path)
    if first != path:
        message = f"this scope stands in {document.label(first)} already"
        document.refuse(path, message, "a scope is in one pool: remove one of the two")


def _refuse_scope(path: Path, provider: str, known: _Known, document: Document) -> None:
    if provider in known.providers:
        remedy = f"give the name of one that stands under {document.label(('providers', provider, 'scopes'))}"
        document.refuse(path, "the provider has no such scope", remedy)
    else:
        document.refuse(path, "no such provider", document.choice(provider, known.providers))


def _only(path: Path, pool: dict[str, object], known: _Known, document: Document) -> None:
    for index, name in enumerate(as_list(pool.get("only"))):
        if isinstance(name, str):
            _principal((*path, "only", index), name, known, document)


def _principal(path: Path, name: str, known: _Known, document: Document) -> bool:
    if known.anybody or name in known.tiers or name in known.namespaces or name in known.clients:
        return True
    remedy = document.choice(name, chain(known.tiers, known.namespaces))
    document.refuse(path, "no such tier or namespace", remedy)
    return False


def _shares(path: Path, pool: dict[str, object], known: _Known, document: Document) -> None:
    total = 0
    only = {name for name in as_list(pool.get("only")) if isinstance(name, str)}
    drawing = known.drawing(only)
    for name, share in as_mapping(pool.get("shares")).items():
        at = (*path, "shares", name)
        if _principal(at, name, known, document) and only and not known.draws(name, only, drawing):
            document.refuse(at, "may not draw on this pool", "add it to only, or remove the share")
        part = permille(share) or 0
        total += part if part <= _ALL else 0
    if total > _ALL:
        message = f"the shares come to {total / 10:g} %, above 100 %"
        document.refuse((*path, "shares"), message, "lower them: together they are at most 100%")


def _clients(data: dict[str, object], known: _Known, document: Document, filed: Collection[str]) -> None:
    """A client with the name of a tier would be let in where the tier is."""
    pools = [as_mapping(pool) for pool in as_mapping(data.get("pools")).values()]
    meant = {name for pool in pools for name in as_list(pool.get("only")) if isinstance(name, str)}
    meant = meant.union(*(as_mapping(pool.get("shares")) for pool in pools)) & known.tiers.keys()
    remedy = "rename the client"
    for index, item in enumerate(as_list(as_mapping(data.get("clients")).get("keys"))):
        if as_mapping(item).get("name") in meant:
            document.refuse(("clients", "keys", index, "name"), "a pool names a tier of the same name", remedy)
    for name in sorted(meant.intersection(filed)):
        message = f"the file has a client {document.said(name)}, and a pool names a tier of the same name"
        document.refuse(("clients", "keys_file"), message, remedy)


def _steps(data: dict[str, object]) -> Iterator[tuple[Path, object]]:
    """The degrade steps of all strategies and of the defaults."""
    sections: list[tuple[Path, object]] = [(("model_strategy",), data.get("model_strategy"))]
    sections += [(("strategies", name), item) for name, item in as_mapping(data.get("strategies")).items()]
    sections.append((("defaults",), data.get("defaults")))
    for path, section in sections:
        for index, step in enumerate(as_list(as_mapping(section).get("degrade"))):
            yield (*path, "degrade", index), step


def _step(path: Path, item: object, known: _Known, document: Document) -> None:
    if not isinstance(item, dict):
        return
    told = [name for name in ("clamp_max_tokens", "model", "stale") if item.get(name) is not None]
    if len(told) != 1:
        message = f"a step says both {told[0]} and {told[1]}" if told else "a step says nothing to do"
        remedy = "write two steps" if told else "give it clamp_max_tokens, model or stale"
        document.refuse(path, message, remedy)
    for index, tier in enumerate(as_list(item.get("tiers"))):
        _tier((*path, "tiers", index), tier, known, document)
