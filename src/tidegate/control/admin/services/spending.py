"""Spend: reports by any grouping, the month with its forecast, and what of limits and budgets is used."""

import csv
import io
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from tidegate.control.admin.services import known
from tidegate.control.admin.services.periods import day, month
from tidegate.control.admin.services.settings import as_money
from tidegate.control.admin.views.spend import (
    BoundView,
    MonthView,
    SpendLine,
    SpendReport,
    UseView,
    UtilisationView,
)
from tidegate.control.declared import Declared
from tidegate.model.entitlements import Allowance
from tidegate.store import hit_reports, identity, reports
from tidegate.store.forecast import forecast
from tidegate.store.hit_reports import Saved
from tidegate.store.reports import Line, ReportQuery, Sums
from tidegate.store.utilisation import QuotaKey, Utilisation, overall, utilisation

_UNKNOWN_OF_HITS = frozenset({"scope", "tag"})
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def line(by: Sequence[str], found: Line, saved: Saved | None) -> SpendLine:
    """One line of a report; `saved` None: nobody knows."""
    sums = found.sums._asdict()
    cost = as_money(sums.pop("cost_nano"))
    tokens = found.sums.prompt_tokens + found.sums.completion_tokens
    return SpendLine.model_validate({
        **dict(zip(by, found.group, strict=True)), **sums, "cost": cost,
        "used_of_reserved": _part(tokens, found.sums.reserved_tokens),
        "cache_hits": None if saved is None else saved.hits,
        "saved": None if saved is None else as_money(saved.cost_nano),
    })  # fmt: skip


def report(connection: Connection, declared: Declared, wanted: ReportQuery) -> SpendReport:
    """Lines and their total. Raises `reports.TooMany`."""
    found = reports.report(connection, wanted)
    total = Line((), reports.total(connection, wanted))
    currency = declared.ledger.currency
    if _UNKNOWN_OF_HITS & {*wanted.by, *wanted.filters}:
        lines = [line(wanted.by, item, None) for item in found]
        return SpendReport(currency=currency, lines=lines, total=line((), total, None))
    of_hits = hit_reports.Wanted(wanted.from_us, wanted.to_us, wanted.by, wanted.filters, wanted.zone)
    saved = {item.group: item.saved for item in hit_reports.report(connection, of_hits) if item.saved.hits}
    known = {item.group for item in found}
    found = reports.ordered([*found, *(Line(group, Sums()) for group in saved if group not in known)], wanted.by)
    lines = [line(wanted.by, item, saved.get(item.group, Saved())) for item in found]
    return SpendReport(currency=currency, lines=lines, total=line((), total, hit_reports.total(connection, of_hits)))


def as_csv(by: Sequence[str], found: SpendReport) -> str:
    """The lines as CSV (RFC 4180), with nothing that a spreadsheet would take for a formula."""
    out = io.StringIO()
    columns = [*by, *Sums._fields[:-1], "cost", "currency", "cache_hits", "saved"]
    writer = csv.writer(out)
    writer.writerow(columns)
    for item in found.lines:
        values = {**item.model_dump(), "currency": found.currency}
        writer.writerow([harmless(values.get(name)) for name in columns])
    return out.getvalue()


def this_month(
    connection: Connection, declared: Declared, filters: Mapping[str, str], zone: str, now: int
) -> MonthView:
    """What the month has cost so far, and what it will have cost at its end."""
    found = forecast(connection, now, ZoneInfo(zone), filters)
    return MonthView(
        currency=declared.ledger.currency,
        month=found.month,
        spent=as_money(found.spent_nano),
        expected=as_money(found.expected_nano),
        low=as_money(found.low_nano),
        high=as_money(found.high_nano),
        history_hours=found.history_hours,
    )


def utilised(
    connection: Connection, declared: Declared, period: tuple[int, int], now: int, filters: Mapping[str, str]
) -> list[UtilisationView]:
    """Each provider, scope and model, and at the end all together. Raises `reports.TooMany`."""
    rows = utilisation(connection, *period, now, _limits(declared, filters), filters)
    return [_utilised(row) for row in (*rows, overall(rows))]


