"""`/spend`, `/calls` and `/namespaces/{namespace}/use`."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Path, Query, Response

from tidegate.control.admin import spending
from tidegate.control.admin.api_namespaces import Namespace
from tidegate.control.admin.cache_views import CacheQuery
from tidegate.control.admin.office import Office
from tidegate.control.admin.periods import DAY_US, month
from tidegate.control.admin.problems import refused
from tidegate.control.admin.queries import MAX_ID, CallsQuery, MonthQuery, SpendQuery, UtilisationQuery
from tidegate.control.admin.rights import Actor, Right
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.settings import as_moment, as_money, from_moment
from tidegate.control.admin.spend_views import (
    CallPage,
    CallView,
    CallWithTries,
    MonthView,
    SpendReport,
    TryView,
    UseView,
    UtilisationView,
)
from tidegate.store import calls, reports
from tidegate.store.calls import Found

ROUTER = router("spend and calls")
_LONGEST_US = 3_660 * DAY_US
_AS_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The report; text with `output=csv`."}
}


@ROUTER.get("/spend", response_model_exclude_none=True, response_model=SpendReport, responses=_AS_CSV)
@needs(Right.SEE_SPEND)
def report_spend(desk: Desk, who: Who, asked: Annotated[SpendQuery, Query()]) -> SpendReport | Response:
    """What was used and what it cost, by hours that ended in the ledger."""
    filters = asked.filters("user", "key", "plan", "model", "provider", "scope", "tag") | within(who, asked.namespace)
    by = tuple(dict.fromkeys(asked.by))
    wanted = reports.ReportQuery(*period_of(desk, asked), by, filters, ZoneInfo(asked.zone))
    with desk.engine.connect() as connection:
        try:
            found = spending.report(connection, desk.declaration.now, wanted)
        except reports.TooMany:
            raise refused(
                422, "query.by", f"makes more than {reports.MOST} lines", "filter, or group by less"
            ) from None
    if asked.output == "csv":
        return Response(spending.as_csv(by, found), media_type="text/csv; charset=utf-8")
    return found


@ROUTER.get("/spend/utilisation", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def utilisation(desk: Desk, who: Who, asked: Annotated[UtilisationQuery, Query()]) -> list[UtilisationView]:
    """Tokens used of tokens reserved and of the quota, by provider, scope and model, and at the end all together."""
    filters = asked.filters("provider", "scope", "model") | within(who, asked.namespace)
    period = period_of(desk, asked)
    with desk.engine.connect() as connection:
        return spending.utilised(connection, desk.declaration.now, period, desk.clocks.wall(), filters)


@ROUTER.get("/spend/month", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def this_month(desk: Desk, who: Who, asked: Annotated[MonthQuery, Query()]) -> MonthView:
    """What this month has cost, and what it will have cost at its end by the pattern of the last weeks."""
    filters = within(who, asked.namespace)
    with desk.engine.connect() as connection:
        return spending.this_month(connection, desk.declaration.now, filters, asked.zone, desk.clocks.wall())


@ROUTER.get("/namespaces/{namespace}/use", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def show_use(desk: Desk, namespace: Namespace) -> list[UseView]:
    """Limits and budgets of the namespace, its users and its keys, and what is used of those by day and month."""
    with desk.engine.connect() as connection:
        return spending.use(connection, desk.declaration.now, namespace, desk.clocks.wall())


@ROUTER.get("/calls", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def list_calls(desk: Desk, who: Who, asked: Annotated[CallsQuery, Query()]) -> CallPage:
    """Calls as they ended, the newest first."""
    filters = asked.filters("user", "key", "plan", "served", "provider", "tag") | within(who, asked.namespace)
    to_us = from_moment(asked.until) or desk.clocks.wall() + 1
    from_us = from_moment(asked.since) or to_us - DAY_US
    _checkperiod_of(from_us, to_us)
    at_us, _, number = (asked.before or "").partition("-")
    page = (int(at_us), int(number)) if asked.before else None
    with desk.engine.connect() as connection:
        found = calls.calls(connection, calls.CallsQuery(from_us, to_us, filters, asked.errors, page, asked.limit))
    last = found[-1] if len(found) == asked.limit else None
    following = None if last is None else f"{last['at_us']}-{last['call_id']}"
    return CallPage(calls=[CallView.model_validate(_told(row)) for row in found], next=following)


@ROUTER.get("/calls/{call}", response_model_exclude_none=True)
@needs(Right.SEE_SPEND)
def show_call(desk: Desk, who: Who, call: Annotated[int, Path(ge=0, le=MAX_ID)]) -> CallWithTries:
    """One call with every attempt: who was asked, what it billed, and how it ended."""
    with desk.engine.connect() as connection:
        found = calls.call(connection, call, who.namespace if who.role == "owner" else None)
    if found is None:
        remedy = "list the calls to see theirs; of one that the cache answered ask `/calls/{call}/cache`"
        raise refused(404, "path.call", "there is no such call that was made", remedy)
    row, tries = found
    return CallWithTries.model_validate({**_told(row), "tries": [TryView.model_validate(_told(one)) for one in tries]})


def within(who: Actor, namespace: str | None) -> dict[str, str]:
    """A filter of the namespace that is asked for; an owner's own where none is. Raises `Refused` for another's."""
    if who.role != "owner":
        return {} if namespace is None else {"namespace": namespace}
    if namespace is not None and namespace != who.namespace:
        raise refused(404, "query.namespace", "there is no such namespace", "leave it out: yours is meant")
    return {"namespace": who.namespace}


def period_of(desk: Office, asked: SpendQuery | UtilisationQuery | CacheQuery) -> tuple[int, int]:
    """From the month's beginning until now, unless it says otherwise. Raises `Refused`."""
    now = desk.clocks.wall()
    from_us = from_moment(asked.since, asked.zone) or month(now, ZoneInfo(asked.zone)).from_us
    to_us = from_moment(asked.until, asked.zone) or now
    _checkperiod_of(from_us, to_us)
    return from_us, to_us


def _checkperiod_of(from_us: int, to_us: int) -> None:
    if from_us >= to_us:
        raise refused(422, "query.since", "is not before the end", "name an earlier moment")
    if to_us - from_us > _LONGEST_US:
        raise refused(422, "query.since", "makes the period longer than ten years", "name a later moment")


def _told(row: Found) -> Found:
    return {**row, "id": str(row["call_id"]), "at": as_moment(row["at_us"]) or "", "cost": as_money(row["cost_nano"])}
