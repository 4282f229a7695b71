"""`/spend` and `/namespaces/{namespace}/use`."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Response

from tidegate.control.admin.auth.rights import Actor, Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routes.namespaces import Namespace
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services import spending
from tidegate.control.admin.services.periods import month
from tidegate.control.admin.services.settings import from_moment
from tidegate.control.admin.views.cache import CacheQuery
from tidegate.control.admin.views.queries import MonthQuery, SpendQuery, UtilisationQuery
from tidegate.control.admin.views.spend import (
    MonthView,
    SpendReport,
    UseView,
    UtilisationView,
)
from tidegate.store import reports
from tidegate.units import DAY_US

ROUTER = router("spend")
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


def within(who: Actor, namespace: str | None) -> dict[str, str]:
    """A filter of the namespace that is asked for; an owner's own where none is. Raises `Refused` for another's."""
    own = who.scope()
    if own is None:
        return {} if namespace is None else {"namespace": namespace}
    if namespace is not None and namespace != own:
        raise refused(404, "query.namespace", "there is no such namespace", "leave it out: yours is meant")
    return {"namespace": own}


def period_of(desk: Office, asked: SpendQuery | UtilisationQuery | CacheQuery) -> tuple[int, int]:
    """From the month's beginning until now, unless it says otherwise. Raises `Refused`."""
    now = desk.clocks.wall()
    from_us = from_moment(asked.since, asked.zone) or month(now, ZoneInfo(asked.zone)).from_us
    to_us = from_moment(asked.until, asked.zone) or now
    check_period(from_us, to_us)
    return from_us, to_us


def check_period(from_us: int, to_us: int) -> None:
    """It begins before it ends, and is not endless. Raises `Refused`."""
    if from_us >= to_us:
        raise refused(422, "query.since", "is not before the end", "name an earlier moment")
    if to_us - from_us > _LONGEST_US:
        raise refused(422, "query.since", "makes the period longer than ten years", "name a later moment")
