"""From the checked configuration to the snapshot a worker starts from: units converted, profiles read."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from tidegate.config.base_url import normalise_base_url
from tidegate.config.build import access as build_access
from tidegate.config.build import admin as build_admin
from tidegate.config.build import alerts as build_alerts
from tidegate.config.build import bodies as build_bodies
from tidegate.config.build import cache as build_cache
from tidegate.config.build import cluster as build_cluster
from tidegate.config.build import drills as build_drills
from tidegate.config.build import jobs as build_jobs
from tidegate.config.build import money as build_money
from tidegate.config.build import regions as build_regions
from tidegate.config.build import shadow as build_shadow
from tidegate.config.build import telemetry as build_telemetry
from tidegate.config.build import tenants as build_tenants
from tidegate.config.build.tenants import milli
from tidegate.config.chains import Chains, linked_names
from tidegate.config.prices import Prices
from tidegate.config.profiles import record
from tidegate.config.proxies import environment_proxy
from tidegate.config.resolve import serving
from tidegate.config.schema.file import Config, JournalConfig, ProviderConfig, ScopeConfig, ServerConfig, TlsConfig
from tidegate.config.schema.profile import ProfileConfig
from tidegate.config.schema.strategy import (
    DefaultsConfig,
    FallbackConfig,
    RateLimitConfig,
    RetryConfig,
    SmoothingConfig,
    StrategyConfig,
    StreamsConfig,
)
from tidegate.model import snapshot as records
from tidegate.model.pools import with_rest


def build(
    config: Config,
    folder: Path,
    environ: Mapping[str, str],
    version: int = 0,
    filed: Mapping[bytes, str] | None = None,
    profiles: Mapping[str, tuple[str, ProfileConfig]] | None = None,
    prices: Prices | None = None,
) -> records.Snapshot:
    """The snapshot. Relative paths start at `folder`; proxies come from `environ`. Raises `BadProxy`.

    `filed`: names of client keys by SHA-256. `profiles`: name and content of each provider's. `prices`: of models.
    """
    prices, profiles = prices or Prices(build_money.exchange(config.money)), profiles or {}
    tiers = build_tenants.tiers(config.tiers)
    every = tuple(tier.name for tier in tiers)
    scheduler, pick = config.defaults.scheduler, config.defaults.pick
    providers = _providers(config, folder, environ, profiles, prices)
    chains = _chains(_named(config), _models(providers))
    strategies = tuple(_strategy(name, item, chains, every) for name, item in _named(config).items())
    return records.Snapshot(
        version=version,
        providers=providers,
        strategies=strategies,
        defaults=_defaults(config.defaults, chains, every),
        clients=build_access.filed_keys(filed or {}) + build_access.client_keys(config.clients.keys, "key"),
        keys_required=config.clients.required,
        tiers=tiers,
        namespaces=build_access.namespaces(config.namespaces),
        pools=with_rest(build_tenants.pools(config.pools, scheduler, pick), providers, scheduler, pick),
        server=_server(config.server, folder),
        queue=records.QueueSettings(max_calls=config.queue.max_calls),
        journal=_journal(config.journal),
        access=build_access.address_limits(config.access),
        signing=records.SigningSettings(_us(config.signing.skew_seconds), config.signing.max_nonces),
        ledger=build_money.ledger(config.ledger, config.money, folder),
        isolated=build_access.isolated(config.namespaces),
        bodies=build_bodies.bodies(config.bodies),
        cache=build_cache.settings(config.cache),
        jobs=build_jobs.jobs(config.jobs, _named(config), folder),
        cluster=build_cluster.cluster(config.cluster),
        regions=build_regions.regions(config.regions, config.cluster.node),
        telemetry=build_telemetry.telemetry(config.telemetry),
        drills=build_drills.drills(config.drills, strategies, providers),
        alerts=build_alerts.alerts(config.alerts, environ),
        admin=build_admin.admin(config.admin, folder),
    )


def _providers(
    config: Config,
    folder: Path,
    environ: Mapping[str, str],
    profiles: Mapping[str, tuple[str, ProfileConfig]],
    prices: Prices,
) -> tuple[records.Provider, ...]:
    known: dict[tuple[str, str], records.Profile] = {}
    providers = tuple(
        _provider(name, item, _profile(item, *profiles[name], known), folder, environ, prices)
        for name, item in config.providers.items()
    )
    return tuple(_open(provider, providers, prices) for provider in providers)


def _journal(item: JournalConfig) -> records.JournalSettings:
    return records.JournalSettings(item.fsync, item.segment_bytes, item.keep_bytes)


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _file(folder: Path, name: str | None) -> str:
    return str(folder / name) if name else ""


def _profile(
    item: ProviderConfig, name: str, profile: ProfileConfig, known: dict[tuple[str, str], records.Profile]
) -> records.Profile:
    """The provider's profile with what it states itself; `known` are those of providers before it."""
    key = name, item.api_version or ""
    found = known.get(key)
    if found is None:
        found = known[key] = record(name, profile, key[1])
    if item.window is not None:
        found = msgspec.structs.replace(found, window=item.window)
    if item.jitter_ms is not None:
        found = msgspec.structs.replace(found, jitter_us=item.jitter_ms * 1_000)
    return found


