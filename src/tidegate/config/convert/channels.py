"""The table `channels` of one-api or new-api as a file of ours.

Both have the same columns, as far as they matter here (read 2026-11-22: one-api's `model/channel.go` and
`relay/channeltype`, new-api's `model/channel.go` and `constant/channel.go`); the numbers of `type` differ from 26 on.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from tidegate.config.base_url import BadUrl, clean_base_url
from tidegate.config.convert import values
from tidegate.config.convert.draft import Draft, literal, named
from tidegate.config.convert.makers import NEW_API, ONE_API, OPENAI, OWN, Maker
from tidegate.config.convert.report import Path, Report
from tidegate.config.convert.writing import Converted, written

KINDS: Final = {"one-api": ONE_API, "new-api": NEW_API}
_COUNTED: Final = frozenset(
    ("created_time", "test_time", "response_time", "balance", "balance_updated_time", "used_quota", "test_model")
)
_COMMON_VERSION: Final = "2024-10-21"


def convert(tree: Any, kind: str) -> Converted:
    """What the channels of `tree` say, in our words. Raises `ValueError` when they are none, or none can be served."""
    at, rows = _rows(tree)
    draft, report = Draft(), Report(tree)
    chains: dict[str, list[str]] = {}
    for index in sorted(range(len(rows)), key=lambda number: -(values.number(rows[number].get("priority")) or 0)):
        row = rows[index]
        for asked, sent in _channel(row, (*at, index), KINDS[kind], draft, report):
            chains.setdefault(asked, []).append(sent)
    if "providers" not in draft.tree:
        raise ValueError("no channel could be carried over")
    for asked, sendable in chains.items():
        models = list(dict.fromkeys(sendable))
        if models != [asked]:
            strategy: dict[str, Any] = {"primary_model": models[0]}
            if models[1:]:
                strategy["fallback_models"] = [{"model": name, "priority": n} for n, name in enumerate(models[1:], 1)]
            draft.section("strategies")[asked] = strategy
    return written(draft, report.notes(_reason), f"the channels of {kind}")


def _rows(tree: Any) -> tuple[Path, list[dict[str, Any]]]:
    """The rows and where they are: a list, or what the API answers (`data`, or `data.items`)."""
    at: Path = ()
    for name in ("data", "items"):
        if isinstance(tree, dict) and name in tree:
            tree, at = tree[name], (*at, name)
    if not isinstance(tree, list) or not tree or not all(isinstance(row, dict) and "type" in row for row in tree):
        raise ValueError("it is no list of channels: export the table `channels` as JSON, one object a row")
    return at, tree


def _channel(
    row: dict[str, Any], at: Path, makers: dict[int, Maker], draft: Draft, report: Report
) -> Iterator[tuple[str, str]]:
    """Names that are asked for, and what is sent in their place."""
    maker = makers.get(row["type"] if isinstance(row["type"], int) else -1)
    if row.get("status", 1) != 1:
        report.left(at, "this channel is off")
        return
    if maker is None:
        report.left(at, "Tidegate speaks the APIs of OpenAI and Anthropic: this type has another, or is not known")
        return
    base = str(row.get("base_url") or "").rstrip("/")
    if maker is OPENAI and base and "api.openai.com" not in base:
        maker = OWN
    try:
        address = clean_base_url(base or maker.base_url)
    except BadUrl as error:
        report.left(at, f"its base_url: {error.message}; {error.remedy}")
        return
    provider = draft.provider(maker, address, _version(row, maker), named(str(row.get("name") or maker.name)))
    where = f"providers.{provider}"
    for name in ("type", "base_url", "other", "name", "status", "id"):
        if name in row:
            report.mapped((*at, name), where)
    _keys(row, at, draft, report, provider)
    mapping = _mapping(row, at, report, where)
    for name in (part.strip() for part in str(row.get("models") or "").split(",")):
        if name:
            sent = mapping.get(name, name)
            draft.model(provider, sent)
            yield name, sent
    report.mapped((*at, "models"), f"{where}.models")
    if row.get("priority") is not None:
        report.mapped((*at, "priority"), "providers")


def _version(row: dict[str, Any], maker: Maker) -> str:
    return literal(str(row.get("other") or _COMMON_VERSION)) if maker.profile == "azure" else ""


def _keys(row: dict[str, Any], at: Path, draft: Draft, report: Report, provider: str) -> None:
    """A scope; keys of one channel share it."""
    lines = [line for line in str(row.get("key") or "").splitlines() if line.strip()]
    base = f"CHANNEL_{row.get('id', int(at[-1]) + 1)}_KEY"
    variables = [base] if len(lines) < 2 else [f"{base}_{number}" for number in range(1, len(lines) + 1)]
    texts = lines or [f"the key of {base}"]
    variables = [draft.secret(text, variable) for text, variable in zip(texts, variables, strict=True)]
    references = [draft.variable(variable) for variable in variables]
    scope = draft.scope(provider, references[0])
    scope["keys"] = list(dict.fromkeys([*scope["keys"], *references]))
    why = f"put it into the variable {variables[0]}{' and so on' if variables[1:] else ''}: no secret is copied"
    report.changed((*at, "key"), f"providers.{provider}.scopes.{scope['name']}.keys", why)
    weight = values.count(row.get("weight"))
    if weight:
        scope["weight"] = min(1_000, weight)
        why = "among the scopes of one provider, where a pool has `pick: weighted`"
        report.changed((*at, "weight"), f"providers.{provider}.scopes.{scope['name']}.weight", why)


def _mapping(row: dict[str, Any], at: Path, report: Report, where: str) -> dict[str, str]:
    try:
        found = json.loads(row.get("model_mapping") or "{}")
    except (TypeError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    if found:
        report.mapped((*at, "model_mapping"), where.replace("providers", "strategies", 1))
    return {str(asked): str(sent) for asked, sent in found.items()}


def _reason(path: Path) -> str:
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if name in _COUNTED:
        return "it is a record of the past, not a setting"
    if name == "group":
        return "groups are namespaces and pools (`only`): docs/configuration.md"
    if name == "auto_ban":
        return "a dead key leaves its ring by itself, and is told (docs/operations.md)"
    return "there is nothing like it"
