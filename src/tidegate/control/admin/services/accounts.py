"""Accounts of providers as they stand, and what an operator takes out of service and back."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection

from tidegate.control.admin.auth.rights import Actor
from tidegate.control.admin.problems import refused
from tidegate.control.admin.services.changes import Changes, Deed
from tidegate.control.admin.services.known import absent
from tidegate.control.admin.services.settings import as_moment
from tidegate.control.admin.views.account import (
    AccountKey,
    AccountLane,
    AccountLimits,
    AccountProvider,
    AccountScope,
    DrainView,
)
from tidegate.control.admin.views.live import LiveQuotaView
from tidegate.control.board import WorkerView
from tidegate.control.declared import Declared, DeclaredProvider, DeclaredScope
from tidegate.model.directory import DRAIN, Gone, drain_name
from tidegate.model.snapshot import Limits
from tidegate.observe.live import LiveLane, LiveQuota
from tidegate.observe.meters import AccountGauge, KeyGauge, LaneGauge
from tidegate.store import drains
from tidegate.store.drains import StoredDrain

Account = tuple[str, str, str]  # provider, scope, and a key's fingerprint, "" = the scope
_WORST: Final = ("good", "cooling", "dead", "drained")


class Known(NamedTuple):
    """What workers say, and what is drained."""

    accounts: dict[tuple[str, str], list[AccountGauge]]
    gauges: dict[str, list[LaneGauge]]  # by provider/scope/model
    lanes: dict[str, LiveLane]
    drained: dict[Account, StoredDrain]
    wall: int


def known(views: Iterable[WorkerView], lanes: Iterable[LiveLane], stored: Iterable[StoredDrain], wall: int) -> Known:
    """Put together. O(lanes × workers)."""
    accounts: dict[tuple[str, str], list[AccountGauge]] = {}
    gauges: dict[str, list[LaneGauge]] = {}
    for view in views:
        for account in view.accounts:
            accounts.setdefault((account.provider, account.scope), []).append(account)
        for gauge in view.gauges:
            gauges.setdefault(gauge.lane, []).append(gauge)
    of_lane = {f"{lane.provider}/{lane.scope}/{lane.model}": lane for lane in lanes}
    return Known(accounts, gauges, of_lane, {(one.provider, one.scope, one.key): one for one in stored}, wall)


def listed(declared: Declared, about: Known) -> list[AccountProvider]:
    """Every provider of the configuration, in its order."""
    return [
        AccountProvider(
            name=provider.name,
            dialect=provider.profile.dialect,
            base_url_host=_host(provider.base_url),
            scopes=[_scope(provider, scope, about) for scope in provider.scopes],
        )
        for provider in declared.providers
    ]


def drain(changes: Changes, actor: Actor, account: Account, reason: str, fingerprints: Sequence[str]) -> StoredDrain:
    """Take it out of service, or say another reason why it is. Raises `Refused`.

    `fingerprints`: those of the scope's keys that workers have told of; none while none has.
    """
    _check(changes.declaration.now, account, fingerprints)
    made: list[StoredDrain] = []

    def work(connection: Connection, now: int) -> Deed:
        before = drains.drain(connection, *account)
        one = StoredDrain(*account, now if before is None else before.since_us, actor.name, reason)
        drains.put(connection, one)
        made.append(one)
        return Deed("account.drain", "", _target(account), _told(before), _told(one), (one.change,))

    changes.carry_out(actor, work)
    return made[-1]


def restore(changes: Changes, actor: Actor, account: Account) -> None:
    """Take it back into service, also one that the configuration does not name any more. Raises `Refused`."""

    def work(connection: Connection, _now: int) -> Deed:
        before = drains.drain(connection, *account)
        if before is None:
            raise refused(409, "path.scope", "is not out of service", "see `/accounts` for what is")
        drains.remove(connection, *account)
        provider, scope, key = account
        gone = Gone(DRAIN, provider, drain_name(scope, key))
        return Deed("account.restore", "", _target(account), _told(before), None, (gone,))

    changes.carry_out(actor, work)


def drain_view(one: StoredDrain | None) -> DrainView | None:
    """As it is shown."""
    return None if one is None else DrainView(since=as_moment(one.since_us) or "", by=one.by, reason=one.reason)


def _check(declared: Declared, account: Account, fingerprints: Sequence[str]) -> None:
    provider, scope, key = account
    found = next((one for one in declared.providers if one.name == provider), None)
    if found is None:
        raise absent("provider", "provider")
    if all(one.name != scope for one in found.scopes):
        raise absent("scope", "scope")
    if key and fingerprints and key not in fingerprints:
        raise absent("fingerprint", "key")


def _target(account: Account) -> str:
    return "/".join(part for part in account if part)


def _told(one: StoredDrain | None) -> object:
    return None if one is None else {"since": as_moment(one.since_us), "by": one.by, "reason": one.reason}


def _scope(provider: DeclaredProvider, scope: DeclaredScope, about: Known) -> AccountScope:
    prefix = f"{provider.name}/{scope.name}/"
    told = about.accounts.get((provider.name, scope.name), [])
    models = {name.removeprefix(prefix) for name in (*about.gauges, *about.lanes) if name.startswith(prefix)}
    return AccountScope(
        name=scope.name,
        drained=drain_view(about.drained.get((provider.name, scope.name, ""))),
        in_flight=sum(one.in_flight for one in told),
        lanes=[_lane(scope, model, prefix + model, about) for model in sorted(models | scope.limits.keys())],
        keys=list(_keys(provider.name, scope.name, told, about)),
    )


def _keys(provider: str, scope: str, told: Sequence[AccountGauge], about: Known) -> Iterable[AccountKey]:
    """Of workers that know different things the worst, in the order of the configuration."""
    found: dict[str, KeyGauge] = {}
    for one in told:
        for key in one.keys:
            before = found.get(key.fingerprint)
            if before is None or _WORST.index(key.state) > _WORST.index(before.state):
                found[key.fingerprint] = key
    for key in found.values():
        yield AccountKey.model_validate({
            "fingerprint": key.fingerprint,
            "state": key.state,
            "until": as_moment(about.wall + key.again_us) if key.again_us else None,
            "drained": drain_view(about.drained.get((provider, scope, key.fingerprint))),
        })  # fmt: skip


def _lane(scope: DeclaredScope, model: str, name: str, about: Known) -> AccountLane:
    lane, gauges = about.lanes.get(name), about.gauges.get(name, [])
    shut = [gauge.wait_us for gauge in gauges if not gauge.open]
    longest = max(shut, default=0)
    limits = scope.limits.get(model, Limits())
    return AccountLane(
        model=model,
        limits=AccountLimits(
            rpm=limits.rpm or None, tpm=limits.tpm or limits.itpm or None, concurrency=scope.max_concurrent or None
        ),
        requests=None if lane is None else _quota(lane.requests),
        tokens=None if lane is None else _quota(lane.tokens),
        in_flight=sum(gauge.calls for gauge in gauges),
        breaker="closed" if not shut else "open" if longest else "half_open",
        open_until=as_moment(about.wall + longest) if longest else None,
        throttled_minute=0 if lane is None else lane.throttled_minute,
    )


def _quota(quota: LiveQuota) -> LiveQuotaView:
    return LiveQuotaView(
        used=quota.used,
        reserved=quota.reserved,
        limit=quota.limit,
        learned=quota.learned,
        everywhere=quota.everywhere,
    )


def _host(url: str) -> str:
    """Without what it might be called with."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
