"""Errors of shadow traffic that no single field shows: candidates that nobody serves, or that are no other model."""

from typing import NamedTuple

from tidegate.config.findings import Path
from tidegate.config.source import Document, as_list, as_mapping

_OPENAI = "openai"  # what is asked of the only provider of this dialect, whatever its name


def check_shadows(document: Document) -> None:
    """Add to `document` what is wrong."""
    data = as_mapping(document.data)
    strategies = as_mapping(data.get("strategies"))
    sections: list[tuple[Path, object]] = [(("model_strategy",), data.get("model_strategy"))]
    sections += [(("strategies", name), item) for name, item in strategies.items()]
    providers = [as_mapping(item) for item in as_mapping(data.get("providers")).values()]
    speaking = [one for one in providers if one.get("dialect") == _OPENAI]
    served = _Served(_models(providers), not providers or len(speaking) == 1)
    for path, item in sections:
        strategy = as_mapping(item)
        model = as_mapping(strategy.get("shadow")).get("model")
        if isinstance(model, str):
            _candidate(model, strategy, (*path, "shadow", "model"), served, document)


class _Served(NamedTuple):
    """The models that providers name, and whether nothing is said of others."""

    models: dict[str, None]
    others: bool


def _candidate(model: str, strategy: dict[str, object], path: Path, served: _Served, document: Document) -> None:
    data = as_mapping(document.data)
    if model == strategy.get("primary_model"):
        document.refuse(path, "the primary model cannot be its own candidate", "name another model")
        return
    if model in served.models:
        return
    if model in as_mapping(data.get("strategies")):
        document.refuse(path, "a strategy cannot be a candidate", "name a model")
    elif not served.others:
        document.refuse(path, "no provider serves this model", document.choice(model, served.models))


def _models(providers: list[dict[str, object]]) -> dict[str, None]:
    """What they name."""
    found: dict[str, None] = {}
    for provider in providers:
        found.update(dict.fromkeys(as_mapping(provider.get("models"))))
        for scope in as_list(provider.get("scopes")):
            found.update(dict.fromkeys(as_mapping(as_mapping(scope).get("limits"))))
    return found
