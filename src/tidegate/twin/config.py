"""From a YAML file and the command line to `Settings`. Every error names the field and what would be right."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from tidegate.twin.settings import MAX_EVENTS, MAX_LIMIT, CachedReads, Charge, Settings, Shape, Spread


class ConfigError(Exception):
    """The file or a flag is wrong; the text says where and how."""


def load(path: Path) -> Settings:
    """The settings of a YAML file. Raises `ConfigError`."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - only a twin with a file pays for YAML
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        tree = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except YAMLError as error:
        raise ConfigError(f"{path}: is no YAML: {error}") from None
    return convert({} if tree is None else tree, str(path))


def convert(tree: Any, name: str) -> Settings:
    """The settings of a tree of plain values. Raises `ConfigError`; `name` stands before the field."""
    try:
        settings = msgspec.convert(_expanded(tree), Settings, strict=True)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        raise ConfigError(f"{name}: {path.rstrip('`').lstrip('.') or 'the file'}: {text.replace('`', '')}") from None
    _check(settings, name)
    return settings


def _expanded(tree: Any) -> Any:
    """Shorthands written out: a time as one number, the ghost as a percentage."""
    if not isinstance(tree, dict):
        return tree
    tree = dict(tree)
    if isinstance(timing := tree.get("timing"), dict):
        spreads = ("ttft_ms", "tpot_ms", "tokens")
        tree["timing"] = {
            field: {"median": value} if field in spreads and isinstance(value, int | float) else value
            for field, value in timing.items()
        }
    if isinstance(rules := tree.get("rules"), dict) and "ghost" in rules:
        rules = dict(rules)
        rules["ghost_permille"] = permille(str(rules.pop("ghost")))
        tree["rules"] = rules
    return tree


def _check(settings: Settings, name: str) -> None:
    models = {model.name for model in settings.models}
    limited = {f"model_limits.{model}": model for model in settings.model_limits}
    owners: dict[str, str] = {}
    for index, one in enumerate(settings.organisations):
        limited |= {f"organisations[{index}].limits.{model}": model for model in one.limits}
        for key in one.keys:
            if key in owners:
                raise ConfigError(f"{name}: organisations[{index}].keys: a key also belongs to {owners[key]}")
            owners[key] = one.name
    for field, model in limited.items():
        if model not in models:
            raise ConfigError(f"{name}: {field}: no such model; models are {', '.join(sorted(models))}")


def permille(text: str) -> int:
    """`30%` or `30` as thousandths. Raises `ConfigError`."""
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise ConfigError(f"ghost: {text!r} is no percentage from 0% to 100%")
    return round(value * 10)


def limited(
    settings: Settings, *, rpm: int | None = None, tpm: int | None = None, otpm: int | None = None
) -> Settings:  # fmt: skip
    """The same with the limits of the command line; they apply to every model and organisation."""
    for flag, limit in (("--rpm", rpm), ("--tpm", tpm), ("--otpm", otpm)):
        if limit is not None and not 1 <= limit <= MAX_LIMIT:
            raise ConfigError(f"{flag}: {limit} is not between 1 and {MAX_LIMIT}")
    return _relimited(settings, (rpm, tpm, otpm))


def overridden(
    settings: Settings, *, rpm: int | None = None, tpm: int | None = None, window: Shape | None = None,
    ttft_ms: float | None = None, tpot_ms: float | None = None, seed: int | None = None, ghost: int | None = None,
) -> Settings:  # fmt: skip
    """The same with what the command line states; limits apply to every model and organisation."""
    settings = limited(settings, rpm=rpm, tpm=tpm)
    timing, rules = settings.timing, settings.rules
    if ttft_ms is not None:
        timing = replace(timing, ttft_ms=_spread("--ttft-ms", ttft_ms, timing.ttft_ms))
    if tpot_ms is not None:
        timing = replace(timing, tpot_ms=_spread("--tpot-ms", tpot_ms, timing.tpot_ms))
    if window is not None:
        rules = replace(rules, window=window)
    if ghost is not None:
        rules = replace(rules, ghost_permille=ghost)
    return replace(settings, timing=timing, rules=rules, seed=settings.seed if seed is None else seed)


def extended(
    settings: Settings, *, charge: Charge | None = None, cached_reads: CachedReads | None = None,
    hide_headers: bool = False, events: int | None = None, lean: bool = False,
) -> Settings:  # fmt: skip
    """The same with the less usual flags of the command line."""
    if events is not None and not 0 <= events <= MAX_EVENTS:
        raise ConfigError(f"--events: {events} is not between 0 and {MAX_EVENTS}")
    rules = settings.rules
    rules = replace(
        rules,
        charge=charge or rules.charge,
        cached_reads=cached_reads or rules.cached_reads,
        hide_headers=rules.hide_headers or hide_headers,
    )
    kept = settings.events if events is None else events
    return replace(settings, rules=rules, events=kept, lean=settings.lean or lean)


def _spread(flag: str, median: float, old: Spread) -> Spread:
    if not 0 <= median <= 1e9:
        raise ConfigError(f"{flag}: {median} is no number of milliseconds from 0 to 10^9")
    return replace(old, median=median)


def _relimited(settings: Settings, change: tuple[int | None, int | None, int | None]) -> Settings:
    return replace(
        settings,
        limits=settings.limits.changed(*change),
        model_limits={name: limits.changed(*change) for name, limits in settings.model_limits.items()},
        organisations=tuple(
            replace(one, limits={name: limits.changed(*change) for name, limits in one.limits.items()})
            for one in settings.organisations
        ),
    )