def use(connection: Connection, declared: Declared, namespace: str, now: int) -> list[UseView]:
    """Of a namespace, its users and its keys: what is used of what is bounded by day and month. Raises `Refused`."""
    record = known.namespace_of(connection, declared, namespace)
    zone = ZoneInfo(record.timezone)
    today = _spent(connection, namespace, day(now, zone), zone)
    so_far = _spent(connection, namespace, month(now, zone), zone)
    stored_users = [item.user for item in identity.users(connection, namespace)]
    stored_keys = [item.key for item in identity.keys(connection, namespace) if not item.revoked_us]
    found = [_use("namespace", namespace, record.allowance, today, so_far)]
    users = (*known.declared_users(declared, namespace), *stored_users)
    keys = (*known.declared_keys(declared, namespace), *stored_keys)
    found += [_use("user", user.name, user.allowance, today, so_far) for user in users]
    found += [_use("key", key.name, key.allowance, today, so_far) for key in keys]
    return found


_Spent = dict[tuple[str, str], Sums]


def _spent(connection: Connection, namespace: str, period: tuple[int, int], zone: ZoneInfo) -> _Spent:
    """By kind and name: of the namespace, its users and its keys; also what they paid for answers of the cache."""
    by, filters = ("user", "key"), {"namespace": namespace}
    lines = reports.report(connection, ReportQuery(*period, by, filters, zone))
    for group, saved in hit_reports.report(connection, hit_reports.Wanted(*period, by, filters, zone)):
        lines.append(Line(group, Sums(prompt_tokens=saved.charged_tokens, cost_nano=saved.charged_nano)))
    found: _Spent = {}
    for (user, key), sums in lines:
        for owner in (("namespace", namespace), ("user", user), ("key", key)):
            before = found.get(owner)
            found[owner] = sums if before is None else Sums(*map(int.__add__, before, sums))
    return found


def _use(kind: str, name: str, allowance: Allowance, today: _Spent, so_far: _Spent) -> UseView:
    of_day, of_month = today.get((kind, name), Sums()), so_far.get((kind, name), Sums())
    tokens = of_day.prompt_tokens + of_day.completion_tokens
    return UseView(
        kind=kind,
        name=name,
        rpm=allowance.rpm or None,
        tpm=allowance.tpm or None,
        concurrent=allowance.concurrent or None,
        tokens_today=BoundView(used=str(tokens), limit=str(allowance.tokens_day) if allowance.tokens_day else None),
        money_today=_money(of_day.cost_nano, allowance.nano_day),
        money_month=_money(of_month.cost_nano, allowance.nano_month),
    )


def _money(used: int, limit: int) -> BoundView:
    return BoundView(used=as_money(used), limit=as_money(limit) if limit else None)


def _limits(declared: Declared, filters: Mapping[str, str]) -> dict[QuotaKey, int]:
    """Tokens a minute that the file says the providers allow; a provider's quota is no tenant's alone."""
    if any(name in filters for name in ("namespace", "user", "key", "tag", "plan")):
        return {}
    lanes = {
        QuotaKey(provider.name, scope.name, model): limits.tpm or limits.itpm + limits.otpm
        for provider in declared.providers
        for scope in provider.scopes
        for model, limits in scope.limits.items()
    }
    wanted = [(at, filters[name]) for at, name in enumerate(QuotaKey._fields) if name in filters]
    return {lane: tpm for lane, tpm in lanes.items() if tpm and all(lane[at] == value for at, value in wanted)}


def _utilised(row: Utilisation) -> UtilisationView:
    return UtilisationView(
        **row.lane._asdict(),
        used_tokens=row.used_tokens,
        charged_tokens=row.charged_tokens,
        reserved_tokens=row.reserved_tokens,
        quota_tokens=row.quota_tokens or None,
        used_of_reserved=_part(row.used_tokens, row.reserved_tokens),
        used_of_quota=_part(row.used_tokens, row.quota_tokens),
    )


def _part(of: int, whole: int) -> float | None:
    return round(of / whole, 4) if whole else None


def harmless(value: object) -> str:
    """A value as a cell of CSV: nothing that a spreadsheet would take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) else text
