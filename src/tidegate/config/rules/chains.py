"""Errors of strategies that lead to others: chains that lead back, and chains that are too long."""

from itertools import islice

from tidegate.config.chains import MAX_MODELS, Chains, TooLong, cycles, linked_names
from tidegate.config.findings import Path
from tidegate.config.source import Document, as_list, as_mapping

_MOST = 8  # cycles that are reported at once
_LONGEST = 6  # names of a cycle that are printed


def check_chains(document: Document) -> None:
    """Add to `document` what is wrong."""
    data = as_mapping(document.data)
    sections = _sections(data)
    primaries = {name: str(section.get("primary_model")) for name, (_, section) in sections.items()}
    linked = linked_names(primaries, _models(data))
    edges: dict[str, dict[str, Path]] = {name: {} for name in sections}
    fallbacks: dict[str, list[str]] = {}
    for name, (path, section) in sections.items():
        fallbacks[name] = _follow(section, path, linked, edges[name])
        _degrade(section, path, linked, edges[name], document)
    for way in islice(cycles({name: list(ends) for name, ends in edges.items()}), _MOST):
        names = [str(sections[part][0][-1]) for part in way]  # not that of model_strategy, which is a value
        _refuse(edges[way[-2]][way[-1]], names, document)
    chains = Chains(primaries, fallbacks, linked)
    for name, (path, _) in sections.items():
        try:
            chains.models(name)
        except TooLong:
            message = f"more than {MAX_MODELS} models, those of the strategies that it names counted"
            document.refuse((*path, "fallback_models"), message, "name fewer")


def _refuse(path: Path, names: list[str], document: Document) -> None:
    shown = [document.label((name,)) for name in (names if len(names) <= _LONGEST else [*names[: _LONGEST - 1], "…"])]
    document.refuse(path, f"leads back to where it began: {' → '.join(shown)}", "name another model")


def _sections(data: dict[str, object]) -> dict[str, tuple[Path, dict[str, object]]]:
    """All strategies by name, the one of `model_strategy` first."""
    found: dict[str, tuple[Path, dict[str, object]]] = {}
    single = as_mapping(data.get("model_strategy"))
    if isinstance(single.get("primary_model"), str):
        found[str(single["primary_model"])] = (("model_strategy",), single)
    for name, item in as_mapping(data.get("strategies")).items():
        if isinstance(as_mapping(item).get("primary_model"), str):
            found.setdefault(name, (("strategies", name), as_mapping(item)))
    return found


def _models(data: dict[str, object]) -> set[str]:
    """The models that providers name."""
    found: set[str] = set()
    for item in as_mapping(data.get("providers")).values():
        provider = as_mapping(item)
        found.update(as_mapping(provider.get("models")))
        for scope in as_list(provider.get("scopes")):
            found.update(as_mapping(as_mapping(scope).get("limits")))
    return found


def _follow(section: dict[str, object], path: Path, linked: frozenset[str], ends: dict[str, Path]) -> list[str]:
    """The fallbacks of a strategy; those that stand for a strategy are added to `ends`."""
    found = []
    for index, item in enumerate(as_list(section.get("fallback_models"))):
        model = as_mapping(item).get("model")
        if isinstance(model, str):
            found.append(model)
            if model in linked:
                ends.setdefault(model, (*path, "fallback_models", index, "model"))
    return found


def _degrade(
    section: dict[str, object], path: Path, linked: frozenset[str], ends: dict[str, Path], document: Document
) -> None:
    """The same of its degrade steps."""
    for index, item in enumerate(as_list(section.get("degrade"))):
        model = as_mapping(item).get("model")
        if not isinstance(model, str):
            continue
        at = (*path, "degrade", index, "model")
        if model == section.get("primary_model"):
            document.refuse(at, "the strategy's own primary model is no step down", "name a cheaper model")
        elif model in linked:
            ends.setdefault(model, at)
