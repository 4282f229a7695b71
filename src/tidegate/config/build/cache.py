"""The cache, from the checked configuration to the snapshot's records."""

from tidegate.config.schema.cache import CacheConfig, CacheRuleConfig, CachingConfig
from tidegate.model import snapshot as records

_KIB = 1_024
_MIB = 1_048_576
_SECOND = 1_000_000


def caching(item: CachingConfig) -> records.Caching:
    """How one strategy's calls are answered from what is known."""
    semantic = item.semantic
    return records.Caching(
        enabled=item.enabled,
        ttl_seconds=item.ttl_seconds,
        cache_input_hash=item.cache_input_hash,
        scope=item.scope,
        tools=item.tools,
        replay=item.replay,
        stale_us=item.stale_seconds * _SECOND,
        charge=item.charge,
        coalesce=item.coalesce,
        semantic=records.SemanticPolicy(
            semantic.mode,
            round(semantic.error_rate * 1_000),
            round((semantic.min_similarity or 0) * 1_000),
            semantic.judge,
        ),
    )


def settings(item: CacheConfig) -> records.CacheSettings:
    """Where answers are kept."""
    redis = item.redis
    return records.CacheSettings(
        memory_bytes=item.memory_mb * _MIB,
        disk_bytes=item.disk_mb * _MIB,
        redis_url="" if redis is None else redis.url,
        redis_timeout_us=50_000 if redis is None else redis.timeout_ms * 1_000,
        redis_prefix="tidegate" if redis is None else redis.prefix,
        max_entry_bytes=item.max_entry_kb * _KIB,
        compress_above_bytes=item.compress_above_kb * _KIB,
        groups=tuple(records.SharingGroup(name, tuple(group.namespaces)) for name, group in item.groups.items()),
        rules=tuple(_rule(rule) for rule in item.rules),
        semantic=records.SemanticSettings(
            item.semantic.embedder, item.semantic.budget_ms * 1_000, item.semantic.max_entries
        ),
    )


def _rule(item: CacheRuleConfig) -> records.CacheRule:
    header, value = next(iter(item.header.items()), ("", ""))
    return records.CacheRule(
        item.ttl * _SECOND,
        tuple(item.routes),
        tuple(item.models),
        tuple(item.tags),
        item.system or "",
        header,
        value,
    )
