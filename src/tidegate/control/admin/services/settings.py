"""From what is sent to the records that processes hand to each other, and back. Pure.

Back means: the JSON object from which the same record would be made, which is what answers show and patches apply to.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tidegate.config.build.bodies import bodies, of_bodies
from tidegate.config.schema.access import BudgetConfig, QuotaConfig, moment_us
from tidegate.control.admin.views.sent import KeySettings, NamespaceSettings, UserSettings
from tidegate.model.entitlements import Allowance, ClientKey, Namespace, User

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANO = 1_000_000_000
_MILLI = 1_000
Json = dict[str, object]


def namespace_of(name: str, said: NamespaceSettings) -> Namespace:
    """The record of a namespace."""
    return Namespace(
        name,
        tier=said.tier,
        weight_milli=round(said.weight * _MILLI),
        models=tuple(said.models),
        allowance=_allowance(said.limits, said.budget),
        by_model={model: _allowance(part.limits, part.budget) for model, part in said.by_model.items()},
        timezone=said.timezone,
        on_revoked=said.on_revoked,
        stored=said.stored_objects,
        bodies=bodies(said.bodies),
    )


def user_of(name: str, said: UserSettings) -> User:
    """The record of a user."""
    return User(name, models=tuple(said.models), allowance=_allowance(said.limits, said.budget))


def key_of(name: str, said: KeySettings, zone: str, digest: bytes, signing_key: bytes) -> ClientKey:
    """The record of a key. Days without an hour begin in `zone`."""
    return ClientKey(
        name,
        digest,
        user=said.user or "",
        models=tuple(said.models),
        addresses=tuple(said.addresses),
        signing=said.signing,
        signing_key=signing_key if said.signing != "off" else b"",
        not_before_us=from_moment(said.not_before, zone),
        expires_us=from_moment(said.expires, zone),
        allowance=_allowance(said.limits, said.budget),
    )


def from_moment(text: str | None, zone: str = "UTC") -> int:
    """Microseconds since 1970; 0 for None."""
    return 0 if text is None else moment_us(text, ZoneInfo(zone))


def as_moment(moment: int) -> str | None:
    """A moment in UTC as RFC 3339 writes it; None for 0."""
    if not moment:
        return None
    return (_EPOCH + timedelta(microseconds=moment)).isoformat().replace("+00:00", "Z")


def as_money(nano: int) -> str:
    """Billionths as an exact decimal text."""
    text = f"{Decimal(nano) / _NANO:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def of_namespace(record: Namespace) -> Json:
    """What would make this namespace, its name left out."""
    return _without_nothing({
        "tier": record.tier,
        "weight": record.weight_milli / _MILLI,
        "models": list(record.models),
        **_of_allowance(record.allowance),
        "by_model": {model: _of_allowance(part) for model, part in record.by_model.items()},
        "timezone": record.timezone,
        "on_revoked": record.on_revoked,
        "stored_objects": record.stored,
        "bodies": of_bodies(record.bodies),
    })  # fmt: skip


def of_user(record: User) -> Json:
    """What would make this user, its name left out."""
    return _without_nothing({"models": list(record.models), **_of_allowance(record.allowance)})


def of_key(record: ClientKey) -> Json:
    """What would make this key, its name left out; nothing that it could be called or signed with."""
    return _without_nothing({
        "user": record.user or None,
        "models": list(record.models),
        "addresses": list(record.addresses),
        "signing": record.signing,
        "not_before": as_moment(record.not_before_us),
        "expires": as_moment(record.expires_us),
        **_of_allowance(record.allowance),
    })  # fmt: skip


def without_secrets(record: ClientKey) -> ClientKey:
    """The same key, of which nothing can be found or signed."""
    return msgspec.structs.replace(record, digest=b"", signing_key=b"")


def _allowance(limits: QuotaConfig, budget: BudgetConfig) -> Allowance:
    return Allowance(
        rpm=limits.rpm or 0,
        tpm=limits.tpm or 0,
        concurrent=limits.concurrent or 0,
        tokens_day=limits.tokens_per_day or 0,
        nano_day=_nano(budget.per_day),
        nano_month=_nano(budget.per_month),
        on_loss=limits.on_state_loss or "",
        on_loss_of_budget=budget.on_state_loss or "",
    )


def _nano(amount: Decimal | None) -> int:
    return 0 if amount is None else int(amount * _NANO)


def _of_allowance(record: Allowance) -> Json:
    limits = {
        "rpm": record.rpm,
        "tpm": record.tpm,
        "concurrent": record.concurrent,
        "tokens_per_day": record.tokens_day,
        "on_state_loss": record.on_loss,
    }
    budget = {"per_day": record.nano_day, "per_month": record.nano_month}
    money: Json = {name: as_money(value) for name, value in budget.items() if value}
    if record.on_loss_of_budget:
        money["on_state_loss"] = record.on_loss_of_budget
    return {"limits": {name: value for name, value in limits.items() if value}, "budget": money}


def _without_nothing(said: Json) -> Json:
    return {name: value for name, value in said.items() if value is not None}