def _provider(
    name: str,
    item: ProviderConfig,
    profile: records.Profile,
    folder: Path,
    environ: Mapping[str, str],
    prices: Prices,
) -> records.Provider:
    base_url = normalise_base_url(item.base_url, profile.version)
    return records.Provider(
        name=name,
        base_url=base_url,
        profile=profile,
        scopes=tuple(_scope(scope) for scope in item.scopes),
        models=dict(prices.models(name, item, base_url, profile)),
        ca_file=_file(folder, item.ca_file),
        proxy=provider_proxy(item, environ),
        connect_timeout_us=_us(item.timeouts.connect_seconds),
        first_byte_timeout_us=_us(item.timeouts.first_byte_seconds),
        idle_timeout_us=_us(item.timeouts.idle_seconds),
        total_timeout_us=_us(item.timeouts.total_seconds),
        max_connections=item.max_connections,
    )


def _open(provider: records.Provider, every: Sequence[records.Provider], prices: Prices) -> records.Provider:
    """With a list of prices, where models come that nobody names."""
    if serving("", every, provider.profile.dialect) != (provider,):
        return provider
    return msgspec.structs.replace(provider, price_list=prices.rows(provider))


def provider_proxy(item: ProviderConfig, environ: Mapping[str, str]) -> str:
    """The URL of the proxy for a provider, "" for none. Raises `BadProxy` when the environment's is wrong."""
    if item.proxy == "none":
        return ""
    return item.proxy or environment_proxy(item.base_url, environ)


def _scope(item: ScopeConfig) -> records.Scope:
    limits = {
        model: records.Limits(limit.rpm or 0, limit.tpm or 0, limit.itpm or 0, limit.otpm or 0)
        for model, limit in item.limits.items()
    }
    return records.Scope(
        name=item.name,
        keys=tuple(item.keys),
        limits=limits,
        max_concurrent=item.max_concurrent or 0,
        window=item.window or "",
        weight=item.weight,
        on_loss=item.on_state_loss or "",
    )


def _chains(strategies: Mapping[str, StrategyConfig], models: Collection[str]) -> Chains:
    primaries = {name: item.primary_model for name, item in strategies.items()}
    fallbacks = {name: _by_priority(item.fallback_models) for name, item in strategies.items()}
    return Chains(primaries, fallbacks, linked_names(primaries, models))


def _named(config: Config) -> dict[str, StrategyConfig]:
    """All strategies by name; `model_strategy` first."""
    if config.model_strategy is None:
        return dict(config.strategies)
    return {config.model_strategy.primary_model: config.model_strategy, **config.strategies}


def _models(providers: Sequence[records.Provider]) -> frozenset[str]:
    """The models that providers name."""
    named = [provider.models.keys() for provider in providers]
    limited = [scope.limits.keys() for provider in providers for scope in provider.scopes]
    return frozenset[str]().union(*named, *limited)


def _by_priority(items: list[FallbackConfig]) -> tuple[str, ...]:
    last = float("inf")
    entries = sorted(items, key=lambda entry: last if entry.priority is None else entry.priority)
    return tuple(entry.model for entry in entries)


def _strategy(name: str, item: StrategyConfig, chains: Chains, every: tuple[str, ...]) -> records.Strategy:
    return records.Strategy(
        name=name,
        primary_model=item.primary_model,
        fallback_models=chains.models(name)[1:],
        rate_limit=_rate_limit(item.rate_limit_policy),
        smoothing=_smoothing(item.rate_limit_policy.smoothing),
        retry=_retry(item.retry_policy),
        deadline_us=_us(item.deadline_seconds),
        fallback_after_us=_us(item.fallback_after_seconds),
        caching=build_cache.caching(item.caching),
        execution_mode=item.execution_mode,
        queue_backend=build_jobs.queue(item.queue_backend),
        degrade=build_tenants.degrade(item.degrade, every, chains),
        on_unsupported=item.on_unsupported,
        streams=_streams(item.streams),
        shadow=build_shadow.shadow(item.shadow),
    )


def _defaults(item: DefaultsConfig, chains: Chains, every: tuple[str, ...]) -> records.Strategy:
    return records.Strategy(
        name="",
        primary_model="",
        caching=build_cache.caching(item.caching),
        smoothing=_smoothing(item.smoothing),
        retry=_retry(item.retry_policy),
        deadline_us=_us(item.deadline_seconds),
        fallback_after_us=_us(item.fallback_after_seconds),
        degrade=build_tenants.degrade(item.degrade, every, chains),
        on_unsupported=item.on_unsupported,
        streams=_streams(item.streams),
    )


def _streams(item: StreamsConfig) -> records.StreamPolicy:
    return records.StreamPolicy(
        on_cut=item.on_cut,
        on_disconnect=item.on_disconnect,
        hedge_after_us=item.hedge_after_ms * 1_000,
        hedge_permille=milli(item.hedge_budget),
    )


def _rate_limit(item: RateLimitConfig) -> records.RateLimitPolicy:
    return records.RateLimitPolicy(
        max_rpm=item.max_rpm or 0,
        max_tpm=item.max_tpm or 0,
        bucket_capacity=item.bucket_capacity or 0,
        refill_rate_milli=milli(item.refill_rate or 0),
        on_loss=item.on_state_loss or "",
    )


def _smoothing(item: SmoothingConfig) -> records.SmoothingPolicy:
    return records.SmoothingPolicy(threshold_permille=milli(item.threshold), delay_us=item.delay_ms * 1_000)


def _retry(item: RetryConfig) -> records.RetryPolicy:
    return records.RetryPolicy(
        max_retries=item.max_retries,
        multiplier_milli=milli(item.backoff_multiplier),
        jitter=item.jitter_enabled,
        base_us=_us(item.base_seconds),
        cap_us=_us(item.cap_seconds),
        budget_permille=milli(item.budget),
        budget_floor=item.budget_floor,
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
