"""What the visual editor shows: every strategy of a text with all its fields, and the names that targets may have."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from tidegate.config.findings import Path
from tidegate.config.schema.strategy import StrategyConfig
from tidegate.config.source import as_list, as_mapping

FIELDS: Final = (
    "primary_model", "fallback_models", "rate_limit_policy", "retry_policy", "caching", "execution_mode",
    "queue_backend", "deadline_seconds", "fallback_after_seconds", "on_unsupported", "streams",
)  # fmt: skip


def form_of(data: object) -> dict[str, object]:
    """Strategies in the file's order, and models. Values that do not stand in the file are what counts in their place.

    `set` names the fields that stand in the file, as `caching.ttl_seconds`. What is broken is shown as it stands.
    """
    return {"strategies": [_strategy(path, name, value) for path, name, value in _strategies(data)],
            "models": list(dict.fromkeys(_models(data)))}  # fmt: skip


def _strategies(data: object) -> Iterator[tuple[Path, str, dict[str, object]]]:
    single = as_mapping(data).get("model_strategy")
    if isinstance(single, dict):
        yield ("model_strategy",), str(single.get("primary_model") or ""), single
    for name, value in as_mapping(as_mapping(data).get("strategies")).items():
        yield ("strategies", name), name, as_mapping(value)


def _strategy(path: Path, name: str, value: dict[str, object]) -> dict[str, object]:
    defaults = _defaults()
    shown = {field: _over(defaults[field], value.get(field)) for field in FIELDS}
    fallbacks = [as_mapping(one) for one in as_list(value.get("fallback_models"))]
    shown["fallback_models"] = [{"model": one.get("model"), "priority": one.get("priority")} for one in fallbacks]
    known = {field: value[field] for field in FIELDS if value.get(field) is not None}
    return {"path": list(path), "name": name, **shown, "set": list(_set("", known))}


@cache
def _defaults() -> dict[str, Any]:
    return StrategyConfig.model_construct(primary_model="").model_dump()


def _over(default: Any, value: object) -> Any:
    if isinstance(default, Mapping) and isinstance(value, dict):
        return {name: _over(one, value.get(name)) for name, one in default.items()}
    return default if value is None else value


def _set(lead: str, value: Mapping[str, object]) -> Iterator[str]:
    for name, one in value.items():
        if isinstance(one, dict) and one:
            yield from _set(f"{lead}{name}.", one)
        elif one is not None:
            yield f"{lead}{name}"


def _models(data: object) -> Iterator[str]:
    """Every name that a provider is known to serve, then those that strategies name."""
    for provider in as_mapping(as_mapping(data).get("providers")).values():
        yield from as_mapping(as_mapping(provider).get("models"))
        for scope in as_list(as_mapping(provider).get("scopes")):
            yield from as_mapping(as_mapping(scope).get("limits"))
    for _, _, value in _strategies(data):
        named = [
            value.get("primary_model"),
            *(as_mapping(one).get("model") for one in as_list(value.get("fallback_models"))),
        ]
        yield from (str(one) for one in named if one)
