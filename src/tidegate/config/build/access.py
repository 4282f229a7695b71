"""Namespaces, users, keys and what they may use, from the checked configuration to the snapshot's records."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo

from tidegate.config.build.bodies import bodies
from tidegate.config.build.money import nano
from tidegate.config.build.tenants import milli
from tidegate.config.schema.access import (
    AccessConfig,
    BudgetConfig,
    ClientKeyConfig,
    QuotaConfig,
    SpeedConfig,
    UserConfig,
    moment_us,
)
from tidegate.config.schema.tenants import NamespaceConfig
from tidegate.model import snapshot as records
from tidegate.model.keys import digest_of, signing_key_of
from tidegate.zones import zone_of


def client_keys(items: Sequence[ClientKeyConfig], prefix: str, zone: tzinfo = UTC) -> tuple[records.ClientKey, ...]:
    """Keys by their SHA-256; those without a name are called `PREFIX-N`. Days begin in `zone`."""
    return tuple(_client_key(item, item.name or f"{prefix}-{number}", zone) for number, item in enumerate(items, 1))


def _client_key(item: ClientKeyConfig, name: str, zone: tzinfo) -> records.ClientKey:
    return records.ClientKey(
        name=name,
        digest=digest_of(item.key),
        user=item.user or "",
        models=tuple(item.models),
        addresses=tuple(item.addresses),
        signing=item.signing,
        signing_key=b"" if item.signing == "off" else signing_key_of(item.key),
        not_before_us=moment_us(item.not_before, zone) if item.not_before else 0,
        expires_us=moment_us(item.expires, zone) if item.expires else 0,
        allowance=allowance(item.limits, item.budget),
    )


def filed_keys(names: Mapping[bytes, str]) -> tuple[records.ClientKey, ...]:
    """The keys of a file, in its order."""
    return tuple(records.ClientKey(name, digest) for digest, name in names.items())


def allowance(limits: QuotaConfig, budget: BudgetConfig) -> records.Allowance:
    """What may be used and spent."""
    return records.Allowance(
        rpm=limits.rpm or 0,
        tpm=limits.tpm or 0,
        concurrent=limits.concurrent or 0,
        tokens_day=limits.tokens_per_day or 0,
        nano_day=nano(budget.per_day),
        nano_month=nano(budget.per_month),
        on_loss=limits.on_state_loss or "",
        on_loss_of_budget=budget.on_state_loss or "",
    )


def namespaces(configured: Mapping[str, NamespaceConfig]) -> tuple[records.Namespace, ...]:
    """In the order of the file."""
    return tuple(_namespace(name, item) for name, item in configured.items())


def _namespace(name: str, item: NamespaceConfig) -> records.Namespace:
    return records.Namespace(
        name=name,
        tier=item.tier,
        weight_milli=milli(item.weight),
        clients=client_keys(item.keys, name, zone_of(item.timezone)),
        users=tuple(_user(user, found) for user, found in item.users.items()),
        models=tuple(item.models),
        allowance=allowance(item.limits, item.budget),
        by_model={model: allowance(found.limits, found.budget) for model, found in item.by_model.items()},
        timezone=item.timezone,
        on_revoked=item.on_revoked,
        stored=item.stored_objects,
        bodies=bodies(item.bodies),
    )


def _user(name: str, item: UserConfig) -> records.User:
    return records.User(name, tuple(item.models), allowance(item.limits, item.budget))


def address_limits(item: AccessConfig) -> records.AddressLimits:
    """What the head of a request alone decides."""
    address_rpm, address_burst = _speed(item.per_address)
    key_rpm, key_burst = _speed(item.per_key_and_address)
    user_rpm, user_burst = _speed(item.per_user)
    return records.AddressLimits(
        address_rpm,
        address_burst,
        key_rpm,
        key_burst,
        item.prefix6,
        item.failures,
        tuple(item.trusted_proxies),
        user_rpm,
        user_burst,
    )


def _speed(item: SpeedConfig | None) -> tuple[int, int]:
    """Requests a minute and at once; 0 and 0 without such a bound."""
    return (item.rpm, item.burst or item.rpm) if item is not None else (0, 0)


def isolated(configured: Mapping[str, NamespaceConfig]) -> tuple[records.Isolation, ...]:
    """The namespaces with a worker of their own, in the order of the file."""
    return tuple(
        records.Isolation(name, item.isolation.port, milli(item.isolation.cpu or 0))
        for name, item in configured.items()
        if item.isolation is not None
    )
