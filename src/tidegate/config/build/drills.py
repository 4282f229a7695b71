"""From the checked configuration to the snapshot: drills, and what is known of the models that they ask."""

import json
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from tidegate.config.build.money import nano
from tidegate.config.resolve import serving
from tidegate.config.schema.drills import DrillConfig, ExpectConfig, PromptConfig
from tidegate.model import drills as records
from tidegate.model.drills import DrilledStrategy, DrillTarget, Expectation
from tidegate.model.snapshot import Limits, ModelEntry, Provider, Strategy

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_PLACEHOLDERS = frozenset({"none", "no", "empty", "dummy", "test", "xxx", "changeme", "your-key", "your-api-key", "-"})


def drills(
    items: Mapping[str, DrillConfig], strategies: Sequence[Strategy], providers: Sequence[Provider]
) -> records.DrillSettings:
    """Their records. O(drills × strategies + models)."""
    targets = _Targets(providers)
    led = [one for one in strategies if one.fallback_models]
    every = tuple(one.name for one in led)
    return records.DrillSettings(
        tuple(_drill(name, item, every, targets) for name, item in items.items()),
        tuple(_strategy(one, targets) for one in led),
        asked=bool(items),
    )


def _drill(name: str, item: DrillConfig, every: tuple[str, ...], targets: "_Targets") -> records.Drill:
    judge = targets.of(item.judge) if item.judge else None
    return records.Drill(
        name=name,
        strategies=tuple(dict.fromkeys(item.strategies)) or every,
        prompts=tuple(_prompt(number, one) for number, one in enumerate(item.prompts, 1)),
        cron=item.cron or "",
        zone=item.zone,
        every_us=round(item.every_hours * _HOUR),
        expires_us=round(item.expires_days * _DAY),
        faults=tuple(dict.fromkeys(item.faults)),
        pass_permille=item.pass_mark * 10,
        repeat=item.repeat,
        timeout_us=round(item.timeout_seconds * 1_000_000),
        max_tokens=item.max_tokens,
        max_cost_nano=nano(item.max_cost),
        on_failure=item.on_failure,
        judge=item.judge or "",
        judge_nano=0 if judge is None else max(judge.prompt_nano, judge.completion_nano),
        embedder=item.embedder or "",
        dearer_milli=round(item.dearer_than * 1_000),
    )


def _prompt(number: int, item: PromptConfig) -> records.DrillPrompt:
    messages = item.messages if item.messages is not None else _messages(item)
    text = json.dumps(messages, ensure_ascii=False)
    return records.DrillPrompt(
        name=item.name or str(number),
        messages=text,
        expect=tuple(_expectation(one) for one in item.expect),
        tools=json.dumps(item.tools, ensure_ascii=False) if item.tools else "",
        max_tokens=item.max_tokens,
        images='"image_url"' in text,
    )


def _messages(item: PromptConfig) -> list[dict[str, object]]:
    content: object = item.prompt
    if item.images:
        images = [{"type": "image_url", "image_url": {"url": url}} for url in item.images]
        content = [{"type": "text", "text": item.prompt}, *images]
    system: list[dict[str, object]] = [{"role": "system", "content": item.system}] if item.system else []
    return [*system, {"role": "user", "content": content}]


def _expectation(item: ExpectConfig) -> Expectation:  # noqa: PLR0911 - a line for each kind
    weight, fold = item.weight, item.ignore_case
    for kind in (records.CONTAINS, records.CONTAINS_ANY, records.NOT_CONTAINS, records.FINISH):
        if words := getattr(item, kind):
            return Expectation(kind, weight, words=tuple(words), fold=fold)
    if item.tool is not None:
        schema = "" if item.tool.arguments is None else json.dumps(item.tool.arguments)
        return Expectation(records.TOOL, weight, text=item.tool.name, schema=schema)
    if item.json_schema is not None:
        return Expectation(records.JSON_SCHEMA, weight, schema=json.dumps(item.json_schema))
    if item.length is not None:
        return Expectation(records.LENGTH, weight, least=item.length.min, most=item.length.max or 0)
    if item.similar is not None:
        return Expectation(records.SIMILAR, weight, text=item.similar.to, least=item.similar.at_least)
    if item.judge is not None:
        return Expectation(records.JUDGE, weight, text=item.judge.rubric, least=item.judge.at_least)
    if item.max_seconds is not None:
        return Expectation(records.MAX_SECONDS, weight, most=item.max_seconds)
    if item.is_json:
        return Expectation(records.IS_JSON, weight)
    kind = records.REGEX if item.regex is not None else records.LANGUAGE
    return Expectation(kind, weight, text=item.regex or item.language or "", fold=fold)


def _strategy(item: Strategy, targets: "_Targets") -> DrilledStrategy:
    models = (item.primary_model, *item.fallback_models)
    asked = tuple(target for model in models if (target := targets.of(model)) is not None)
    return DrilledStrategy(item.name, asked, item.on_unsupported == "refuse", item.deadline_us)


class _Asked(NamedTuple):
    """What a drill wants to know of a provider, whichever model it asks."""

    keyed: bool
    local: bool
    limited: frozenset[str]  # models


class _Targets:
    """What is known of models; asked once for each, whatever strategies name it."""

    __slots__ = ("_known", "_providers", "_seen")

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = providers
        self._known: dict[str, DrillTarget | None] = {}
        self._seen: dict[str, _Asked] = {}

    def of(self, model: str) -> DrillTarget | None:
        """None where nobody serves it, which is said elsewhere."""
        if model not in self._known:
            found = serving(model, self._providers)
            self._known[model] = _target(model, found[0], self._asked(found[0])) if found else None
        return self._known[model]

    def _asked(self, provider: Provider) -> _Asked:
        found = self._seen.get(provider.name)
        if found is None:
            limits = (item for scope in provider.scopes for item in scope.limits.items())
            found = self._seen[provider.name] = _Asked(
                keyed=any(key.lower() not in _PLACEHOLDERS for scope in provider.scopes for key in scope.keys),
                local=_is_local(provider.base_url),
                limited=frozenset(model for model, limit in limits if limit != Limits()),
            )
        return found


def _target(model: str, provider: Provider, asked: _Asked) -> DrillTarget:
    entry = provider.models.get(model, ModelEntry())
    price = entry.prices[0] if entry.prices else None
    return DrillTarget(
        model=model,
        provider=provider.name,
        dialect=provider.profile.dialect,
        base_url=provider.base_url,
        tools=entry.tools,
        images=entry.images,
        context=entry.context,
        prompt_nano=0 if price is None else price.prompt,
        completion_nano=0 if price is None else price.completion,
        limited=model in asked.limited,
        keyed=asked.keyed,
        local=asked.local,
    )


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".local", ".internal", ".lan"))
