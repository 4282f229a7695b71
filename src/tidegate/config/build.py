"""From the checked configuration to the snapshot a worker starts from: units converted, profiles read."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tidegate.config.profiles import load_profile
from tidegate.config.proxies import environment_proxy
from tidegate.config.schema import ClientsConfig, Config, ProviderConfig, ScopeConfig, ServerConfig, TlsConfig
from tidegate.config.schema_strategy import (
    DefaultsConfig,
    RateLimitConfig,
    RetryConfig,
    SmoothingConfig,
    StrategyConfig,
)
from tidegate.model import snapshot as records
from tidegate.model.pools import with_rest


def build(config: Config, folder: Path, environ: Mapping[str, str], version: int = 0) -> records.Snapshot:
    """The snapshot. Relative paths start at `folder`; proxies come from `environ`. Raises `BadProxy`."""
    profiles = {name: load_profile(name) for name in {item.profile for item in config.providers.values()}}
    strategies = dict(config.strategies)
    if config.model_strategy is not None:
        strategies = {config.model_strategy.primary_model: config.model_strategy, **strategies}
    providers = tuple(
        _provider(name, item, profiles[item.profile], folder, environ) for name, item in config.providers.items()
    )
    return records.Snapshot(
        version=version,
        providers=providers,
        pools=with_rest((), providers),
        strategies=tuple(_strategy(name, item) for name, item in strategies.items()),
        defaults=_defaults(config.defaults),
        clients=_clients(config.clients),
        clients_file=_file(folder, config.clients.keys_file),
        server=_server(config.server, folder),
        queue=records.QueueSettings(max_calls=config.queue.max_calls),
        journal=records.JournalSettings(
            fsync=config.journal.fsync,
            segment_bytes=config.journal.segment_bytes,
            keep_bytes=config.journal.keep_bytes,
        ),
    )


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _milli(value: float) -> int:
    return round(value * 1_000)


def _file(folder: Path, name: str | None) -> str:
    return str(folder / name) if name else ""


def _provider(
    name: str, item: ProviderConfig, profile: records.Profile, folder: Path, environ: Mapping[str, str]
) -> records.Provider:
    if item.window is not None:
        profile = msgspec.structs.replace(profile, window=item.window)
    return records.Provider(
        name=name,
        base_url=item.base_url,
        profile=profile,
        scopes=tuple(_scope(scope) for scope in item.scopes),
        models={
            model: records.ModelEntry(tools=entry.tools, images=entry.images, context=entry.context or 0)
            for model, entry in item.models.items()
        },
        ca_file=_file(folder, item.ca_file),
        proxy=provider_proxy(item, environ),
        connect_timeout_us=_us(item.timeouts.connect_seconds),
        first_byte_timeout_us=_us(item.timeouts.first_byte_seconds),
        idle_timeout_us=_us(item.timeouts.idle_seconds),
        max_connections=item.max_connections,
    )


def provider_proxy(item: ProviderConfig, environ: Mapping[str, str]) -> str:
    """The URL of the proxy for a provider, "" for none. Raises `BadProxy` when the environment's is wrong."""
    if item.proxy == "none":
        return ""
    return item.proxy or environment_proxy(item.base_url, environ)


def _scope(item: ScopeConfig) -> records.Scope:
    limits = {model: records.Limits(rpm=limit.rpm or 0, tpm=limit.tpm or 0) for model, limit in item.limits.items()}
    return records.Scope(name=item.name, keys=tuple(item.keys), limits=limits)


def _strategy(name: str, item: StrategyConfig) -> records.Strategy:
    last = float("inf")
    fallbacks = sorted(item.fallback_models, key=lambda entry: last if entry.priority is None else entry.priority)
    return records.Strategy(
        name=name,
        primary_model=item.primary_model,
        fallback_models=tuple(entry.model for entry in fallbacks),
        rate_limit=_rate_limit(item.rate_limit_policy),
        smoothing=_smoothing(item.rate_limit_policy.smoothing),
        retry=_retry(item.retry_policy),
        deadline_us=_us(item.deadline_seconds),
        fallback_after_us=_us(item.fallback_after_seconds),
        caching=records.Caching(
            enabled=item.caching.enabled,
            ttl_seconds=item.caching.ttl_seconds,
            cache_input_hash=item.caching.cache_input_hash,
        ),
        execution_mode=item.execution_mode,
        queue_backend=item.queue_backend or "",
    )


def _defaults(item: DefaultsConfig) -> records.Strategy:
    return records.Strategy(
        name="",
        primary_model="",
        smoothing=_smoothing(item.smoothing),
        retry=_retry(item.retry_policy),
        deadline_us=_us(item.deadline_seconds),
        fallback_after_us=_us(item.fallback_after_seconds),
    )


def _rate_limit(item: RateLimitConfig) -> records.RateLimitPolicy:
    return records.RateLimitPolicy(
        max_rpm=item.max_rpm or 0,
        max_tpm=item.max_tpm or 0,
        bucket_capacity=item.bucket_capacity or 0,
        refill_rate_milli=_milli(item.refill_rate or 0),
    )


def _smoothing(item: SmoothingConfig) -> records.SmoothingPolicy:
    return records.SmoothingPolicy(threshold_permille=_milli(item.threshold), delay_us=item.delay_ms * 1_000)


def _retry(item: RetryConfig) -> records.RetryPolicy:
    return records.RetryPolicy(
        max_retries=item.max_retries,
        multiplier_milli=_milli(item.backoff_multiplier),
        jitter=item.jitter_enabled,
        base_us=_us(item.base_seconds),
        cap_us=_us(item.cap_seconds),
        budget_permille=_milli(item.budget),
        budget_floor=item.budget_floor,
    )


def _clients(item: ClientsConfig) -> tuple[records.ClientKey, ...]:
    return tuple(
        records.ClientKey(name=client.name or f"key-{number}", digest=hashlib.sha256(client.key.encode()).digest())
        for number, client in enumerate(item.keys, 1)
    )


def _tls(item: TlsConfig | None, folder: Path) -> records.Tls | None:
    if item is None:
        return None
    return records.Tls(certificate=_file(folder, item.certificate), key=_file(folder, item.key))


def _server(item: ServerConfig, folder: Path) -> records.ServerSettings:
    return records.ServerSettings(
        tls=_tls(item.tls, folder),
        max_url_bytes=item.max_url_bytes,
        max_header_bytes=item.max_header_bytes,
        max_body_bytes=item.max_body_bytes,
        max_connections=item.max_connections,
        head_timeout_us=_us(item.head_timeout_seconds),
        body_timeout_us=_us(item.body_timeout_seconds),
        idle_timeout_us=_us(item.idle_timeout_seconds),
        write_timeout_us=_us(item.write_timeout_seconds),
        drain_timeout_us=_us(item.drain_timeout_seconds),
    )
