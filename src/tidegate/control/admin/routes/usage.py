"""`/usage/series` and `/usage/outlook`: what is used of each quota over time, and when it will be exhausted."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import Query, Response

from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routing import Desk, needs, router
from tidegate.control.admin.services.settings import as_moment, from_moment
from tidegate.control.admin.services.spending import harmless
from tidegate.control.admin.views.usage import OutlookAsked, OutlookView, SeriesAsked, UsagePoint, UsageSeries
from tidegate.control.trends import limits_in_force
from tidegate.store import lane_limits, trends
from tidegate.store.outlook import Outlook, OutlookKeeper
from tidegate.store.trends import Point
from tidegate.units import DAY_US, HOUR_US

ROUTER = router("usage")
_LANE: Final = ("provider", "scope", "model")
_SPANS: Final = {"minute": HOUR_US, "hour": DAY_US, "day": 30 * DAY_US}
_LONGEST_US: Final = 3_660 * DAY_US
_AS_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The series; text with `output=csv`."}
}


@ROUTER.get("/usage/series", response_model_exclude_none=True, response_model=UsageSeries, responses=_AS_CSV)
@needs(Right.STATUS)
def usage_series(desk: Desk, asked: Annotated[SeriesAsked, Query()]) -> UsageSeries | Response:
    """What was used of each quota by minute, hour or day, beside the limit that was in force."""
    wall = desk.clocks.wall()
    to_us = from_moment(asked.until, asked.zone) or wall
    from_us = from_moment(asked.since, asked.zone) or to_us - _SPANS[asked.by]
    if from_us >= to_us:
        raise refused(422, "query.since", "is not before the end", "name an earlier moment")
    if to_us - from_us > _LONGEST_US:
        raise refused(422, "query.since", "makes the period longer than ten years", "name a later moment")
    zone = ZoneInfo(asked.zone)
    wanted = trends.SeriesQuery(from_us, to_us, wall, asked.by, asked.filters(*_LANE), zone)
    with desk.engine.connect() as connection:
        try:
            points = [_point(one) for one in trends.series(connection, wanted)]
        except trends.TooMany:
            raise refused(
                422, "query.by", f"makes more than {trends.MOST} points", "filter, or ask for less time or longer steps"
            ) from None
    if asked.output == "csv":
        return Response(_as_csv(points), media_type="text/csv; charset=utf-8")
    return UsageSeries(by=asked.by, since=as_moment(from_us) or "", until=as_moment(to_us) or "", points=points)


@ROUTER.get("/usage/outlook", response_model_exclude_none=True)
@needs(Right.STATUS)
def usage_outlook(desk: Desk, asked: Annotated[OutlookAsked, Query()]) -> list[OutlookView]:
    """When each quota will be exhausted: by the pattern of the last weeks, and by the last five minutes."""
    wall, filters = desk.clocks.wall(), asked.filters(*_LANE)
    with desk.engine.connect() as connection:
        limits = limits_in_force(desk.board.views()) or lane_limits.latest(connection)
        wanted = {lane: limit for lane, limit in limits.items() if filters.items() <= lane._asdict().items()}
        found = OutlookKeeper().outlooks(connection, wall, wanted)
    return [_outlook(one, wall) for one in found]


def _point(one: Point) -> UsagePoint:
    use = one.use._asdict()
    queued_us = use.pop("queued_us")
    return UsagePoint(
        at=as_moment(one.at_us) or "1970-01-01T00:00:00Z",
        **one.lane._asdict(),
        **use,
        queued_seconds=queued_us / 1e6,
        tpm=one.limit.tpm or None,
        rpm=one.limit.rpm or None,
        limit_source=one.limit.source or None,
        quota_tokens=one.quota_tokens or None,
        quota_requests=one.quota_requests or None,
        used_of_tokens=_part(one.use.charged_tokens, one.quota_tokens),
        used_of_requests=_part(one.use.attempts, one.quota_requests),
    )


def _outlook(one: Outlook, wall: int) -> OutlookView:
    return OutlookView.model_validate({
        **one.lane._asdict(),
        "unit": one.unit,
        "limit": one.limit,
        "limit_source": one.source or None,
        "rate": round(one.rate, 3),
        "method": one.method,
        "history_hours": one.history_hours,
        "exhausted_in_seconds": _rounded(one.exhausted_s),
        "soon_in_seconds": _rounded(one.soon_s),
        "expected_in_seconds": _rounded(one.expected_s),
        "expected_at": _later(wall, one.expected_s),
        "likely_in_seconds": _rounded(one.likely_s),
        "likely_at": _later(wall, one.likely_s),
        "peak": round(one.peak, 3),
        "peak_at": _later(wall, one.peak_s) or "",
    })  # fmt: skip


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _later(wall: int, seconds: float | None) -> str | None:
    """A moment to the second."""
    return None if seconds is None else as_moment((wall // 1_000_000 + round(seconds)) * 1_000_000)


def _part(of: int, whole: int) -> float | None:
    return round(of / whole, 4) if whole else None


def _as_csv(points: Sequence[UsagePoint]) -> str:
    """RFC 4180, with nothing that a spreadsheet would take for a formula."""
    out = io.StringIO()
    columns = list(UsagePoint.model_fields)
    writer = csv.writer(out)
    writer.writerow(columns)
    for point in points:
        values = point.model_dump()
        writer.writerow([harmless(values[name]) for name in columns])
    return out.getvalue()
